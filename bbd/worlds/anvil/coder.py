"""Between a column's payloads and its chunk, a column at a time: the stitched way where it fits, else the general one;
where data alone is wanted, machine code before that, as soon as there is any (:mod:`~bbd.worlds.anvil.compiled`).

Of a stitched chunk the base that a reading gives is what it was cut into: nothing in it is anybody else's, so a write
makes a new one from it. Of any other it is the parsed chunk, of which a write changes the written sections alone; where
nobody else has anything in that either, it is stitched anew.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from bbd.geometry.interfaces import Codec
from bbd.turns import TURNS
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.compiled.loading import LOADER
from bbd.worlds.anvil.compression import LZ4, ZLIB, AnyChunk, RawChunk, compress
from bbd.worlds.anvil.dimension import Dimension
from bbd.worlds.anvil.rewrite import DATA_VERSION, LZ4_DATA_VERSION, left_empty, new_chunk, rewritten
from bbd.worlds.anvil.section import SectionWriter
from bbd.worlds.anvil.stitched import ALL_AIR, Cell, Stitched, stitcher_for
from bbd.worlds.world import STORED_SECTIONS, DataColumn, Keep, SectionWrite, StoredColumn

if TYPE_CHECKING:
    from bbd.worlds.anvil.compiled.reader import CompiledReader

Base: TypeAlias = Chunk | Stitched | None

Encoding: TypeAlias = tuple[int, int, Sequence[SectionWrite], Base]
"""A column to encode: x and z of its chunk, what is written, and over what."""


# Inflating and numpy let go of the GIL so often and so shortly that threads which do this at the same time spend more
# on handing it over than the other core brings: three of them are slower than one by half.
_one_decodes = threading.Lock()


class ColumnCoder:
    """For one codec; chunks are written with the type ``compression``, and stitched if ``stitched`` says so and the
    codec suits it."""

    def __init__(self, dimension: Dimension, codec: Codec, compression: int = ZLIB, *, stitched: bool = False) -> None:
        self._dimension = dimension
        self._codec = codec
        self._compression = compression
        self._stitcher = stitcher_for(codec)
        self._stitches = stitched
        self._data_version = LZ4_DATA_VERSION if compression == LZ4 else DATA_VERSION
        self._sections = SectionWriter(codec)
        self._loader = LOADER
        self._compiled: CompiledReader | None = None
        self._all_air = dict.fromkeys(range(STORED_SECTIONS), self._sections.air)

    def decode(self, cx: int, cz: int, raw: RawChunk) -> StoredColumn:
        """What the chunk at these coordinates holds. Raises :class:`~bbd.worlds.world.ColumnUnreadable`."""
        return self._cut_up(cx, cz, raw) or self._parsed(cx, cz, raw)

    def decode_data(self, cx: int, cz: int, raw: RawChunk) -> StoredColumn | DataColumn:
        """The same for who wants nothing but data and check sections. The payloads of a :class:`DataColumn` last until
        the thread's next call."""
        if (column := self._cut_up(cx, cz, raw)) is not None:
            return column
        compiled = self._compiled_reader()
        if compiled is None:
            return self._parsed(cx, cz, raw)
        known = self._dimension.known_entries
        if compiled.inflates(raw):
            return compiled.read(raw.data, known, inflated=False) or self._parsed(cx, cz, raw)
        content = self._dimension.content(cx, cz, raw)
        return compiled.read(content, known) or self._parsed(cx, cz, raw, content)

    def _cut_up(self, cx: int, cz: int, raw: RawChunk) -> StoredColumn | None:
        stitched = self._stitcher.parse(cx, cz, raw) if self._stitcher else None
        return None if stitched is None else StoredColumn(stitched.payloads, stitched.lost, stitched)

    def _parsed(self, cx: int, cz: int, raw: RawChunk, content: bytes | None = None) -> StoredColumn:
        with _one_decodes:
            chunk = self._dimension.parse(cx, cz, raw, content)
            return StoredColumn(*chunk.stored_sections(self._codec), chunk)

    def _compiled_reader(self) -> CompiledReader | None:
        if self._compiled is None and (make := self._loader.ask()) is not None:
            self._compiled = make(self._codec)
        return self._compiled

    def encode_many(self, columns: Sequence[Encoding]) -> list[AnyChunk | None]:
        """The chunks at these coordinates after a write; ``None`` where nothing is left of one."""
        if any(len(sections) != STORED_SECTIONS for _, _, sections, _ in columns):
            raise ValueError(f"a column has {STORED_SECTIONS} sections")
        stitcher = self._stitcher if self._stitches else None
        with TURNS.turn(first=True):
            heads = stitcher.packed_heads([sections for _, _, sections, _ in columns]) if stitcher else {}
            return [self._encode(*column, heads) for column in columns]

    def _encode(
        self, cx: int, cz: int, sections: Sequence[SectionWrite], base: Base, heads: Mapping[bytes, bytes]
    ) -> AnyChunk | None:
        if self._stitches and self._stitcher and (kept := self._kept(base)) is not None:
            chunk = self._stitcher.varied_chunk(cx, cz, sections, kept, heads)
            if chunk is not None:
                return chunk
            cells = self._stitcher.cells(sections, kept)
            if cells is not None:
                return None if cells == ALL_AIR else self._stitcher.chunk(cx, cz, cells)
        content = self._content(cx, cz, sections, base)
        return None if content is None else compress(content, self._compression)

    def _kept(self, base: Base) -> Sequence[Cell | None] | None:
        """The sections that stand, to be stitched; ``None`` where there is more to keep than that."""
        if base is None:
            return ALL_AIR
        if isinstance(base, Stitched):
            return base.cells
        if self._stitcher is None or not left_empty(base, self._all_air, self._sections.air):
            return None
        return self._stitcher.kept(*base.stored_sections(self._codec))

    def _content(self, cx: int, cz: int, sections: Sequence[SectionWrite], base: Base) -> bytes | None:
        """The chunk's NBT after the write."""
        states = {y: self._sections.write(item) for y, item in enumerate(sections) if not isinstance(item, Keep)}
        air = self._sections.air
        if isinstance(base, Stitched) and self._stitcher:
            chunk = self._stitcher.chunk(cx, cz, base.cells)
            base = self._dimension.parse(cx, cz, RawChunk(chunk.compression, chunk.data))
        if isinstance(base, Chunk):
            return None if left_empty(base, states, air) else rewritten(base, states)
        if all(state == air for state in states.values()):
            return None
        return new_chunk(cx, cz, states, air, self._data_version)
