"""Columns on their way from the world, and those that just came: each is read once, however many ask for it.

What is asked for waits for a thread, and is then read by the run: neighbours together, as many at a time as give every
thread its share. While nothing waits, a thread may read ahead of sequential readers.

Threads that read from the kernel's memory do nothing but compute, and take turns under the GIL: handing it over costs
more than they gain. So there is one at a time, unless it has had to wait for a device or for a server, is late, or has
had most decoded by machine code, which needs no GIL.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, TypeAlias

from bbd.disk.column_reader import ColumnReader
from bbd.disk.held_column import WHOLE_COLUMN
from bbd.disk.loaded_column import LoadedColumn, SoundColumn
from bbd.disk.memory import Memory
from bbd.disk.read_ahead import ReadAhead
from bbd.worlds.world import DATA_SECTIONS

RECENT_COLUMNS: Final = 32
"""Columns kept whole after a read of some of their sections, for a reader that asks for others next."""
RUN_COLUMNS: Final = 64
"""Columns that a thread reads at a time: enough to share the overhead, few enough to let others in."""
AHEAD_COLUMNS: Final = 64
"""The same for columns that nobody asked for yet."""
_RUNS: Final = 3
_PROCESSORS: Final = os.cpu_count() or 1
_LATE: Final = 0.02
"""Seconds after which a thread is not waited for any longer by those that could read meanwhile."""
_PAUSE: Final = 0.005

Coming: TypeAlias = "asyncio.Future[LoadedColumn | SoundColumn]"
_Came: TypeAlias = LoadedColumn | SoundColumn | None
"""``None`` for one that takes a closer look."""


@dataclass(slots=True)
class _Load:
    """A column on its way. ``keep`` has a bit for each section that memory is to cache when it comes; ``asked``:
    somebody waits for it; ``stale``: a checkpoint has written the column since the load began."""

    coming: Coming
    keep: int
    asked: bool
    stale: bool = False


class Columns:
    """What one disk reads. On the event loop; ``executor`` reads, ``memory`` caches, and ``found`` is called with each
    column that came and is not out of date."""

    def __init__(
        self,
        reader: ColumnReader,
        memory: Memory,
        executor: Executor,
        found: Callable[[LoadedColumn], None],
        read_ahead: ReadAhead,
    ) -> None:
        self._reader = reader
        self._memory = memory
        self._executor = executor
        self._found = found
        self._read_ahead = read_ahead
        self._recent: OrderedDict[int, Coming] = OrderedDict()
        self._loads: dict[int, _Load] = {}
        self._waiting: OrderedDict[int, None] = OrderedDict()
        self._doubtful: OrderedDict[int, None] = OrderedDict()
        self._runs: set[asyncio.Task[None]] = set()
        self._at_once = _RUNS
        self._late: set[asyncio.Task[None]] = set()
        self._side_by_side = 1
        self._ahead: set[asyncio.Task[None]] = set()
        self._verifying: set[int] = set()

    def begin(self, wanted: Mapping[int, int]) -> dict[int, Coming]:
        """Have allocated columns read; the values have a bit for each section that memory is to cache when it comes.

        What comes may be out of date by the time it is looked at: ask memory first, as for all else.
        """
        coming = {column: self._ask(column, keep) for column, keep in wanted.items()}
        self._start_runs()
        return coming

    async def verify(self, columns: Sequence[int]) -> list[LoadedColumn | None]:
        """Read columns anew and look at their parity too; ``None`` where a checkpoint has written one meanwhile, which
        has put all of it right. Errors: ``OSError`` where the world can't be read."""
        self._verifying.update(columns)
        loop = asyncio.get_running_loop()
        loaded = await loop.run_in_executor(self._executor, self._reader.verify_many, columns)
        return [self._verified(one) for one in loaded]

    def written(self, columns: Iterable[int]) -> None:
        """A checkpoint has written these columns: what was read of them before is out of date."""
        for column in columns:
            self._verifying.discard(column)
            self._recent.pop(column, None)
            if (load := self._loads.get(column)) is not None:
                load.stale = True

    def known(self) -> set[int]:
        """The columns of which anything was read that may still be used."""
        return {*self._recent, *self._loads, *self._verifying}

    def _verified(self, loaded: LoadedColumn) -> LoadedColumn | None:
        if loaded.column not in self._verifying:
            return None
        self._verifying.discard(loaded.column)
        self._found(loaded)
        return loaded

    def _ask(self, column: int, keep: int) -> Coming:
        recent = self._recent.get(column)
        if recent is not None:
            self._recent.move_to_end(column)
            self._keep(column, recent.result(), keep)
            return recent
        load = self._loads.get(column)
        if load is None:
            self._waiting[column] = None
            load = self._loads[column] = _Load(asyncio.get_running_loop().create_future(), keep, asked=True)
        else:
            load.keep |= keep
            load.asked = True
        return load.coming

    def _keep(self, column: int, loaded: LoadedColumn | SoundColumn, wanted: int) -> None:
        whole = loaded.whole if wanted == WHOLE_COLUMN and isinstance(loaded, SoundColumn) else None
        if whole is None or not self._memory.keep_whole(column, whole):
            self._memory.keep(column, loaded.sections, wanted)

    # -- runs -----------------------------------------------------------------------------------------------------

    def _start_runs(self) -> None:
        """Give free threads something to read; at most one of them reads ahead, unless they get on side by side."""
        while self._free > 0:
            if self._doubtful:
                self._start(self._read([self._doubtful.popitem(last=False)[0]], self._reader.load_many))
            elif self._waiting:
                self._start(self._read(self._next_run(), self._reader.load_sound))
            elif len(self._ahead) < self._side_by_side and (run := self._next_ahead()):
                self._ahead.add(self._start(self._read(run, self._reader.load_sound)))
            else:
                return

    @property
    def _free(self) -> int:
        """How many threads may begin to read."""
        return min(self._at_once + len(self._late), _RUNS) - len(self._runs)

    def _start(self, reading: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(reading)
        self._runs.add(task)
        timer = asyncio.get_running_loop().call_later(_LATE, self._is_late, task)
        task.add_done_callback(lambda _: timer.cancel())
        task.add_done_callback(self._ended)
        return task

    def _is_late(self, task: asyncio.Task[None]) -> None:
        self._late.add(task)
        self._start_runs()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._runs.discard(task)
        self._late.discard(task)
        self._ahead.discard(task)
        if task.cancelled():
            self._give_up()
        else:
            self._start_runs()

    def _give_up(self) -> None:
        """The disk is being let go of."""
        for load in self._loads.values():
            load.coming.cancel()
        for kept in (self._loads, self._waiting, self._doubtful):
            kept.clear()

    def _next_run(self) -> list[int]:
        """Columns that wait: the one that has waited longest with its neighbours, then the next."""
        waiting = self._waiting
        count = min(RUN_COLUMNS, -(-len(waiting) // self._free))
        run: list[int] = []
        while len(run) < count:
            column = next(iter(waiting))
            while column in waiting and len(run) < count:
                del waiting[column]
                run.append(column)
                column += 1
        return sorted(run)

    def _next_ahead(self) -> list[int]:
        """Columns that somebody will ask for. The first is not to be cached, see :meth:`ReadAhead.take`."""
        while ahead := self._read_ahead.take(AHEAD_COLUMNS // self._side_by_side):
            run = [column for column in ahead if self._is_missing(column)]
            for column in run:
                keep = 0 if column == run[0] else WHOLE_COLUMN
                self._loads[column] = _Load(asyncio.get_running_loop().create_future(), keep, asked=False)
            if run:
                return run
        return []

    def _is_missing(self, column: int) -> bool:
        return column not in self._loads and column not in self._recent and self._memory.lacks(column)

    async def _read(self, run: Sequence[int], load: Callable[[Sequence[int]], Sequence[_Came]]) -> None:
        try:
            loop = asyncio.get_running_loop()
            loaded, waited = await loop.run_in_executor(self._executor, _watched, load, run)
        except Exception as error:
            for column in run:
                self._failed(column, error)
        else:
            self._settle(waited=waited)
            for column, one in zip(run, loaded, strict=True):
                self._came(column, one)

    def _settle(self, *, waited: bool) -> None:
        """How many threads get on better than fewer, if what comes is like the last run."""
        site = self._reader.site
        self._side_by_side = min(_PROCESSORS, _RUNS) if site.side_by_side else 1
        self._at_once = _RUNS if waited or site.remote else self._side_by_side

    def _came(self, column: int, loaded: _Came) -> None:
        load = self._loads.get(column)
        if load is None:
            return
        if loaded is None or load.stale:
            self._read_again(column, load)
            return
        del self._loads[column]
        damaged = False
        if isinstance(loaded, LoadedColumn):
            loaded.stored = None
            self._found(loaded)
            damaged = bool(loaded.damage)
        self._keep(column, loaded, load.keep)
        load.coming.set_result(loaded)
        if load.keep != WHOLE_COLUMN or damaged:
            self._recent[column] = load.coming
            if len(self._recent) > RECENT_COLUMNS:
                self._recent.popitem(last=False)

    def _read_again(self, column: int, load: _Load) -> None:
        """What came can't be used: it was out of date, or takes a closer look. That is not taken while a checkpoint is
        at the column, which may just have gone from the world without memory knowing yet."""
        if not load.asked:
            del self._loads[column]
        elif self._memory.world.reads_zero(column):
            del self._loads[column]
            load.coming.set_result(LoadedColumn(column, str, [self._memory.zero] * DATA_SECTIONS))
        elif load.stale:
            load.stale = False
            self._waiting[column] = None
        elif column in self._memory.world.in_flight:
            asyncio.get_running_loop().call_later(_PAUSE, self._came, column, None)
        else:
            self._doubtful[column] = None
        self._start_runs()

    def _failed(self, column: int, error: Exception) -> None:
        load = self._loads.pop(column, None)
        if load is not None:
            load.coming.set_exception(error)
            load.coming.exception()  # where nobody waits for it any more, asyncio need not tell


def _watched(load: Callable[[Sequence[int]], Sequence[_Came]], run: Sequence[int]) -> tuple[Sequence[_Came], bool]:
    """What a run loads, and whether this thread has had to read any of it from a device."""
    before = _blocks_read()
    loaded = load(run)
    return loaded, _blocks_read() != before


def _blocks_read() -> int:
    """What this thread has read from devices so far (``getrusage(2)``); 0 where the system doesn't count that."""
    if sys.platform == "linux":
        return resource.getrusage(resource.RUSAGE_THREAD).ru_inblock
    return 0
