"""How busy the event loop is: what work beside it should know before it takes more of the processor and of the GIL."""

from __future__ import annotations

import time
from typing import Final

BUSY: Final = 0.4
"""The share of its time that the loop's thread works, from which on clients are waiting for it."""


class LoopLoad:
    """Looks at the thread that makes it and calls it."""

    def __init__(self) -> None:
        self._worked = time.thread_time()
        self._at = time.perf_counter()

    def share(self) -> float:
        """The share (0 to 1) of the time since the last call for which the thread worked."""
        worked, at = time.thread_time(), time.perf_counter()
        share = (worked - self._worked) / max(at - self._at, 1e-9)
        self._worked, self._at = worked, at
        return share

    @property
    def elapsed(self) -> float:
        """Seconds since the last :meth:`share`."""
        return time.perf_counter() - self._at
