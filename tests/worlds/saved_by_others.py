"""Columns as the game and other writers save them, put into region files by hand."""

from __future__ import annotations

import gzip
import random
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from nbt import nbt

from bbd.geometry.palettes.palette256 import load_palette256
from tests.worlds.chunks_by_hand import Block, block_states, chunk, compound, longs, section
from tests.worlds.lz4_by_hand import lz4_java_raw
from tests.worlds.region_model import region_bytes

NAMES = load_palette256().names
NEWEST = 4903
"""DataVersion of Minecraft 26.2."""
STRANGER: Block = ("minecraft:melon", {})


def saved_chunk() -> tuple[bytes, dict[int, bytes]]:
    """A chunk with sections of every kind of palette, and their payloads with codec ``byte``, by section; a stranger's
    block reads 0."""
    rng = random.Random(7)
    shuffled: list[Block] = [(name, {}) for name in NAMES]
    rng.shuffle(shuffled)
    palettes: dict[int, list[Block]] = {
        0: [(NAMES[77], {})],
        1: shuffled[:2],
        2: shuffled[:17],
        3: shuffled,
        4: [*shuffled, STRANGER],
        5: [*reversed(shuffled), STRANGER, ("minecraft:air", {}), *((name, {}) for name in NAMES[:40])],
    }
    sections, payloads = [], {}
    for y, palette in palettes.items():
        entries = [rng.randrange(len(palette)) for _ in range(4096)] if len(palette) > 1 else None
        sections.append(section(y, block_states(palette, entries)))
        blocks = [palette[entry][0] for entry in entries or [0] * 4096]
        payloads[y] = bytes(NAMES.index(name) if name in NAMES else 0 for name in (blocks[i ^ 7] for i in range(4096)))
    more = {
        "DataVersion": nbt.TAG_Int(NEWEST),
        "xPos": nbt.TAG_Int(0),
        "zPos": nbt.TAG_Int(0),
        "a mod's own": compound({"numbers": longs([1, 2, 3])}),
    }
    return chunk(sections, **more), payloads


SAVED: Mapping[str, Callable[[bytes], tuple[int, bytes]]] = {
    "gzip": lambda content: (1, gzip.compress(content)),
    "zlib": lambda content: (2, zlib.compress(content)),
    "overstated": lambda content: (2, zlib.compress(content) + bytes(4)),
    "none": lambda content: (3, content),
    "none, overstated": lambda content: (3, content + b"rest"),
    "lz4": lambda content: (4, lz4_java_raw(content)),
    "large": lambda content: (2 | 0x80, zlib.compress(content)),
}
PRISMARINE_READS: Mapping[str, bool] = {
    "gzip": True,
    "zlib": True,
    "overstated": True,
    "none": False,
    "none, overstated": False,
    "lz4": False,
    "large": False,
}


def put_saved(regions: Path, kind: str) -> dict[int, bytes]:
    """Put the chunk at 0, 0 of a folder of region files, in one of the ways of ``SAVED``; return its payloads."""
    content, payloads = saved_chunk()
    number, packed = SAVED[kind](content)
    if number & 0x80:
        (regions / "c.0.0.mcc").write_bytes(packed)
        packed = b""
    stored = struct.pack(">IB", len(packed) + 1, number) + packed
    (regions / "r.0.0.mca").write_bytes(region_bytes({0: (2, stored)}))
    return payloads
