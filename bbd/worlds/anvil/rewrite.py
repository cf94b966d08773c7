"""Writing chunks: new ones, and those that stand in the world already, of which only the written sections change.

Of a standing chunk every tag is kept byte for byte, unknown ones included, except what was derived from the blocks
(``Heightmaps`` and light: a stale one is trusted by the game, an absent one is computed again) and block entities and
ticks inside the written sections. ``states`` maps the Y of a written section to its ``block_states`` tag.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from bbd.worlds.anvil import nbt_write
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.nbt_scan import (
    BYTE_ARRAY,
    COMPOUND,
    END,
    INT_ARRAY,
    LIST,
    LONG_ARRAY,
    STRING,
    Tag,
    int_at,
    length_at,
    list_at,
    scan_compound,
    skip,
    string_at,
)
from bbd.worlds.anvil.section import BIOMES, BLOCK_STATES, VOID_BIOMES, Section, is_light

States: TypeAlias = Mapping[int, bytes]

DATA_VERSION = 3465
"""Of new chunks: Minecraft 1.20.1, which every later one opens."""
LZ4_DATA_VERSION = 3837
"""Of new chunks that are written with LZ4: Minecraft 1.20.5, the first that reads it."""
MIN_SECTION, MAX_SECTION = -4, 19
SECTIONS = MAX_SECTION - MIN_SECTION + 1

_FULL = nbt_write.string("Status", "minecraft:full")
_DERIVED = frozenset({b"Heightmaps", b"isLightOn"})
_POSITIONED = frozenset({b"block_entities", b"block_ticks", b"fluid_ticks"})
_HARMLESS = frozenset(
    {b"DataVersion", b"xPos", b"yPos", b"zPos", b"LastUpdate", b"InhabitedTime", b"Status", b"status", b"sections"}
)
CHUNK_TAIL = b"".join(
    [
        nbt_write.listing("block_entities", COMPOUND, []),
        nbt_write.listing("block_ticks", COMPOUND, []),
        nbt_write.listing("fluid_ticks", COMPOUND, []),
        nbt_write.listing("PostProcessing", LIST, [nbt_write.list_payload(END, [])] * SECTIONS),
        nbt_write.compound("structures", [nbt_write.compound("starts", []), nbt_write.compound("References", [])]),
        nbt_write.END_TAG,
    ]
)
"""What stands behind the sections of a new chunk."""


def new_chunk(cx: int, cz: int, states: States, air: bytes, data_version: int = DATA_VERSION) -> bytes:
    """A chunk of air (its tag is ``air``) but for ``states``, with every tag that some reader needs."""
    sections = [_new_section(y, states.get(y, air)) for y in range(MIN_SECTION, MAX_SECTION + 1)]
    return b"".join([_root(cx, cz, data_version), *sections, CHUNK_TAIL])


def chunk_head(cx: int, cz: int, air: bytes) -> bytes:
    """A new chunk up to the section with Y 0: below it is air."""
    return b"".join([_root(cx, cz, DATA_VERSION), *(_new_section(y, air) for y in range(MIN_SECTION, 0))])


def rewritten(chunk: Chunk, states: States) -> bytes:
    """The chunk with the sections of ``states``."""
    parts = [chunk.data[: chunk.body], *_root_tags(chunk, states)]
    names = {tag.name for tag in chunk.tags}
    if b"DataVersion" not in names:
        parts.append(nbt_write.integer("DataVersion", DATA_VERSION))
    if b"Status" not in names:
        parts.append(_FULL)
    return b"".join([*parts, nbt_write.END_TAG])


def left_empty(chunk: Chunk, states: States, air: bytes) -> bool:
    """Whether nothing of anybody's is left in the chunk once ``states`` are written: no block but air in any section,
    no biome but the void's, no block entity, entity, tick or structure, no tag that is not known to be without
    meaning."""
    if any(tag != air for tag in states.values()):
        return False
    data = chunk.data
    return all(_is_void(data, section, states) for section in chunk.sections.values()) and all(
        _means_nothing(data, tag, states) for tag in chunk.tags
    )


def _root(cx: int, cz: int, data_version: int) -> bytes:
    """The root compound up to the first section."""
    tags = [
        nbt_write.integer("DataVersion", data_version),
        nbt_write.integer("xPos", cx),
        nbt_write.integer("yPos", MIN_SECTION),
        nbt_write.integer("zPos", cz),
        nbt_write.long("LastUpdate", 0),
        nbt_write.long("InhabitedTime", 0),
        _FULL,
        nbt_write.named(LIST, "sections", bytes([COMPOUND]) + SECTIONS.to_bytes(4, "big")),
    ]
    return nbt_write.named(COMPOUND, "", b"".join(tags))


def _new_section(y: int, state: bytes) -> bytes:
    return nbt_write.compound_payload([nbt_write.byte("Y", y), state, VOID_BIOMES])


def _is_derived(name: bytes) -> bool:
    return name in _DERIVED or is_light(name)


def _is_positioned(data: bytes, tag: Tag) -> bool:
    """Whether a tag of the root is a list of things that have a place among the blocks."""
    return tag.name in _POSITIONED and tag.kind == LIST and data[tag.payload] in (COMPOUND, END)


def _root_tags(chunk: Chunk, states: States) -> Iterator[bytes]:
    data = chunk.data
    for tag in chunk.tags:
        if _is_derived(tag.name):
            continue
        if tag.name == b"sections":
            yield nbt_write.listing("sections", COMPOUND, list(_sections(chunk, states)))
        elif _is_positioned(data, tag):
            yield nbt_write.listing(tag.name.decode(), COMPOUND, list(_outside(data, tag, states)))
        elif tag.name == b"Status" and not _is_full(data, tag):
            yield _FULL
        else:
            yield data[tag.start : tag.end]


def _is_full(data: bytes, tag: Tag) -> bool:
    return tag.kind == STRING and string_at(data, tag.payload)[0].removeprefix("minecraft:") == "full"


def _sections(chunk: Chunk, states: States) -> Iterator[bytes]:
    for y in sorted({*chunk.sections, *states}):
        section = chunk.sections.get(y)
        if section is None:
            yield _new_section(y, states[y])
        elif tags := list(_section_tags(chunk.data, section, states.get(y))):
            yield nbt_write.compound_payload([nbt_write.byte("Y", y), *tags])


def _section_tags(data: bytes, section: Section, state: bytes | None) -> Iterator[bytes]:
    """A section's tags without ``Y``; none where there was nothing but light in it."""
    for tag in section.tags:
        written = tag.name == BLOCK_STATES and state is not None
        if tag.name != b"Y" and not written and not is_light(tag.name):
            yield data[tag.start : tag.end]
    if state is not None:
        yield state
        if all(tag.name != BIOMES for tag in section.tags):
            yield VOID_BIOMES


