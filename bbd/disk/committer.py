"""Group commit: flushes that arrive while one batch is on its way share the next."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor

from bbd.disk.journal import Journal
from bbd.disk.memory import Batch, Memory


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
    """Writes what memory has not journaled yet. ``lock`` is held while a batch is on its way."""

    def __init__(self, memory: Memory, journal: Journal, sequence: Sequence, executor: Executor) -> None:
        self._memory = memory
        self._journal = journal
        self._sequence = sequence
        self._executor = executor
        self._waiting: asyncio.Task[None] | None = None
        self.lock = asyncio.Lock()

    @property
    def idle(self) -> bool:
        """Whether everything acknowledged so far is safe."""
        return not self._memory.unjournaled and not self.lock.locked()

    async def commit(self) -> None:
        """Return when all that memory holds now is in the journal. Errors: ``OSError``, of the batch waited for."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._next_batch())
        await asyncio.shield(self._waiting)

    async def commit_zeros(self) -> None:
        """Return at a moment when every cleared range is in the journal; the caller holds ``lock``."""
        while batch := self._memory.take_batch(only_zeros=True):
            await self._write(batch)

    async def _next_batch(self) -> None:
        async with self.lock:
            self._waiting = None
            await self._write(self._memory.take_batch())

    async def _write(self, batch: Batch) -> None:
        if not batch:
            return
        records = batch.records(self._sequence.take(2))
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._journal.append, records)
        except BaseException:
            self._memory.give_back(batch)
            raise
