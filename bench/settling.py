"""Waiting until servers are done with what earlier loads left them to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

LEAST = 4.0
"""Seconds: servers that tidy up when they are left alone need a while to notice that they are."""
MOST = 120.0
_STEP = 0.5
_IDLE = 0.1
"""Processor seconds a second below which a server counts as idle."""

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


def settle(sessions: Iterable[int]) -> None:
    """Wait until the processes of these sessions (by their leaders' process ids) are idle, at most ``MOST`` seconds.

    Processor time is read from ``/proc`` (see proc(5)); where there is none, just wait for ``LEAST`` seconds.
    """
    leaders = set(sessions)
    start = time.monotonic()
    time.sleep(LEAST)
    used = _processor_seconds(leaders)
    while time.monotonic() - start < MOST:
        time.sleep(_STEP)
        before, used = used, _processor_seconds(leaders)
        if used - before < _IDLE * _STEP:
            return


def _processor_seconds(leaders: set[int]) -> float:
    return sum(_processor_ticks(stat, leaders) for stat in _PROC.glob("[0-9]*/stat")) / _TICKS


def _processor_ticks(stat: Path, leaders: set[int]) -> int:
    try:
        fields = stat.read_text().rpartition(") ")[2].split()
    except OSError:  # it ended meanwhile
        return 0
    session, user, system = (int(fields[index]) for index in (3, 11, 12))
    return user + system if session in leaders else 0
