"""Columns on their way from the world, and those that just came: each is read once, however many ask for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Final

from bbd.disk.column_reader import ColumnReader, LoadedColumn

RECENT_COLUMNS: Final = 32
"""Columns kept whole after a read, for the sections that a sequential reader asks for next."""


class Columns:
    """What one disk reads. On the event loop; ``executor`` reads, and ``found`` is called with each column that came
    and is not out of date."""

    def __init__(self, reader: ColumnReader, executor: Executor, found: Callable[[LoadedColumn], None]) -> None:
        self._reader = reader
        self._executor = executor
        self._found = found
        self._recent: OrderedDict[int, LoadedColumn] = OrderedDict()
        self._loading: dict[int, asyncio.Task[LoadedColumn]] = {}
        self._stale: set[int] = set()
        self._verifying: set[int] = set()

    def begin(self, columns: Iterable[int]) -> None:
        """Let the threads start on columns that will be asked for."""
        for column in columns:
            if column not in self._recent:
                self._load(column)

    async def get(self, column: int) -> LoadedColumn:
        """An allocated column. Errors: ``OSError`` where the world can't be read."""
        while True:
            loaded = self._recent.get(column)
            if loaded is None:
                loaded = await asyncio.shield(self._load(column))
            else:
                self._recent.move_to_end(column)
            if loaded.valid:
                return loaded

    async def verify(self, column: int) -> LoadedColumn | None:
        """Read a column anew and look at its parity too; ``None`` where a checkpoint has written it meanwhile, which
        has put all of it right. Errors as :meth:`get`."""
        self._verifying.add(column)
        loaded = await asyncio.get_running_loop().run_in_executor(self._executor, self._reader.verify, column)
        if column not in self._verifying:
            return None
        self._verifying.discard(column)
        self._found(loaded)
        return loaded

    def written(self, columns: Iterable[int]) -> None:
        """A checkpoint has written these columns: what was read of them before is out of date."""
        for column in columns:
            self._verifying.discard(column)
            if column in self._loading:
                self._stale.add(column)
            if (loaded := self._recent.pop(column, None)) is not None:
                loaded.valid = False

    def _load(self, column: int) -> asyncio.Task[LoadedColumn]:
        task = self._loading.get(column)
        if task is None:
            task = self._loading[column] = asyncio.create_task(self._load_in_thread(column))
        return task

    async def _load_in_thread(self, column: int) -> LoadedColumn:
        try:
            loaded = await asyncio.get_running_loop().run_in_executor(self._executor, self._reader.load, column)
        finally:
            del self._loading[column]
        if column in self._stale:
            self._stale.discard(column)
            loaded.valid = False
        else:
            loaded.stored = None
            self._found(loaded)
            self._recent[column] = loaded
            if len(self._recent) > RECENT_COLUMNS:
                self._recent.popitem(last=False)
        return loaded
