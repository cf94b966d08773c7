"""The process that runs the game for a ``bbd demo``."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tests.servers import STOP_TIMEOUT, BbdServer


def game_of(demo: BbdServer) -> int:
    """The game's server of a ``bbd demo``."""
    children = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children").read_text().split()
    (game,) = (int(pid) for pid in children if b"bbd-minestom" in Path(f"/proc/{pid}/cmdline").read_bytes())
    return game


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether a process is there that is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