def _outside(data: bytes, tag: Tag, written: Collection[int]) -> Iterator[bytes]:
    """The compounds of a list that don't lie (by their ``y``) in a written section."""
    count, position = list_at(data, tag.payload, COMPOUND)
    for _ in range(count):
        fields, end = scan_compound(data, position, {})
        y = _height(data, fields)
        if y is None or y >> 4 not in written:
            yield data[position:end]
        position = end


def _height(data: bytes, fields: Iterable[Tag]) -> int | None:
    return next((int_at(data, field) for field in fields if field.name == b"y"), None)


def _is_void(data: bytes, section: Section, states: States) -> bool:
    for tag in section.tags:
        if tag.name == BIOMES:
            if data[tag.start : tag.end] != VOID_BIOMES:
                return False
        elif tag.name not in (b"Y", BLOCK_STATES) and not is_light(tag.name):
            return False
    return section.y in states or section.is_air(data)


def _means_nothing(data: bytes, tag: Tag, states: States) -> bool:
    if tag.name in _HARMLESS or _is_derived(tag.name):
        return True
    if _is_positioned(data, tag):
        return not any(True for _ in _outside(data, tag, states))
    return _is_empty(data, tag.kind, tag.payload)


def _is_empty(data: bytes, kind: int, payload: int) -> bool:
    """Whether a payload is a list, an array or a compound with nothing in it but such again."""
    if kind in (BYTE_ARRAY, INT_ARRAY, LONG_ARRAY):
        return length_at(data, payload) == 0
    if kind == COMPOUND:
        return all(_is_empty(data, tag.kind, tag.payload) for tag in scan_compound(data, payload, {})[0])
    return kind == LIST and all(_is_empty(data, data[payload], item) for item in _items(data, payload))


def _items(data: bytes, payload: int) -> Iterator[int]:
    count, position = list_at(data, payload, data[payload])
    for _ in range(count):
        yield position
        position = skip(data, data[payload], position)
