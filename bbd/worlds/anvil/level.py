"""``level.dat``: making a world that the game opens, and telling which world a folder holds.

New worlds have the layout of saves up to 1.21 and DataVersion 3465 (Minecraft 1.20.1): every game from there on opens
them; those that are to hold chunks written with LZ4 have 3837 (1.20.5), so that no game opens them that would lose
those chunks. They are void for ever: a flat generator with one layer of air and no features can't grow terrain into a
disk.
"""

from __future__ import annotations

import gzip
import io
import struct
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from nbt import nbt

from bbd.errors import BbdError
from bbd.files import Files, write_atomically
from bbd.os_files import OsFiles
from bbd.worlds.anvil import lock as session_lock
from bbd.worlds.anvil.folders import region_folder
from bbd.worlds.anvil.platform import SURFACE, platform_chunk
from bbd.worlds.anvil.regions import Regions, region_of
from bbd.worlds.anvil.rewrite import DATA_VERSION, LZ4_DATA_VERSION

LEVEL = "level.dat"
_VERSION_NAMES: Mapping[int, str] = {DATA_VERSION: "1.20.1", LZ4_DATA_VERSION: "1.20.5"}
_STORAGE_VERSION = 19133
_CREATIVE = 1
_NOON = 6000
_MAX_LEVEL = 16 << 20

# What a world may hold before its level.dat: the pieces of one that was not finished.
_HALF_MADE = frozenset({"region", session_lock.NAME, f"{LEVEL}.new"})

# Nothing that moves, burns, grows, falls or eats blocks may do so by itself in a world with a disk in it.
GAME_RULES: Mapping[str, str] = {
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
    "spawnRadius": "0",
}

_Value: TypeAlias = "nbt.TAG | Mapping[str, _Value]"


@dataclass(frozen=True, slots=True)
class Level:
    """What ``level.dat`` says of a world: its name, the DataVersion of the game that saved it last, and that game's
    name (``1.20.1``)."""

    name: str
    data_version: int
    version_name: str


def create_world(
    path: Path,
    *,
    spawn_chunk: tuple[int, int],
    name: str,
    facing: float = 0.0,
    data_version: int = DATA_VERSION,
    files: Files | None = None,
) -> None:
    """Make a void world in folder ``path``, with a small lit platform in ``spawn_chunk`` for players to stand on.
    They look towards ``facing``, in degrees from south, clockwise as seen from above. ``data_version`` is the oldest
    game's that opens the world: ``DATA_VERSION`` or ``LZ4_DATA_VERSION``.

    ``level.dat`` comes last and whole: a folder without it is no world, and making one there again finishes it.
    Raises :class:`BbdError` where the folder holds anything else, ``OSError``.
    """
    files = files if files is not None else OsFiles()
    found = files.list_dir(path)
    if LEVEL in found:
        raise BbdError(f"{path} holds a world already")
    if others := sorted(set(found) - _HALF_MADE):
        raise BbdError(f"{path} is not empty (it holds {others[0]}); name a folder that does not exist")
    _write_platform(files, region_folder(files, path), spawn_chunk)
    if not files.exists(path / session_lock.NAME):
        _write_lock(files, path / session_lock.NAME)
    files.sync_dir(path.parent)
    write_atomically(files, path / LEVEL, _level(name, spawn_chunk, facing, data_version))


def read_level(path: Path, files: Files | None = None) -> Level:
    """What the world in folder ``path`` says of itself. Raises :class:`BbdError` where there is no world."""
    files = files if files is not None else OsFiles()
    if not files.exists(path / LEVEL):
        raise BbdError(f"{path} is no Minecraft world: it has no {LEVEL}")
    try:
        data = _parse(_content(files, path / LEVEL))["Data"]
        version = data["DataVersion"].value
        known_as = data["Version"]["Name"].value if "Version" in data else f"DataVersion {version}"
        name = data["LevelName"].value if "LevelName" in data else path.name
    except (OSError, EOFError, zlib.error) as error:
        raise BbdError(f"{path / LEVEL} can't be read: {error}") from error
    except (nbt.MalformedFileError, struct.error, KeyError, ValueError, TypeError, RecursionError) as error:
        raise BbdError(f"{path / LEVEL} is not the {LEVEL} of a world since Minecraft 1.9, or it is damaged") from error
    if not isinstance(version, int):
        raise BbdError(f"{path / LEVEL} is damaged: its DataVersion is no number")
    return Level(str(name), version, str(known_as))


