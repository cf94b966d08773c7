"""What tests know of region files without asking the code under test."""

from __future__ import annotations

import struct
from pathlib import Path

from bbd.worlds.anvil.compression import RawChunk

SECTOR = 4096
PATH = Path("/world/region/r.0.0.mca")


def raw(size: int, seed: int) -> RawChunk:
    """A chunk of ``size`` bytes that no other seed gives."""
    return RawChunk(2, (struct.pack(">II", size, seed) * (size // 8 + 1))[:size])


def locations(content: bytes) -> dict[int, tuple[int, int]]:
    """First sector and sector count of each chunk that a region file names."""
    table = struct.unpack(">1024I", content[:SECTOR])
    return {index: (location >> 8, location & 0xFF) for index, location in enumerate(table) if location}


def timestamps(content: bytes) -> dict[int, int]:
    """Timestamps that are not 0."""
    table = struct.unpack(">1024I", content[SECTOR : 2 * SECTOR])
    return {index: stamp for index, stamp in enumerate(table) if stamp}


def chunks(content: bytes) -> dict[int, RawChunk]:
    """Every chunk of a sound region file, read as slowly and plainly as can be."""
    found = {}
    for index, (sector, count) in locations(content).items():
        area = content[sector * SECTOR : (sector + count) * SECTOR]
        assert len(area) == count * SECTOR, "the file is not padded to whole sectors"
        length = struct.unpack(">I", area[:4])[0]
        assert 1 <= length <= len(area) - 4
        found[index] = RawChunk(area[4], area[5 : 4 + length])
    return found


def assert_sound(content: bytes) -> None:
    """No two chunks share a sector, none lies in the header, the file has whole sectors."""
    assert len(content) % SECTOR == 0
    taken: set[int] = {0, 1}
    for sector, count in locations(content).values():
        sectors = set(range(sector, sector + count))
        assert count
        assert not sectors & taken
        taken |= sectors


def region_bytes(placed: dict[int, tuple[int, bytes]], *, sectors: int = 0) -> bytearray:
    """A region file by hand: for each index the first sector and the bytes there (length and type included)."""
    size = max([sectors * SECTOR, 2 * SECTOR, *(at * SECTOR + len(data) for at, data in placed.values())])
    content = bytearray(-(-size // SECTOR) * SECTOR)
    for index, (at, data) in placed.items():
        struct.pack_into(">I", content, index * 4, at << 8 | -(-len(data) // SECTOR))
        content[at * SECTOR : at * SECTOR + len(data)] = data
    return content


def stored(chunk: RawChunk) -> bytes:
    """A chunk with its length and type."""
    return struct.pack(">IB", len(chunk.data) + 1, chunk.compression) + chunk.data
