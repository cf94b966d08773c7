"""Who may be written over: a first write into a column goes through only where nothing of anybody else's stands."""

from __future__ import annotations

import asyncio
import errno
import logging
from concurrent.futures import Executor

from bbd.disk.column_map import FULL_GROUP, GROUP_COLUMNS, GROUP_SHIFT, ColumnMap
from bbd.disk.column_reader import ColumnReader
from bbd.worlds.world import Site

logger = logging.getLogger("bbd.disk")
_IN_GROUP = GROUP_COLUMNS - 1


class Admission:
    """Remembers, a bit a column, where writes may go without another look.

    ``force`` admits them everywhere. ``allocated`` is the disk's own map and is only read; ``claimed`` columns were
    admitted before a crash.
    """

    def __init__(
        self, site: Site, reader: ColumnReader, allocated: ColumnMap, claimed: ColumnMap, *, force: bool
    ) -> None:
        self._site = site
        self._reader = reader
        self._allocated = allocated
        self._claimed = claimed
        self._force = force
        self._open = ColumnMap()

    def admits(self, first: int, last: int) -> bool:
        """Whether columns ``first`` … ``last`` may be written at once."""
        groups = self._open.groups
        group = first >> GROUP_SHIFT
        if group == last >> GROUP_SHIFT:
            wanted = (1 << last - first + 1) - 1
            return groups.get(group, 0) >> (first & _IN_GROUP) & wanted == wanted
        return all(column in self._open for column in range(first, last + 1))

    async def admit(self, first: int, last: int, executor: Executor) -> None:
        """Look into the world where that is still needed. Raises ``PermissionError`` where blocks are in the way."""
        loop = asyncio.get_running_loop()
        for group in range(first >> GROUP_SHIFT, (last >> GROUP_SHIFT) + 1):
            if group not in self._open.groups:
                free = FULL_GROUP if self._force else await loop.run_in_executor(executor, self._site.vacancies, group)
                for known in (self._allocated, self._claimed, self._open):
                    free |= known.groups.get(group, 0)
                self._open.groups[group] = free
        for column in self._closed(first, last):
            if await loop.run_in_executor(executor, self._reader.is_foreign, column):
                self._refuse(column)
            self._open.add(column)

    def _closed(self, first: int, last: int) -> list[int]:
        return [column for column in range(first, last + 1) if column not in self._open]

    def _refuse(self, column: int) -> None:
        message = (
            f"{self._site.describe(column)}: blocks stand where column {column} of the disk would go; a write to it is "
            "refused (serve with --force to build over them)"
        )
        logger.error("%s", message)
        raise PermissionError(errno.EPERM, message)
