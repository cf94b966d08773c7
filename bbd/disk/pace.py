"""How busy the event loop is: what work beside it should know before it takes more of the processor and of the GIL."""

from __future__ import annotations

import time
from typing import Final

BUSY: Final = 0.4
"""The share of its time that the loop's thread works, from which on clients are waiting for it."""


_LEAST: Final = 0.01
"""Seconds over which a load can be told: in less of them, what is done between two batches looks like one."""


class LoopLoad:
    """Looks at the thread that makes it and calls it."""

    def __init__(self) -> None:
        self._worked = time.thread_time()
        self._at = time.perf_counter()
        self._share = 0.0

    def share(self) -> float:
        """The share (0 to 1) of the time for which the thread worked, since it was last told; that is told again for
        10 ms."""
        worked, at = time.thread_time(), time.perf_counter()
        if at - self._at >= _LEAST:
            self._share = (worked - self._worked) / (at - self._at)
            self._worked, self._at = worked, at
        return self._share

    @property
    def elapsed(self) -> float:
        """Seconds since :meth:`share` last looked."""
        return time.perf_counter() - self._at
