"""Readers of Anvil worlds that share no code with bbd: npm's prismarine-provider-anvil, and PyPI's nbt as raw NBT.

All take a folder of region files and places (x, y, z), and give the blocks there, ``None`` where no chunk stands.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from nbt import nbt

from tests.npm import install
from tests.worlds.lz4_by_hand import lz4_java_content

Place: TypeAlias = tuple[int, int, int]
State: TypeAlias = tuple[str, Mapping[str, str]]
"""A block's name and the properties that are written beside it."""

FOLDER = Path(__file__).parent
_SECTOR = 4096


def prismarine_blocks(regions: Path, places: Sequence[Place], version: str = "1.20.1") -> list[str | None]:
    """What prismarine finds. It opens region files for writing: don't hand it a folder that is in use."""
    install(FOLDER)
    done = subprocess.run(
        ["node", str(FOLDER / "blocks.js"), version, str(regions)],
        input=json.dumps(places),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    names: list[str | None] = json.loads(done.stdout)
    return names


def nbt_blocks(regions: Path, places: Sequence[Place]) -> list[str | None]:
    """The names of the blocks, by what the chunks' NBT says."""
    return [None if state is None else state[0] for state in nbt_states(regions, places)]


def nbt_states(regions: Path, places: Sequence[Place]) -> list[State | None]:
    """What the chunks' NBT says, taken apart as plainly as can be."""
    chunks: dict[tuple[int, int], Any] = {}
    states: list[State | None] = []
    for x, y, z in places:
        at = (x >> 4, z >> 4)
        if at not in chunks:
            chunks[at] = _nbt_chunk(regions, *at)
        states.append(None if chunks[at] is None else _nbt_block(chunks[at], x & 15, y, z & 15))
    return states


def _nbt_chunk(regions: Path, cx: int, cz: int) -> Any:
    path = regions / f"r.{cx >> 5}.{cz >> 5}.mca"
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(((cx & 31) + (cz & 31) * 32) * 4)
        location = struct.unpack(">I", file.read(4))[0]
        if location == 0:
            return None
        file.seek((location >> 8) * _SECTOR)
        length, kind = struct.unpack(">IB", file.read(5))
        packed = file.read(length - 1)
    if kind & 0x80:
        packed = (regions / f"c.{cx}.{cz}.mcc").read_bytes()
    root = nbt.NBTFile(buffer=io.BytesIO(_UNPACKED[kind & 0x7F](packed)))
    assert (root["xPos"].value, root["zPos"].value) == (cx, cz)
    return {section["Y"].value: section["block_states"] for section in root["sections"]}


def _inflated(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed)


_UNPACKED: Mapping[int, Callable[[bytes], bytes]] = {1: gzip.decompress, 2: _inflated, 3: bytes, 4: lz4_java_content}


def _nbt_block(sections: Any, x: int, y: int, z: int) -> State:
    if y >> 4 not in sections:
        return "minecraft:air", {}
    states = sections[y >> 4]
    palette = states["palette"]
    if len(palette) == 1:
        return _nbt_entry(palette[0])
    bits = max(4, (len(palette) - 1).bit_length())
    per_long = 64 // bits
    index = (y & 15) << 8 | z << 4 | x
    value = int(states["data"].value[index // per_long]) & (1 << 64) - 1
    return _nbt_entry(palette[value >> index % per_long * bits & (1 << bits) - 1])


def _nbt_entry(entry: Any) -> State:
    properties = {tag.name: str(tag.value) for tag in entry["Properties"].tags} if "Properties" in entry else {}
    return str(entry["Name"].value), properties
