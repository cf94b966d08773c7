"""Saving a world again the way the game does: another palette for each section, another compression, more tags.

What the game writes was taken from the format's description (Minecraft Wiki, "Chunk format" and "Region file format",
1.18 and later): palettes name blocks in the order in which they first appear, sections come for every height, zlib
compresses at its default level.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import Block
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.nbt_scan import COMPOUND, END, LIST, STRING
from bbd.worlds.anvil.nbt_write import (
    byte,
    compound,
    compound_payload,
    integer,
    list_payload,
    listing,
    long,
    long_array,
    string,
    string_payload,
)
from bbd.worlds.anvil.packing import bits_for, pack
from bbd.worlds.anvil.world import AnvilWorld

_SECTOR = 4096
_HEIGHTS = range(-4, 20)
_HEIGHTMAPS = ("MOTION_BLOCKING", "MOTION_BLOCKING_NO_LEAVES", "OCEAN_FLOOR", "WORLD_SURFACE")
_AIR = [Block("minecraft:air")], np.zeros(4096, np.uint16)


def save_as_game(world: Path, files: Sequence[Path]) -> None:
    """Write every chunk of a world anew, into the same region files."""
    with AnvilWorld(world, writable=False) as anvil:
        chunks = {place: anvil.chunk_at(*place) for place in anvil.present_chunks()}
    for file in files:
        rx, rz = (int(part) for part in file.name.split(".")[1:3])
        here = {place: chunk for place, chunk in chunks.items() if (place[0] >> 5, place[1] >> 5) == (rx, rz)}
        file.write_bytes(_region({place: _nbt(*place, chunk) for place, chunk in here.items() if chunk}))


def compressed_chunks(file: Path) -> list[bytes]:
    """The zlib streams in a region file that has no others."""
    content = memoryview(file.read_bytes())
    found = []
    for location in np.frombuffer(content, ">u4", 1024).tolist():
        if location:
            start = (location >> 8) * _SECTOR
            length = int.from_bytes(content[start : start + 4], "big")
            found.append(bytes(content[start + 5 : start + 4 + length]))
    return found


def _region(chunks: dict[tuple[int, int], bytes]) -> bytes:
    locations = np.zeros(1024, ">u4")
    bodies: list[bytes] = []
    sector = 2
    for (cx, cz), content in chunks.items():
        packed = zlib.compress(content)
        body = (1 + len(packed)).to_bytes(4, "big") + b"\x02" + packed
        body += bytes(-len(body) % _SECTOR)
        count = len(body) // _SECTOR
        locations[(cz & 31) << 5 | cx & 31] = sector << 8 | count
        sector += count
        bodies.append(body)
    return locations.tobytes() + bytes(_SECTOR) + b"".join(bodies)


def _nbt(cx: int, cz: int, chunk: Chunk) -> bytes:
    sections = [_section(y, *(chunk.section_blocks(y) or _AIR)) for y in _HEIGHTS]
    heightmaps = [long_array(name, bytes(8 * 37)) for name in _HEIGHTMAPS]
    root = [
        integer("DataVersion", 4189),
        *(integer("xPos", cx), integer("yPos", -4), integer("zPos", cz)),
        *(long("LastUpdate", 24000), long("InhabitedTime", 1200), string("Status", "minecraft:full")),
        byte("isLightOn", 1),
        compound("Heightmaps", heightmaps),
        compound("structures", [compound("starts", []), compound("References", [])]),
        *(listing(name, END, []) for name in ("block_entities", "block_ticks", "fluid_ticks")),
        listing("PostProcessing", LIST, [list_payload(END, [])] * len(_HEIGHTS)),
        listing("sections", COMPOUND, sections),
    ]
    return compound("", root)


def _section(y: int, blocks: Sequence[Block], indices: npt.NDArray[np.uint16]) -> bytes:
    kinds, firsts, places = np.unique(indices, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    entries = [_entry(blocks[kind]) for kind in kinds[order].tolist()]
    states = [listing("palette", COMPOUND, entries)]
    if len(entries) > 1:
        by_appearance = np.argsort(order).astype(np.uint16)[places.reshape(-1)]
        states.append(long_array("data", pack(by_appearance, bits_for(len(entries)))))
    biomes = listing("palette", STRING, [string_payload("minecraft:the_void")])
    return compound_payload([byte("Y", y), compound("block_states", states), compound("biomes", [biomes])])


def _entry(block: Block) -> bytes:
    properties = [string(name, value) for name, value in block.properties.items()]
    more = [compound("Properties", properties)] if properties else []
    return compound_payload([*more, string("Name", block.name)])
