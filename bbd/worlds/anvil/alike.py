"""Reading stitched chunks that are like those before them: where in them payloads are is known before they are read.

What the last two chunks of a size were, the next is likely to be, too. Whether it was is seen by its constant parts:
they are what they must be. Its payloads are not cut out then, for the memory that runs are read into is always the
same, and all of its places were cut beforehand. Any chunk that is another is read in the other way
(:mod:`~bbd.worlds.anvil.stitched`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache, lru_cache, partial
from itertools import accumulate
from typing import Final, TypeAlias

import numpy as np

from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.compression import PartedChunk, RawChunk
from bbd.worlds.anvil.regions import RegionAt
from bbd.worlds.anvil.runs import Run, chunk_sectors
from bbd.worlds.anvil.sectors import SECTOR_SIZE
from bbd.worlds.anvil.shapes import COORDINATE, Shape
from bbd.worlds.anvil.stitched import Stitched
from bbd.worlds.anvil.templates import FULL, HEAD, Templates, repeated, templates_for
from bbd.worlds.world import CHECK_SECTION, DATA_SECTIONS, DataColumn, Payload, Reading, StoredColumn

_LAYOUTS_KEPT: Final = 256
_PLACES_KEPT: Final = 512

_Kinds: TypeAlias = tuple[int, ...]


class Layout:
    """What chunks with sections of these ``kinds`` consist of, in ``sectors``: of ``size`` bytes, ``around`` are the
    constant parts, and behind them the coordinates; ``constant`` is what all of the former must be. ``cuts`` are the
    places of payloads by their sections, ``payloads`` has those of sections without one."""

    def __init__(self, templates: Templates, kinds: _Kinds) -> None:
        shape = Shape(templates, kinds)
        whole = PartedChunk((), shape.size)
        prefix = bytes(whole.parts[0])
        constants = [prefix + shape.constants[0], *shape.constants[1:]]
        stored = [y for y, kind in enumerate(kinds) if kind in templates.payload_sizes]
        sizes = [COORDINATE.size] * 2 + [templates.payload_sizes[kinds[y]] for y in stored]
        # Constants and others in turns: the others begin where as many of both have ended.
        turns = [size for pair in zip(map(len, constants), [*sizes, 0], strict=True) for size in pair]
        ends = [0, *accumulate(turns)]
        between = [slice(start, end) for start, end in zip(ends[1::2], ends[2::2], strict=True)]
        self.sectors = chunk_sectors(whole)
        self.size = len(prefix) + shape.size
        self.constant = b"".join(constants)
        self.around = [slice(start, end) for start, end in zip(ends[::2], ends[1::2], strict=False)]
        self.around += between[:2]
        self.cuts = dict(zip(stored, between[2:], strict=False))
        self.payloads: list[Payload | None] = [
            repeated(kind * templates.step, templates.payload_sizes[FULL]) if kind >= 0 else None
            for kind in kinds[:DATA_SECTIONS]
        ]


def _is_plain(kinds: _Kinds) -> bool:
    """Whether these are the sections of a column with a check section and nothing odd; others take a closer look."""
    return kinds[CHECK_SECTION] == HEAD and kinds.count(HEAD) == 1


class _Place:
    """Where a chunk of a layout may lie in a thread's memory, cut."""

    __slots__ = ("around", "data", "head")

    def __init__(self, layout: Layout, memory: memoryview) -> None:
        self.around = [memory[cut] for cut in layout.around]
        self.head = memory[layout.cuts[CHECK_SECTION]]
        self.data = layout.payloads.copy()
        for y, cut in layout.cuts.items():
            if y < DATA_SECTIONS:
                self.data[y] = memory[cut]


class AlikeReader:
    """For the codec whose ``templates`` it has. Any thread may call."""

    def __init__(self, templates: Templates) -> None:
        self._head = templates.head
        self._layout = lru_cache(_LAYOUTS_KEPT)(partial(Layout, templates))
        self._last: dict[int, _Kinds | None] = {}
        self._likely: dict[int, Layout] = {}
        self._own = threading.local()

    def saw(self, raw: RawChunk, reading: Reading) -> None:
        """What a chunk was that :meth:`look` has left out."""
        sectors = chunk_sectors(raw)
        base = reading.base if isinstance(reading, StoredColumn) else None
        kinds = tuple([kind for kind, _ in base.cells]) if isinstance(base, Stitched) else None
        if kinds is not None and _is_plain(kinds) and self._last.get(sectors) == kinds:
            self._likely[sectors] = self._layout(kinds)
        else:
            self._likely.pop(sectors, None)
        self._last[sectors] = kinds

    def look(self, at: RegionAt, run: Run, start: int, content: memoryview) -> dict[int, DataColumn]:
        """Columns of a region, by the index of their chunks there: those that are as expected.

        ``content`` is what the file holds from sector ``start`` on, as :func:`~bbd.worlds.anvil.runs.read_view` gives
        it to this thread."""
        indices: list[int] = []
        places: list[_Place] = []
        for index, extent in run.items():
            layout = self._likely.get(extent.end - extent.start)
            first = (extent.start - start) * SECTOR_SIZE
            if layout is None or first + layout.size > len(content):
                continue
            place = self._place(layout, first, content)
            if b"".join(place.around) == layout.constant + _coordinates(at, index):
                indices.append(index)
                places.append(place)
        if not places:
            return {}
        heads = self._heads(places)
        return {
            index: DataColumn(place.data, head)
            for index, place, head in zip(indices, places, heads, strict=True)
            if head is not None
        }

    def _heads(self, places: Sequence[_Place]) -> list[bytes | None]:
        longs = np.frombuffer(b"".join([place.head for place in places]), np.uint8)
        return self._head.unpack_many(longs.reshape(len(places), -1))

    def _place(self, layout: Layout, first: int, content: memoryview) -> _Place:
        places: dict[tuple[Layout, int], _Place] | None = getattr(self._own, "places", None)
        if places is None:
            places = self._own.places = {}
        place = places.get((layout, first))
        if place is None:
            if len(places) >= _PLACES_KEPT:
                places.clear()
            place = places[layout, first] = _Place(layout, content[first : first + layout.size])
        return place


def _coordinates(at: RegionAt, index: int) -> bytes:
    """The coordinates as a chunk says them."""
    return COORDINATE.pack(at[0] * 32 + (index & 31)) + COORDINATE.pack(at[1] * 32 + (index >> 5))


def alike_reader_for(codec: Codec) -> AlikeReader | None:
    """A codec's, always the same; ``None`` where its chunks are not stitched."""
    templates = templates_for(codec)
    return _alike_reader(templates) if templates else None


@cache
def _alike_reader(templates: Templates) -> AlikeReader:
    return AlikeReader(templates)
