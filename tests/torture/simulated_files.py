"""A file system in memory that remembers every call, and can show what a power cut might have left of them.

The rules are those of ``bbd.files``, read as harshly as they allow: bytes are safe after their file's ``sync``, names
after their folder's ``sync_dir``, and of all else any part may have reached the disk, in any order, in pieces of 512
bytes.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias

from bbd.files import Bytes, File

SECTOR = 512


@dataclass(frozen=True)
class Write:
    node: int
    offset: int
    data: bytes


@dataclass(frozen=True)
class Resize:
    node: int
    size: int


@dataclass(frozen=True)
class Sync:
    node: int


@dataclass(frozen=True)
class Name:
    """A name now stands for a file, or (``None``) for nothing."""

    path: Path
    node: int | None


@dataclass(frozen=True)
class Rename:
    """One atomic change of two names."""

    source: Path
    target: Path
    node: int


@dataclass(frozen=True)
class SyncDir:
    path: Path


Call: TypeAlias = Write | Resize | Sync | Name | Rename | SyncDir


@dataclass
class SimulatedFiles:
    """The file system. ``calls`` is its log; ``base`` is what was safe before the first of them."""

    names: dict[Path, int] = field(default_factory=dict)
    nodes: dict[int, bytearray] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    base: SimulatedFiles | None = None

    # -- bbd.files.Files ------------------------------------------------------------------------------------------

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> File:
        with self.lock:
            if path not in self.names:
                if not create:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
                if path.parent not in self.folders:
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
                node = max(self.nodes, default=0) + 1
                self.nodes[node] = bytearray()
                self.names[path] = node
                self.calls.append(Name(path, node))
            return _SimulatedFile(self, self.names[path], write=write)

    def replace(self, source: Path, target: Path) -> None:
        with self.lock:
            node = self.names.pop(source)
            self.names[target] = node
            self.calls.append(Rename(source, target, node))

    def remove(self, path: Path) -> None:
        with self.lock:
            if self.names.pop(path, None) is not None:
                self.calls.append(Name(path, None))

    def make_dir(self, path: Path) -> None:
        with self.lock:
            self.folders.update({path, *path.parents})

    def list_dir(self, path: Path) -> list[str]:
        with self.lock:
            found = {name.relative_to(path).parts[0] for name in self.names if path in name.parents}
            return sorted(found | {folder.name for folder in self.folders if folder.parent == path != folder})

    def exists(self, path: Path) -> bool:
        with self.lock:
            return path in self.names or path in self.folders

    def sync_dir(self, path: Path) -> None:
        with self.lock:
            self.calls.append(SyncDir(path))

    # -- time travel ----------------------------------------------------------------------------------------------

    def mark(self) -> None:
        """All that stands now is safe, and the log begins here."""
        with self.lock:
            self.base = self.snapshot()
            self.calls.clear()

    def snapshot(self) -> SimulatedFiles:
        """An independent copy of what stands, with an empty log."""
        nodes = {node: bytearray(content) for node, content in self.nodes.items()}
        return SimulatedFiles(dict(self.names), nodes, set(self.folders))

    def after_kill(self, calls: Sequence[Call]) -> SimulatedFiles:
        """What the next process sees when this one was killed after ``calls``: all of it, safe or not."""
        assert self.base is not None
        left = self.base.snapshot()
        left.folders |= self.folders
        for call in calls:
            if isinstance(call, Write | Resize):
                _apply(left.nodes.setdefault(call.node, bytearray()), call)
            elif isinstance(call, Name | Rename):
                left.nodes.setdefault(call.node or 0, bytearray())
                _apply_name(left.names, call)
        left.base = self.base
        left.calls = list(calls)
        return left

    def after_power_cut(self, calls: Sequence[Call], random: Random) -> SimulatedFiles:
        """What may stand after a power cut that came when exactly ``calls`` had been made."""
        assert self.base is not None
        left = self.base.snapshot()
        left.folders |= self.folders
        mode = random.choice(["nothing", "everything", "writes", "sectors", "sectors"])
        for node, history in _by_node(calls).items():
            left.nodes[node] = _survivor(left.nodes.get(node, bytearray()), history, mode, random)
        _name_survivors(left, calls, mode, random)
        left.nodes = {node: left.nodes.get(node, bytearray()) for node in left.names.values()}
        return left


class _SimulatedFile(File):
    def __init__(self, files: SimulatedFiles, node: int, *, write: bool) -> None:
        self._files = files
        self._node = node
        self._writable = write

    @property
    def _content(self) -> bytearray:
        return self._files.nodes[self._node]

    def pread(self, size: int, offset: int) -> bytes:
        with self._files.lock:
            return bytes(self._content[offset : offset + size])

    def pwrite(self, parts: Sequence[Bytes], offset: int) -> None:
        with self._files.lock:
            assert self._writable, "written through a file that was opened for reading"
            data = b"".join(parts)
            _apply(self._content, Write(self._node, offset, data))
            self._files.calls.append(Write(self._node, offset, data))

    def size(self) -> int:
        with self._files.lock:
            return len(self._content)

    def resize(self, size: int) -> None:
        with self._files.lock:
            _apply(self._content, Resize(self._node, size))
            self._files.calls.append(Resize(self._node, size))

    def reserve(self, size: int) -> None:
        if size > self.size():
            self.resize(size)

    def data(self) -> Iterator[tuple[int, int]]:
        yield 0, self.size()

    def sync(self) -> None:
        with self._files.lock:
            self._files.calls.append(Sync(self._node))

    def close(self) -> None:
        pass


def _apply(content: bytearray, call: Write | Resize) -> None:
    end = call.size if isinstance(call, Resize) else call.offset + len(call.data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if isinstance(call, Resize):
        del content[call.size :]
    else:
        content[call.offset : end] = call.data


def _by_node(calls: Sequence[Call]) -> dict[int, list[Write | Resize | Sync]]:
    histories: dict[int, list[Write | Resize | Sync]] = {}
    for call in calls:
        if isinstance(call, Write | Resize | Sync):
            histories.setdefault(call.node, []).append(call)
    return histories


def _survivor(base: bytearray, history: list[Write | Resize | Sync], mode: str, random: Random) -> bytearray:
    """A file's content: all up to its last sync, and of the rest what ``mode`` leaves."""
    last_sync = max((at for at, call in enumerate(history) if isinstance(call, Sync)), default=-1)
    content = bytearray(base)
    unsafe: list[Write | Resize] = []
    for at, call in enumerate(history):
        if isinstance(call, Sync):
            continue
        if at < last_sync:
            _apply(content, call)
        else:
            unsafe.append(call)
    for call in unsafe:
        if mode == "everything" or (mode == "writes" and random.random() < 0.5):
            _apply(content, call)
        elif mode == "sectors":
            _apply_torn(content, call, random)
    return content


