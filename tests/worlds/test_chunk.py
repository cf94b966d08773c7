"""Chunks that the game saved: reading them, rewriting them, and what is no chunk."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbt import nbt

from bbd.geometry.registry import codec
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.palette import PaletteCache
from bbd.worlds.anvil.rewrite import left_empty, new_chunk, rewritten
from bbd.worlds.anvil.section import SectionWriter
from bbd.worlds.world import ColumnUnreadable
from tests.worlds.chunks_by_hand import (
    Block,
    biomes,
    block_states,
    chunk,
    compound,
    listing,
    longs,
    parse,
    placed,
    rendered,
    section,
)

BYTE = codec("byte")
NAMES = [block.name for block in BYTE.palette]
WRITER = SectionWriter(BYTE)
AIR: Block = ("minecraft:air", {})
STONE: Block = ("minecraft:granite_wall_of_nowhere", {"up": "true"})


def payload_of(names: list[str]) -> tuple[bytes, bytes]:
    """Payload and lost bytes of 4096 blocks, by format 1: byte i is block i ^ 7, by its name alone."""
    values = {name: value for value, name in enumerate(NAMES[:256])}
    found = [values.get(names[i ^ 7]) for i in range(4096)]
    return bytes(value or 0 for value in found), bytes(value is None for value in found)


def read(content: bytes) -> Chunk:
    return Chunk.parse(content, PaletteCache())


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([1, 2, 3, 15, 16, 17, 32, 33, 200, 256, 257, 300, 600]), st.integers(0, 2**32), st.booleans())
def test_sections_with_every_size_of_palette(kinds: int, seed: int, with_properties: bool) -> None:
    rng = random.Random(seed)
    palette: list[Block] = [(name, {}) for name in [*NAMES, "minecraft:cave_air"]]
    palette += [(f"minecraft:stranger_{number}", {}) for number in range(400)]
    rng.shuffle(palette)
    palette = palette[:kinds]
    if with_properties:
        palette = [(name, {"axis": "y", "facing": "north"}) for name, _ in palette]
    entries = [rng.randrange(kinds) for _ in range(4096)]
    payload, lost = payload_of([palette[entry][0] for entry in entries])
    column = chunk([section(3, block_states(palette, entries if kinds > 1 else None))])
    payloads, losses = read(column).stored_sections(BYTE)
    assert [payloads[y] for y in range(20) if y != 3] == [None] * 19
    if all(palette[entry][0] in (NAMES[256], "minecraft:cave_air") for entry in entries):
        assert payloads[3] is None
        return
    assert payloads[3] == payload
    assert losses == ({3: lost} if any(lost) else {})


def test_an_index_beyond_the_palette_is_a_lost_byte() -> None:
    entries = [0] * 4095 + [9]
    column = chunk([section(0, block_states([(NAMES[5], {}), (NAMES[6], {})], entries))])
    payloads, losses = read(column).stored_sections(BYTE)
    assert losses == {0: bytes(4088) + b"\1" + bytes(7)}
    assert payloads[0] == b"\5" * 4088 + b"\0" + b"\5" * 7


def test_a_section_without_blocks_is_air() -> None:
    light = nbt.TAG_Byte_Array()
    light.value = bytearray(2048)
    parsed = read(chunk([section(4, None, SkyLight=light)]))
    assert parsed.stored_sections(BYTE) == ([None] * 20, {})
    assert parsed.is_blank()


def standing() -> dict[str, Any]:
    """A chunk with something of everything."""
    light = nbt.TAG_Byte_Array()
    light.value = bytearray(range(256)) * 8
    return {
        "sections": listing(
            nbt.TAG_Compound,
            [
                section(-5, None, SkyLight=light),
                section(-1, block_states([STONE]), SkyLight=light, biomes=biomes("minecraft:plains")),
                section(0, block_states([AIR, STONE], [0, 1] * 2048), BlockLight=light, **{"starlight.x": light}),
                section(1, block_states([(NAMES[7], {})]), biomes=biomes("minecraft:desert"), custom=nbt.TAG_Int(6)),
                section(21, block_states([STONE])),
            ],
        ),
        "block_entities": listing(
            nbt.TAG_Compound, [placed(-3), placed(5), placed(16, Items=longs([1, 2])), placed(32)]
        ),
        "block_ticks": listing(nbt.TAG_Compound, [placed(0), placed(15), placed(40)]),
        "fluid_ticks": listing(nbt.TAG_Compound, [placed(17)]),
        "starlight.light_version": nbt.TAG_Int(9),
        "a mod's own": compound({"deep": listing(nbt.TAG_Double, [nbt.TAG_Double(0.1)])}),
        "empty list of a kind": listing(nbt.TAG_Int, []),
    }


def test_rewriting_keeps_what_it_does_not_know() -> None:
    before = chunk(**standing())
    payload = random.Random(1).randbytes(4096)
    after = rewritten(read(before), {0: WRITER.write(payload), 5: WRITER.write(b"\x11" * 4096)})
    old, new = parse(before), parse(after)
    dropped = {"Heightmaps", "isLightOn", "starlight.light_version"}
    assert {tag.name for tag in new.tags} == {tag.name for tag in old.tags} - dropped
    changed = {"sections", "block_entities", "block_ticks"}
    for tag in new.tags:
        if tag.name not in changed:
            assert rendered(tag) == rendered(old[tag.name]), tag.name
    assert [item["y"].value for item in new["block_entities"]] == [-3, 16, 32]
    assert rendered(new["block_entities"][1]) == rendered(old["block_entities"][2])
    assert [item["y"].value for item in new["block_ticks"]] == [40]
    sections = {item["Y"].value: item for item in new["sections"]}
    assert list(sections) == [-1, 0, 1, 5, 21]
    assert rendered(sections[1]) == rendered(old["sections"][3])
    assert rendered(sections[21]) == rendered(old["sections"][4])
    assert {tag.name for tag in sections[-1].tags} == {"Y", "block_states", "biomes"}
    assert rendered(sections[-1]["biomes"]) == rendered(old["sections"][1]["biomes"])
    assert {tag.name for tag in sections[0].tags} == {"Y", "block_states", "biomes"}
    payloads, losses = read(after).stored_sections(BYTE)
    assert payloads[0] == payload
    assert 0 not in losses
    assert payloads[5] == b"\x11" * 4096


@pytest.mark.parametrize(
    ("status", "after"), [("full", "full"), ("minecraft:noise", "minecraft:full"), (None, "minecraft:full")]
)
def test_a_written_chunk_is_always_full(status: str | None, after: str) -> None:
    before = chunk(Status=None if status is None else nbt.TAG_String(status))
    assert parse(rewritten(read(before), {0: WRITER.air}))["Status"].value == after


def test_a_new_chunk_has_what_every_reader_needs() -> None:
    root = parse(new_chunk(3, -4, {2: WRITER.write(b"hi" * 2048)}, WRITER.air))
    assert (root["DataVersion"].value, root["Status"].value) == (3465, "minecraft:full")
    assert (root["xPos"].value, root["yPos"].value, root["zPos"].value) == (3, -4, -4)
    assert (root["LastUpdate"].value, root["InhabitedTime"].value) == (0, 0)
    assert [item["Y"].value for item in root["sections"]] == list(range(-4, 20))
    for item in root["sections"]:
        assert [name.value for name in item["biomes"]["palette"]] == ["minecraft:the_void"]
        names = {entry["Name"].value for entry in item["block_states"]["palette"]}
        assert names == ({NAMES[ord("h")], NAMES[ord("i")]} if item["Y"].value == 2 else {"minecraft:air"})
    for name in ("block_entities", "block_ticks", "fluid_ticks"):
        assert len(root[name]) == 0
    assert [len(item) for item in root["PostProcessing"]] == [0] * 24
    assert {tag.name for tag in root["structures"].tags} == {"starts", "References"}
    assert not {"Heightmaps", "isLightOn"} & {tag.name for tag in root.tags}


PLAIN: dict[str, Any] = {}
SOMEBODYS: dict[str, dict[str, Any]] = {
    "blocks below": {"sections": [section(-1, block_states([STONE]))]},
    "blocks above": {"sections": [section(20, block_states([AIR, STONE], [0] * 4095 + [1]))]},
    "blocks in a section that is not written": {"sections": [section(1, block_states([STONE]))]},
    "a biome": {"sections": [section(4, block_states([AIR]), biomes=biomes("minecraft:plains"))]},
    "a tag of a section": {"sections": [section(4, block_states([AIR]), mine=nbt.TAG_Int(0))]},
    "a block entity": {"block_entities": listing(nbt.TAG_Compound, [placed(40)])},
    "a tick": {"fluid_ticks": listing(nbt.TAG_Compound, [placed(40)])},
    "an entity": {"entities": listing(nbt.TAG_Compound, [compound({"id": nbt.TAG_String("minecraft:pig")})])},
    "a structure": {"structures": compound({"starts": compound({"fort": nbt.TAG_Int(1)})})},
    "an unknown tag": {"mine": nbt.TAG_Byte(0)},
}
NOBODYS: dict[str, dict[str, Any]] = {
    "nothing": {"sections": []},
    "air": {"sections": [section(y, block_states([AIR])) for y in range(-4, 20)]},
    "air with strangers in the palette": {"sections": [section(-2, block_states([AIR, STONE], [0] * 4096))]},
    "what is written away": {
        "sections": [section(0, block_states([STONE]))],
        "block_entities": listing(nbt.TAG_Compound, [placed(3)]),
    },
    "empty things": {"entities": listing(nbt.TAG_Compound, []), "mine": compound({"x": longs([])})},
}


@pytest.mark.parametrize("kind", [*SOMEBODYS, *NOBODYS])
def test_only_what_is_nobodys_is_left_empty(kind: str) -> None:
    tags = dict({**SOMEBODYS, **NOBODYS}[kind])
    parsed = read(chunk(tags.pop("sections", []), **tags))
    assert left_empty(parsed, {0: WRITER.air}, WRITER.air) == (kind in NOBODYS)
    assert not left_empty(parsed, {0: WRITER.write(b"x")}, WRITER.air)


def broken(name: str) -> bytes:
    y = nbt.TAG_Byte(0)
    stone = block_states([STONE])
    return {
        "no bytes": b"",
        "no compound": b"\1\0\0\1",
        "no sections": chunk(sections=None),
        "an old format": chunk(sections=None, Level=compound({})),
        "sections of another type": chunk(sections=nbt.TAG_Int(1)),
        "sections that are no compounds": chunk(sections=listing(nbt.TAG_Int, [nbt.TAG_Int(1)])),
        "a section without Y": chunk([compound({"block_states": stone})]),
        "a section twice": chunk([section(1, stone), section(1, stone)]),
        "no palette": chunk([compound({"Y": y, "block_states": compound({})})]),
        "an empty palette": chunk([section(0, block_states([]))]),
        "no data": chunk([section(0, block_states([AIR, STONE]))]),
        "data of another width": chunk([section(0, block_states([AIR] * 17, [0] * 4000))]),
        "an entry without a name": chunk(
            [section(0, compound({"palette": listing(nbt.TAG_Compound, [compound({"name": y})])}))]
        ),
        "tags too deep": chunk([])[:-1] + b"\x0a\0\0" * 5000,
        "an unknown type": chunk([])[:-1] + b"\x0d\0\0\0",
        "a negative length": chunk([])[:-1] + b"\x07\0\1x\xff\xff\xff\xff\0",
        "a list without a type": chunk([])[:-1] + b"\x09\0\1x\0\0\0\0\1\0",
    }[name]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no bytes", "in the middle of a tag"),
        ("no compound", "compound"),
        ("no sections", "no sections"),
        ("an old format", "older than 1.18"),
        ("sections of another type", "'sections' is a tag of type 3"),
        ("sections that are no compounds", "holds tags of type 3"),
        ("a section without Y", "no Y"),
        ("a section twice", "two sections with Y 1"),
        ("no palette", "no palette"),
        ("an empty palette", "0 entries"),
        ("no data", "don't fit"),
        ("data of another width", "don't fit"),
        ("an entry without a name", "no name"),
        ("tags too deep", "too deep"),
        ("an unknown type", "no tag type 13"),
        ("a negative length", "negative length"),
        ("a list without a type", "without a type"),
    ],
)
def test_what_is_no_chunk(name: str, why: str) -> None:
    with pytest.raises(ColumnUnreadable, match=why):
        read(broken(name))


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2**32), st.integers(0, 4))
def test_a_malformed_chunk_raises_nothing_else(seed: int, changes: int) -> None:
    rng = random.Random(seed)
    content = bytearray(chunk(**standing()))
    for _ in range(changes):
        content[rng.randrange(len(content))] = rng.choice([0, 1, 9, 10, 12, 127, 128, 255, rng.randrange(256)])
    if not changes:
        del content[rng.randrange(len(content)) :]
    try:
        parsed = read(bytes(content))
    except ColumnUnreadable:
        return
    before, lost_before = parsed.stored_sections(BYTE)
    assert len(before) == 20
    assert not left_empty(parsed, {0: WRITER.air}, WRITER.air) or changes
    again, lost_again = read(rewritten(parsed, {0: WRITER.write(b"x" * 4096)})).stored_sections(BYTE)
    assert again == [b"x" * 4096, *before[1:]]
    assert lost_again == {y: lost for y, lost in lost_before.items() if y}


def test_palettes_that_begin_alike_are_told_apart() -> None:
    cache = PaletteCache()
    entries = list(range(256)) * 16
    first: list[Block] = [(name, {}) for name in NAMES[:256]]
    second = [*first[:200], *reversed(first[200:])]
    for palette in (first, second, first, second):
        column = chunk([section(0, block_states(palette, entries))])
        payloads, _ = Chunk.parse(column, cache).stored_sections(BYTE)
        assert payloads[0] == payload_of([palette[entry][0] for entry in entries])[0]
