"""When checkpoints run by themselves: by size, by age, and when the disk is left alone."""

from __future__ import annotations

import asyncio
from typing import Final

from bbd.disk.memory import Memory
from bbd.disk.write_side import WriteSide

JOURNAL_SHARE: Final = 0.625
"""A checkpoint begins when so much of the journal is full: late, for what is written over and over is brought into the
world less often then, and in time to make room before all of it is full."""
IDLE_SECONDS: Final = 3.0
AGE_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 5.0
_TICK: Final = 0.5


class Housekeeper:
    """Begins checkpoints of one disk. It sleeps while there is nothing to bring into the world.

    ``age`` is the number of seconds after which what was written goes there while more is written."""

    def __init__(self, memory: Memory, side: WriteSide, age: float = AGE_SECONDS) -> None:
        self._memory = memory
        self._side = side
        self._age = age
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False
        self._threshold = memory.many
        self._first_write = 0.0
        self._last_count = -1
        self._quiet_since = 0.0
        self._not_before = 0.0

    def written(self) -> None:
        """Something was written. Called for every write, so it does next to nothing."""
        if self._timer is None:
            self._arm()
        elif self._memory.dirty_sections >= self._threshold and not self._side.checkpointer.running:
            self._begin()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if not self._stopped:
            self._first_write = self._quiet_since = self._loop.time()
            self._timer = self._loop.call_later(_TICK, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._stopped or not (self._memory.has_work or self._side.checkpointer.running):
            return
        now = self._loop.time()
        count = self._memory.writes
        if count != self._last_count:
            self._last_count, self._quiet_since = count, now
        if not self._side.checkpointer.running and self._due(now):
            self._begin()
        self._timer = self._loop.call_later(_TICK, self._tick)

    def _due(self, now: float) -> bool:
        journal = self._side.journal
        return (
            self._memory.dirty_sections >= self._threshold
            or journal.used > journal.limit * JOURNAL_SHARE
            or now - self._quiet_since >= IDLE_SECONDS
            or now - self._first_write >= self._age
        )

    def _begin(self) -> None:
        now = self._loop.time()
        if self._stopped or now < self._not_before:
            return
        self._first_write = now
        self._side.checkpointer.begin().add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._not_before = self._loop.time() + RETRY_SECONDS
