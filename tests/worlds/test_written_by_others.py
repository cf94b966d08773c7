"""Columns that the game or another writer saved: read right, and rewritten with all that is not the disk's."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from nbt import nbt

from bbd.geometry.geometry import Geometry
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.registry import codec
from bbd.worlds.anvil.compression import RawChunk
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnWrite, read_column
from tests.worlds.chunks_by_hand import Block, block_states, chunk, parse, rendered, section
from tests.worlds.lz4_by_hand import lz4_java_content
from tests.worlds.region_model import SECTOR, locations, region_bytes, stored
from tests.worlds.saved_by_others import NAMES, NEWEST, SAVED, put_saved, saved_chunk

HILBERT = Geometry(codec("byte"), HilbertLayout(), (0, 0))
UNPACKED: Mapping[str, tuple[int, Callable[[bytes], bytes]]] = {
    "zlib": (2, zlib.decompress),
    "lz4": (4, lz4_java_content),
    "none": (3, bytes),
}


def regions_of(world: Path) -> Path:
    (world / "region").mkdir(parents=True)
    return world / "region"


def chunk_in(region: Path, index: int = 0) -> tuple[int, bytes]:
    """Compression type and bytes of a chunk."""
    content = region.read_bytes()
    sector, _ = locations(content)[index]
    length = int.from_bytes(content[sector * SECTOR :][:4], "big")
    return content[sector * SECTOR + 4], content[sector * SECTOR + 5 :][: length - 1]


@pytest.mark.parametrize("compression", UNPACKED)
@pytest.mark.parametrize("kind", SAVED)
def test_a_column_that_another_saved(tmp_path: Path, kind: str, compression: str) -> None:
    payloads = put_saved(regions_of(tmp_path), kind)
    fresh = random.Random(kind).randbytes(4096)
    with AnvilWorld(tmp_path) as world:
        site = world.site(HILBERT, compression=compression)
        before = read_column(site, 0)
        assert before is not None
        for y, payload in payloads.items():
            assert before.payloads[y] == payload
            assert (y in before.lost) == (y in (4, 5))
        site.write({0: ColumnWrite([KEEP] * 7 + [fresh] + [KEEP] * 12, before.base)})
        after = read_column(site, 0)
    assert after is not None
    assert list(after.payloads[:8]) == [payloads.get(y) for y in range(6)] + [None, fresh]
    number, unpack = UNPACKED[compression]
    assert chunk_in(tmp_path / "region/r.0.0.mca")[0] == number
    _assert_all_kept(unpack(chunk_in(tmp_path / "region/r.0.0.mca")[1]))
    assert sorted(path.name for path in (tmp_path / "region").iterdir()) == ["r.0.0.mca"]


def _assert_all_kept(content: bytes) -> None:
    old, new = parse(saved_chunk()[0]), parse(content)
    assert new["DataVersion"].value == NEWEST
    assert {tag.name for tag in new.tags} == {tag.name for tag in old.tags} - {"Heightmaps", "isLightOn"}
    for name in ("block_entities", "block_ticks", "fluid_ticks"):
        assert len(new[name]) == len(old[name]) == 0
    for tag in new.tags:
        if tag.name not in ("sections", "block_entities", "block_ticks", "fluid_ticks"):
            assert rendered(tag) == rendered(old[tag.name]), tag.name
    standing = {item["Y"].value: item for item in new["sections"]}
    for item in old["sections"]:
        assert rendered(standing[item["Y"].value]) == rendered(item)


@pytest.mark.parametrize(("compression", "version"), [("zlib", 3465), ("none", 3465), ("lz4", 3837)])
def test_a_new_chunk_is_of_the_oldest_game_that_can_open_it(tmp_path: Path, compression: str, version: int) -> None:
    with AnvilWorld(tmp_path) as world:
        world.site(HILBERT, compression=compression).write({0: ColumnWrite([b"x" * 4096, *[None] * 19])})
    number, unpack = UNPACKED[compression]
    kind, packed = chunk_in(tmp_path / "region/r.0.0.mca")
    assert kind == number
    assert parse(unpack(packed))["DataVersion"].value == version


def test_an_older_chunk_keeps_its_version_with_every_compression(tmp_path: Path) -> None:
    old = chunk([section(0, block_states([(NAMES[3], {})]))], DataVersion=nbt.TAG_Int(2975))
    for compression, (_, unpack) in UNPACKED.items():
        world = tmp_path / compression
        _put(world, old)
        with AnvilWorld(world) as anvil:
            anvil.site(HILBERT, compression=compression).write({0: ColumnWrite([b"x" * 4096, *[KEEP] * 19])})
        assert parse(unpack(chunk_in(world / "region/r.0.0.mca")[1]))["DataVersion"].value == 2975


# What Minestom saves of a floor lever and a lamp: properties that have their default are left out.
POOR: dict[str, list[Block]] = {
    "nothing left out": [
        ("minecraft:lever", {"face": "floor", "facing": "north", "powered": "false"}),
        ("minecraft:lever", {"face": "floor", "facing": "north", "powered": "true"}),
        ("minecraft:redstone_lamp", {"lit": "true"}),
    ],
    "defaults left out": [
        ("minecraft:lever", {"face": "floor"}),
        ("minecraft:lever", {"face": "floor", "powered": "true"}),
        ("minecraft:redstone_lamp", {}),
    ],
    "all left out": [
        ("minecraft:lever", {}),
        ("minecraft:lever", {"powered": "true"}),
        ("minecraft:redstone_lamp", {}),
    ],
}


@pytest.mark.parametrize("kind", POOR)
def test_missing_properties_have_their_default(tmp_path: Path, kind: str) -> None:
    geometry = Geometry(codec("redstone"), HilbertLayout(), (0, 0))
    payload = random.Random(1).randbytes(128)
    off, on, lamp = POOR[kind]
    palette: list[Block] = [lamp, ("minecraft:air", {}), on, off, ("minecraft:smooth_stone", {})]
    entries = [1] * 4096
    for bit in range(1024):
        x, z, cell = bit & 15, bit >> 4 & 15, bit >> 8
        column = z << 4 | x
        entries[cell * 4 << 8 | column] = 0
        entries[cell * 4 + 1 << 8 | column] = 4
        entries[cell * 4 + 2 << 8 | column] = 2 if payload[bit // 8] >> 7 - bit % 8 & 1 else 3
    _put(tmp_path, chunk([section(0, block_states(palette, entries))]))
    with AnvilWorld(tmp_path) as world:
        read = read_column(world.site(geometry), 0)
    assert read is not None
    assert (read.payloads[0], read.lost) == (payload, {})


def _put(world: Path, content: bytes) -> None:
    raw = RawChunk(2, zlib.compress(content))
    (regions_of(world) / "r.0.0.mca").write_bytes(region_bytes({0: (2, stored(raw))}))
