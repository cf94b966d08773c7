"""One region file (``r.X.Z.mca``): 32 x 32 chunks, written copy-on-write.

The Anvil format, in 4096-byte sectors: 1024 big-endian locations (see :mod:`~bbd.worlds.anvil.sectors`), 1024
big-endian timestamps in seconds, then chunks, each a big-endian u32 length (which counts the type byte), a compression
type and the data. A chunk's index in both tables is ``(cx & 31) + (cz & 31) * 32``.

What is written goes to sectors that no location names, is synced, and only then named by the table, which is synced
too. A location is four bytes and aligned, so a header torn between disk sectors names for every chunk its old or its
new bytes, both whole. Old sectors are free when the new table is known to be on the disk, and not before. A chunk that
needs more than 255 sectors lies in a file of its own (see :mod:`~bbd.worlds.anvil.external`).
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from bbd.files import File, Files, write_out
from bbd.worlds.anvil.compression import EXTERNAL, AnyChunk, RawChunk, recompressed
from bbd.worlds.anvil.damage import unreadable
from bbd.worlds.anvil.external import ExternalChunks
from bbd.worlds.anvil.room import Claim, Room
from bbd.worlds.anvil.runs import Run, chunk_at, chunk_sectors, neighbours, read_view, runs
from bbd.worlds.anvil.sectors import MAX_SECTORS, SECTOR_SIZE, Extent
from bbd.worlds.anvil.syncs import Syncs
from bbd.worlds.anvil.tables import CHUNKS, HEADER_SIZE, Tables
from bbd.worlds.world import ColumnUnreadable, DataColumn

_ALL = (1 << CHUNKS) - 1

Found: TypeAlias = RawChunk | ColumnUnreadable | None
"""What a region file has of a chunk: ``None`` where there is none, and an error that costs its neighbours nothing."""

Piece: TypeAlias = Mapping[int, AnyChunk | None]
"""Chunks to put by their index; ``None`` takes one away."""

Look: TypeAlias = Callable[[Run, int, memoryview], Mapping[int, DataColumn]]
"""Makes columns of chunks that it knows the look of: it is given neighbours, their first sector, and what the file
holds from there on."""

_Read = TypeVar("_Read")


@dataclass(eq=False, slots=True)
class _Write:
    """One on its way: what has its place by now, and what goes. ``stubs`` are those whose bytes lie elsewhere."""

    mark: OSError | None
    claim: Claim | None = None
    placed: dict[int, Extent] = field(default_factory=dict)
    removed: list[int] = field(default_factory=list)
    stubs: set[int] = field(default_factory=set)


class RegionFile:
    """A region file that need not exist yet; the first written chunk makes it.

    Any thread may read while others write; writers wait for each other only where the table changes hands and in syncs.
    ``writable`` false: ``write`` fails. Errors: ``OSError`` from the file system.
    """

    def __init__(self, files: Files, path: Path, *, writable: bool = True) -> None:
        self._files = files
        self._path = path
        self._writable = writable
        self._external = ExternalChunks(files, path)
        self._writing = threading.Lock()
        self._file: File | None = None
        self._broken = b""
        # Whether the file's name is safe, and the table on the disk surely the one in memory: not before this object
        # has synced them itself (another process may have ended before it could), and not after any failure.
        self._named = self._settled = False
        self._room = Room()
        self._syncs = Syncs()
        self._tables = Tables.parse(b"")
        if files.exists(path):
            self._open(create=False)

    @property
    def present_bitmap(self) -> int:
        """Bit ``index`` is set where the file names a chunk, readable or not."""
        return _ALL if self._broken else self._tables.present

    def read_raw(self, index: int) -> RawChunk | None:
        """What the file itself holds of the chunk at ``index`` (0 to 1023), ``None`` where there is none.

        Raises :class:`~bbd.worlds.world.ColumnUnreadable` for a chunk that the header names wrongly, and ``OSError``.
        """
        return self._settled_read(self._lookup, index)

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
            tables = self._tables
            absent = {index for index in waiting if not tables.present >> index & 1}
            yield from ((index, None) for index in absent)
            waiting -= absent
            for run in neighbours(tables.locations, waiting):
                found = read(tables, run)
                # See _settled_read: what was read belongs to its locations only if no others were published.
                if tables is not self._tables:
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
        return start, read_view(self._opened(), Extent(start, extents[-1].end))

    def _chunks(self, tables: Tables, run: Run, start: int, content: memoryview) -> list[tuple[int, Found]]:
        found: list[tuple[int, Found]] = []
        for index, extent in run.items():
            first, end = ((sector - start) * SECTOR_SIZE for sector in (extent.start, extent.end))
            try:
                chunk = chunk_at(extent, content[first:end], overlapping=index in tables.overlapping)
                if chunk.compression & EXTERNAL:
                    chunk = self._external.resolve(index, chunk)
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
        # Sectors are overwritten only after a table that doesn't name them was published. So bytes that were read
        # without a publication in between belong to the location that was looked up, and no lock is needed.
        while True:
            tables = self._tables
            try:
                chunk = lookup(tables, index)
            except ColumnUnreadable:
                if tables is self._tables:
                    raise
                continue
            if tables is self._tables:
                return chunk

    def write(self, batch: Mapping[int, AnyChunk], removals: Collection[int] = ()) -> None:
        """Put chunks and take others away, durably: at return the file says so even after a power cut.

        On ``OSError`` every chunk stands as before in memory, and as before or as written on the disk, never half;
        the next write makes that certain before it reuses a sector. (One in a file of its own may stand as written in
        memory too.) A chunk that is put into such a file keeps the compression that it has there already. Raises
        ``OSError`` with EFBIG for a chunk that is too large even for that.
        """
        self.write_pieces([{**dict.fromkeys(removals), **batch}])

    def write_pieces(self, pieces: Iterable[Piece]) -> None:
        """The same, piece by piece: while the next one is made, the disk may take the last. An error that ``pieces``
        raises is one of the write."""
        if not self._writable:
            raise OSError(errno.EROFS, "the world is open for reading only", str(self._path))
        write = _Write(self._syncs.mark)
        try:
            for piece in pieces:
                self._write_piece(write, piece)
            if write.placed:
                self._syncs.sync(self._opened(), write.mark)
            self._publish(write)
        except BaseException:
            with self._writing:
                self._settled = False
                self._end(write, failed=True)
            raise

    def close(self) -> None:
        """Close the file; nobody may be reading or writing. Everything written is safe already."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self, *, create: bool) -> None:
        self._file = self._files.open(self._path, write=self._writable, create=create)
        self._named, self._settled = False, create
        header = self._file.pread(HEADER_SIZE, 0)
        if len(header) < HEADER_SIZE and any(header):
            self._broken = header
        else:
            self._tables = Tables.parse(header)

    def _read_sectors(self, extent: Extent) -> bytes:
        if self._file is None:
            return b""
        return self._file.pread((extent.end - extent.start) * SECTOR_SIZE, extent.start * SECTOR_SIZE)

    def _lookup(self, tables: Tables, index: int) -> RawChunk | None:
        location = int(tables.locations[index])
        if not location:
            return None
        extent = Extent.of(location)
        return chunk_at(extent, self._read_sectors(extent), overlapping=index in tables.overlapping)

    def _lookup_all(self, tables: Tables, index: int) -> RawChunk | None:
        chunk = self._lookup(tables, index)
        return self._external.resolve(index, chunk) if chunk and chunk.compression & EXTERNAL else chunk

    def _write_piece(self, write: _Write, piece: Piece) -> None:
        with self._writing:
            placed = self._place(write, piece)
        for start, parts in runs(placed):
            write_out(self._opened(), parts, start * SECTOR_SIZE)

    def _place(self, write: _Write, piece: Piece) -> list[tuple[Extent, AnyChunk]]:
        """Find a place for each of a piece's chunks, and note which chunks go."""
        if self._broken:
            self._set_aside()
        removals = [index for index, chunk in piece.items() if chunk is None and self._tables.present >> index & 1]
        if self._file is None:
            if not removals and all(chunk is None for chunk in piece.values()):
                return []
            self._open(create=True)
        self._settle()
        if write.claim is None:
            self._external.look()
            write.claim = self._room.begin()
        batch = {index: self._within_reach(index, chunk) for index, chunk in piece.items() if chunk is not None}
        counts = [chunk_sectors(chunk) for chunk in batch.values()]
        extents = self._room.take(write.claim, self._tables.locations, counts)
        write.placed.update(zip(batch, extents, strict=True))
        write.stubs.update(index for index, chunk in batch.items() if chunk.compression & EXTERNAL)
        write.removed += removals
        return list(zip(extents, batch.values(), strict=True))

    def _publish(self, write: _Write) -> None:
        """Have the table name what is safe now."""
        with self._writing:
            if write.placed or write.removed:
                tables = self._changed(write.placed, write.removed)
                self._settled = False
                self._write_header(tables)
                self._settled = True
                before, self._tables = self._tables, tables
                for index in self._maybe_external([*write.placed, *write.removed], before):
                    if index not in write.stubs and self._external.exists(index):
                        self._external.remove(index)
            self._end(write, failed=False)

    def _end(self, write: _Write, *, failed: bool) -> None:
        claim, write.claim = write.claim, None
        if claim is not None:
            self._room.end(claim, failed=failed)

    @staticmethod
    def _maybe_external(indices: Collection[int], before: Tables) -> Iterator[int]:
        """Those that may have had a file of their own: a stub takes one sector, a forgotten file none."""
        sectors = before.locations & 0xFF
        return (index for index in indices if sectors[index] <= 1)

    def _within_reach(self, index: int, chunk: AnyChunk) -> AnyChunk:
        """The chunk as the region file can hold it: as it is, or a stub, its bytes then being safe in their file."""
        if chunk_sectors(chunk) <= MAX_SECTORS:
            return chunk
        chunk = self._as_its_stub(index, chunk)
        return chunk if chunk_sectors(chunk) <= MAX_SECTORS else self._external.write(index, chunk)

    def _as_its_stub(self, index: int, chunk: AnyChunk) -> AnyChunk:
        """The chunk with the compression that its stub says, if one stands: the file changes before the stub does."""
        if not self._external.exists(index):
            return chunk
        try:
            standing = self._lookup(self._tables, index)
        except ColumnUnreadable:
            return chunk
        if standing is None or not standing.compression & EXTERNAL:
            return chunk
        return recompressed(chunk, standing.compression & ~EXTERNAL)

    def _changed(self, placed: Mapping[int, Extent], removed: list[int]) -> Tables:
        locations, timestamps = self._tables.locations.copy(), self._tables.timestamps.copy()
        locations[list(placed)] = [extent.location for extent in placed.values()]
        locations[removed] = 0
        timestamps[[*placed, *removed]] = int(time.time())
        return Tables.of(locations, timestamps)

    def _settle(self) -> None:
        """Make the file's name safe, and the table on the disk the one in memory."""
        if not self._named:
            self._files.sync_dir(self._path.parent)
            self._named = True
        if not self._settled:
            self._write_header(self._tables)
            self._settled = True

    def _write_header(self, tables: Tables) -> None:
        self._syncs.write_safely(self._opened(), [tables.header()], 0)

    def _opened(self) -> File:
        if self._file is None:
            raise OSError(errno.EBADF, "the region file is closed", str(self._path))
        return self._file

    def _set_aside(self) -> None:
        """Keep a file too short for its header, in which no chunk can be, under another name."""
        aside = _unused_name(self._files, self._path)
        self._files.replace(self._path, aside)
        self.close()
        self._broken = b""


def _unused_name(files: Files, path: Path) -> Path:
    number = 1
    while files.exists(aside := path.with_name(f"{path.name}.broken-{number}")):
        number += 1
    return aside