def _apply_torn(content: bytearray, call: Write | Resize, random: Random) -> None:
    if isinstance(call, Resize):
        if random.random() < 0.5:
            _apply(content, call)
        return
    share = random.choice([0.1, 0.5, 0.9])
    start = call.offset
    while start < call.offset + len(call.data):
        end = min((start // SECTOR + 1) * SECTOR, call.offset + len(call.data))
        if random.random() < share:
            _apply(content, Write(call.node, start, call.data[start - call.offset : end - call.offset]))
        start = end


def _name_survivors(left: SimulatedFiles, calls: Sequence[Call], mode: str, random: Random) -> None:
    """Names: changes before their folder's last sync hold; each later one may or may not have happened."""
    for at, call in enumerate(calls):
        if isinstance(call, Name):
            folder = call.path.parent
        elif isinstance(call, Rename):
            folder = call.target.parent
        else:
            continue
        safe = any(isinstance(later, SyncDir) and later.path == folder for later in calls[at:])
        if safe or mode == "everything" or (mode != "nothing" and random.random() < 0.5):
            _apply_name(left.names, call)


def _apply_name(names: dict[Path, int], call: Name | Rename) -> None:
    if isinstance(call, Rename):
        names.pop(call.source, None)
        names[call.target] = call.node
    elif call.node is None:
        names.pop(call.path, None)
    else:
        names[call.path] = call.node
