"""A file system in memory that can fail at any call and lose its power."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bbd.files import Bytes, File

BLOCK = 512


class PowerCut(Exception):
    """The machine stopped before this call did anything."""


@dataclass
class Inode:
    """What every reader sees, what is safe, and the writes in between, in order."""

    content: bytearray = field(default_factory=bytearray)
    safe: bytes = b""
    unsafe: list[tuple[int, bytes]] = field(default_factory=list)

    def after_power_cut(self, rng: random.Random) -> bytes:
        """One thing that the disk may hold: every block of 512 bytes as any of the unsynced writes left it, or as it
        was before them; the file as long as before or as after any of them."""
        versions = [bytearray(self.safe)]
        for offset, data in self.unsafe:
            version = bytearray(versions[-1].ljust(offset, b"\0"))
            version[offset : offset + len(data)] = data
            versions.append(version)
        size = len(rng.choice(versions))
        result = bytearray(size)
        for start in range(0, size, BLOCK):
            block = bytes(rng.choice(versions)[start : start + BLOCK])
            result[start : start + len(block)] = block
        return bytes(result[:size])


class MemoryFiles:
    """Implements :class:`bbd.files.Files`.

    Every call that changes or syncs something is counted. The call number ``cut_at`` raises :class:`PowerCut`; call
    number ``n`` raises the error ``failures[n]``, a sync then leaving its writes unsafe and a write being done by half.
    ``before_read`` is called before every read of a file.
    """

    def __init__(self) -> None:
        self.names: dict[Path, Inode] = {}
        self.safe_names: dict[Path, Inode] = {}
        self.folders: set[Path] = {Path("/")}
        self.calls = 0
        self.cut_at = -1
        self.failures: dict[int, int] = {}
        self.before_read: Callable[[], None] = lambda: None

    def step(self) -> int | None:
        """Count a call; return the errno it must fail with."""
        call = self.calls
        self.calls += 1
        if call == self.cut_at:
            raise PowerCut
        return self.failures.get(call)

    def after_power_cut(self, rng: random.Random) -> MemoryFiles:
        """A file system as the machine may find it when it starts again."""
        fresh = MemoryFiles()
        fresh.folders = set(self.folders)
        for path in {*self.names, *self.safe_names}:
            candidates = [names.get(path) for names in (self.names, self.safe_names)]
            if inode := rng.choice(candidates):
                content = inode.after_power_cut(rng)
                fresh.names[path] = fresh.safe_names[path] = Inode(bytearray(content), content)
        return fresh

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> File:
        if path not in self.names:
            if not create:
                raise FileNotFoundError(errno.ENOENT, "absent", str(path))
            self.fail_if_told()
            self.names[path] = Inode()
        return MemoryFile(self, self.names[path], writable=write)

    def replace(self, source: Path, target: Path) -> None:
        self.fail_if_told()
        self.names[target] = self.names.pop(source)

    def remove(self, path: Path) -> None:
        self.fail_if_told()
        self.names.pop(path, None)

    def make_dir(self, path: Path) -> None:
        self.folders |= {path, *path.parents}

    def list_dir(self, path: Path) -> list[str]:
        return sorted(name.name for name in {*self.names, *self.folders} if name.parent == path and name != path)

    def exists(self, path: Path) -> bool:
        return path in self.names or path in self.folders

    def sync_dir(self, path: Path) -> None:
        self.fail_if_told()
        inside = {name: inode for name, inode in self.names.items() if name.parent == path}
        self.safe_names = {name: inode for name, inode in self.safe_names.items() if name.parent != path} | inside

    def fail_if_told(self) -> None:
        if number := self.step():
            raise OSError(number, "told to fail")


class MemoryFile(File):
    """Implements :class:`bbd.files.File`."""

    def __init__(self, files: MemoryFiles, inode: Inode, *, writable: bool) -> None:
        self._files = files
        self._inode = inode
        self._writable = writable
        self._open = True

    def pread(self, size: int, offset: int) -> bytes:
        self._check()
        self._files.before_read()
        return bytes(self._inode.content[offset : offset + size])

    def pwrite(self, parts: Sequence[Bytes], offset: int) -> None:
        self._check()
        assert self._writable
        data = b"".join(parts)
        number = self._files.step()
        if number:
            data = data[: len(data) // 2]
        self._inode.unsafe.append((offset, data))
        content = self._inode.content
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + len(data)] = data
        if number:
            raise OSError(number, "told to fail")

    def size(self) -> int:
        return len(self._inode.content)

    def resize(self, size: int) -> None:
        raise NotImplementedError

    def reserve(self, size: int) -> None:
        raise NotImplementedError

    def data(self) -> Iterator[tuple[int, int]]:
        yield 0, self.size()

    def sync(self) -> None:
        self._check()
        self._files.fail_if_told()
        self._inode.safe = bytes(self._inode.content)
        self._inode.unsafe.clear()

    def close(self) -> None:
        self._open = False

    def _check(self) -> None:
        if not self._open:
            raise OSError(errno.EBADF, "closed")
