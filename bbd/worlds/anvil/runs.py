"""Chunks in the sectors of a region file: one by one, and those that follow each other together."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from bbd.files import Bytes, File
from bbd.worlds.anvil.compression import AnyChunk, RawChunk
from bbd.worlds.anvil.damage import unreadable
from bbd.worlds.anvil.sectors import HEADER_SECTORS, SECTOR_SIZE, Extent, sectors_for
from bbd.worlds.anvil.tables import Table

_PREFIX = 5
_PADDING = bytes(SECTOR_SIZE)
# Writers that count the length field itself, or the type byte twice, overstate a chunk's length by up to this much.
_OVERSTATED = 4
_WRITE_SECTORS = (4 << 20) // SECTOR_SIZE
# Few enough that what was read is still in the processor's cache when it is looked at, and room for any one chunk;
# sixteen full columns.
_READ_SECTORS = 320


Run: TypeAlias = Mapping[int, Extent]
"""Chunks of a region by their index, in the order in which they lie there."""


class _Buffers(threading.local):
    """Memory for runs of chunks, each thread's own."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_READ_SECTORS * SECTOR_SIZE))


_buffers = _Buffers()


def read_view(file: File, extent: Extent) -> memoryview:
    """What a file holds of these sectors, 320 at most, in memory that the thread's next call uses again."""
    buffer = _buffers.view[: (extent.end - extent.start) * SECTOR_SIZE]
    return buffer[: file.pread_into(buffer, extent.start * SECTOR_SIZE)]


def chunk_at(extent: Extent, content: Bytes, *, overlapping: bool) -> RawChunk:
    """A chunk from what the file holds of its sectors."""
    if extent.start < HEADER_SECTORS:
        raise unreadable(f"the region file places it in the header, at sector {extent.start}", content)
    if extent.end == extent.start:
        raise unreadable("the region file gives it no sectors", content)
    if overlapping:
        raise unreadable("the region file places it over another chunk", content)
    if not content:
        raise unreadable(f"the region file ends before its sector {extent.start}")
    return _parse(content, (extent.end - extent.start) * SECTOR_SIZE)


def _parse(content: Bytes, room: int) -> RawChunk:
    length = int.from_bytes(content[:4], "big")
    if len(content) < _PREFIX or length == 0:
        raise unreadable("it has no length", content)
    if 4 + length > room + _OVERSTATED:
        raise unreadable(
            f"its length of {length} bytes is more than its {room // SECTOR_SIZE} sectors hold", bytes(content)
        )
    if min(4 + length, room) > len(content) + _OVERSTATED:
        raise unreadable("the region file ends in the middle of it", content)
    return RawChunk(content[4], content[_PREFIX : 4 + length])


def chunk_sectors(chunk: AnyChunk) -> int:
    return sectors_for(_PREFIX + chunk.size)


def neighbours(locations: Table, indices: Collection[int]) -> Iterator[Run]:
    """The chunks at ``indices`` by where they lie, those that follow each other together."""
    run: dict[int, Extent] = {}
    start = end = 0
    chosen = list(indices)
    for location, index in sorted(zip(locations[chosen].tolist(), chosen, strict=True)):
        extent = Extent.of(location)
        if run and (extent.start != end or extent.end - start > _READ_SECTORS):
            yield run
            run = {}
        if not run:
            start = extent.start
        run[index] = extent
        end = extent.end
    if run:
        yield run


def runs(placed: Iterable[tuple[Extent, AnyChunk]]) -> Iterator[tuple[int, list[Bytes]]]:
    """Chunks padded to whole sectors, those that follow each other together: (first sector, parts)."""
    start, end, parts = 0, 0, list[Bytes]()
    for extent, chunk in sorted(placed, key=lambda item: item[0].start):
        if parts and (extent.start != end or end - start >= _WRITE_SECTORS):
            yield start, parts
            parts = []
        if not parts:
            start = extent.start
        parts += chunk.parts
        parts.append(_PADDING[: (extent.end - extent.start) * SECTOR_SIZE - _PREFIX - chunk.size])
        end = extent.end
    if parts:
        yield start, parts
