"""Writing past the kernel's page cache (Linux: ``O_DIRECT``, ``open(2)``).

What is written once and only read after a crash needs no copy in the cache: into pages that are not there yet such a
copy costs more than all else. The price is that memory, offsets and lengths must be whole blocks of
:data:`bbd.blocks.BLOCK` bytes.
"""

from __future__ import annotations

import os
from typing import Final

_DIRECT: Final[int] = getattr(os, "O_DIRECT", 0)


def set_direct(fd: int, *, on: bool) -> bool:
    """Have an open file written past the cache, or not; return whether it is from now on. A file system that can't
    refuses, here or with ``EINVAL`` at the first write."""
    if not _DIRECT:
        return False
    import fcntl  # noqa: PLC0415  # not there where O_DIRECT is not

    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    try:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags | _DIRECT if on else flags & ~_DIRECT)
    except OSError:
        return False
    return on
