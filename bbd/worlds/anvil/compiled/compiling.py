"""Compiling in a process of its own, one at a time for each user.

It goes on when the process that began it ends, for a command that reads a disk and ends takes less time than compiling
does: whoever comes next finds what it has made.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from bbd.worlds.anvil.compiled.cache import turn


@contextmanager
def compiled_code() -> Iterator[None]:
    """Have all the code in the cache, and keep it there meanwhile. Raises ``ImportError`` without numba; ``OSError``
    and ``RuntimeError`` where it can't be compiled or kept."""
    if find_spec("numba") is None:
        raise ModuleNotFoundError("numba is not installed")
    with turn() as lock:
        if status := _start(lock).wait():
            raise RuntimeError(f"compiling it ended with status {status}")
        yield


def _start(lock: int) -> subprocess.Popen[bytes]:
    """The process has a share in the turn, and nothing of what ends with this one: no terminal, no folder."""
    nothing = subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __package__],
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        cwd="/",
        pass_fds=[lock],
        start_new_session=True,
    )
