"""New worlds, and telling which world a folder holds."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from nbt import nbt

from bbd.errors import BbdError
from bbd.worlds.anvil.level import create_world, read_level
from bbd.worlds.anvil.rewrite import LZ4_DATA_VERSION
from bbd.worlds.anvil.world import AnvilWorld
from tests.worlds.chunks_by_hand import compound, parse
from tests.worlds.memory_files import MemoryFiles, PowerCut

RULES = {
    "randomTickSpeed": "0",
    "doFireTick": "false",
    "mobGriefing": "false",
    "doMobSpawning": "false",
    "tntExplodes": "false",
    "disableRaids": "true",
    "doWeatherCycle": "false",
    "doDaylightCycle": "false",
    "snowAccumulationHeight": "0",
    "doVinesSpread": "false",
    "projectilesCanBreakBlocks": "false",
    "spectatorsGenerateChunks": "false",
}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    path = tmp_path / "several" / "new folders"
    create_world(path, spawn_chunk=(-1, -3), name="Wörld")
    return path


def test_what_level_dat_says(world: Path) -> None:
    root = parse(gzip.decompress((world / "level.dat").read_bytes()))
    data = root["Data"]
    numbers = {
        name: data[name].value for name in ("DataVersion", "version", "GameType", "allowCommands", "initialized")
    }
    assert numbers == {"DataVersion": 3465, "version": 19133, "GameType": 1, "allowCommands": 1, "initialized": 1}
    assert (data["LevelName"].value, data["Difficulty"].value) == ("Wörld", 0)
    assert {tag.name: tag.value for tag in data["Version"].tags} == {
        "Id": 3465,
        "Name": "1.20.1",
        "Series": "main",
        "Snapshot": 0,
    }
    assert RULES.items() <= {tag.name: tag.value for tag in data["GameRules"].tags}.items()
    assert [tag.value for tag in data["DataPacks"]["Enabled"]] == ["vanilla"]
    settings = data["WorldGenSettings"]
    assert settings["generate_features"].value == 0
    generator = settings["dimensions"]["minecraft:overworld"]["generator"]
    assert generator["type"].value == "minecraft:flat"
    assert generator["settings"]["biome"].value == "minecraft:the_void"
    assert generator["settings"]["features"].value == 0
    assert len(generator["settings"]["structure_overrides"]) == 0
    assert [(layer["block"].value, layer["height"].value) for layer in generator["settings"]["layers"]] == [
        ("minecraft:air", 1)
    ]


def test_players_arrive_on_a_lit_platform(world: Path) -> None:
    data = parse(gzip.decompress((world / "level.dat").read_bytes()))["Data"]
    x, y, z = (data[f"Spawn{axis}"].value for axis in "XYZ")
    assert (x >> 4, z >> 4) == (-1, -3)
    with AnvilWorld(world) as anvil:
        assert list(anvil.present_chunks()) == [(-1, -3)]
        blocks = {(dx, dz): anvil.block_at(x + dx, y - 1, z + dz) for dx in range(-3, 4) for dz in range(-3, 4)}
        assert blocks.pop((0, 0)) == ("minecraft:sea_lantern", {})
        assert set(map(str, blocks.values())) == {str(("minecraft:polished_andesite", {}))}
        assert anvil.block_at(x, y, z) == anvil.block_at(x + 4, y - 1, z) == ("minecraft:air", {})


def test_reading_it_back(world: Path) -> None:
    level = read_level(world)
    assert (level.name, level.data_version, level.version_name) == ("Wörld", 3465, "1.20.1")
    assert (world / "session.lock").read_bytes() == b"\xe2\x98\x83"


def test_a_world_is_not_made_over_anything(world: Path, tmp_path: Path) -> None:
    with pytest.raises(BbdError, match="holds a world already"):
        create_world(world, spawn_chunk=(0, 0), name="other")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"")
    with pytest.raises(BbdError, match=r"not empty .it holds cat\.jpg"):
        create_world(tmp_path / "photos", spawn_chunk=(0, 0), name="other")


def test_a_world_half_made_is_none_and_can_be_finished() -> None:
    path = Path("/world")
    whole = MemoryFiles()
    create_world(path, spawn_chunk=(-1, -1), name="w", files=whole)
    for cut_at in range(whole.calls):
        files = MemoryFiles()
        files.cut_at = cut_at
        with pytest.raises(PowerCut):
            create_world(path, spawn_chunk=(-1, -1), name="w", files=files)
        files.cut_at = -1
        if not files.exists(path / "level.dat"):
            with pytest.raises(BbdError, match=r"no level\.dat"):
                read_level(path, files)
            create_world(path, spawn_chunk=(-1, -1), name="w", files=files)
        assert read_level(path, files).name == "w"
        assert AnvilWorld(path, files).block_at(-8, 63, -8) == ("minecraft:sea_lantern", {})


def level_file(**data: object) -> bytes:
    root = nbt.NBTFile()
    root.name = ""
    root.tags.append(compound(data, "Data"))
    return gzip.compress(_rendered(root))


def _rendered(root: nbt.NBTFile) -> bytes:
    import io

    content = io.BytesIO()
    root.write_file(buffer=content)
    return content.getvalue()


SENSELESS = {
    "empty": (b"", "can't be read|damaged"),
    "not gzip": (b"not gzip", "can't be read"),
    "cut off": (level_file()[:-9], "can't be read"),
    "no end": (gzip.compress(b"\x0a\0\0\x09"), "damaged"),
    "an unknown tag": (gzip.compress(b"\x0a\0\0\x63\0\0"), "damaged"),
    "no NBT": (gzip.compress(b"hello"), "damaged"),
    "no version": (level_file(), "since Minecraft 1.9"),
    "a version in words": (level_file(DataVersion=nbt.TAG_String("new")), "DataVersion is no number"),
    "a version of another type": (
        level_file(DataVersion=nbt.TAG_Int(3465), Version=nbt.TAG_Int(1)),
        "damaged",
    ),
}


@pytest.mark.parametrize("kind", SENSELESS)
def test_level_dat_that_makes_no_sense(tmp_path: Path, kind: str) -> None:
    content, why = SENSELESS[kind]
    (tmp_path / "level.dat").write_bytes(content)
    with pytest.raises(BbdError, match=why) as caught:
        read_level(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_world(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(BbdError, match=r"is no Minecraft world: it has no level\.dat"):
            read_level(path)


def test_a_world_for_chunks_with_lz4(tmp_path: Path) -> None:
    """Games that would lose such chunks don't open it."""
    path = tmp_path / "w"
    create_world(path, spawn_chunk=(-1, -1), name="w", data_version=LZ4_DATA_VERSION)
    level = read_level(path)
    assert (level.data_version, level.version_name) == (3837, "1.20.5")
    data = nbt.NBTFile(str(path / "level.dat"))["Data"]
    assert (data["Version"]["Id"].value, data["Version"]["Name"].value) == (3837, "1.20.5")
