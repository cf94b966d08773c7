"""Waiting awake for what is likely to come at once.

A thread that sleeps in the kernel takes tens of microseconds to wake up, longer than the whole answer to a small
request. So where busy polling is asked for, the loop looks at its sockets without sleeping for a moment after a round
with few replies: the client may send one request at a time. Asked or not, it does so for less long in the middle of a
long payload. A server whose clients are silent sleeps, one with full batches never gets here, and one with a single
processor leaves it to others. Everything else on the loop has its turn between two looks.

The client's thread sleeps, too, and so does its processor. While busy polling finds what it waits for, the processors
are asked to stay awake.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Final

from bbd.nbd.processors import Processors

LET_GO_SECONDS: Final = 0.05
"""How long nothing must come before the processors may sleep again."""


class Spinner:
    """Keeps one event loop awake, until ``seconds`` after the last :meth:`touch`; 0 is not at all. ``processors`` are
    kept awake, too, once somebody comes in that time, and until nobody has for :data:`LET_GO_SECONDS`."""

    def __init__(self, seconds: float = 0.0, processors: Processors | None = None) -> None:
        self._seconds = seconds if _processors() > 1 else 0.0
        self._processors = processors
        self._until = 0.0
        self._spinning = False
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop

    def touch(self) -> None:
        """A client has been answered, or has sent the start of something, and may go on at once."""
        if self._seconds:
            self._until = time.perf_counter() + self._seconds
            if not self._spinning:
                self._spinning = True
                self._loop = asyncio.get_running_loop()
                self._turn()
            elif self._processors is not None and self._timer is None:
                self._processors.keep_awake()
                self._timer = self._loop.call_later(LET_GO_SECONDS, self._rest)

    def stop(self) -> None:
        """Let everything sleep that wants to."""
        self._until = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._let_sleep()

    def _turn(self) -> None:
        if time.perf_counter() < self._until:
            self._loop.call_soon(self._turn)
        else:
            self._spinning = False

    def _rest(self) -> None:
        since = time.perf_counter() - self._until
        if since < LET_GO_SECONDS:
            self._timer = self._loop.call_later(LET_GO_SECONDS, self._rest)
        else:
            self._let_sleep()

    def _let_sleep(self) -> None:
        self._timer = None
        if self._processors is not None:
            self._processors.let_sleep()


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
