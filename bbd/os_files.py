"""The machine's own file system: a :class:`~bbd.files.Files` whose files have a quicker way wherever there is one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bbd.direct_writes import set_direct
from bbd.early_writes import begin_to_write
from bbd.files import Bytes, File
from bbd.safe_writes import DSYNC, in_one_call

IOV_MAX: Final = 1024
"""Linux and macOS take so many pieces at a time."""


class _OsFile(File):
    def __init__(self, path: Path, flags: int) -> None:
        self._fd = os.open(path, flags | os.O_CLOEXEC, 0o644)
        self._safe_in_one: bool | None = None
        self._direct = False

    def pread(self, size: int, offset: int) -> bytes:
        data = os.pread(self._fd, size, offset)
        if len(data) == size or not data:
            return data
        parts = [data]
        got = len(data)
        while got < size and (more := os.pread(self._fd, size - got, offset + got)):
            parts.append(more)
            got += len(more)
        return b"".join(parts)

    def pread_into(self, buffer: memoryview, offset: int) -> int:
        got = os.preadv(self._fd, [buffer], offset)
        while 0 < got < len(buffer) and (more := os.preadv(self._fd, [buffer[got:]], offset + got)):
            got += more
        return got

    def write_past_cache(self) -> None:
        self._direct = set_direct(self._fd, on=True)

    def pwrite(self, parts: Sequence[Bytes], offset: int) -> None:
        self._pwrite(parts, offset)

    def pwrite_early(self, parts: Sequence[Bytes], offset: int) -> None:
        begin_to_write(self._fd, offset, self._pwrite(parts, offset) - offset)

    def _pwrite(self, parts: Sequence[Bytes], offset: int) -> int:
        try:
            return self._pwrite_all(parts, offset)
        except OSError as error:
            if error.errno != errno.EINVAL or not self._direct:
                raise
            self._direct = set_direct(self._fd, on=False)
            return self._pwrite_all(parts, offset)

    def _pwrite_all(self, parts: Sequence[Bytes], offset: int) -> int:
        for first in range(0, len(parts), IOV_MAX):
            some = parts[first : first + IOV_MAX]
            size, written = sum(map(len, some)), os.pwritev(self._fd, some, offset)
            offset += written
            if written < size:
                self._pwrite_rest(memoryview(b"".join(some))[written:], offset)
                offset += size - written
        return offset

    def pwrite_safely(self, parts: Sequence[Bytes], offset: int) -> None:
        if self._safe_in_one is None:
            self._safe_in_one = in_one_call(self._fd)
        if not self._safe_in_one or len(parts) > IOV_MAX or not self._pwrite_in_one(parts, offset):
            self.pwrite(parts, offset)
            self.sync()

    def _pwrite_in_one(self, parts: Sequence[Bytes], offset: int) -> bool:
        try:
            return os.pwritev(self._fd, parts, offset, DSYNC) == sum(map(len, parts))
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                raise
            self._safe_in_one = False
            return False

    def _pwrite_rest(self, view: memoryview, offset: int) -> None:
        while view:
            written = os.pwrite(self._fd, view, offset)
            view = view[written:]
            offset += written

    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def resize(self, size: int) -> None:
        os.ftruncate(self._fd, size)

    def reserve(self, size: int) -> None:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._fd, 0, size)
        elif self.size() < size:
            os.ftruncate(self._fd, size)

    def data(self) -> Iterator[tuple[int, int]]:
        position, end = 0, self.size()
        while position < end:
            try:
                start = os.lseek(self._fd, position, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    return
                yield position, end
                return
            position = os.lseek(self._fd, start, os.SEEK_HOLE)
            yield start, position

    def sync(self) -> None:
        if hasattr(os, "fdatasync"):
            os.fdatasync(self._fd)
        else:
            os.fsync(self._fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class OsFiles:
    """The machine's own file system."""

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> File:
        """Open ``path`` unbuffered."""
        flags = (os.O_RDWR if write else os.O_RDONLY) | (os.O_CREAT if create else 0)
        return _OsFile(path, flags)

    def replace(self, source: Path, target: Path) -> None:
        """``rename(2)``."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """``unlink(2)``."""
        path.unlink(missing_ok=True)

    def make_dir(self, path: Path) -> None:
        """``mkdir -p``."""
        path.mkdir(parents=True, exist_ok=True)

    def list_dir(self, path: Path) -> list[str]:
        """Sorted ``readdir``."""
        try:
            return sorted(entry.name for entry in path.iterdir())
        except FileNotFoundError:
            return []

    def exists(self, path: Path) -> bool:
        """Follow links, as ``open`` does."""
        return path.exists()

    def sync_dir(self, path: Path) -> None:
        """``fsync`` of the folder."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
