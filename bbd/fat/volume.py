"""A FAT file system, opened: files and folders by their paths.

A change goes to the medium in an order that never lets a name point to what is not there: contents, then the table,
then the folder, then what became free. Nothing here syncs: that is the medium's.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from typing import BinaryIO, Final

from bbd.errors import BbdError
from bbd.fat.folder import ARCHIVE, FOLDER, Entry, Folder, dots
from bbd.fat.layout import parse
from bbd.fat.medium import Medium, partitions
from bbd.fat.names import check_name
from bbd.fat.table import Damaged, Table

LONGEST_FILE: Final = (1 << 32) - 1
_PIECE: Final = 1 << 20


class Volume:
    """The FAT file system that is all of ``medium``, or the first of its partitions that is one.

    Paths are separated by slashes and begin at the root; the case of letters doesn't matter. Raises
    :class:`BbdError` where there is none; the methods raise ``OSError`` with the path in it.
    """

    def __init__(self, medium: Medium) -> None:
        for place in (medium, *partitions(medium)):
            layout = parse(place.read(0, 512), place.size) if place.size >= 512 else None
            if layout is not None:
                break
        else:
            raise BbdError("there is no FAT file system on this disk, nor in its partitions: make one with mkfs.vfat")
        self._medium: Medium = place
        self._layout = layout
        self._table = Table(place, layout)

    @property
    def bits(self) -> int:
        """12, 16 or 32."""
        return self._layout.bits

    def find(self, path: str) -> Entry | None:
        """The entry at a path; ``None`` for the root. Raises ``FileNotFoundError``, ``NotADirectoryError``."""
        parts = split(path)
        if not parts:
            return None
        entry = self._folder(parts[:-1], path).find(parts[-1])
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return entry

    def exists(self, path: str) -> bool:
        """Whether something is at a path."""
        try:
            self.find(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def is_folder(self, path: str) -> bool:
        """Whether a path is a folder's."""
        try:
            entry = self.find(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return entry is None or entry.is_folder

    def entries(self, path: str) -> list[Entry]:
        """What is in the folder at a path, by name."""
        return sorted(self._folder(split(path), path).entries(), key=lambda entry: entry.name.casefold())

    def read(self, path: str) -> Iterator[bytes]:
        """A file's bytes, piece by piece."""
        entry = self.find(path)
        if entry is None or entry.is_folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        clusters = self._table.chain(entry.cluster)
        if len(clusters) * self._layout.cluster_size < entry.size:
            raise Damaged(f"{path} has fewer clusters than bytes")
        left = entry.size
        for start, count in _runs(clusters, max(1, _PIECE // self._layout.cluster_size)):
            length = min(left, count * self._layout.cluster_size)
            if length:
                yield self._medium.read(self._layout.cluster(start), length)
            left -= length

    def write(self, path: str, source: BinaryIO, modified: float | None = None) -> int:
        """Put a file at a path, in the place of one that is there; return its size.

        Raises ``OSError`` (ENOSPC, EFBIG) before anything that a name points to is changed.
        """
        folder, name, old = self._target(path)
        if old is not None and old.is_folder:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        clusters, size = self._store(source, path)
        when = time.time() if modified is None else modified
        first = clusters[0] if clusters else 0
        try:
            if old is None:
                folder.add(name, ARCHIVE, first, size, when)
                self._table.flush()
                return size
        except OSError:
            self._table.free(clusters)
            self._table.flush()
            raise
        folder.change(old, first, size, when)
        self._table.free(self._table.chain(old.cluster))
        self._table.flush()
        return size

    def make_folder(self, path: str) -> None:
        """Make a folder. Raises ``FileExistsError``, and ``FileNotFoundError`` where its parent is not there."""
        parent, name, old = self._target(path)
        if old is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
        when = time.time()
        (cluster,) = clusters = self._table.allocate(1)
        content = dots(cluster, parent.cluster, when)
        try:
            self._medium.write(self._layout.cluster(cluster), content.ljust(self._layout.cluster_size, b"\0"))
            self._table.flush()
            parent.add(name, FOLDER, cluster, 0, when)
        except OSError:
            self._table.free(clusters)
            self._table.flush()
            raise
        self._table.flush()

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder. Raises ``OSError`` (ENOTEMPTY) for a folder that holds something."""
        folder, _, entry = self._target(path)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if entry.is_folder and next(self._open(entry).entries(), None) is not None:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)
        clusters = self._table.chain(entry.cluster)
        folder.remove(entry)
        self._table.free(clusters)
        self._table.flush()

    def _store(self, source: BinaryIO, path: str) -> tuple[list[int], int]:
        """Write a file's bytes to free clusters; all of them are free again where that fails."""
        size, clusters = 0, list[int]()
        unit = self._layout.cluster_size
        piece = max(unit, _PIECE // unit * unit)
        try:
            while data := _read_exactly(source, piece):
                size += len(data)
                _check_length(size)
                fresh = self._table.allocate(-(-len(data) // unit))
                clusters += fresh
                at = 0
                for start, count in _runs(fresh, len(fresh)):
                    self._medium.write(self._layout.cluster(start), data[at : at + count * unit])
                    at += count * unit
            if clusters:
                self._table.link(clusters)
            self._table.flush()
        except OSError as error:
            self._table.free(clusters)
            self._table.flush()
            raise OSError(error.errno, error.strerror, path) from error
        return clusters, size

    def _target(self, path: str) -> tuple[Folder, str, Entry | None]:
        parts = split(path)
        if not parts:
            raise IsADirectoryError(errno.EISDIR, "that is the root folder", path)
        folder = self._folder(parts[:-1], path)
        found = folder.find(parts[-1])
        return folder, found.name if found else check_name(parts[-1]), found

    def _folder(self, parts: list[str], path: str) -> Folder:
        folder = Folder(self._medium, self._layout, self._table, 0)
        for name in parts:
            entry = folder.find(name)
            if entry is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            if not entry.is_folder:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            folder = self._open(entry)
        return folder

    def _open(self, entry: Entry) -> Folder:
        if entry.cluster == 0:
            raise Damaged(f"folder {entry.name} has no clusters")
        return Folder(self._medium, self._layout, self._table, entry.cluster)


def split(path: str) -> list[str]:
    """A path's names, from the root on."""
    return [part for part in path.split("/") if part not in ("", ".")]


def _runs(clusters: list[int], longest: int) -> Iterator[tuple[int, int]]:
    """Clusters that follow each other, together: (first, how many), ``longest`` at most."""
    start = count = 0
    for number in clusters:
        if count and number == start + count and count < longest:
            count += 1
            continue
        if count:
            yield start, count
        start, count = number, 1
    if count:
        yield start, count


def _check_length(size: int) -> None:
    if size > LONGEST_FILE:
        raise OSError(errno.EFBIG, "a file on FAT has less than 4 GiB")


def _read_exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    while 0 < len(data) < size and (more := source.read(size - len(data))):
        data += more
    return data
