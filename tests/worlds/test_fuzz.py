"""Damaged worlds, whatever the damage: reading a column gives payloads, none, or ColumnUnreadable, and nothing else."""

from __future__ import annotations

import random
import struct
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.geometry.geometry import Geometry
from bbd.geometry.layouts.linear import LinearLayout
from bbd.geometry.registry import codec, codec_names
from bbd.worlds.anvil.compression import compress
from bbd.worlds.anvil.region import RegionFile
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnUnreadable, ColumnWrite, read_column
from tests.worlds.memory_files import MemoryFiles
from tests.worlds.region_model import SECTOR
from tests.worlds.saved_by_others import saved_chunk

pytestmark = pytest.mark.slow

WORLD = Path("/world")
REGION = WORLD / "region/r.0.0.mca"
MCC = WORLD / "region/c.0.0.mcc"
GEOMETRIES = [Geometry(codec(name), LinearLayout(), (0, 0)) for name in codec_names()]

# Values that lengths, counts, types and indices go wrong by.
VALUES = st.sampled_from([0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 127, 128, 129, 130, 131, 255]) | st.integers(0, 255)
CHANGES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), VALUES), max_size=8)


@cache
def pristine() -> bytes:
    """A region file with chunks of every compression that is read, the first of them in a file of its own."""
    content = saved_chunk()[0]
    files = MemoryFiles()
    region = RegionFile(files, REGION)
    region.write({index: compress(content, number) for index, number in enumerate((2, 1, 2, 3, 4))})
    whole = bytearray(files.names[REGION].content)
    sector = struct.unpack_from(">I", whole)[0] >> 8
    whole[sector * SECTOR : sector * SECTOR + 5] = struct.pack(">IB", 1, 0x82)
    return bytes(whole)


def world_of(region: bytes, mcc: bytes) -> MemoryFiles:
    files = MemoryFiles()
    for path, content in ((REGION, region), (MCC, mcc)):
        files.open(path, write=True, create=True).pwrite([content], 0)
    return files


def mutated(content: bytes, changes: list[tuple[float, int]], within: int | None = None) -> bytes:
    fresh = bytearray(content)
    for place, value in changes:
        # Most of a chunk is its blocks; its tags are more worth hitting, and most of them come first.
        fresh[int(place**4 * (within or len(fresh)))] = value
    return bytes(fresh)


def read_everything(files: MemoryFiles, seed: int) -> None:
    """Read by every codec and every way there is, write over some of it, and read that back."""
    world = AnvilWorld(WORLD, files)
    for geometry in GEOMETRIES:
        site = world.site(geometry)
        for column in range(5):
            try:
                found = read_column(site, column)
            except ColumnUnreadable:
                continue
            assert found is None or len(found.payloads) == 20
    for chunk in list(world.present_chunks())[:40]:
        world.is_blank(*chunk)
        with suppress(ColumnUnreadable):
            world.block_at(chunk[0] * 16 + 3, 70, chunk[1] * 16 + 5)
    _write_over(world, seed)


def _write_over(world: AnvilWorld, seed: int) -> None:
    site = world.site(GEOMETRIES[0])
    payload = random.Random(seed).randbytes(4096)
    site.write({column: ColumnWrite([payload, *[KEEP] * 19]) for column in range(5)})
    for column in range(5):
        found = read_column(site, column)
        assert found is not None
        assert found.payloads[0] == payload


@settings(deadline=None, max_examples=40)
@given(CHANGES, CHANGES, st.integers(0, 99))
def test_headers(header: list[tuple[float, int]], first_chunks: list[tuple[float, int]], seed: int) -> None:
    region = mutated(pristine(), first_chunks, within=64)
    read_everything(world_of(mutated(region, header, within=SECTOR), zlib.compress(saved_chunk()[0])), seed)


@settings(deadline=None, max_examples=30)
@given(CHANGES, st.floats(0, 1), st.integers(0, 99))
def test_files(changes: list[tuple[float, int]], length: float, seed: int) -> None:
    region = mutated(pristine(), changes)
    mcc = mutated(zlib.compress(saved_chunk()[0]), changes)
    read_everything(world_of(region[: int(length * len(region)) + 1], mcc[: int(length * len(mcc)) + 1]), seed)


@settings(deadline=None, max_examples=60)
@given(CHANGES, st.sampled_from([1, 2, 3, 4]), st.floats(0.9, 1), st.integers(0, 99))
def test_chunks(changes: list[tuple[float, int]], compression: int, length: float, seed: int) -> None:
    content = mutated(saved_chunk()[0], changes)
    raw = compress(content[: int(length * len(content)) + 1], compression)
    files = world_of(pristine(), b"")
    RegionFile(files, REGION).write({0: raw, 1: compress(content, compression)})
    read_everything(files, seed)
