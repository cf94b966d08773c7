"""Which files can be written and made safe in one call (Linux: ``RWF_DSYNC``, ``pwritev2(2)``).

Only file systems that are known to take the flag for what it says: some pass it on, or over, without a sync (FUSE on
older kernels), and a flush must not rely on them.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

DSYNC: Final[int] = getattr(os, "RWF_DSYNC", 0)
_KNOWN: Final = frozenset({"ext2", "ext3", "ext4", "xfs", "f2fs", "tmpfs"})
_MOUNTINFO: Final = Path("/proc/self/mountinfo")


def in_one_call(fd: int) -> bool:
    """Whether ``pwritev`` with :data:`DSYNC` is as good as ``pwritev`` and ``fdatasync`` for an open file."""
    return bool(DSYNC) and _kind_of(os.fstat(fd).st_dev) in _KNOWN


@cache
def _kind_of(device: int) -> str:
    """The type of a mounted file system by its device number (proc(5), ``mountinfo``); empty where nothing tells."""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = _MOUNTINFO.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    kinds = {line.partition(" - ")[2].split(" ")[0] for line in lines if line.split(" ")[2:3] == [number]}
    return kinds.pop() if len(kinds) == 1 else ""
