"""Looking at the columns of places that changed since the last clean stop, and telling what was found."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Final

from bbd.disk.findings import Finding, Tally
from bbd.disk.watch import Watch

logger = logging.getLogger("bbd.disk")

FEW_COLUMNS: Final = 32
"""So many columns are looked at before a disk is served; more of them while it is."""
TOGETHER: Final = 16
"""Columns that are verified in one go."""
_NAMED_PLACES: Final = 3


class Verification:
    """One look at what changed. ``verify`` looks at columns and reports what is wrong with each.

    ``from_outside``: the disk was left clean, so that no change is its own.
    """

    def __init__(
        self,
        name: str,
        watch: Watch,
        verify: Callable[[Sequence[int]], Awaitable[Sequence[Finding]]],
        *,
        from_outside: bool,
    ) -> None:
        self._name = name
        self._watch = watch
        self._verify = verify
        self._from_outside = from_outside
        self._task: asyncio.Task[None] | None = None

    async def start(self, executor: Executor) -> None:
        """Begin; return at once where there is much to look at, else when it is done."""
        if self._task is not None:
            return
        changed = await asyncio.get_running_loop().run_in_executor(executor, self._watch.changed)
        if not changed:
            return
        places = {place: list(columns) for place, columns in changed.items()}
        self._task = asyncio.create_task(self._run(places))
        if sum(map(len, places.values())) <= FEW_COLUMNS:
            await asyncio.wait([self._task])

    def stop(self) -> None:
        """Leave the rest to the next start."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self, places: dict[str, list[int]]) -> None:
        tally = Tally()
        try:
            for place, columns in sorted(places.items()):
                for start in range(0, len(columns), TOGETHER):
                    for finding in await self._verify(columns[start : start + TOGETHER]):
                        tally.count(finding)
                self._watch.verified(place)
        except OSError as error:
            logger.error("disk %r: what changed in the world can't be read (%s)", self._name, error)
        if self._from_outside or tally.sound < tally.columns:
            names = sorted(places)
            shown = ", ".join(names[:_NAMED_PLACES]) + (" …" if len(names) > _NAMED_PLACES else "")
            logger.warning(
                "disk %r: the world changed since the last clean stop (%s); %s", self._name, shown, tally.line()
            )
