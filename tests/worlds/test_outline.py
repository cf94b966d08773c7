"""The lean way of reading a chunk against the general one: the same answer to any input, and taken where it should."""

from __future__ import annotations

import random
import re
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bbd.geometry.interfaces import AIR_NAMES, Codec
from bbd.geometry.palettes.palette256 import load_palette256
from bbd.geometry.registry import codec
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.palette import PaletteCache
from bbd.worlds.world import ColumnUnreadable
from tests.worlds.chunks_by_hand import Block, pack

CODECS = {"byte": codec("byte"), "nibble": codec("nibble"), "redstone": codec("redstone")}
AXIS = {"axis": "y"}
STAIRS = {"facing": "north", "half": "bottom", "shape": "straight", "waterlogged": "false", "and": "one more"}
ODD: list[Block] = [
    *((name, {}) for name in AIR_NAMES),
    *((name, {}) for name in load_palette256().aliases),
    ("minecraft:melon", {}),
    ("minecraft:oak_stairs", STAIRS),
    ("minecraft:oak_log", {"axis": "N"}),
    ("minecraft:" + "x" * 72, {}),
    ("minecraft:" + "long_name_" * 30, {}),
    ("minecraft:Nameless", {}),
    ("minecraft:lever", {}),
    ("", {}),
]


def named(kind: int, name: str, payload: bytes) -> bytes:
    return struct.pack(">BH", kind, len(name)) + name.encode() + payload


def text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()


def entry(block: Block, *, name_last: bool = True) -> bytes:
    name, properties = block
    tags = [named(8, "Name", text(name))]
    if properties:
        states = b"".join(named(8, key, text(value)) for key, value in properties.items()) + b"\0"
        tags.insert(0 if name_last else 1, named(10, "Properties", states))
    return b"".join(tags) + b"\0"


def states(entries: list[bytes], indices: list[int] | None, *, data_first: bool) -> bytes:
    tags = [named(9, "palette", struct.pack(">Bi", 10, len(entries)) + b"".join(entries))]
    if indices is not None:
        longs = pack(indices, max(4, (len(entries) - 1).bit_length()))
        data = named(12, "data", struct.pack(f">i{len(longs)}q", len(longs), *longs))
        tags.insert(0 if data_first else 1, data)
    return named(10, "block_states", b"".join(tags) + b"\0")


def biomes(name: str) -> bytes:
    return named(10, "biomes", named(9, "palette", struct.pack(">Bi", 8, 1) + text(name)) + b"\0")


def light(name: str, rng: random.Random) -> bytes:
    return named(7, name, struct.pack(">i", 2048) + rng.randbytes(2048))


def column(sections: list[bytes]) -> bytes:
    before = named(8, "Status", text("minecraft:full")) + named(10, "Heightmaps", b"\0")
    behind = named(3, "DataVersion", struct.pack(">i", 4189)) + named(9, "block_ticks", b"\0\0\0\0\0")
    listed = struct.pack(">Bi", 10, len(sections)) + b"".join(sections)
    return b"\x0a\0\0" + before + named(9, "sections", listed) + behind + b"\0"


def blocks_of(used: Codec, rng: random.Random, kinds: int, odd: int) -> list[Block]:
    """Palettes of a codec's blocks, some with properties, and of ``odd`` others."""
    known: list[Block] = [(block.name, block.properties) for block in used.palette[:-1]]
    known = [(name, AXIS if "log" in name else properties) for name, properties in known]
    rng.shuffle(known)
    mixed = known[: max(kinds - odd, 0)] + rng.sample(ODD, min(odd, len(ODD)))
    mixed += [(f"minecraft:stranger_{number}", {}) for number in range(kinds - len(mixed))]
    rng.shuffle(mixed)
    return mixed


def section(used: Codec, rng: random.Random, y: int, kinds: int, odd: int, *, usual: bool) -> bytes:
    palette = [entry(block, name_last=usual or rng.random() < 0.9) for block in blocks_of(used, rng, kinds, odd)]
    highest = len(palette) - 1 if usual or rng.random() < 0.9 else 15
    indices = [rng.randint(0, highest) for _ in range(4096)] if kinds > 1 else None
    tags = [
        states(palette, indices, data_first=rng.random() < 0.5),
        light("SkyLight", rng),
        biomes(rng.choice(["minecraft:the_void", "minecraft:plains", "minecraft:old_growth_spruce_taiga"])),
        named(1, "Y", struct.pack(">b", y)),
        light("BlockLight", rng),
    ]
    if not usual and rng.random() < 0.2:
        tags.append(rng.choice([*tags, named(3, "custom", bytes(4)), named(7, "SkyLight", bytes(4))]))
    tags = rng.sample(tags, len(tags) - (0 if usual else rng.choice([0, 0, 0, 1, 2])))
    return b"".join(tags) + b"\0"


