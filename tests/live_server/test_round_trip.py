"""A world served offline, then by a running server, then offline: the disk goes on, and all else stays as it was."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nbt import nbt

from bbd.worlds.anvil.compression import RawChunk
from tests.conftest import RunBbd, StartServer
from tests.live_server.conftest import Join, StartMinecraft
from tests.nbd_client import TRIM, NbdClient
from tests.servers import BbdServer
from tests.worlds.chunks_by_hand import block_states, chunk, compound, longs, parse, rendered, section
from tests.worlds.lz4_by_hand import lz4_java_content, lz4_java_raw
from tests.worlds.region_model import SECTOR, assert_sound, chunks, region_bytes, stored
from tests.worlds.saved_by_others import NEWEST

SIZE = 1 << 20
COLUMN = 1 << 16
FOLDERS = {"old": "region", "26.1": "dimensions/minecraft/overworld/region"}
HOUSE = 1
"""In this chunk's sections below and above the disk's somebody lives."""
ANCIENT = 2975
"""DataVersion of Minecraft 1.18.2."""


def chunk_at(index: int, version: int) -> bytes:
    """Somebody's chunk: blocks below and above what a disk takes, a mod's tags, an entity."""
    bedrock = block_states([("minecraft:bedrock", {}), ("minecraft:deepslate", {"axis": "z"})], [0, 1] * 2048)
    sections = [section(-4, bedrock), section(21, block_states([("somemod:machine", {"on": "true"})]))]
    more = {
        "DataVersion": nbt.TAG_Int(version),
        "xPos": nbt.TAG_Int(index & 31),
        "zPos": nbt.TAG_Int(index >> 5),
        "a mod's own": compound({"numbers": longs([1, 2, 3])}),
    }
    return chunk(sections, **more)


def at(x: int, z: int) -> int:
    return x + 32 * z


OUTSIDE: Mapping[int, tuple[int, bytes]] = {
    at(8, 0): (1, gzip.compress(chunk_at(at(8, 0), ANCIENT), mtime=0)),
    at(8, 1): (2, zlib.compress(chunk_at(at(8, 1), NEWEST), 1)),
    at(8, 2): (3, chunk_at(at(8, 2), ANCIENT)),
    at(8, 3): (4, lz4_java_raw(chunk_at(at(8, 3), NEWEST))),
    at(8, 4): (127, b"\0\x0bsome:thing" + bytes(100)),
    at(8, 5): (2, b"this chunk is damaged"),
    at(8, 6): (0x82, b""),
}
"""As they lie in the region file: one is in a file of its own, one damaged, one is read by another program only."""
SPAWN = "r.-1.-1.mca"
"""The region where players of a new world appear: nothing of it is the disk's."""
EXTERNAL = zlib.compress(chunk_at(at(8, 6), NEWEST), 9)


def furnish(regions: Path) -> None:
    """Put others' chunks into the file that the disk will share with them."""
    placed = {**OUTSIDE, HOUSE: (4, lz4_java_raw(chunk_at(HOUSE, NEWEST)))}
    sector, content = 2, {}
    for index, raw in placed.items():
        data = stored(RawChunk(*raw))
        content[index] = (sector, data)
        sector += -(-len(data) // SECTOR)
    assert [path.name for path in regions.iterdir()] == [SPAWN]
    (regions / "r.0.0.mca").write_bytes(region_bytes(content))
    (regions / "c.8.6.mcc").write_bytes(EXTERNAL)


def unpacked(raw: RawChunk) -> bytes:
    return zlib.decompress(raw.data) if raw.compression == 2 else lz4_java_content(bytes(raw.data))


def versions(regions: Path) -> dict[int, int]:
    """DataVersion of each chunk that is not among the others'."""
    found = chunks((regions / "r.0.0.mca").read_bytes())
    return {index: parse(unpacked(raw))["DataVersion"].value for index, raw in found.items() if index not in OUTSIDE}


def assert_others_untouched(regions: Path) -> None:
    content = (regions / "r.0.0.mca").read_bytes()
    assert_sound(content)
    found = chunks(content)
    for index, raw in OUTSIDE.items():
        assert (found[index].compression, found[index].data) == raw, f"chunk {index & 31},{index >> 5} was changed"
    assert sorted(path.name for path in regions.iterdir()) == ["c.8.6.mcc", SPAWN, "r.0.0.mca"]
    assert (regions / "c.8.6.mcc").read_bytes() == EXTERNAL
    assert_house_stands(parse(unpacked(found[HOUSE])))


def assert_house_stands(now: Any) -> None:
    was = parse(chunk_at(HOUSE, NEWEST))
    for name in ("a mod's own", "structures", "InhabitedTime", "PostProcessing"):
        assert rendered(now[name]) == rendered(was[name]), name
    standing = {item["Y"].value: item for item in now["sections"]}
    for item in was["sections"]:
        assert rendered(standing[item["Y"].value]) == rendered(item)


@pytest.mark.parametrize("layout", FOLDERS)
def test_offline_live_offline(
    bbd: RunBbd, minecraft: StartMinecraft, bbd_server: StartServer, join: Join, tmp_path: Path, layout: str
) -> None:
    world = tmp_path / "world"
    regions = world / FOLDERS[layout]
    bbd("create", world, "--disk", "demo", "--size", str(SIZE))
    if layout != "old":
        regions.parent.mkdir(parents=True)
        (world / "region").rename(regions)
    furnish(regions)
    spawn = (regions / SPAWN).read_bytes()
    data = bytearray(SIZE)
    random = Random(layout)

    def change(served: BbdServer, first: int, count: int) -> None:
        """Write columns, one byte in the last one alone, and take one away."""
        fresh = random.randbytes(count * COLUMN)
        data[first * COLUMN : (first + count) * COLUMN] = fresh
        gone = slice(first * COLUMN, (first + 1) * COLUMN)
        data[gone] = bytes(COLUMN)
        data[SIZE - first] = 0x42
        with NbdClient(served.connect(), "demo") as client:
            client.write(first * COLUMN, fresh)
            client.flush()
            client.command(TRIM, first * COLUMN, COLUMN)
            client.write(SIZE - first, b"\x42")
            assert client.read(0, SIZE) == data
        served.stop()

    change(bbd_server("--world", world), 2, 6)
    assert_others_untouched(regions)
    before = versions(regions)
    assert before[HOUSE] == NEWEST
    game = minecraft(world)
    with join(game) as player:
        change(bbd_server("--live", game.bridge, "--token-file", game.token), 4, 8)
        player.see((133, -63, 1), "deepslate", axis="z")
    game.stop()
    assert_others_untouched(regions)
    after = versions(regions)
    assert {index: after[index] for index in before if index in after} == {
        index: version for index, version in before.items() if index in after
    }
    assert set(after.values()) <= set(before.values()), "a new chunk needs a newer game than the others of the disk"
    assert bbd("check", world).returncode == 0
    change(bbd_server("--world", world), 1, 6)
    assert_others_untouched(regions)
    assert (regions / SPAWN).read_bytes() == spawn
    with NbdClient(bbd_server("--world", world).connect(), "demo") as client:
        assert client.read(0, SIZE) == data
