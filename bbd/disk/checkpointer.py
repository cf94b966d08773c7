"""Checkpoints: bringing what is dirty into the world, and cutting the journal behind it.

The order is the whole point (``docs/durability.md``): a fresh segment; cleared ranges into it; a snapshot with its
generation; columns copy-on-write, synced; the allocation map, synced; memory; at last the old segments go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from itertools import islice
from typing import Final

from bbd.disk.column_writer import ColumnUpdate
from bbd.disk.committer import Committer, Sequence
from bbd.disk.journal_records import DataRecord, Record, SupersededRecord, ZeroRecord
from bbd.disk.memory import Snapshot
from bbd.disk.parts import Parts

logger = logging.getLogger("bbd.disk")

BATCH_COLUMNS: Final = 64
"""Columns that are merged, encoded and synced together: enough to share the syncs, few enough to bound memory."""


class Checkpointer:
    """Runs checkpoints of one disk, one at a time. ``written`` is told the columns whose world bytes are new."""

    def __init__(
        self,
        parts: Parts,
        committer: Committer,
        sequence: Sequence,
        executor: Executor,
        written: Callable[[Iterable[int]], None],
    ) -> None:
        assert parts.records.journal is not None
        self._parts = parts
        self._memory = parts.memory
        self._journal = parts.records.journal
        self._committer = committer
        self._sequence = sequence
        self._executor = executor
        self._written = written
        self._running: asyncio.Task[None] | None = None
        self._progress: asyncio.Future[None] | None = None
        self.failure: OSError | None = None

    @property
    def running(self) -> bool:
        """Whether a checkpoint is on its way."""
        return self._running is not None

    def begin(self) -> asyncio.Task[None]:
        """Start a checkpoint, or return the one that runs. Its failure also stands in ``failure``."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(_retrieve)
        return self._running

    async def run(self) -> None:
        """Write all that the world lacks at the moment of the call. Errors: ``OSError``."""
        if self._running is not None:
            await asyncio.wait([self._running])
        await asyncio.shield(self.begin())

    async def make_room(self) -> None:
        """Return when a checkpoint has brought some more columns into the world. Errors: ``OSError``."""
        task = self.begin()
        if self._progress is None:
            self._progress = asyncio.get_running_loop().create_future()
        await asyncio.wait([task, self._progress], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()

    def _made_progress(self) -> None:
        if self._progress is not None:
            self._progress.set_result(None)
            self._progress = None

    async def _run(self) -> None:
        try:
            await self._checkpoint()
        except OSError as error:
            if self.failure is None or self.failure.errno != error.errno:
                logger.error("checkpoint: %s; what it was to write stays in memory and in the journal", error)
            self.failure = error
            raise
        else:
            self.failure = None
        finally:
            # Here, not in a callback: whoever finds the task done must not find it running.
            self._running = None

    async def _checkpoint(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._committer.lock:
            mark = await loop.run_in_executor(self._executor, self._rotate)
            # Last before the snapshot: what it clears must be in the journal, also what came while that was awaited.
            await self._committer.commit_zeros()
            generation = self._sequence.take()
            snapshot = self._memory.snapshot()
        try:
            await self._write(snapshot, generation)
        finally:
            self._memory.abandon()
        if snapshot.whole:
            await loop.run_in_executor(self._executor, self._journal.cut, mark)

    def _rotate(self) -> int:
        try:
            return self._journal.rotate()
        except OSError as error:
            # No room for a fresh segment: the older ones can go all the same, and that makes room.
            logger.warning("journal: no new segment (%s); the checkpoint goes on", error)
            return self._journal.closed_mark

    async def _write(self, snapshot: Snapshot, generation: int) -> None:
        loop = asyncio.get_running_loop()
        columns = iter(sorted(snapshot.columns))
        while batch := list(islice(columns, BATCH_COLUMNS)):
            allocated = self._memory.allocated
            updates = {
                column: ColumnUpdate(snapshot.columns[column], column in snapshot.cleared, column in allocated)
                for column in batch
            }
            vacant = await loop.run_in_executor(self._executor, self._write_batch, updates, generation)
            # What is settled leaves the snapshot, or it would keep payloads in memory that the cache has dropped.
            self._memory.settle({column: snapshot.columns.pop(column) for column in batch}, vacant)
            self._written(batch)
            self._made_progress()

    def _write_batch(self, updates: Mapping[int, ColumnUpdate], generation: int) -> set[int]:
        checked = self._parts.writer.checked
        writes, vacant = self._parts.writer.prepare(updates, generation)
        there = [column for column in updates if column not in vacant]
        # A column that leaves the world takes its generation along: from now on the journal must say that it is zeros.
        before: list[Record] = [ZeroRecord(generation, column, 1) for column in vacant if not updates[column].logged]
        if not checked:
            # Until the map says so, nothing but the journal knows that what will stand there is the disk's.
            before += [DataRecord(generation, column, {}) for column in there if not updates[column].allocated]
        self._journal.append(before, beyond_limit=True)
        self._parts.site.write(writes)
        self._parts.records.allocation.update(there, vacant)
        if not checked:
            self._journal.append([SupersededRecord(generation, column) for column in there], beyond_limit=True)
        return vacant


def _retrieve(task: asyncio.Task[None]) -> None:
    """A failure that nobody waits for is in ``failure`` and in the log; asyncio need not tell it again."""
    if not task.cancelled():
        task.exception()
