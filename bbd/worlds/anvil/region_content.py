"""What a region file holds, for those who read it while somebody may write.

Sectors are written over only after a table that doesn't name them was published. So bytes that were read without a
publication in between belong to the locations that were looked up, and no lock is needed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from bbd.files import File, Files
from bbd.worlds.anvil.compression import EXTERNAL, RawChunk
from bbd.worlds.anvil.damage import unreadable
from bbd.worlds.anvil.external import ExternalChunks
from bbd.worlds.anvil.runs import Run, chunk_at, neighbours, read_view
from bbd.worlds.anvil.sectors import SECTOR_SIZE, Extent
from bbd.worlds.anvil.tables import CHUNKS, HEADER_SIZE, Tables
from bbd.worlds.world import ColumnUnreadable, DataColumn

_ALL = (1 << CHUNKS) - 1

Found: TypeAlias = RawChunk | ColumnUnreadable | None
"""What a region file has of a chunk: ``None`` where there is none, and an error that costs its neighbours nothing."""

Look: TypeAlias = Callable[[Run, int, memoryview], Mapping[int, DataColumn]]
"""Makes columns of chunks that it knows the look of: it is given neighbours, their first sector, and what the file
holds from there on."""

_Read = TypeVar("_Read")


class RegionContent:
    """The file at ``path``, which need not exist, and its table. Any thread may read; who writes tells readers so by
    putting another one in the place of ``tables``. Errors: ``OSError`` from the file system.
    """

    def __init__(self, files: Files, path: Path, *, writable: bool) -> None:
        self._files = files
        self._path = path
        self._writable = writable
        self._file: File | None = None
        self._broken = b""
        self.external = ExternalChunks(files, path)
        self.tables = Tables.parse(b"")
        if files.exists(path):
            self.open(create=False)

    @property
    def exists(self) -> bool:
        """Whether there is a file, and it is open."""
        return self._file is not None

    @property
    def broken(self) -> bool:
        """Whether the file is too short for its header: no chunk can be in it."""
        return bool(self._broken)

    @property
    def present_bitmap(self) -> int:
        """Bit ``index`` is set where the file names a chunk, readable or not."""
        return _ALL if self._broken else self.tables.present

    def read_raw(self, index: int) -> RawChunk | None:
        """What the file itself holds of the chunk at ``index`` (0 to 1023), ``None`` where there is none.

        Raises :class:`~bbd.worlds.world.ColumnUnreadable` for a chunk that the header names wrongly, and ``OSError``.
        """
        return self._settled_read(self.lookup, index)

    def read_chunk(self, index: int) -> RawChunk | None:
        """The chunk at ``index``, also where it lies in a file of its own. Errors: see :meth:`read_raw`."""
        return self._settled_read(self._lookup_all, index)

    def read_chunks(self, indices: Collection[int]) -> Iterator[tuple[int, Found]]:
        """The chunks at ``indices`` in the order in which they lie in the file, those that follow each other read
        together. What is yielded may be a view of memory that the same thread's next read uses again: it lasts until
        the next is asked for. Raises ``OSError`` where the file can't be read at all."""
        return self._read_runs(indices, self._read_run)

    def read_columns(self, indices: Collection[int], look: Look) -> Iterator[tuple[int, Found | DataColumn]]:
        """The same, but ``look`` may make columns of as many chunks of each run of neighbours as it can."""
        return self._read_runs(indices, partial(self._read_columns, look))

    def _read_runs(
        self, indices: Collection[int], read: Callable[[Tables, Run], Sequence[tuple[int, _Read]]]
    ) -> Iterator[tuple[int, _Read | ColumnUnreadable | None]]:
        if self._broken:
            yield from ((index, self._header_error()) for index in indices)
            return
        waiting = set(indices)
        while waiting:
            tables = self.tables
            absent = {index for index in waiting if not tables.present >> index & 1}
            yield from ((index, None) for index in absent)
            waiting -= absent
            for run in neighbours(tables.locations, waiting):
                found = read(tables, run)
                # What was read belongs to its locations only if no others were published.
                if tables is not self.tables:
                    break
                waiting.difference_update(run)
                yield from found

    def _read_columns(self, look: Look, tables: Tables, run: Run) -> list[tuple[int, Found | DataColumn]]:
        start, content = self._content(run)
        apart = {index: extent for index, extent in run.items() if index not in tables.overlapping}
        columns = look(apart, start, content)
        rest = {index: extent for index, extent in run.items() if index not in columns}
        return [*columns.items(), *self._chunks(tables, rest, start, content)]

    def _read_run(self, tables: Tables, run: Run) -> list[tuple[int, Found]]:
        return self._chunks(tables, run, *self._content(run))

    def _content(self, run: Run) -> tuple[int, memoryview]:
        """The run's first sector, and what the file holds from there to its end."""
        extents = list(run.values())
        start = extents[0].start
        return start, read_view(self.opened(), Extent(start, extents[-1].end))

    def _chunks(self, tables: Tables, run: Run, start: int, content: memoryview) -> list[tuple[int, Found]]:
        found: list[tuple[int, Found]] = []
        for index, extent in run.items():
            first, end = ((sector - start) * SECTOR_SIZE for sector in (extent.start, extent.end))
            try:
                chunk = chunk_at(extent, content[first:end], overlapping=index in tables.overlapping)
                if chunk.compression & EXTERNAL:
                    chunk = self.external.resolve(index, chunk)
            except ColumnUnreadable as error:
                found.append((index, error))
            else:
                found.append((index, chunk))
        return found

    def _header_error(self) -> ColumnUnreadable:
        return unreadable(f"its region file {self._path.name} has a broken header", self._broken)

    def _settled_read(self, lookup: Callable[[Tables, int], RawChunk | None], index: int) -> RawChunk | None:
        if self._broken:
            raise self._header_error()
        # Only what was read without a publication in between belongs to the location that was looked up.
        while True:
            tables = self.tables
            try:
                chunk = lookup(tables, index)
            except ColumnUnreadable:
                if tables is self.tables:
                    raise
                continue
            if tables is self.tables:
                return chunk

    def open(self, *, create: bool) -> None:
        """Open the file, with ``create`` an empty one if there is none, and read its table. On one thread."""
        self._file = self._files.open(self._path, write=self._writable, create=create)
        header = self._file.pread(HEADER_SIZE, 0)
        if len(header) < HEADER_SIZE and any(header):
            self._broken = header
        else:
            self.tables = Tables.parse(header)

    def close(self) -> None:
        """Close the file; nobody may be reading or writing. Everything written is safe already."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def opened(self) -> File:
        """The file. Raises ``OSError`` (EBADF) where none is open."""
        if self._file is None:
            raise OSError(errno.EBADF, "the region file is closed", str(self._path))
        return self._file

    def set_aside(self) -> None:
        """Keep a broken file under another name, and be without one."""
        aside = _unused_name(self._files, self._path)
        self._files.replace(self._path, aside)
        self.close()
        self._broken = b""

    def _read_sectors(self, extent: Extent) -> bytes:
        if self._file is None:
            return b""
        return self._file.pread((extent.end - extent.start) * SECTOR_SIZE, extent.start * SECTOR_SIZE)

    def lookup(self, tables: Tables, index: int) -> RawChunk | None:
        """What the file itself holds where ``tables`` say that a chunk lies. Errors: see :meth:`read_raw`."""
        location = int(tables.locations[index])
        if not location:
            return None
        extent = Extent.of(location)
        return chunk_at(extent, self._read_sectors(extent), overlapping=index in tables.overlapping)

    def _lookup_all(self, tables: Tables, index: int) -> RawChunk | None:
        chunk = self.lookup(tables, index)
        return self.external.resolve(index, chunk) if chunk and chunk.compression & EXTERNAL else chunk


def _unused_name(files: Files, path: Path) -> Path:
    number = 1
    while files.exists(aside := path.with_name(f"{path.name}.broken-{number}")):
        number += 1
    return aside
