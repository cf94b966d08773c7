"""Waiting awake for what is likely to come at once.

A thread that sleeps in the kernel takes tens of microseconds to wake up, longer than the whole answer to a small
request. So where busy polling is asked for, the loop looks at its sockets without sleeping for a moment after a round
with few replies: the client may send one request at a time. Asked or not, it does so for less long in the middle of a
long payload. A server whose clients are silent sleeps, one with full batches never gets here, and one with a single
processor leaves it to others. Everything else on the loop has its turn between two looks.
"""

from __future__ import annotations

import asyncio
import os
import time


class Spinner:
    """Keeps one event loop awake, until ``seconds`` after the last :meth:`touch`; 0 is not at all."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._seconds = seconds if _processors() > 1 else 0.0
        self._until = 0.0
        self._spinning = False
        self._loop: asyncio.AbstractEventLoop

    def touch(self) -> None:
        """A client has been answered, or has sent the start of something, and may go on at once."""
        if self._seconds:
            self._until = time.perf_counter() + self._seconds
            if not self._spinning:
                self._spinning = True
                self._loop = asyncio.get_running_loop()
                self._turn()

    def _turn(self) -> None:
        if time.perf_counter() < self._until:
            self._loop.call_soon(self._turn)
        else:
            self._spinning = False


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
