"""Reading stitched chunks without cutting them up: the kernel puts payloads where they stay, and all else beside them.

That takes knowing beforehand where in a chunk its payloads are. What the last two chunks of a size were, the next is
likely to be, too. Whether it was is seen when it is read: then the constant parts are what they must be. Any that isn't
is read again, in the other way (:mod:`~bbd.worlds.anvil.stitched`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache, partial
from itertools import accumulate
from typing import Final, TypeAlias

import numpy as np

from bbd.blocks import fresh
from bbd.files import IOV_MAX, File, read_scattered
from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.compression import PartedChunk, RawChunk
from bbd.worlds.anvil.regions import RegionAt
from bbd.worlds.anvil.runs import Run, chunk_sectors
from bbd.worlds.anvil.sectors import SECTOR_SIZE, Extent
from bbd.worlds.anvil.shapes import CHECKSUM, COORDINATE, Shape
from bbd.worlds.anvil.stitched import Stitched
from bbd.worlds.anvil.templates import FULL, HEAD, Templates, repeated, templates_for
from bbd.worlds.world import CHECK_SECTION, DATA_SECTIONS, DataColumn, Payload, Reading, StoredColumn

_MOST_AT_ONCE: Final = 32
_LAYOUTS_KEPT: Final = 256
_LANDINGS_KEPT: Final = 8
_COORDINATES: Final = 2 * COORDINATE.size

_Chunks: TypeAlias = Sequence[tuple[int, Extent]]
_Kinds: TypeAlias = tuple[int, ...]


class Layout:
    """What chunks with sections of these ``kinds`` consist of: ``constants`` and, behind each of them, something else.

    ``data`` has the sections whose payloads are read; those of a column get memory of their own, of ``size`` bytes, in
    which ``cuts`` are their places. ``payloads`` has those of all other sections.
    """

    def __init__(self, templates: Templates, kinds: _Kinds) -> None:
        shape = Shape(templates, kinds)
        whole = PartedChunk((), shape.size)
        self.section_size = templates.payload_sizes[FULL]
        self.head_size = templates.payload_sizes[HEAD]
        self.sectors = chunk_sectors(whole)
        prefix = whole.parts[0]
        self.filling = self.sectors * SECTOR_SIZE - len(prefix) - shape.size
        self.constants = [bytes(prefix) + shape.constants[0], *shape.constants[1:]]
        self.constant = b"".join(self.constants)
        self.stored = [y for y, kind in enumerate(kinds) if kind in templates.payload_sizes]
        self.data = [y for y in self.stored if y < DATA_SECTIONS]
        self.size = len(self.data) * self.section_size
        self.cuts = [slice(start, start + self.section_size) for start in range(0, self.size, self.section_size)]
        self.payloads: list[Payload | None] = [
            repeated(kind * templates.step, self.section_size) if kind >= 0 else None
            for kind in kinds[: CHECK_SECTION + 1]
        ]
        self.at_once = min(IOV_MAX // (2 * len(self.constants)), _MOST_AT_ONCE)


def _is_plain(kinds: _Kinds) -> bool:
    """Whether these are the sections of a column with a check section and nothing odd; others take a closer look."""
    return kinds[CHECK_SECTION] == HEAD and kinds.count(HEAD) == 1


class Landing:
    """A thread's memory for what is read of chunks beside their payloads: their constant parts, their coordinates and
    check sections. Nobody wants parity, checksums and what fills sectors: all of that goes to one place."""

    def __init__(self, layout: Layout) -> None:
        count, constants = layout.at_once, memoryview(bytearray(layout.at_once * len(layout.constant)))
        self.variable = np.zeros((count, _COORDINATES + layout.head_size), np.uint8)
        self._nowhere = memoryview(bytearray(max(layout.section_size, CHECKSUM.size + SECTOR_SIZE)))
        size = len(layout.constant)
        self.constants = [constants[start : start + size] for start in range(0, count * size, size)]
        slots = [self._buffers(layout, slot) for slot in range(count)]
        self.pieces = len(slots[0])
        self.buffers = [buffer for slot in slots for buffer in slot]
        self.places = [2 * (2 + at) + 1 for at in range(len(layout.data))]
        """Where in a chunk's buffers those of its payloads belong."""

    def _buffers(self, layout: Layout, slot: int) -> list[memoryview]:
        variable = memoryview(self.variable[slot])
        others = [variable[: COORDINATE.size], variable[COORDINATE.size : _COORDINATES]]
        payload = self._nowhere[: layout.section_size]
        others += [variable[_COORDINATES:] if y == CHECK_SECTION else payload for y in layout.stored]
        others.append(self._nowhere[: CHECKSUM.size + layout.filling])
        found = []
        for constant, end, other in zip(layout.constants, accumulate(map(len, layout.constants)), others, strict=True):
            found += [self.constants[slot][end - len(constant) : end], other]
        return found


