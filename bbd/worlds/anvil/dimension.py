"""The chunks of one dimension: what regions, compression and chunk format are together."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterable, Iterator

from bbd.geometry.interfaces import Block
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.compression import RawChunk, decompress
from bbd.worlds.anvil.entries import KnownEntries
from bbd.worlds.anvil.palette import PaletteCache
from bbd.worlds.anvil.region import Piece
from bbd.worlds.anvil.region_content import Found, Look
from bbd.worlds.anvil.regions import RegionAt, Regions, region_of
from bbd.worlds.world import ColumnUnreadable, DataColumn


def describe_chunk(cx: int, cz: int) -> str:
    """A chunk's place for people: ``chunk 3,-1 (x 48..63, z -16..-1)``."""
    x, z = cx * 16, cz * 16
    return f"chunk {cx},{cz} (x {x}..{x + 15}, z {z}..{z + 15})"


class Dimension:
    """Reads and writes whole chunks. Any thread may call; errors are ``OSError``."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self._palettes = PaletteCache()

    def read(self, cx: int, cz: int) -> Chunk | None:
        """The chunk as it stands, ``None`` where there is none. Raises
        :class:`~bbd.worlds.world.ColumnUnreadable`, which says which chunk it is and holds its bytes from the region
        file, length and type first."""
        at, index = region_of(cx, cz)
        try:
            with self.regions.region(at) as region:
                raw = region.read_chunk(index) if region else None
        except ColumnUnreadable as error:
            raise placed(error, cx, cz) from error
        return None if raw is None else self.parse(cx, cz, raw)

    def read_raw(self, at: RegionAt, indices: Collection[int]) -> Iterator[tuple[int, Found]]:
        """Chunks of one region as they lie there, in any order: see :meth:`RegionFile.read_chunks`."""
        with self.regions.region(at) as region:
            yield from region.read_chunks(indices) if region else ((index, None) for index in indices)

    def read_columns(
        self, at: RegionAt, indices: Collection[int], look: Look
    ) -> Iterator[tuple[int, Found | DataColumn]]:
        """The same where ``look`` makes columns of as many as it can: see :meth:`RegionFile.read_columns`."""
        with self.regions.region(at) as region:
            yield from region.read_columns(indices, look) if region else ((index, None) for index in indices)

    @property
    def known_entries(self) -> KnownEntries:
        """The palette entries that chunks of this dimension had lately."""
        return self._palettes.table.known

    def content(self, cx: int, cz: int, raw: RawChunk) -> bytes:
        """The NBT of the chunk at these coordinates. Raises :class:`~bbd.worlds.world.ColumnUnreadable` as
        :meth:`read` does."""
        try:
            return decompress(raw)
        except ColumnUnreadable as error:
            raise placed(error, cx, cz, raw) from error

    def parse(self, cx: int, cz: int, raw: RawChunk, content: bytes | None = None) -> Chunk:
        """The chunk at these coordinates, ``content`` being its NBT, if that is known. Raises
        :class:`~bbd.worlds.world.ColumnUnreadable` as :meth:`read` does."""
        if content is None:
            content = self.content(cx, cz, raw)
        try:
            return Chunk.parse(content, self._palettes)
        except ColumnUnreadable as error:
            raise placed(error, cx, cz, raw) from error

    def write(self, at: RegionAt, pieces: Iterable[Piece]) -> None:
        """Write and remove chunks of one region, durably, as :meth:`RegionFile.write_pieces` does."""
        with self.regions.region_to_write(at) as region:
            region.write_pieces(pieces)

    def present_chunks(self) -> Iterator[tuple[int, int]]:
        """Every chunk that the region files name, readable or not, region by region."""
        for at in self.regions.there():
            present = self.regions.present(at)
            for index in range(present.bit_length()):
                if present >> index & 1:
                    yield at[0] * 32 + (index & 31), at[1] * 32 + (index >> 5)

    def is_blank(self, cx: int, cz: int) -> bool:
        """Whether no block but air stands where a disk's sections would: no chunk, or Y 0 to 19 all air. A chunk that
        can't be read is not blank."""
        try:
            chunk = self.read(cx, cz)
        except ColumnUnreadable:
            return False
        return chunk is None or chunk.is_blank()

    def block_at(self, x: int, y: int, z: int) -> Block | None:
        """The block at world coordinates; ``None`` where no chunk stands."""
        chunk = self.read(x >> 4, z >> 4)
        return None if chunk is None else chunk.block(x, y, z)


def placed(error: ColumnUnreadable, cx: int, cz: int, raw: RawChunk | None = None) -> ColumnUnreadable:
    """The same error, saying which chunk it is, with its bytes."""
    why = f"{describe_chunk(cx, cz)} can't be read: {error.strerror}"
    return ColumnUnreadable(errno.EIO, why, raw.stored() if raw else error.raw)
