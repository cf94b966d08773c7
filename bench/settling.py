"""Waiting until servers are done with what earlier loads left them to do."""

from __future__ import annotations

import time
from collections.abc import Iterable

from bench.processes import processor_seconds

LEAST = 4.0
"""Seconds: servers that tidy up when they are left alone need a while to notice that they are."""
MOST = 120.0
_STEP = 0.25
_QUIET = 2
"""Idle steps in a row: in one alone a server may just wait for the disk."""
_IDLE = 0.1
"""Processor seconds a second below which a server counts as idle."""


def settle(sessions: Iterable[int]) -> None:
    """Wait until the processes of these sessions (by their leaders' process ids) are idle, at most ``MOST`` seconds."""
    leaders = tuple(sessions)
    start = time.monotonic()
    time.sleep(LEAST)
    used, quiet = processor_seconds(*leaders), 0
    while quiet < _QUIET and time.monotonic() - start < MOST:
        time.sleep(_STEP)
        before, used = used, processor_seconds(*leaders)
        quiet = quiet + 1 if used - before < _IDLE * _STEP else 0
