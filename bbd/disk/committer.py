"""Group commit: flushes that arrive while one batch is on its way share the next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from collections.abc import Sequence as ListOf
from typing import Final

from bbd.disk.batches import Batch
from bbd.disk.flush_pattern import FlushPattern
from bbd.disk.journal import Journal
from bbd.disk.journal_records import Record
from bbd.disk.memory import Memory
from bbd.disk.parts import Threads
from bbd.disk.world_writer import WorldWriter
from bbd.worlds.world import DATA_SECTIONS

logger = logging.getLogger("bbd.disk")

MOSTLY: Final = 12
"""A column of which a flush has so many sections to make safe is written into the world at once: logging it first
would write it twice."""
LEAST_BYTES: Final = 512 << 10
"""What such columns must hold together: a flush of less is done sooner in the journal, with one sync."""
LEAST_SECTION: Final = 2048
"""Codecs that put fewer bytes into a section make columns too dear for a flush to wait for."""
BURST_SHARE: Final = 0.375
"""As much of the journal takes bursts, whatever they are made of: appending is quicker than writing columns. What comes
on and on is written once instead, before the journal is so full that a checkpoint begins."""
OVERWRITTEN: Final = 2
"""Where the journal is so many times as long as memory is dirty, the same places are written again and again: then a
checkpoint, which writes each once, makes more room than it costs, and all goes into the journal meanwhile …"""
FULL_SHARE: Final = 0.875
"""… as long as not more of it is full than this."""
RETRY_SECONDS: Final = 5.0
"""How long flushes leave the world alone after it took nothing more."""
QUICK_SECONDS: Final = 0.0005
"""A disk that syncs in less is waited for on the event loop: to hand so little to a thread and back takes as long."""
_HOPEFUL: Final = 4
"""A sync in a thread takes longer for whoever waits: up to so many times as long, it is tried on the loop again."""
_PATIENCE: Final = 3
"""Slow syncs on the loop, one after the other, before it is left to a thread."""
_FEW: Final = 32
"""Sections, as many as a client commonly has in flight."""


class Sequence:
    """The disk's clock: every batch and every checkpoint takes its number here, in order.

    The upper 24 bits are the epoch, so numbers grow across restarts whatever was written in the meantime.
    """

    def __init__(self, epoch: int) -> None:
        self._last = epoch << 40

    def take(self, count: int = 1) -> int:
        """The first of ``count`` fresh numbers."""
        first = self._last + 1
        self._last += count
        return first


class Committer:
    """Makes safe what memory holds and the journal does not. ``lock`` is held while that is on its way; ``sequence`` is
    the disk's clock."""

    def __init__(
        self, memory: Memory, journal: Journal, sequence: Sequence, writer: WorldWriter, threads: Threads
    ) -> None:
        self._memory = memory
        self._backlog = memory.backlog
        self._journal = journal
        self.sequence = sequence
        self._writer = writer
        self._threads = threads
        self._waiting: asyncio.Task[None] | None = None
        self._preparing: asyncio.Future[None] | None = None
        self._world_not_before = 0.0
        self._slow_syncs = _PATIENCE
        self._pattern = FlushPattern(len(memory.zero))
        self._ahead: asyncio.Task[None] | None = None
        self._worth_it = max(LEAST_BYTES // len(memory.zero), DATA_SECTIONS)
        self.lock = asyncio.Lock()

    @property
    def idle(self) -> bool:
        """Whether everything acknowledged so far is safe."""
        return not self._backlog and not self.lock.locked()

    def try_commit(self) -> bool:
        """A client flushes: make all that memory holds now safe at once, where that is little and takes hardly any
        time; else return False, and leave it to :meth:`commit`."""
        self._pattern.flush(self._backlog.sections)
        if self.idle:
            return True
        if not self._can_log_here:
            return False
        try:
            self._log_here()
        except OSError:
            return False
        return True

    @property
    def foresees_flush(self) -> bool:
        """Whether a flush is likely to come next."""
        return self._pattern.expects(self._backlog.sections)

    def commit_ahead(self) -> None:
        """Make all safe as :meth:`try_commit` does, where a flush is likely to come next. What fails is left to it."""
        if self.foresees_flush and self._can_log_here:
            self._pattern.guessed()
            with contextlib.suppress(OSError):
                self._log_here()

    async def commit(self) -> None:
        """Return when all that memory holds now is safe. Errors: ``OSError``, of the batch waited for."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._next_batch())
        await asyncio.shield(self._waiting)

    def written(self) -> None:
        """Much was written. Begin to log it where a flush is to be expected."""
        if self.lock.locked() or self._waiting:
            return
        if not self._pattern.is_worth_logging(self._backlog.sections, self._memory.dirty_sections):
            return
        if self._has_room_for_bursts:
            self._ahead = asyncio.create_task(self._log_ahead())
        else:
            self._pattern.give_up()

    async def _log_ahead(self) -> None:
        try:
            await self.commit()
        except OSError as error:
            logger.debug("journal: nothing is logged ahead (%s)", error)
            self._pattern.give_up()

    async def commit_zeros(self) -> None:
        """Return at a moment when every cleared range is in the journal; the caller holds ``lock``."""
        while batch := self._backlog.take(only_zeros=True):
            await self._log(batch)

    async def _next_batch(self) -> None:
        async with self.lock:
            self._waiting = None
            await self._write_whole_columns()
            if self._is_quick(len(self._backlog)):
                self._log_here()
            else:
                await self._log(self._backlog.take())

    async def _write_whole_columns(self) -> None:
        """Bring columns that are mostly new straight into the world. What fails there is left to the journal."""
        memory = self._memory
        if self._writer.busy or self._backlog.sections < self._worth_it or len(memory.zero) < LEAST_SECTION:
            return
        if memory.reconciling.begun or time.monotonic() < self._world_not_before:
            return  # a running server takes its time to confirm, the journal doesn't
        if self._has_room_for_bursts:
            return
        # As before every snapshot: what it clears must be in the journal (docs/durability.md, rule 2).
        await self.commit_zeros()
        columns = self._backlog.mostly(MOSTLY)
        if len(columns) * DATA_SECTIONS < self._worth_it:
            return
        generation = self.sequence.take()
        try:
            await self._writer.write(memory.snapshots.take(columns), generation, urgent=True)
        except OSError as error:
            logger.warning("flush: the world takes nothing now (%s); the journal does", error)
            self._world_not_before = time.monotonic() + RETRY_SECONDS

    @property
    def _has_room_for_bursts(self) -> bool:
        used, limit = self._journal.used, self._journal.limit
        if used < limit * BURST_SHARE:
            return True
        dirty = self._memory.dirty_sections * len(self._memory.zero)
        return used < limit * FULL_SHARE and used > OVERWRITTEN * dirty

    async def _log(self, batch: Batch) -> None:
        if not batch:
            return
        self._pattern.logged(batch.sections)
        with self._kept(batch):
            records = batch.records(self.sequence.take(2))
            taken = await asyncio.get_running_loop().run_in_executor(self._threads.journal, self._append, records)
        if batch.sections <= _FEW and taken < _HOPEFUL * QUICK_SECONDS:
            self._slow_syncs = 0
        if batch.sections <= 2 * _FEW:
            self._prepare()  # to long appends a prepared segment makes little difference

    def _log_here(self) -> None:
        if not self._backlog:
            return
        self._slow_syncs += 1
        taken = self._append(self._backlog.records(self.sequence.take(2)))
        self._pattern.logged(self._backlog.sections)
        self._backlog.logged()
        if taken < QUICK_SECONDS:
            self._slow_syncs = 0
        self._prepare()

    @contextlib.contextmanager
    def _kept(self, batch: Batch) -> Iterator[None]:
        """Whatever goes wrong meanwhile, the batch counts as not journaled."""
        try:
            yield
        except BaseException:
            self._backlog.give_back(batch)
            raise

    @property
    def _can_log_here(self) -> bool:
        """Whether all that memory holds may be logged at once, on the event loop."""
        return not self.lock.locked() and self._waiting is None and self._is_quick(len(self._backlog))

    def _is_quick(self, count: int) -> bool:
        return (
            self._slow_syncs < _PATIENCE
            and count <= _FEW
            and not self._writer.busy
            and not self._preparing
            and not self._journal.in_use
        )

    def _append(self, records: ListOf[Record]) -> float:
        """Log records; the seconds that it took."""
        start = time.perf_counter()
        self._journal.append(records)
        return time.perf_counter() - start

    def _prepare(self) -> None:
        """Have what the next segment begins with written meanwhile."""
        if self._journal.wants_spare and self._preparing is None:
            loop = asyncio.get_running_loop()
            self._preparing = loop.run_in_executor(self._threads.spare, self._journal.prepare_spare)
            self._preparing.add_done_callback(self._prepared)

    def _prepared(self, done: asyncio.Future[None]) -> None:
        self._preparing = None
        if not done.cancelled() and (error := done.exception()) is not None:
            logger.debug("journal: no spare segment (%s)", error)
