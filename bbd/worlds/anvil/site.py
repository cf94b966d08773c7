"""One disk's place in a world of Anvil files: columns of payload to chunks of blocks and back."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bbd.geometry.geometry import Geometry
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.compression import LZ4, ZLIB, RawChunk, compress
from bbd.worlds.anvil.dimension import Dimension, describe_chunk
from bbd.worlds.anvil.regions import RegionAt, region_name, region_of
from bbd.worlds.anvil.rewrite import DATA_VERSION, LZ4_DATA_VERSION, left_empty, new_chunk, rewritten
from bbd.worlds.anvil.section import SectionWriter
from bbd.worlds.world import (
    COLUMNS_PER_GROUP,
    STORED_SECTIONS,
    ColumnUnreadable,
    ColumnWrite,
    Fingerprint,
    Keep,
    Reading,
    StoredColumn,
)

# A batch is in memory compressed before it is written: so much of it at a time.
_BATCH_BYTES = 16 << 20
_GROUPS_KEPT = 1024

_Indices: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Part:
    """The columns of a group that lie in one region: column ``columns[i]`` of the group is chunk ``chunks[i]``."""

    region: RegionAt
    columns: _Indices
    chunks: _Indices


class AnvilSite:
    """See :class:`bbd.worlds.world.Site`. Writes of the same column must not overlap, and ``base`` must come from a
    read after the column's last write: sections that a write keeps are taken from it. ``compression`` is the type of
    the chunks that it writes."""

    def __init__(self, dimension: Dimension, geometry: Geometry, compression: int = ZLIB) -> None:
        self._dimension = dimension
        self._geometry = geometry
        self._compression = compression
        self._data_version = LZ4_DATA_VERSION if compression == LZ4 else DATA_VERSION
        self._sections = SectionWriter(geometry.codec)
        self._groups: OrderedDict[int, list[_Part]] = OrderedDict()

    def describe(self, column: int) -> str:
        """Where a column stands."""
        return describe_chunk(*self._geometry.chunk_of(column))

    def read(self, columns: Sequence[int]) -> list[Reading]:
        """Columns as they stand; their ``base`` is the parsed chunk."""
        return [self._read(column) for column in columns]

    def _read(self, column: int) -> Reading:
        try:
            chunk = self._dimension.read(*self._geometry.chunk_of(column))
        except ColumnUnreadable as error:
            return error
        return None if chunk is None else StoredColumn(*chunk.stored_sections(self._geometry.codec), chunk)

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        """Write columns, durably. A column without a ``base`` over a chunk that can be read keeps what else is in
        that chunk, all the same."""
        for region, chunks in self._by_region(columns).items():
            self._write_region(region, chunks)

    def vacancies(self, group: int) -> int:
        """A bit per column of the group, set where no chunk stands. Blocks only where a region file is new to it."""
        parts = self._parts_of(group)
        return _vacant(parts, [self._dimension.regions.present(part.region) for part in parts])

    def make_safe(self) -> None:
        """Sync every region file of the dimension."""
        self._dimension.regions.make_safe()

    def places(self, group: int) -> Mapping[str, int]:
        """The region files of a group's columns."""
        found: dict[str, int] = {}
        for part in self._parts_of(group):
            found[region_name(part.region)] = sum(1 << column for column in part.columns.tolist())
        return found

    def fingerprint(self, place: str) -> Fingerprint | None:
        """Size and time of change of a region file."""
        return self._dimension.regions.fingerprint(place)

    def present(self) -> Iterator[int]:
        """The columns where a chunk stands, region by region."""
        for cx, cz in self._dimension.present_chunks():
            column = self._geometry.column_of(cx, cz)
            if column is not None:
                yield column

    def _parts_of(self, group: int) -> list[_Part]:
        parts = self._groups.get(group)
        if parts is None:
            parts = self._groups[group] = self._parts(group)
            if len(self._groups) > _GROUPS_KEPT:
                self._groups.popitem(last=False)
        return parts

    def _parts(self, group: int) -> list[_Part]:
        places = defaultdict[RegionAt, list[tuple[int, int]]](list)
        for place in range(COLUMNS_PER_GROUP):
            region, index = region_of(*self._geometry.chunk_of(group * COLUMNS_PER_GROUP + place))
            places[region].append((place, index))
        return [_Part(region, *np.array(pairs, np.intp).T) for region, pairs in places.items()]

    def _by_region(
        self, columns: Mapping[int, ColumnWrite]
    ) -> Mapping[RegionAt, Mapping[tuple[int, int], ColumnWrite]]:
        regions = defaultdict[RegionAt, dict[tuple[int, int], ColumnWrite]](dict)
        for column, write in sorted(columns.items()):
            if all(isinstance(payload, Keep) for payload in write.sections):
                continue
            chunk = self._geometry.chunk_of(column)
            regions[region_of(*chunk)[0]][chunk] = write
        return regions

    def _write_region(self, region: RegionAt, chunks: Mapping[tuple[int, int], ColumnWrite]) -> None:
        batch: dict[int, RawChunk] = {}
        removals: list[int] = []
        size = 0
        for (cx, cz), write in chunks.items():
            index = region_of(cx, cz)[1]
            content = self._content(cx, cz, write)
            if content is None:
                removals.append(index)
                continue
            batch[index] = compress(content, self._compression)
            size += len(batch[index].data)
            if size >= _BATCH_BYTES:
                self._dimension.write(region, batch, removals)
                batch, removals, size = {}, [], 0
        if batch or removals:
            self._dimension.write(region, batch, removals)

    def _content(self, cx: int, cz: int, write: ColumnWrite) -> bytes | None:
        """The chunk's NBT after the write; ``None`` where nothing is left of it."""
        if len(write.sections) != STORED_SECTIONS:
            raise ValueError(f"a column has {STORED_SECTIONS} sections, not {len(write.sections)}")
        states = {
            y: self._sections.write(payload)
            for y, payload in enumerate(write.sections)
            if not isinstance(payload, Keep)
        }
        air = self._sections.air
        chunk = self._standing(cx, cz) if write.base is None else write.base
        if isinstance(chunk, Chunk):
            return None if left_empty(chunk, states, air) else rewritten(chunk, states)
        if all(state == air for state in states.values()):
            return None
        return new_chunk(cx, cz, states, air, self._data_version)

    def _standing(self, cx: int, cz: int) -> Chunk | None:
        try:
            return self._dimension.read(cx, cz)
        except ColumnUnreadable:
            return None


def _vacant(parts: list[_Part], present: list[int]) -> int:
    """Bits of a group's columns, from bits of its regions' chunks."""
    vacant = np.ones(COLUMNS_PER_GROUP, np.uint8)
    for part, bits in zip(parts, present, strict=True):
        chunks = np.unpackbits(np.frombuffer(bits.to_bytes(128, "little"), np.uint8), bitorder="little")
        vacant[part.columns] = chunks[part.chunks] ^ 1
    return int.from_bytes(np.packbits(vacant, bitorder="little").tobytes(), "little")
