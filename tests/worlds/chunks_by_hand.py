"""Chunks as the game saves them, built with PyPI's ``nbt`` and nothing of ours."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from nbt import nbt

Block = tuple[str, Mapping[str, str]]


def named(tag: Any, name: str) -> Any:
    tag.name = name
    return tag


def compound(values: Mapping[str, Any], name: str = "") -> Any:
    tag = nbt.TAG_Compound(name=name)
    tag.tags.extend(named(value, key) for key, value in values.items())
    return tag


def listing(kind: Any, items: Sequence[Any]) -> Any:
    tag = nbt.TAG_List(type=kind)
    tag.tags.extend(items)
    return tag


def longs(values: Sequence[int]) -> Any:
    tag = nbt.TAG_Long_Array()
    tag.value = list(values)
    return tag


def block_states(palette: Sequence[Block], entries: Sequence[int] | None = None) -> Any:
    blocks = []
    for name, properties in palette:
        values = {"Name": nbt.TAG_String(name)}
        if properties:
            values["Properties"] = compound({key: nbt.TAG_String(value) for key, value in properties.items()})
        blocks.append(compound(values))
    states = {"palette": listing(nbt.TAG_Compound, blocks)}
    if entries is not None:
        states["data"] = longs(pack(entries, max(4, (len(palette) - 1).bit_length())))
    return compound(states)


def pack(entries: Sequence[int], bits: int) -> list[int]:
    per_long = 64 // bits
    packed = []
    for start in range(0, len(entries), per_long):
        value = sum(entry << place * bits for place, entry in enumerate(entries[start : start + per_long]))
        packed.append(struct.unpack(">q", struct.pack(">Q", value))[0])
    return packed


def biomes(name: str = "minecraft:the_void") -> Any:
    return compound({"palette": listing(nbt.TAG_String, [nbt.TAG_String(name)])})


def section(y: int, states: Any | None, **more: Any) -> Any:
    values = {"Y": nbt.TAG_Byte(y), **more}
    if states is not None:
        values |= {"block_states": states, "biomes": more.get("biomes", biomes())}
    return compound(values)


def chunk(of: Sequence[Any] = (), **more: Any) -> bytes:
    """A saved chunk of these sections; an argument replaces or adds a tag of the root, ``None`` leaves it out."""
    values: dict[str, Any] = {
        "DataVersion": nbt.TAG_Int(4189),
        "xPos": nbt.TAG_Int(3),
        "yPos": nbt.TAG_Int(-4),
        "zPos": nbt.TAG_Int(-1),
        "LastUpdate": nbt.TAG_Long(77),
        "InhabitedTime": nbt.TAG_Long(78),
        "Status": nbt.TAG_String("minecraft:full"),
        "sections": listing(nbt.TAG_Compound, of),
        "block_entities": listing(nbt.TAG_Compound, []),
        "block_ticks": listing(nbt.TAG_Compound, []),
        "fluid_ticks": listing(nbt.TAG_Compound, []),
        "PostProcessing": listing(nbt.TAG_List, [listing(nbt.TAG_Byte, []) for _ in range(24)]),
        "structures": compound({"starts": compound({}), "References": compound({})}),
        "Heightmaps": compound({"WORLD_SURFACE": longs([1] * 37)}),
        "isLightOn": nbt.TAG_Byte(1),
    } | more
    root = nbt.NBTFile()
    root.name = ""
    root.tags.extend(named(value, key) for key, value in values.items() if value is not None)
    content = io.BytesIO()
    root.write_file(buffer=content)
    return content.getvalue()


def placed(y: int, **more: Any) -> Any:
    """A block entity or a tick at height y."""
    return compound({"id": nbt.TAG_String("minecraft:sign"), "x": nbt.TAG_Int(50), "y": nbt.TAG_Int(y), **more})


def parse(content: bytes) -> Any:
    return nbt.NBTFile(buffer=io.BytesIO(content))


def rendered(tag: Any) -> bytes:
    """A tag's payload."""
    content = io.BytesIO()
    tag._render_buffer(content)
    return content.getvalue()
