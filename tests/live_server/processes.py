"""The process that runs the game for a ``bbd demo``."""

from __future__ import annotations

from pathlib import Path

from tests.servers import BbdServer


def game_of(demo: BbdServer) -> int:
    """The game's server of a ``bbd demo``."""
    children = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children").read_text().split()
    (game,) = (int(pid) for pid in children if b"bbd-minestom" in Path(f"/proc/{pid}/cmdline").read_bytes())
    return game


def is_running(pid: int) -> bool:
    """Whether a process is there that is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
