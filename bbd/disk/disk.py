"""The disk: a block device on top of memory, journal and world. It knows offsets, sections and time, not blocks."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bbd.disk.admission import Admission
from bbd.disk.at_hand import AtHand
from bbd.disk.findings import Finding
from bbd.disk.housekeeper import AGE_SECONDS, Housekeeper
from bbd.disk.loaded_column import LoadedColumn
from bbd.disk.parts import Parts, Threads
from bbd.disk.read_side import ReadSide
from bbd.disk.verification import Verification
from bbd.disk.write_side import WriteSide, make_write_side
from bbd.worlds.world import DATA_SECTIONS, Payload

logger = logging.getLogger("bbd.disk")

_LEAST_PIECE: Final = 32 << 10
"""Bytes of a long write that are received together: enough to make little of each receive's cost."""
_COLUMN_SHIFT: Final = 4
_IN_COLUMN: Final = DATA_SECTIONS - 1


class Disk:
    """One open disk; fulfils ``bbd.nbd.export.Device``. All methods run on one event loop.

    A READ or WRITE that memory can serve is answered by ``try_read`` and ``try_write`` at once; the others wait for
    worker threads. Every ``OSError`` says by its ``errno`` what to tell the client.
    """

    def __init__(
        self, parts: Parts, admission: Admission, *, name: str, size: int, read_only: bool, age: float = AGE_SECONDS
    ) -> None:
        self.name = name
        self.size = size
        self.read_only = read_only
        self._age = age
        self._parts = parts
        self._memory = memory = parts.memory
        self._admission = admission
        self.block_size = len(memory.zero)
        self._column_size = DATA_SECTIONS * self.block_size
        self.piece_size = max(self._column_size, _LEAST_PIECE)
        self._shift = self.block_size.bit_length() - 1
        self._mask = self.block_size - 1
        self._at_hand = at_hand = AtHand(memory, admission, self._touched)
        self.try_read, self.try_reads = at_hand.try_read, at_hand.try_reads
        self.try_write, self.try_writes = at_hand.try_write, at_hand.try_writes
        self._threads = Threads()
        self._read_side = ReadSide(parts.reader, memory, self._threads.readers, self._put_right, size)
        self._write_side: WriteSide | None = None
        self._housekeeper: Housekeeper | None = None
        self._beginning = asyncio.Lock()
        self._mending: asyncio.Task[None] | None = None
        self._verification = Verification(name, parts.watch, self.verify, from_outside=parts.records.descriptor.clean)

    # -- reading --------------------------------------------------------------------------------------------------

    async def read(self, offset: int, length: int) -> Sequence[Payload]:
        """The bytes, from the world where memory lacks them. EIO for a section that is damaged."""
        return self._at_hand.trimmed(await self._read_side.read(offset, length), offset, length)

    async def prefetch(self, offset: int, length: int) -> None:
        """Bring the range into memory, as far as the cache goes; damage is left for the READ to find."""
        await self._read_side.prefetch(offset, length)

    def data(self) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of the ranges, in order, that may hold something else than zeros; all between is zeros."""
        for column in self._parts.memory.holding():
            yield column * self._column_size, min((column + 1) * self._column_size, self.size)

    def _written(self, columns: Iterable[int]) -> None:
        columns = list(columns)
        self._read_side.written(columns)
        self._parts.reader.reporter.forget(columns)

    # -- what is wrong with columns -------------------------------------------------------------------------------

    @property
    def allocated(self) -> list[int]:
        """The columns that are in the world, ascending."""
        return list(self._memory.world.allocated)

    async def verify(self, columns: Sequence[int]) -> list[Finding]:
        """Look at whole columns in the world, and have put right what can be. Errors: ``OSError``."""
        return await self._read_side.verify(columns)

    def watch_changes(self) -> None:
        """Others change the world while the disk is open, and :meth:`changed` will be told. Comes before all else."""
        self._memory.reconciling.begin()

    def changed(self, columns: Sequence[int] | None) -> None:
        """Others have changed these columns in the world, or may have changed any: what was read of them is forgotten,
        and where something waits to be written into them, a checkpoint merges the two at once."""
        dirty = self._memory.reconciling.forget(columns)
        self._read_side.changed(columns)
        self._parts.writer.changed(columns)
        if dirty and self._write_side is not None:
            self._write_side.checkpointer.begin()

    def _put_right(self, loaded: LoadedColumn) -> None:
        """Have the next checkpoint write a column as it reads, where that mends something or vouches for an edit."""
        if loaded.edited and self._memory.reconciling.begun:
            self._memory.reconciling.forget([loaded.column])
            self._read_side.changed([loaded.column])
        if not loaded.wants_writing or self.read_only:
            return
        fresh = self._memory.snapshots.refresh(loaded.column)
        if self._write_side is not None:
            if fresh:  # else who looks at it again and again would put off the checkpoint
                self._touched()
        elif self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._begin_mending())

    async def _begin_mending(self) -> None:
        try:
            await self.begin_writing()
        except OSError as error:
            logger.error("disk %r: what was mended can't be written into the world (%s)", self.name, error)

    # -- writing --------------------------------------------------------------------------------------------------

    def try_write_pieces(self, offset: int, pieces: Sequence[memoryview]) -> bool:
        """As ``try_write``, with whole sections that are kept as they are."""
        taken = self._at_hand.try_write_pieces(offset, pieces)
        if taken and self._write_side is not None:
            self._write_side.committer.written()
        return taken

    async def write(self, offset: int, data: bytes | bytearray) -> None:
        """Take the bytes. EPERM where somebody else's blocks stand, ENOSPC or EIO where the world takes no more."""
        with memoryview(data) as view:
            while not self.try_write(offset, view):
                await self._make_ready(offset, len(data))

    async def _make_ready(self, offset: int, length: int) -> None:
        """Bring about, one at a time, what ``try_write`` found missing."""
        first, last = offset >> self._shift, offset + length - 1 >> self._shift
        if self._write_side is None:
            await self.begin_writing()
        if self._at_hand.crowded and self._write_side is not None:
            await self._write_side.checkpointer.make_room()
        await self._admission.admit(first >> _COLUMN_SHIFT, last >> _COLUMN_SHIFT, self._threads.readers)
        if offset & self._mask:
            await self._read_side.bring(first)
        if offset + length & self._mask:
            await self._read_side.bring(last)

    async def start(self) -> None:
        """Take up what a crash left, and look at what changed in the world since the last clean stop.

        Errors: ``OSError``."""
        await self._take_up()
        await self._verification.start(self._threads.readers)

    async def _take_up(self) -> None:
        if not self.read_only and (self._memory.has_work or not self._parts.records.descriptor.clean):
            await self.begin_writing()

    async def begin_writing(self) -> None:
        """Open an epoch, at the first write: the descriptor says from now on that the disk is in use."""
        async with self._beginning:
            if self._write_side is not None:
                return
            if self.read_only:
                raise PermissionError(errno.EPERM, "the disk is read-only")
            loop = asyncio.get_running_loop()
            journal = await loop.run_in_executor(self._threads.journal, self._parts.records.begin_epoch)
            self._write_side = make_write_side(self._parts, self._threads, journal, self._written)
            self._at_hand.writable = True
            self._housekeeper = Housekeeper(self._memory, self._write_side, self._age)
        if self._memory.has_work:
            self._touched()

    def _touched(self) -> None:
        self._memory.writes += 1
        if self._housekeeper is not None:
            self._housekeeper.written()

    # -- zeros ----------------------------------------------------------------------------------------------------

    async def trim(self, offset: int, length: int) -> None:
        """The range reads as zeros from now on, and takes no room."""
        await self.zero(offset, length, may_punch=True)

    async def zero(self, offset: int, length: int, *, may_punch: bool) -> None:
        """The range reads as zeros from now on. Whole columns leave the world; nothing is ever reserved for zeros."""
        del may_punch
        if self._write_side is None:
            await self.begin_writing()
        end = offset + length
        first, last = -(-offset // self._column_size), self._whole_columns_end(end)
        if first < last:
            await self._zero_within(offset, first * self._column_size)
            self._memory.clear(first, last - first)
            self._touched()
            await self._zero_within(last * self._column_size, end)
        else:
            await self._zero_within(offset, end)

    def _whole_columns_end(self, end: int) -> int:
        """The column that a range ending at ``end`` no longer covers; a last column that the disk cuts off counts."""
        return -(-end // self._column_size) if end == self.size else end // self._column_size

    async def _zero_within(self, start: int, end: int) -> None:
        """Zero a range of less than a column on either side, section by section, leaving alone what is zero already."""
        while start < end:
            stop = min(end, (start | self._mask) + 1)
            if self._memory.lookup(start >> self._shift) is not self._memory.zero:
                await self.write(start, bytes(stop - start))
            start = stop

    # -- safety ---------------------------------------------------------------------------------------------------

    def try_flush(self) -> bool:
        """Make what was acknowledged safe, if that is a matter of one quick sync; else return False."""
        side = self._write_side
        if side is None:
            return self.read_only or not self._memory.has_work
        return side.committer.try_commit()

    @property
    def foresees_flush(self) -> bool:
        """Whether a client is likely to flush next."""
        return self._write_side is not None and self._write_side.committer.foresees_flush

    def flush_ahead(self) -> None:
        """Make safe what a client is likely to flush next; what fails is left to the flush."""
        if self._write_side is not None:
            self._write_side.committer.commit_ahead()

    async def flush(self) -> None:
        """Return when all that was acknowledged is safe. ENOSPC, EIO: it is not, and still in memory."""
        if self._write_side is None and self._memory.has_work and not self.read_only:
            await self.begin_writing()  # what a crash left in the journal may not be safe yet
        side = self._write_side
        if side is None or side.committer.idle:
            return
        # What fills much of the journal is written once, not twice, by going straight into the world.
        if self._memory.backlog.sections * self.block_size * 2 > side.journal.limit:
            with contextlib.suppress(OSError):
                await side.checkpointer.run()
        try:
            await side.committer.commit()
        except OSError as error:
            # The journal is full, or its file system; the world may have room.
            if error.errno != errno.ENOSPC:
                raise
            await side.checkpointer.run()

    async def checkpoint(self) -> None:
        """Bring everything into the world. Errors: ``OSError``."""
        side = self._write_side
        while side is not None and (self._memory.has_work or side.checkpointer.running):
            await asyncio.shield(side.checkpointer.begin())

    async def close(self) -> None:
        """Stop cleanly: everything into the world, the journal empty, the descriptor clean.

        Where the world takes no more, what it lacks is put into the journal, and the ``OSError`` says so.
        """
        if self._housekeeper is not None:
            self._housekeeper.stop()
        self._verification.stop()
        loop = asyncio.get_running_loop()
        try:
            try:
                await self._take_up()
                await self.checkpoint()
            except OSError:
                await self.flush()
                raise
            if not self.read_only:
                await loop.run_in_executor(self._threads.journal, self._end)
        finally:
            self.release()

    def _end(self) -> None:
        self._parts.watch.remember(self._memory.world.allocated)
        self._parts.records.end_epoch()

    def release(self) -> None:
        """Let go of threads and files without writing anything more; the next opening replays the journal."""
        if self._housekeeper is not None:
            self._housekeeper.stop()
        self._verification.stop()
        if self._mending is not None:
            self._mending.cancel()
        self._threads.shutdown()
        self._parts.records.abandon()
        self._write_side = None
        self._at_hand.writable = False
