"""A slow look at all columns, again and again, for changes in a world that is open to others and tells of none."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from bbd.disk.disk import Disk

logger = logging.getLogger("bbd.disk")

TOGETHER: Final = 8
PAUSE_SECONDS: Final = 1.0


class Sweep:
    """Looks at ``TOGETHER`` columns of a disk, then rests for ``pause`` seconds; begins at once, until :meth:`stop`.

    What it finds is told, and put right or taken over, as when a client had read it.
    """

    def __init__(self, disk: Disk, pause: float = PAUSE_SECONDS) -> None:
        self._disk = disk
        self._pause = pause
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Look at nothing more."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            columns = self._disk.allocated
            for start in range(0, len(columns), TOGETHER):
                await self._look(columns[start : start + TOGETHER])
                await asyncio.sleep(self._pause)
            if not columns:
                await asyncio.sleep(self._pause)

    async def _look(self, columns: list[int]) -> None:
        try:
            await self._disk.verify(columns)
        except OSError as error:
            logger.debug("sweep: the world can't be read just now (%s)", error)
