"""The disk: a block device on top of memory, journal and world. It knows offsets, sections and time, not blocks."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from bbd.disk.admission import Admission
from bbd.disk.column_reader import LoadedColumn
from bbd.disk.columns import Columns
from bbd.disk.findings import Finding
from bbd.disk.housekeeper import Housekeeper
from bbd.disk.journal import JournalFull
from bbd.disk.parts import Parts, Threads
from bbd.disk.verification import Verification
from bbd.disk.write_side import WriteSide, make_write_side
from bbd.worlds.world import DATA_SECTIONS

logger = logging.getLogger("bbd.disk")

Part: TypeAlias = bytes | bytearray | memoryview
_COLUMN_SHIFT: Final = 4
_IN_COLUMN: Final = DATA_SECTIONS - 1


class Disk:
    """One open disk; fulfils ``bbd.nbd.export.Device``. All methods run on one event loop.

    A READ or WRITE that memory can serve is answered by ``try_read`` and ``try_write`` at once; the others wait for
    worker threads. Every ``OSError`` says by its ``errno`` what to tell the client.
    """

    def __init__(self, parts: Parts, admission: Admission, *, name: str, size: int, read_only: bool) -> None:
        self.name = name
        self.size = size
        self.read_only = read_only
        self._parts = parts
        self._memory = memory = parts.memory
        self._admission = admission
        self._section_size = len(memory.zero)
        self._shift = self._section_size.bit_length() - 1
        self._mask = self._section_size - 1
        self._dirty_limit = memory.capacity * 3 // 4
        self._threads = Threads()
        self._columns = Columns(parts.reader, self._threads.readers, self._put_right)
        self._write_side: WriteSide | None = None
        self._housekeeper: Housekeeper | None = None
        self._beginning = asyncio.Lock()
        self._mending: asyncio.Task[None] | None = None
        self._verification = Verification(name, parts.watch, self.verify, from_outside=parts.records.descriptor.clean)

    # -- reading --------------------------------------------------------------------------------------------------

    def try_read(self, offset: int, length: int) -> Sequence[Part] | None:
        """The bytes from memory, or ``None``."""
        lookup = self._memory.lookup
        first = offset >> self._shift
        if length == self._section_size and not offset & self._mask:
            payload = lookup(first)
            return None if payload is None else (payload,)
        parts: list[Part] = []
        for section in range(first, (offset + length - 1 >> self._shift) + 1):
            payload = lookup(section)
            if payload is None:
                return None
            parts.append(payload)
        return self._trim_parts(parts, offset, length)

    async def read(self, offset: int, length: int) -> Sequence[Part]:
        """The bytes, from the world where memory lacks them. EIO for a section that is damaged."""
        sections = range(offset >> self._shift, (offset + length - 1 >> self._shift) + 1)
        self._begin_loading(sections)
        parts: list[Part] = [await self._section(section) for section in sections]
        return self._trim_parts(parts, offset, length)

    async def prefetch(self, offset: int, length: int) -> None:
        """Bring the range into memory, as far as the cache goes; damage is left for the READ to find."""
        sections = range(offset >> self._shift, (offset + length - 1 >> self._shift) + 1)
        for section in sections[: self._memory.capacity // 2]:
            with contextlib.suppress(OSError):
                await self._section(section)

    def data(self) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of the ranges, in order, that may hold something else than zeros; all between is zeros."""
        column_size = self._section_size * DATA_SECTIONS
        for column in self._parts.memory.holding():
            yield column * column_size, min((column + 1) * column_size, self.size)

    def _trim_parts(self, parts: list[Part], offset: int, length: int) -> list[Part]:
        """Whole sections, cut to the bytes asked for."""
        if head := offset & self._mask:
            parts[0] = memoryview(parts[0])[head:]
        if tail := -(offset + length) & self._mask:
            parts[-1] = memoryview(parts[-1])[:-tail]
        return parts

    async def _section(self, section: int) -> bytes:
        payload = self._memory.lookup(section)
        if payload is not None:
            return payload
        column = await self._columns.get(section >> _COLUMN_SHIFT)
        # While the column was on its way the section may have been written, or cleared.
        payload = self._memory.lookup(section)
        if payload is None:
            payload = column.section(section & _IN_COLUMN)
            self._memory.keep(section, payload)
        return payload

    def _begin_loading(self, sections: Iterable[int]) -> None:
        """Let the threads start on every column that a long read will need."""
        lookup = self._memory.lookup
        self._columns.begin({section >> _COLUMN_SHIFT for section in sections if lookup(section) is None})

    def _written(self, columns: Iterable[int]) -> None:
        columns = list(columns)
        self._columns.written(columns)
        self._parts.reader.reporter.forget(columns)

    # -- what is wrong with columns -------------------------------------------------------------------------------

    @property
    def allocated(self) -> list[int]:
        """The columns that are in the world, ascending."""
        return list(self._memory.allocated)

    async def verify(self, column: int) -> Finding:
        """Look at a whole column in the world, and have put right what can be. Errors: ``OSError``."""
        loaded = None if self._memory.reads_zero(column) else await self._columns.verify(column)
        if loaded is None:
            return Finding(column, "")
        dirty = self._memory.dirty
        rewritten = [index for index in loaded.damage if column << _COLUMN_SHIFT | index in dirty]
        for index in rewritten:
            del loaded.damage[index]
        return loaded.finding

    def _put_right(self, loaded: LoadedColumn) -> None:
        """Have the next checkpoint write a column as it reads, where that mends something or vouches for an edit."""
        if not loaded.wants_writing or self.read_only:
            return
        self._memory.refresh(loaded.column)
        if self._write_side is not None:
            self._touched()
        elif self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._begin_mending())

    async def _begin_mending(self) -> None:
        try:
            await self.begin_writing()
        except OSError as error:
            logger.error("disk %r: what was mended can't be written into the world (%s)", self.name, error)

    # -- writing --------------------------------------------------------------------------------------------------

    def try_write(self, offset: int, data: memoryview) -> bool:
        """Take the bytes if that needs neither I/O nor room; else change nothing."""
        memory = self._memory
        shift, mask = self._shift, self._mask
        end = offset + len(data)
        first, last = offset >> shift, end - 1 >> shift
        if self._write_side is None or len(memory.dirty) >= self._dirty_limit:
            return False
        if not self._admission.admits(first >> _COLUMN_SHIFT, last >> _COLUMN_SHIFT):
            return False
        if not offset & mask and not end & mask:
            self._put_whole(first, data)
        elif not self._put_partly(first, last, offset, data):
            return False
        memory.shrink()
        self._touched()
        return True

    async def write(self, offset: int, data: bytes | bytearray) -> None:
        """Take the bytes. EPERM where somebody else's blocks stand, ENOSPC or EIO where the world takes no more."""
        with memoryview(data) as view:
            while not self.try_write(offset, view):
                await self._make_ready(offset, len(data))

    def _put_whole(self, first: int, data: memoryview) -> None:
        put, size = self._memory.put, self._section_size
        for section, start in enumerate(range(0, len(data), size), first):
            put(section, bytes(data[start : start + size]))

    def _put_partly(self, first: int, last: int, offset: int, data: memoryview) -> bool:
        """A write that ends within sections: the bytes around it come from memory, or it fails before any change."""
        before = offset & self._mask
        after = -(offset + len(data)) & self._mask
        head = self._memory.lookup(first) if before else b""
        tail = self._memory.lookup(last) if after else b""
        if head is None or tail is None:
            return False
        whole = b"".join((head[:before], data, tail[self._section_size - after :]))
        self._put_whole(first, memoryview(whole))
        return True

    async def _make_ready(self, offset: int, length: int) -> None:
        """Bring about, one at a time, what ``try_write`` found missing."""
        first, last = offset >> self._shift, offset + length - 1 >> self._shift
        if self._write_side is None:
            await self.begin_writing()
        if len(self._memory.dirty) >= self._dirty_limit and self._write_side is not None:
            await self._write_side.checkpointer.make_room()
        await self._admission.admit(first >> _COLUMN_SHIFT, last >> _COLUMN_SHIFT, self._threads.readers)
        if offset & self._mask:
            await self._section(first)
        if offset + length & self._mask:
            await self._section(last)

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
            self._housekeeper = Housekeeper(self._memory, self._write_side)
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
        column_size = self._section_size * DATA_SECTIONS
        first, last = -(-offset // column_size), self._whole_columns_end(end)
        if first < last:
            await self._zero_within(offset, first * column_size)
            self._clear(first, last - first)
            await self._zero_within(last * column_size, end)
        else:
            await self._zero_within(offset, end)

    def _whole_columns_end(self, end: int) -> int:
        """The column that a range ending at ``end`` no longer covers; a last column that the disk cuts off counts."""
        column_size = self._section_size * DATA_SECTIONS
        return -(-end // column_size) if end == self.size else end // column_size

    def _clear(self, first: int, count: int) -> None:
        self._memory.clear(first, count)
        self._touched()

    async def _zero_within(self, start: int, end: int) -> None:
        """Zero a range of less than a column on either side, section by section, leaving alone what is zero already."""
        while start < end:
            stop = min(end, (start | self._mask) + 1)
            if self._memory.lookup(start >> self._shift) is not self._memory.zero:
                await self.write(start, bytes(stop - start))
            start = stop

    # -- safety ---------------------------------------------------------------------------------------------------

    async def flush(self) -> None:
        """Return when all that was acknowledged is safe. ENOSPC, EIO: it is not, and still in memory."""
        if self._write_side is None and self._memory.has_work and not self.read_only:
            await self.begin_writing()  # what a crash left in the journal may not be safe yet
        side = self._write_side
        if side is None or side.committer.idle:
            return
        # What fills much of the journal is written once, not twice, by going straight into the world.
        if self._memory.unjournaled_sections * self._section_size * 2 > side.journal.limit:
            with contextlib.suppress(OSError):
                await side.checkpointer.run()
        try:
            await side.committer.commit()
        except JournalFull:
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
        self._parts.watch.remember(self._memory.allocated)
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