def _content(files: Files, path: Path) -> bytes:
    file = files.open(path)
    try:
        packed = file.pread(_MAX_LEVEL, 0)
    finally:
        file.close()
    return gzip.GzipFile(fileobj=io.BytesIO(packed)).read(_MAX_LEVEL)


def _parse(content: bytes) -> nbt.NBTFile:
    return nbt.NBTFile(buffer=io.BytesIO(content))


def _write_platform(files: Files, folder: Path, chunk: tuple[int, int]) -> None:
    regions = Regions(files, folder, writable=True, open_limit=1)
    at, index = region_of(*chunk)
    try:
        with regions.region_to_write(at) as region:
            region.write({index: platform_chunk(*chunk)})
    finally:
        regions.close()


def _write_lock(files: Files, path: Path) -> None:
    file = files.open(path, write=True, create=True)
    try:
        file.pwrite([session_lock.SNOWMAN], 0)
    finally:
        file.close()


def _level(name: str, spawn_chunk: tuple[int, int], facing: float, version: int) -> bytes:
    root = nbt.NBTFile()
    root.name = ""
    root.tags.append(_compound("Data", _data(name, spawn_chunk, facing, version)))
    content = io.BytesIO()
    root.write_file(buffer=content)
    return gzip.compress(content.getvalue(), mtime=0)


def _data(name: str, spawn_chunk: tuple[int, int], facing: float, version: int) -> dict[str, _Value]:
    return {
        "DataVersion": nbt.TAG_Int(version),
        "version": nbt.TAG_Int(_STORAGE_VERSION),
        "Version": {
            "Id": nbt.TAG_Int(version),
            "Name": nbt.TAG_String(_VERSION_NAMES[version]),
            "Series": nbt.TAG_String("main"),
            "Snapshot": nbt.TAG_Byte(0),
        },
        "LevelName": nbt.TAG_String(name),
        "LastPlayed": nbt.TAG_Long(int(time.time() * 1000)),
        "GameType": nbt.TAG_Int(_CREATIVE),
        "allowCommands": nbt.TAG_Byte(1),
        "hardcore": nbt.TAG_Byte(0),
        "Difficulty": nbt.TAG_Byte(0),
        "DifficultyLocked": nbt.TAG_Byte(0),
        "initialized": nbt.TAG_Byte(1),
        "SpawnX": nbt.TAG_Int(spawn_chunk[0] * 16 + 8),
        "SpawnY": nbt.TAG_Int(SURFACE + 1),
        "SpawnZ": nbt.TAG_Int(spawn_chunk[1] * 16 + 8),
        "SpawnAngle": nbt.TAG_Float(facing),
        "Time": nbt.TAG_Long(0),
        "DayTime": nbt.TAG_Long(_NOON),
        "raining": nbt.TAG_Byte(0),
        "thundering": nbt.TAG_Byte(0),
        "GameRules": {rule: nbt.TAG_String(value) for rule, value in GAME_RULES.items()},
        "DataPacks": {"Enabled": _strings("vanilla"), "Disabled": _strings()},
        "WorldGenSettings": {
            "seed": nbt.TAG_Long(0),
            "generate_features": nbt.TAG_Byte(0),
            "bonus_chest": nbt.TAG_Byte(0),
            "dimensions": _dimensions(),
        },
    }


def _dimensions() -> dict[str, _Value]:
    return {
        name: {
            "type": nbt.TAG_String(name),
            "generator": {"type": nbt.TAG_String("minecraft:flat"), "settings": _void()},
        }
        for name in ("minecraft:overworld", "minecraft:the_nether", "minecraft:the_end")
    }


def _void() -> dict[str, _Value]:
    layers = nbt.TAG_List(type=nbt.TAG_Compound)
    layers.append(_compound("", {"block": nbt.TAG_String("minecraft:air"), "height": nbt.TAG_Int(1)}))
    return {
        "biome": nbt.TAG_String("minecraft:the_void"),
        "features": nbt.TAG_Byte(0),
        "lakes": nbt.TAG_Byte(0),
        "layers": layers,
        "structure_overrides": nbt.TAG_List(type=nbt.TAG_String),
    }


def _strings(*texts: str) -> nbt.TAG_List:
    listing = nbt.TAG_List(type=nbt.TAG_String)
    listing.extend(nbt.TAG_String(text) for text in texts)
    return listing


def _compound(name: str, values: Mapping[str, _Value]) -> nbt.TAG_Compound:
    tag = nbt.TAG_Compound(name=name)
    for key, value in values.items():
        if isinstance(value, Mapping):
            tag.tags.append(_compound(key, value))
        else:
            value.name = key
            tag.tags.append(value)
    return tag