class ScatteredReading:
    """For the codec whose ``templates`` it has. Any thread may call."""

    def __init__(self, templates: Templates) -> None:
        self._head = templates.head
        self._lost = {CHECK_SECTION: templates.head.lost}
        self._layout = lru_cache(_LAYOUTS_KEPT)(partial(Layout, templates))
        self._last: dict[int, _Kinds | None] = {}
        self._likely: dict[int, Layout] = {}
        self._own = threading.local()

    def saw(self, raw: RawChunk, reading: Reading) -> None:
        """What a chunk was that :meth:`read` has left out."""
        sectors = chunk_sectors(raw)
        base = reading.base if isinstance(reading, StoredColumn) else None
        kinds = tuple([kind for kind, _ in base.cells]) if isinstance(base, Stitched) else None
        if kinds is not None and _is_plain(kinds) and self._last.get(sectors) == kinds:
            self._likely[sectors] = self._layout(kinds)
        else:
            self._likely.pop(sectors, None)
        self._last[sectors] = kinds

    def read(self, at: RegionAt, file: File, run: Run) -> dict[int, DataColumn]:
        """Columns of a region, by the index of their chunks there: data and check sections of those that are as
        expected. Raises ``OSError``."""
        found: dict[int, DataColumn] = {}
        for layout, chunks in self._parts(run):
            self._read(at, file, layout, chunks, found)
        return found

    def _parts(self, run: Run) -> Iterator[tuple[Layout, _Chunks]]:
        """Neighbours that are likely to be alike."""
        part: list[tuple[int, Extent]] = []
        likely: Layout | None = None
        for index, extent in run.items():
            layout = self._likely.get(extent.end - extent.start)
            follows = part and layout is likely and part[-1][1].end == extent.start
            if likely and (not follows or len(part) == likely.at_once):
                yield likely, part
                part = []
            if layout:
                part.append((index, extent))
            likely = layout
        if likely:
            yield likely, part

    def _read(self, at: RegionAt, file: File, layout: Layout, chunks: _Chunks, found: dict[int, DataColumn]) -> None:
        landing, count = self._landing(layout), len(chunks)
        buffers = landing.buffers[: count * landing.pieces]
        columns: list[tuple[memoryview, list[memoryview]]] = []
        for first in range(0, len(buffers), landing.pieces):
            memory = fresh(layout.size)
            payloads = [*map(memory.__getitem__, layout.cuts)]
            for place, payload in zip(landing.places, payloads, strict=True):
                buffers[first + place] = payload
            columns.append((memory, payloads))
        got = read_scattered(file, buffers, chunks[0][1].start * SECTOR_SIZE)
        whole = (got + layout.filling) // (layout.sectors * SECTOR_SIZE)
        variable = landing.variable[:whole]
        heads = self._head.unpack_many(variable[:, _COORDINATES:])
        for (index, _), (memory, payloads), constant, row, head in zip(
            chunks, columns, landing.constants, variable, heads, strict=False
        ):
            if head is None or bytes(constant) != layout.constant or row[:_COORDINATES].tobytes() != _place(at, index):
                continue
            found[index] = self._column(layout, memory, payloads, head)

    def _column(self, layout: Layout, memory: memoryview, payloads: Sequence[memoryview], head: bytes) -> DataColumn:
        whole = layout.payloads.copy()
        for y, payload in zip(layout.data, payloads, strict=True):
            whole[y] = payload
        whole[CHECK_SECTION] = head + self._head.above
        return DataColumn(whole, self._lost, memory if len(payloads) == DATA_SECTIONS else None)

    def _landing(self, layout: Layout) -> Landing:
        landings: dict[Layout, Landing] | None = getattr(self._own, "landings", None)
        if landings is None:
            landings = self._own.landings = {}
        landing = landings.get(layout)
        if landing is None:
            if len(landings) >= _LANDINGS_KEPT:
                landings.clear()
            landing = landings[layout] = Landing(layout)
        return landing


def _place(at: RegionAt, index: int) -> bytes:
    """The coordinates as a chunk says them."""
    return COORDINATE.pack(at[0] * 32 + (index & 31)) + COORDINATE.pack(at[1] * 32 + (index >> 5))


def scattered_reading_for(codec: Codec) -> ScatteredReading | None:
    """A codec's, always the same; ``None`` where its chunks are not stitched."""
    templates = templates_for(codec)
    return _scattered_reading(templates) if templates else None


@cache
def _scattered_reading(templates: Templates) -> ScatteredReading:
    return ScatteredReading(templates)
