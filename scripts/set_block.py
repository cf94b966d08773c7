"""Puts one block into a world that nobody has open: the other program in the tour, which knows nothing of bbd.

It stands on the ``nbt`` package alone: region files, chunks and palettes as any editor of worlds sees them (chunk
format of Minecraft 1.18 and later).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nbt import nbt, region


def set_block(world: Path, place: tuple[int, int, int], name: str) -> str:
    """Put a block without properties at x, y, z; return the name of the one that stood there."""
    x, y, z = place
    path = world / "region" / f"r.{x >> 9}.{z >> 9}.mca"
    with path.open("r+b") as file:
        regions = region.RegionFile(fileobj=file)
        chunk = regions.get_nbt(x >> 4 & 31, z >> 4 & 31)
        (section,) = (section for section in chunk["sections"] if section["Y"].value == y >> 4)
        old = _put(section["block_states"], (y & 15) << 8 | (z & 15) << 4 | x & 15, name)
        regions.write_chunk(x >> 4 & 31, z >> 4 & 31, chunk)
    return old


def _put(states: nbt.TAG_Compound, index: int, name: str) -> str:
    palette = states["palette"]
    names = [entry["Name"].value for entry in palette]
    entries = _unpack(states["data"].value, len(names)) if "data" in states else [0] * 4096
    old = names[entries[index]]
    if name not in names:
        entry = nbt.TAG_Compound()
        entry.tags.append(nbt.TAG_String(name="Name", value=name))
        palette.append(entry)
        names.append(name)
    entries[index] = names.index(name)
    if "data" not in states:
        states.tags.append(nbt.TAG_Long_Array(name="data"))
    states["data"].value = _pack(entries, len(names))
    return str(old)


def _bits(kinds: int) -> int:
    return max(4, (kinds - 1).bit_length())


def _unpack(longs: list[int], kinds: int) -> list[int]:
    bits = _bits(kinds)
    found = [long >> shift & (1 << bits) - 1 for long in longs for shift in range(0, 64 - bits + 1, bits)]
    return found[:4096]


def _pack(entries: list[int], kinds: int) -> list[int]:
    bits = _bits(kinds)
    per_long = 64 // bits
    groups = (entries[start : start + per_long] for start in range(0, 4096, per_long))
    longs = (sum(entry << bits * at for at, entry in enumerate(group)) for group in groups)
    return [long - (1 << 64) if long >> 63 else long for long in longs]


def main() -> None:
    """Read the command line, and put the block."""
    parser = argparse.ArgumentParser(description="Put one block into a world that nobody has open.")
    parser.add_argument("world", type=Path)
    for axis in "xyz":
        parser.add_argument(axis, type=int)
    parser.add_argument("name", help="minecraft:purple_wool")
    options = parser.parse_args()
    old = set_block(options.world, (options.x, options.y, options.z), options.name)
    print(f"{options.x} {options.y} {options.z}: {old} is {options.name} now")


if __name__ == "__main__":
    main()
