"""A file system that fails on command: the n-th call, and if wanted all that follow it, with ENOSPC or EIO."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bbd.files import Bytes, File, Files


@dataclass
class Faults:
    """Which calls fail: those numbered ``first`` and up, ``count`` of them (``None``: until further notice).

    ``kinds`` counts the calls that were made, by the name of their method; ``hit`` those that failed.
    """

    first: int | None = None
    count: int | None = 1
    error: int = 0
    calls: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _paused: bool = False

    def met(self, kind: str) -> bool:
        """Count a call; say whether it is to fail."""
        with self._lock:
            if self._paused:
                return False
            number, self.calls = self.calls, self.calls + 1
            self.kinds[kind] += 1
            if self.first is None or number < self.first:
                return False
            if self.count is not None and number >= self.first + self.count:
                return False
            self.hit[kind] += 1
            return True

    def check(self, kind: str) -> None:
        """Count a call; raise where it is to fail."""
        if self.met(kind):
            raise self.failure()

    def failure(self) -> OSError:
        """The error that failing calls end with."""
        return OSError(self.error, os.strerror(self.error))

    def end(self) -> None:
        """From now on nothing fails."""
        self.first = None

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Calls within are neither counted nor failed."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False


class _FaultyFile(File):
    def __init__(self, file: File, faults: Faults) -> None:
        self._file = file
        self._faults = faults

    def pread(self, size: int, offset: int) -> bytes:
        self._faults.check("pread")
        return self._file.pread(size, offset)

    def pwrite(self, parts: Sequence[Bytes], offset: int) -> None:
        """A write that fails leaves its first half, as one that meets the end of the room does."""
        if self._faults.met("pwrite"):
            data = b"".join(parts)
            self._file.pwrite([data[: len(data) // 2]], offset)
            raise self._faults.failure()
        self._file.pwrite(parts, offset)

    def size(self) -> int:
        return self._file.size()

    def resize(self, size: int) -> None:
        self._faults.check("resize")
        self._file.resize(size)

    def reserve(self, size: int) -> None:
        self._faults.check("reserve")
        self._file.reserve(size)

    def data(self) -> Iterator[tuple[int, int]]:
        return self._file.data()

    def sync(self) -> None:
        """A sync that fails has made nothing safe."""
        self._faults.check("sync")
        self._file.sync()

    def close(self) -> None:
        self._file.close()


class FaultyFiles:
    """A :class:`bbd.files.Files` whose calls go through to ``inner``, unless ``faults`` says that they fail."""

    def __init__(self, inner: Files, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> File:
        self._faults.check("open")
        return _FaultyFile(self._inner.open(path, write=write, create=create), self._faults)

    def replace(self, source: Path, target: Path) -> None:
        self._faults.check("replace")
        self._inner.replace(source, target)

    def remove(self, path: Path) -> None:
        self._faults.check("remove")
        self._inner.remove(path)

    def make_dir(self, path: Path) -> None:
        self._faults.check("make_dir")
        self._inner.make_dir(path)

    def list_dir(self, path: Path) -> list[str]:
        self._faults.check("list_dir")
        return self._inner.list_dir(path)

    def exists(self, path: Path) -> bool:
        return self._inner.exists(path)

    def sync_dir(self, path: Path) -> None:
        self._faults.check("sync_dir")
        self._inner.sync_dir(path)
