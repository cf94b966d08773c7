"""Having the kernel bring written bytes to the disk before anybody waits for them (Linux: ``sync_file_range(2)``).

It promises nothing, and nothing becomes safe by it; a sync that comes later finds less to do.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Callable
from functools import cache
from typing import Final

_WRITE: Final = 2
_UNAVAILABLE: Final = frozenset({errno.ENOSYS, errno.EINVAL, errno.ESPIPE, errno.EPERM, errno.EOPNOTSUPP})
_Call = Callable[[int, int, int, int], int]


@cache
def _sync_file_range() -> _Call | None:
    with contextlib.suppress(OSError, AttributeError):
        call = ctypes.CDLL(None, use_errno=True).sync_file_range
        call.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
        return call
    return None


def begin_to_write(fd: int, offset: int, size: int) -> None:
    """Start to bring ``size`` bytes at ``offset`` to the disk; where the system can't do that, do nothing.

    Raises ``OSError`` where they could not be brought there: a later sync need not tell of it.
    """
    call = _sync_file_range()
    if call is not None and call(fd, offset, size, _WRITE):
        number = ctypes.get_errno()
        if number not in _UNAVAILABLE:
            raise OSError(number, os.strerror(number))
