"""What servers use: processor time and memory of all processes of a session, from ``/proc`` (see proc(5))."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_SESSION, _USER, _SYSTEM = 3, 11, 12
"""Fields of ``stat`` behind the command's name."""


def processor_seconds(*sessions: int) -> float:
    """Seconds of processor time, user's and kernel's, that the processes alive in these sessions have used."""
    return sum(int(stat[_USER]) + int(stat[_SYSTEM]) for _, stat in _processes(sessions)) / _TICKS


def peak_memory(session: int) -> int:
    """The most bytes that the processes of a session had in memory (``VmHWM``, summed); without the page cache."""
    return sum(_high_water(folder) for folder, _ in _processes([session]))


def _processes(sessions: tuple[int, ...] | list[int]) -> Iterator[tuple[Path, list[str]]]:
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[_SESSION]) in sessions:
            yield path.parent, fields


def _high_water(folder: Path) -> int:
    for line in (folder / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
