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
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from bbd.files import Files
from bbd.worlds.anvil.compression import EXTERNAL, AnyChunk, RawChunk, recompressed
from bbd.worlds.anvil.region_content import Found, Look, RegionContent
from bbd.worlds.anvil.room import Claim, Room
from bbd.worlds.anvil.runs import chunk_sectors, runs
from bbd.worlds.anvil.sectors import MAX_SECTORS, SECTOR_SIZE, Extent
from bbd.worlds.anvil.syncs import Syncs
from bbd.worlds.anvil.tables import Tables
from bbd.worlds.world import ColumnUnreadable, DataColumn

Piece: TypeAlias = Mapping[int, AnyChunk | None]
"""Chunks to put by their index; ``None`` takes one away."""


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
        self._content = RegionContent(files, path, writable=writable)
        self._writing = threading.Lock()
        # Whether the file's name is safe, and the table on the disk surely the one in memory: not before this object
        # has synced them itself (another process may have ended before it could), and not after any failure.
        self._named = self._settled = False
        self._room = Room()
        self._syncs = Syncs()

    @property
    def present_bitmap(self) -> int:
        """Bit ``index`` is set where the file names a chunk, readable or not."""
        return self._content.present_bitmap

    def read_raw(self, index: int) -> RawChunk | None:
        """See :meth:`RegionContent.read_raw`."""
        return self._content.read_raw(index)

    def read_chunk(self, index: int) -> RawChunk | None:
        """See :meth:`RegionContent.read_chunk`."""
        return self._content.read_chunk(index)

    def read_chunks(self, indices: Collection[int]) -> Iterator[tuple[int, Found]]:
        """See :meth:`RegionContent.read_chunks`."""
        return self._content.read_chunks(indices)

    def read_columns(self, indices: Collection[int], look: Look) -> Iterator[tuple[int, Found | DataColumn]]:
        """See :meth:`RegionContent.read_columns`."""
        return self._content.read_columns(indices, look)

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
                self._syncs.sync(self._content.opened(), write.mark)
            self._publish(write)
        except BaseException:
            with self._writing:
                self._settled = False
                self._end(write, failed=True)
            raise

    def close(self) -> None:
        """Close the file; nobody may be reading or writing. Everything written is safe already."""
        self._content.close()

    def _write_piece(self, write: _Write, piece: Piece) -> None:
        with self._writing:
            placed = self._place(write, piece)
        for start, parts in runs(placed):
            self._content.opened().pwrite_early(parts, start * SECTOR_SIZE)

    def _place(self, write: _Write, piece: Piece) -> list[tuple[Extent, AnyChunk]]:
        """Find a place for each of a piece's chunks, and note which chunks go."""
        content = self._content
        if content.broken:
            content.set_aside()
        removals = [index for index, chunk in piece.items() if chunk is None and content.tables.present >> index & 1]
        if not content.exists:
            if not removals and all(chunk is None for chunk in piece.values()):
                return []
            self._named, self._settled = False, True
            content.open(create=True)
        self._settle()
        if write.claim is None:
            content.external.look()
            write.claim = self._room.begin()
        batch = {index: chunk for index, chunk in piece.items() if chunk is not None}
        counts = list(map(chunk_sectors, batch.values()))
        if max(counts, default=0) > MAX_SECTORS:
            batch = {index: self._within_reach(index, chunk) for index, chunk in batch.items()}
            counts = list(map(chunk_sectors, batch.values()))
        extents = self._room.take(write.claim, content.tables.locations, counts)
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
                before, self._content.tables = self._content.tables, tables
                external = self._content.external
                for index in self._maybe_external([*write.placed, *write.removed], before):
                    if index not in write.stubs and external.exists(index):
                        external.remove(index)
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
        return chunk if chunk_sectors(chunk) <= MAX_SECTORS else self._content.external.write(index, chunk)

    def _as_its_stub(self, index: int, chunk: AnyChunk) -> AnyChunk:
        """The chunk with the compression that its stub says, if one stands: the file changes before the stub does."""
        if not self._content.external.exists(index):
            return chunk
        try:
            standing = self._content.lookup(self._content.tables, index)
        except ColumnUnreadable:
            return chunk
        if standing is None or not standing.compression & EXTERNAL:
            return chunk
        return recompressed(chunk, standing.compression & ~EXTERNAL)

    def _changed(self, placed: Mapping[int, Extent], removed: list[int]) -> Tables:
        before = self._content.tables
        locations, timestamps = before.locations.copy(), before.timestamps.copy()
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
            self._write_header(self._content.tables)
            self._settled = True

    def _write_header(self, tables: Tables) -> None:
        self._syncs.write_safely(self._content.opened(), [tables.header()], 0)
