"""The world's ``session.lock``: only one may have a world open, the game or one bbd.

The game writes the bytes E2 98 83 (a snowman) and holds a POSIX lock of the whole file (``fcntl``; Java's
``FileChannel.lock``), which every close of that file in the same process would drop. An open-file-description lock
meets POSIX locks both ways and lasts until its own descriptor is closed; systems without it get the POSIX lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from bbd.errors import BbdError, WorldLocked

NAME = "session.lock"
SNOWMAN = "\u2603".encode()

# struct flock of Linux on 64-bit machines (x86_64 and aarch64 alike): l_type, l_whence, l_start, l_len, l_pid.
_FLOCK = struct.Struct("@hhqqi4x")
_BY_DESCRIPTION = -1
"""``l_pid`` of a lock that belongs to an open file description and not to a process."""


class SessionLock:
    """Holds the lock of the world in folder ``path`` from construction until :meth:`release`.

    Raises :class:`WorldLocked` where the game or another bbd holds it, :class:`BbdError` where the file can't be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise BbdError(f"the world {path} can't be locked: {path / NAME}: {error.strerror}") from error
        try:
            self._take(path)
        except BaseException:
            self.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let others have the world; once is enough."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _take(self, path: Path) -> None:
        try:
            _lock(self._fd)
            os.pwrite(self._fd, SNOWMAN, 0)
            os.ftruncate(self._fd, len(SNOWMAN))
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise WorldLocked(f"the world {path} is open {_holder(self._fd)}; close it there first") from error
            raise BbdError(f"the world {path} can't be locked: {error.strerror}") from error


def _lock(fd: int) -> None:
    if hasattr(fcntl, "F_OFD_SETLK"):
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    else:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(fd: int) -> str:
    """Who holds the lock, as far as the system tells."""
    if not hasattr(fcntl, "F_OFD_GETLK"):
        return "in Minecraft or in another bbd"
    asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return "in a program that is just closing it"
    return "in another bbd" if pid == _BY_DESCRIPTION else f"in Minecraft (process {pid})"


def holder(path: Path) -> str | None:
    """Who has the world in folder ``path`` open (``in Minecraft (process 4711)``), ``None`` for nobody.

    Takes nothing and changes nothing. Where the system can't tell without trying, the answer is ``None``.
    """
    if not hasattr(fcntl, "F_OFD_GETLK"):
        return None
    try:
        fd = os.open(path / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        free = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))[0] == fcntl.F_UNLCK
        return None if free else _holder(fd)
    finally:
        os.close(fd)
