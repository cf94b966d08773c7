"""Bringing snapshots into the world, batch by batch: the columns copy-on-write, synced; then the map, synced; then
memory forgets them (the order of ``docs/durability.md``)."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Executor
from typing import Final, TypeAlias

from bbd.disk.batches import Snapshot
from bbd.disk.held_column import Taken
from bbd.disk.journal_records import DataRecord, Record, SupersededRecord, ZeroRecord
from bbd.disk.merging import ColumnUpdate
from bbd.disk.pace import BUSY, LoopLoad
from bbd.disk.parts import Parts
from bbd.worlds.world import ColumnsChanged, ColumnWrite

BATCH_COLUMNS: Final = 128
"""Columns that are merged, encoded and synced together: enough to share the syncs, few enough to bound memory."""
BATCHES_AT_ONCE: Final = 2
"""While one batch is synced the next is encoded. Not while clients keep the loop busy: each thread takes its share of
the GIL, and theirs would be a third."""

PAUSE: Final = 0.5
"""As a share of the time that the batch before took: a rest for clients that keep the loop busy, if nothing waits."""
PRESSED: Final = 0.75
"""The share of the journal from which on there is no time to rest."""

_Batch: TypeAlias = dict[int, Taken]
_Updates: TypeAlias = Mapping[int, ColumnUpdate]
_UnderWay: TypeAlias = dict[asyncio.Future[tuple[set[int], Collection[int]]], tuple[_Batch, _Updates]]


class WorldWriter:
    """Writes snapshots of one disk, one at a time. ``written`` is told the columns whose world bytes are new."""

    def __init__(self, parts: Parts, executor: Executor, written: Callable[[Iterable[int]], None]) -> None:
        assert parts.records.journal is not None
        self._parts = parts
        self._snapshots = parts.memory.snapshots
        self._reconciling = parts.memory.reconciling
        self._journal = parts.records.journal
        self._executor = executor
        self._written = written
        self._map_lock = threading.Lock()
        self._gone: set[int] = set()
        self._changed: dict[int, str] = {}
        self._progress: asyncio.Future[None] | None = None
        self.busy = False

    def write(self, snapshot: Snapshot, generation: int, *, urgent: bool = False) -> asyncio.Task[None]:
        """Bring a snapshot, just taken, into the world. ``generation`` is the number up to which its columns include
        the journal; ``urgent`` says that a client waits for it. The task's errors: ``OSError``; what was settled until
        then is in the world, the rest in memory."""
        self.busy = True
        return asyncio.create_task(self._write(snapshot, generation, urgent=urgent))

    async def _write(self, snapshot: Snapshot, generation: int, *, urgent: bool) -> None:
        under_way: _UnderWay = {}
        load, busy = LoopLoad(), False
        try:
            for batch in snapshot.batches(BATCH_COLUMNS):
                updates = self._updates(batch, snapshot)
                under_way[self._begin(updates, generation)] = batch, updates
                if len(under_way) < (1 if busy else BATCHES_AT_ONCE):
                    continue
                await self._finish_one(under_way)
                taken, busy = load.elapsed, load.share() > BUSY
                if busy and not (urgent or self._is_pressed):
                    while under_way:
                        await self._finish_one(under_way)
                    await asyncio.sleep(PAUSE * taken)
            while under_way:
                await self._finish_one(under_way)
        except Exception:
            # The other batch goes on in its thread, and nothing else may touch its columns until it is done.
            while under_way:
                with contextlib.suppress(OSError):
                    await self._finish_one(under_way)
            raise
        finally:
            self._snapshots.end(self._gone)
            self._gone.clear()
            changed, self._changed = self._changed, {}
            self.busy = False
        if changed:
            raise ColumnsChanged(changed, next(iter(changed.values())))

    @property
    def _is_pressed(self) -> bool:
        """Whether writes wait for room, or soon will."""
        return self._progress is not None or self._journal.used > PRESSED * self._journal.limit

    async def progress(self) -> None:
        """Return when some more columns are in the world."""
        if self._progress is None:
            self._progress = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._progress)

    def _updates(self, batch: _Batch, snapshot: Snapshot) -> _Updates:
        cleared, allocated, standing = snapshot.cleared, self._parts.memory.world.allocated, self._reconciling.standing
        return {
            column: ColumnUpdate(
                taken.sections(), column in cleared, column in allocated, standing(column, taken.mask), taken.whole
            )
            for column, taken in batch.items()
        }

    def _begin(self, updates: _Updates, generation: int) -> asyncio.Future[tuple[set[int], Collection[int]]]:
        return asyncio.get_running_loop().run_in_executor(self._executor, self._write_batch, updates, generation)

    async def _finish_one(self, under_way: _UnderWay) -> None:
        done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for future in done:
            batch, updates = under_way.pop(future)
            for column, update in updates.items():
                self._take_over(column, batch[column], update)
            if future.exception() is not None:
                self._doubt(batch)
            vacant, changed = future.result()
            self._doubt({column: batch.pop(column) for column in changed})
            self._snapshots.settle(batch, vacant)
            self._parts.writer.wrote(batch, vacant)
            self._written(batch)
            if self._progress is not None:
                self._progress.set_result(None)
                self._progress = None

    def _take_over(self, column: int, sent: Taken, update: ColumnUpdate) -> None:
        """Memory, and what was sent, have from now on what others changed, too."""
        for index, payload in update.found.items():
            self._reconciling.revise(column, index, payload)
        for index, merged in update.merged.items():
            self._reconciling.adopt(column, index, sent, merged)

    def _doubt(self, batch: Mapping[int, Taken]) -> None:
        """Nobody knows what of a batch the world has."""
        self._parts.writer.changed(batch)
        for column, sent in batch.items():
            self._reconciling.doubt(column, sent)

    def _write_batch(self, updates: _Updates, generation: int) -> tuple[set[int], Collection[int]]:
        checked = self._parts.writer.checked
        writes, vacant = self._parts.writer.prepare(updates, generation)
        there = [column for column in updates if column not in vacant]
        # A column that leaves the world takes its generation along: from now on the journal must say that it is zeros.
        before: list[Record] = [ZeroRecord(generation, column, 1) for column in vacant if not updates[column].logged]
        if not checked:
            # Until the map says so, nothing but the journal knows that what will stand there is the disk's.
            before += [DataRecord(generation, column, {}) for column in there if not updates[column].allocated]
        self._journal.append(before, beyond_limit=True)
        changed = self._write_columns(writes)
        vacant -= changed
        there = [column for column in there if column not in changed]
        try:
            with self._map_lock:
                self._parts.records.allocation.update(there, vacant)
        except OSError:
            self._gone |= vacant
            raise
        if not checked:
            self._journal.append([SupersededRecord(generation, column) for column in there], beyond_limit=True)
        return vacant, changed

    def _write_columns(self, writes: Mapping[int, ColumnWrite]) -> set[int]:
        """Write columns; return those that others have changed since they were read, which are still to be written."""
        try:
            self._parts.site.write(writes)
        except ColumnsChanged as changed:
            columns = set(changed.columns)
            with self._map_lock:
                self._changed.update(dict.fromkeys(columns, changed.strerror or ""))
            return columns
        return set()