def made(used: Codec, seed: int, *, usual: bool) -> bytes:
    rng = random.Random(seed)
    heights = rng.sample(range(-4, 20), 5) if usual else [rng.randint(-3, 3) for _ in range(3)]
    whole = len(used.palette) - 1
    return column(
        [
            section(
                used,
                rng,
                y,
                rng.choice([1, 2, 5, 16, 17, 60, 129, whole, whole + 1, 300]),
                0 if usual else rng.choice([0, 0, 1, 2, 6]),
                usual=usual,
            )
            for y in heights
        ]
    )


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The same with a byte changed, cut out, or put in; mostly where the tags are."""
    at = rng.randrange(len(content))
    for _ in range(20):
        if content[at : at + 4] in (b"Name", b"data", b"\0\x08\0\4") or content[at : at + 1] in (b"\0", b"\x0a"):
            break
        at = rng.randrange(len(content))
    byte = bytes([rng.choice([0, 1, 8, 9, 10, ord("N"), 255, rng.randrange(256)])])
    return content[:at] + rng.choice([byte, b"", byte + content[at : at + 1]]) + content[at + 1 :]


def answer(chunk: Chunk, used: Codec) -> object:
    return chunk.stored_sections(used), chunk.tags, chunk.body


def compare(content: bytes, used: Codec, palettes: PaletteCache) -> Chunk | None:
    """The chunk read in the lean way, or as far as it goes, after asserting that the general one says the same."""
    try:
        expected = Chunk.scan(content, PaletteCache())
    except ColumnUnreadable as error:
        with pytest.raises(ColumnUnreadable, match=f"^{re.escape(str(error))}$"):
            Chunk.parse(content, palettes)
        return None
    found = Chunk.parse(content, palettes)
    assert answer(found, used) == answer(expected, used)
    assert list(found.sections) == list(expected.sections)
    assert [section.tags for section in found.sections.values()] == [
        section.tags for section in expected.sections.values()
    ]
    return found


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(CODECS)), st.integers(0, 2**32))
def test_what_games_save_goes_the_lean_way(name: str, seed: int) -> None:
    used, palettes = CODECS[name], PaletteCache()
    content = made(used, seed, usual=True)
    for _ in range(2):
        found = compare(content, used, palettes)
        assert found is not None
        assert found.outline is not None


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(CODECS)), st.integers(0, 2**32), st.integers(0, 3))
def test_anything_else_is_read_the_same(name: str, seed: int, changes: int) -> None:
    used, palettes = CODECS[name], PaletteCache()
    content = made(used, seed, usual=False)
    compare(content, used, palettes)
    rng = random.Random(seed)
    for _ in range(4):
        broken = content
        for _ in range(changes):
            broken = damaged(broken, rng)
        compare(broken, used, palettes)


STONE: Block = ("minecraft:stone", {})
DIRT: Block = ("minecraft:coarse_dirt", {})


@pytest.mark.parametrize(
    "odd",
    [
        b"\0" + entry(STONE),
        b"\0\0" + entry(STONE),
        entry(STONE)[:-1] + named(8, "Name", text("minecraft:granite")) + b"\0",
        entry(STONE)[:-1] + named(10, "Properties", b"\0") + b"\0",
        entry(STONE).replace(b"\0\x0f", b"\1\x0f"),
        entry(("minecraft:N", {})),
        named(8, "NAME", text("minecraft:N")) + b"\0",
        named(8, "Name", text("minecraft:NNName\0N")) + b"\0",
        b"",
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_entry_that_only_looks_like_another(odd: bytes, place: int) -> None:
    palettes, used = PaletteCache(), CODECS["byte"]
    usual = [entry(STONE), entry(DIRT), entry(STONE)]
    rest = named(1, "Y", b"\0") + biomes("minecraft:plains") + b"\0"
    assert compare(column([states(usual, [1] * 4096, data_first=True) + rest]), used, palettes) is not None
    strange = [*usual[:place], odd, *usual[place + 1 :]]
    for data_first in (True, False):
        compare(column([states(strange, [1, 2] * 2048, data_first=data_first) + rest]), used, palettes)


Y = named(1, "Y", b"\0")
USUAL = [entry(STONE), entry(DIRT)]
TWICE = states(USUAL, [1] * 4096, data_first=True)
DATA = named(12, "data", struct.pack(">i256q", 256, *range(256)))
ONE = named(9, "palette", struct.pack(">Bi", 10, 1) + entry(STONE))
FORGED_END = b"\0" + named(1, "Y", b"\3") + b"\0\0"
ODD_SECTIONS = {
    "data of another width": TWICE.replace(b"data\0\0\1\0", b"data\0\0\1\x56") + bytes(8 * 86) + Y + b"\0",
    "more kinds than the data is for": TWICE.replace(b"\x0a\0\0\0\2" + USUAL[0], b"\x0a\0\0\0\x12" + USUAL[0] * 17)
    + Y
    + b"\0",
    "no data": states(USUAL, None, data_first=True) + Y + b"\0",
    "data for one kind of block": named(10, "block_states", DATA + ONE + b"\0") + Y + b"\0",
    "data twice for one kind": named(10, "block_states", DATA + ONE + DATA + b"\0") + Y + b"\0",
    "data twice": TWICE[:-1] + DATA + b"\0" + Y + b"\0",
    "two Y": named(1, "Y", b"\5") + TWICE + Y + b"\0",
    "no Y": TWICE + b"\0",
    "a Y that is a short": TWICE + named(2, "Y", b"\0\5") + b"\0",
    "no blocks": Y + biomes("minecraft:plains") + b"\0",
    "nothing": b"\0",
    "blocks twice": TWICE + Y + TWICE + b"\0",
    "a name that holds the end of a chunk": states(
        [entry(("Naaaa\0a" + FORGED_END.decode(), {})), entry(STONE)], [1] * 4096, data_first=True
    )
    + Y
    + b"\0",
    "a palette without end": TWICE[:-40],
}


@pytest.mark.parametrize("name", ODD_SECTIONS)
def test_odd_sections_are_read_the_same(name: str) -> None:
    palettes = PaletteCache()
    compare(column([TWICE + Y + b"\0"]), CODECS["byte"], palettes)
    compare(column([ODD_SECTIONS[name]]), CODECS["byte"], palettes)
    compare(column([ODD_SECTIONS[name], TWICE + named(1, "Y", b"\7") + b"\0"]), CODECS["byte"], palettes)


def test_a_chunk_too_short_for_the_window_of_an_entry() -> None:
    one = named(10, "block_states", ONE.replace(b"\0\x0fminecraft:stone", b"\0\1x") + b"\0") + Y + b"\0"
    compare(b"\x0a\0\0" + named(9, "sections", struct.pack(">Bi", 10, 1) + one) + b"\0", CODECS["byte"], PaletteCache())


@pytest.mark.parametrize("name", ["byte", "nibble"])
@pytest.mark.parametrize("kinds", [16, 17, 257, 300])
@pytest.mark.parametrize("air", ["minecraft:air", "minecraft:cave_air", None])
def test_palettes_that_repeat_themselves(name: str, kinds: int, air: str | None) -> None:
    used = CODECS[name]
    rng = random.Random(kinds)
    palette = [entry((rng.choice(used.palette[:-1]).name, {})) for _ in range(kinds)]
    if air:
        palette[3] = entry((air, {}))
    indices = [rng.randrange(kinds) for _ in range(4096)]
    palettes = PaletteCache()
    for _ in range(2):
        found = compare(column([states(palette, indices, data_first=True) + Y + b"\0"]), used, palettes)
        assert found is not None
        assert found.outline is not None
        assert bool(found.stored_sections(used)[1]) == bool(air)


def test_a_number_of_kinds_that_looks_like_the_beginning_of_a_name() -> None:
    kinds, used, palettes = ord("N"), CODECS["byte"], PaletteCache()
    palette = [entry((block.name, {})) for block in used.palette[:kinds]]
    # However the palette lies among the words that are looked at.
    for shift in range(8):
        odd = named(8, "x" * shift, text(""))
        content = column([states(palette, [3] * 4096, data_first=False) + Y + b"\0"])
        content = content[:3] + odd + content[3:]
        for _ in range(2):
            found = compare(content, used, palettes)
        assert found is not None
        assert found.outline is not None
        assert not found.outline.read


def test_entries_are_known_however_many_were_met() -> None:
    palettes, rng = PaletteCache(), random.Random(5)
    for number in range(4):
        names = [f"minecraft:block_{number}_{rng.randrange(10**6)}_of_many" for _ in range(500)]
        content = column([states([entry((name, {})) for name in names], [0] * 4096, data_first=True) + Y + b"\0"])
        compare(content, CODECS["byte"], palettes)
        found = compare(content, CODECS["byte"], palettes)
        assert found is not None
        assert found.outline is not None
        assert int((found.outline.numbers < 0).sum()) < 10
        assert len(palettes.table.known.blocks) <= 1024
