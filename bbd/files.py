"""The one way to the file system for everything that a disk must be able to trust.

Journal, region files, allocation map and descriptor do all their I/O through :class:`Files`, so that a test can
record every call, fail it, tear it or reorder it. The interface is as small as that work allows.

An implementation must not buffer: when ``pwrite`` returns, every ``pread`` sees the bytes. It must not promise more
than the kernel does either: bytes are safe from a power cut only after ``sync`` of their file (or by
``pwrite_safely``), a name (created, replaced, removed) only after ``sync_dir`` of its folder. Every failure is an
``OSError``.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

Bytes: TypeAlias = bytes | bytearray | memoryview


class File(Protocol):
    """An open file. Offsets and sizes are bytes; any thread may call.

    An implementation inherits from this class, and writes the methods up to ``close`` itself. Those after it are made
    of these, so that whoever watches a file sees them as the plain calls that they amount to: only a file that has a
    quicker way writes them anew. One that records, fails or forwards the calls of others must not hand these on to the
    file behind it: a write that is made safe there would have been no write and no sync here.
    """

    @abstractmethod
    def pread(self, size: int, offset: int) -> bytes:
        """Read up to ``size`` bytes at ``offset``; fewer only at the end of the file."""

    @abstractmethod
    def pwrite(self, parts: Sequence[Bytes], offset: int) -> None:
        """Write all ``parts``, one after the other, from ``offset`` on; never a short write."""

    @abstractmethod
    def size(self) -> int:
        """The file's length in bytes."""

    @abstractmethod
    def resize(self, size: int) -> None:
        """Cut the file, or lengthen it with a hole."""

    @abstractmethod
    def reserve(self, size: int) -> None:
        """Make sure that writes below ``size`` bytes find room on the file system; the length becomes ``size``."""

    @abstractmethod
    def data(self) -> Iterator[tuple[int, int]]:
        """Yield (start, end) of the ranges that may hold something; what lies between them is holes."""

    @abstractmethod
    def sync(self) -> None:
        """``fdatasync``: when it returns, what was written is safe. After an error nothing written is known safe."""

    @abstractmethod
    def close(self) -> None:
        """Close without syncing."""

    def pread_into(self, buffer: memoryview, offset: int) -> int:
        """Fill ``buffer`` with the bytes at ``offset``; return how many there are, fewer only at the end of the file.

        Large reads into memory that is used again and again cost a fraction of those into fresh memory, whose every
        page the kernel must find first. What lies in ``buffer`` behind the bytes may be anything afterwards; the file
        must not keep it.
        """
        data = self.pread(len(buffer), offset)
        buffer[: len(data)] = data
        return len(data)

    def pwrite_safely(self, parts: Sequence[Bytes], offset: int) -> None:
        """Write ``parts`` as ``pwrite`` does, and make them safe; what was written before may stay as unsafe as it was.

        Where the file system can do both in one call, that is cheaper than two. A quicker way must not return before
        the parts are as safe as ``sync`` makes them. Errors: those of ``pwrite`` and ``sync``.
        """
        self.pwrite(parts, offset)
        self.sync()

    def pwrite_early(self, parts: Sequence[Bytes], offset: int) -> None:
        """Write ``parts`` as ``pwrite`` does, and let the disk begin with them where the system can be asked to: the
        sync that makes them safe waits for less then.

        Nothing is safe by it. A quicker way must not wait until the disk is done, and must not keep a failure to itself
        that a later ``sync`` would no longer hear of. Errors: those of ``pwrite`` and ``sync``.
        """
        self.pwrite(parts, offset)

    def write_past_cache(self) -> None:
        """Have no copy kept in the kernel's memory of what is written from now on, where the file system can do
        without; elsewhere, do nothing.

        All writes must be whole blocks of :data:`bbd.blocks.BLOCK` bytes then, from memory that is aligned so, and
        nothing may be read. A file must not refuse such a write because it goes past the cache.
        """
        return


class Files(Protocol):
    """A file system. Paths are absolute or relative to the process; folders must exist before their files."""

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> File:
        """Open ``path``; with ``create``, make it (empty) if it is absent."""

    def replace(self, source: Path, target: Path) -> None:
        """Give ``source`` the name ``target`` at once, in the place of whatever had it."""

    def remove(self, path: Path) -> None:
        """Remove a file; an absent one is no error."""

    def make_dir(self, path: Path) -> None:
        """Make a folder and its parents; one that stands already is no error."""

    def list_dir(self, path: Path) -> list[str]:
        """Names in a folder, sorted; an absent folder has none."""

    def exists(self, path: Path) -> bool:
        """Whether the name stands."""

    def sync_dir(self, path: Path) -> None:
        """Make the names in a folder safe."""


def write_atomically(files: Files, path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` so that after a crash either the old or the new file stands there, whole and synced.

    Errors: ``OSError`` from the file system; the old file then still stands.
    """
    fresh = path.with_name(path.name + ".new")
    files.remove(fresh)
    file = files.open(fresh, write=True, create=True)
    try:
        file.pwrite([content], 0)
        file.sync()
    except OSError:
        with contextlib.suppress(OSError):
            files.remove(fresh)
        raise
    finally:
        file.close()
    files.replace(fresh, path)
    files.sync_dir(path.parent)


def sync_all(files: Files, paths: Iterable[Path]) -> None:
    """Make safe what stands at ``paths``, and their names: another process may have written it and not synced it.

    Errors: ``OSError``; ``FileNotFoundError`` for a path without a file.
    """
    folders = set()
    for path in paths:
        file = files.open(path)
        try:
            file.sync()
        finally:
            file.close()
        folders.add(path.parent)
    for folder in sorted(folders):
        files.sync_dir(folder)
