"""Keeping memory within its bounds: the C library's habits, told to fit a server whose threads hold the GIL in turn."""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

_M_ARENA_MAX: Final = -8


def share_one_arena() -> None:
    """Let all threads allocate from one arena (glibc's ``mallopt(3)``; elsewhere nothing happens).

    An arena each, the default, leaves tens of megabytes unused in each; the lock between them costs nothing where the
    GIL lets one thread allocate at a time. To be called before there are threads.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 1)
