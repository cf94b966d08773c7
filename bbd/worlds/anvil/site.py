"""One disk's place in a world of Anvil files: columns of payload to chunks of blocks and back."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from bbd.geometry.geometry import Geometry
from bbd.worlds.anvil.alike import alike_reader_for
from bbd.worlds.anvil.coder import Base, ColumnCoder
from bbd.worlds.anvil.compression import ZLIB, AnyChunk, RawChunk
from bbd.worlds.anvil.dimension import Dimension, describe_chunk, placed
from bbd.worlds.anvil.own_chunks import OwnChunks
from bbd.worlds.anvil.region_content import Found
from bbd.worlds.anvil.regions import RegionAt, region_name, region_of
from bbd.worlds.world import (
    COLUMNS_PER_GROUP,
    KEEP,
    ColumnUnreadable,
    ColumnWrite,
    DataColumn,
    Fingerprint,
    Reading,
    StoredColumn,
)

# Columns that are read, encoded and handed to the disk together, while the next are encoded: the less, the sooner it
# can begin, and the more bookkeeping.
_TOGETHER = 64
_GROUPS_KEPT = 1024

_Indices: TypeAlias = npt.NDArray[np.intp]
_Places: TypeAlias = dict[int, tuple[int, int, int]]
"""Columns of one region by their chunk's index there: column, chunk x and z."""
_Column = TypeVar("_Column", StoredColumn, StoredColumn | DataColumn)


@dataclass(frozen=True, slots=True)
class _Part:
    """The columns of a group that lie in one region: column ``columns[i]`` of the group is chunk ``chunks[i]``."""

    region: RegionAt
    columns: _Indices
    chunks: _Indices


class AnvilSite:
    """See :class:`bbd.worlds.world.Site`. Writes of the same column must not overlap, and ``base`` must come from a
    read after the column's last write: sections that a write keeps are taken from it. ``compression`` is the type of
    the chunks that it writes, ``stitched`` whether they are put together where that can be."""

    remote = False
    side_by_side = False

    def __init__(
        self, dimension: Dimension, geometry: Geometry, compression: int = ZLIB, *, stitched: bool = False
    ) -> None:
        self._dimension = dimension
        self._geometry = geometry
        self._coder = ColumnCoder(dimension, geometry.codec, compression, stitched=stitched)
        self._alike = alike_reader_for(geometry.codec)
        self._own = OwnChunks()
        self._groups: OrderedDict[int, list[_Part]] = OrderedDict()

    def describe(self, column: int) -> str:
        """Where a column stands."""
        return describe_chunk(*self._geometry.chunk_of(column))

    def read(self, columns: Sequence[int]) -> list[Reading]:
        """Columns as they stand; their ``base`` is a :data:`~bbd.worlds.anvil.coder.Base`."""
        found: dict[int, Reading] = {}
        for region, places in self._by_region(columns).items():
            for index, raw in self._dimension.read_raw(region, places):
                column, cx, cz = places[index]
                found[column] = self._reading(cx, cz, raw, self._coder.decode)
        return [found[column] for column in columns]

    def read_data(self, columns: Sequence[int]) -> Iterator[tuple[int, Reading | DataColumn]]:
        """Columns in the order in which they lie in their files; data and check sections only of stitched chunks that
        are like those before them, and of what machine code decodes."""
        if self._alike is None:
            yield from zip(columns, self.read(columns), strict=True)
            return
        decode, compiled = self._coder.decode_data, 0
        for region, places in self._by_region(columns).items():
            look = partial(self._alike.look, region)
            for index, got in self._dimension.read_columns(region, places, look):
                column, cx, cz = places[index]
                if isinstance(got, DataColumn):
                    yield column, got
                    continue
                reading = self._reading(cx, cz, got, decode)
                stored = None if isinstance(reading, DataColumn) else reading
                compiled += stored is not reading
                if isinstance(got, RawChunk):
                    self._alike.saw(got, stored)
                yield column, reading
        self.side_by_side = 2 * compiled > len(columns)

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        """Write columns, durably. A column without a ``base`` over a chunk that can be read keeps what else is in
        that chunk, all the same."""
        changed = sorted(column for column, write in columns.items() if any(one is not KEEP for one in write.sections))
        for region, places in self._by_region(changed).items():
            self._write_region(region, places, columns)

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

    def _by_region(self, columns: Iterable[int]) -> Mapping[RegionAt, _Places]:
        regions = defaultdict[RegionAt, _Places](dict)
        for column in columns:
            cx, cz = self._geometry.chunk_of(column)
            region, index = region_of(cx, cz)
            regions[region][index] = column, cx, cz
        return regions

    def _reading(
        self, cx: int, cz: int, raw: Found, decode: Callable[[int, int, RawChunk], _Column]
    ) -> _Column | ColumnUnreadable | None:
        if raw is None:
            return None
        if isinstance(raw, ColumnUnreadable):
            return placed(raw, cx, cz)
        try:
            return decode(cx, cz, raw)
        except ColumnUnreadable as error:
            return error

    def _write_region(self, region: RegionAt, places: _Places, columns: Mapping[int, ColumnWrite]) -> None:
        bases: dict[int, Base] = {}
        self._dimension.write(region, self._pieces(region, places, columns, bases))
        for column, base in bases.items():
            self._own.wrote(column, columns[column].sections, base)

    def _pieces(
        self, region: RegionAt, places: _Places, columns: Mapping[int, ColumnWrite], bases: dict[int, Base]
    ) -> Iterator[dict[int, AnyChunk | None]]:
        """The chunks of a region as they will be, some at a time. ``bases`` is filled in: over what, by column."""
        rest = iter(places)
        while some := list(islice(rest, _TOGETHER)):
            found = self._bases(region, {index: places[index] for index in some}, columns)
            bases.update((places[index][0], base) for index, base in found.items())
            self._own.forget(places[index][0] for index in some)
            writes = [(*places[index][1:], columns[places[index][0]].sections, found[index]) for index in some]
            yield dict(zip(some, self._coder.encode_many(writes), strict=True))

    def _bases(self, region: RegionAt, places: _Places, columns: Mapping[int, ColumnWrite]) -> dict[int, Base]:
        """What stands where chunks will be written, as their writes give it or as it is read now; ``None`` also for
        what can't be read."""
        given: dict[int, Base] = {}
        unknown = []
        for index, (column, _, _) in places.items():
            given[index] = columns[column].base
            if given[index] is None and not self._own.keeps_nothing(column, columns[column].sections):
                unknown.append(index)
        for index, raw in self._dimension.read_raw(region, unknown):
            reading = self._reading(*places[index][1:], raw, self._coder.decode)
            given[index] = reading.base if isinstance(reading, StoredColumn) else None
        return given


def _vacant(parts: list[_Part], present: list[int]) -> int:
    """Bits of a group's columns, from bits of its regions' chunks."""
    vacant = np.ones(COLUMNS_PER_GROUP, np.uint8)
    for part, bits in zip(parts, present, strict=True):
        chunks = np.unpackbits(np.frombuffer(bits.to_bytes(128, "little"), np.uint8), bitorder="little")
        vacant[part.columns] = chunks[part.chunks] ^ 1
    return int.from_bytes(np.packbits(vacant, bitorder="little").tobytes(), "little")
