"""Stitched chunks: what others inflate, what they mean, how they are cut up, and what becomes of them when damaged."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from isal import isal_zlib
from nbt import nbt

from bbd.geometry.interfaces import Codec
from bbd.geometry.registry import codec
from bbd.worlds.anvil import templates
from bbd.worlds.anvil.adler import Sums
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.compression import RawChunk, compress, decompress
from bbd.worlds.anvil.head_section import HEAD_BYTES, HeadSection
from bbd.worlds.anvil.packing import pack
from bbd.worlds.anvil.palette import PaletteCache
from bbd.worlds.anvil.rewrite import new_chunk
from bbd.worlds.anvil.section import SectionWriter
from bbd.worlds.anvil.stitched import ALL_AIR, Stitched, Stitcher, stitcher_for
from bbd.worlds.anvil.templates import ZLIB_HEAD, Templates
from bbd.worlds.world import CHECK_SECTION, KEEP, STORED_SECTIONS, ColumnUnreadable, SectionWrite
from tests.worlds.chunks_by_hand import parse, rendered

CODECS = {"byte": codec("byte"), "concrete": codec("nibble"), "wool": codec("nibble", "wool")}
AT = (-1_874_999, 77)
PALETTES = PaletteCache()

Payloads = list[bytes | None]


def stitcher(name: str) -> Stitcher:
    found = stitcher_for(CODECS[name])
    assert found is not None
    return found


def stitch(name: str, payloads: Sequence[bytes | None], at: tuple[int, int] = AT) -> RawChunk:
    cells = stitcher(name).cells(payloads)
    assert cells is not None
    chunk = stitcher(name).chunk(*at, cells)
    assert len(chunk.data) == chunk.size
    quick = stitcher(name).varied_chunk(*at, payloads, ALL_AIR, stitcher(name).packed_heads([payloads]))
    assert quick is None or (quick.data, quick.size) == (chunk.data, chunk.size)
    return RawChunk(chunk.compression, chunk.data)


def cut_up(name: str, raw: RawChunk, at: tuple[int, int] = AT) -> Stitched | None:
    return stitcher(name).parse(*at, raw)


def in_general(name: str, payloads: Sequence[bytes | None]) -> bytes:
    """The NBT that the general encoder gives."""
    writer = SectionWriter(CODECS[name])
    return new_chunk(*AT, {y: writer.write(payload) for y, payload in enumerate(payloads)}, writer.air)


def payload(kind: str, size: int, rng: random.Random) -> bytes | None:
    """A section's payload that stitching can hold."""
    match kind:
        case "air":
            return None
        case "uniform":
            return bytes([rng.choice([0, 17, 0x77, 200, 255])]) * size
        case "zeros but one":
            return bytes(size - 1) + b"\1"
        case "head":
            return rng.randbytes(HEAD_BYTES)
        case "template":
            # What a back reference could match, were the templates made with it in sight.
            text = decompress(stitch("byte", [bytes(range(256)) * 16, None] * 10))
            first = rng.randrange(3000)
            return text[first : first + size]
    return rng.randbytes(size)


KINDS = ["air", "uniform", "zeros but one", "head", "template", "random"]
MIXES = st.lists(st.sampled_from(KINDS), min_size=STORED_SECTIONS, max_size=STORED_SECTIONS)
FULL = ["random"] * 16 + ["head", "random", "random", "air"]
SHAPES = {
    "full": FULL,
    "parity 3": [*FULL[:19], "random"],
    "no check": ["random"] * 16 + ["air"] * 4,
    "air": ["air"] * 20,
    "one": ["air"] * 7 + ["random"] + ["air"] * 12,
    "every other": ["random", "air"] * 10,
    "uniform": ["uniform"] * 16 + ["head", "uniform", "random", "air"],
    "template": ["template"] * 16 + ["head", "template", "air", "template"],
    "heads": ["head", "random", "head", "head", "uniform"] * 4,
}


def mixed(name: str, kinds: Sequence[str], seed: int) -> Payloads:
    rng = random.Random(seed)
    return [payload(kind, CODECS[name].section_size, rng) for kind in kinds]


@pytest.fixture(params=CODECS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def assert_same_meaning(name: str, content: bytes, payloads: Sequence[bytes | None]) -> None:
    """The same tags as the general encoder's, byte for byte, and the same blocks in every section."""
    found, expected = (Chunk.parse(data, PALETTES) for data in (content, in_general(name, payloads)))
    tags = [
        [data.data[tag.start : tag.end] for tag in data.tags if tag.name != b"sections"] for data in (found, expected)
    ]
    assert tags[0] == tags[1]
    assert [tag.name for tag in found.tags] == [tag.name for tag in expected.tags]
    assert list(found.sections) == list(expected.sections) == list(range(-4, 20))
    for y in found.sections:
        assert _blocks(found, y) == _blocks(expected, y)
    assert found.stored_sections(CODECS[name]) == expected.stored_sections(CODECS[name])


def _blocks(chunk: Chunk, y: int) -> Any:
    entries = chunk.section_blocks(y)
    if entries is None:
        return None
    names = np.array([block.name for block in entries[0]])
    return names[entries[1]].tolist()


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(list(CODECS)), MIXES, st.integers(0, 1 << 32))
def test_any_mix_means_what_the_general_encoder_writes(name: str, kinds: list[str], seed: int) -> None:
    payloads = mixed(name, kinds, seed)
    raw = stitch(name, payloads)
    content = zlib.decompress(raw.data)
    assert_same_meaning(name, content, payloads)
    found = cut_up(name, raw)
    assert found is not None
    expected, lost = Chunk.parse(content, PALETTES).stored_sections(CODECS[name])
    assert (list(found.payloads), dict(found.lost)) == (list(expected), dict(lost))
    assert stitcher(name).chunk(*AT, found.cells).data == raw.data


@pytest.mark.parametrize("kinds", SHAPES.values(), ids=SHAPES)
def test_a_library_of_somebody_else_finds_the_tags(name: str, kinds: list[str]) -> None:
    payloads = mixed(name, kinds, 1)
    found, expected = (parse(content) for content in (decompress(stitch(name, payloads)), in_general(name, payloads)))
    assert [tag.name for tag in found.tags] == [tag.name for tag in expected.tags]
    for tag in expected.tags:
        if tag.name != "sections":
            assert rendered(found[tag.name]) == rendered(tag)
    assert (found["xPos"].value, found["zPos"].value) == AT
    for section in found["sections"]:
        assert [tag.name for tag in section.tags] == ["Y", "block_states", "biomes"]
        assert isinstance(section["block_states"]["palette"], nbt.TAG_List)


@pytest.mark.parametrize("kinds", SHAPES.values(), ids=SHAPES)
def test_every_inflater_in_pieces_and_at_once(name: str, kinds: list[str]) -> None:
    packed = bytes(stitch(name, mixed(name, kinds, 2)).data)
    content = zlib.decompress(packed)
    assert isal_zlib.decompress(packed) == content
    assert packed.startswith(ZLIB_HEAD)
    for module in (zlib, isal_zlib):
        for step in (1, 7, 4096, 5001):
            stream = module.decompressobj()
            out = [stream.decompress(packed[first : first + step]) for first in range(0, len(packed), step)]
            assert b"".join(out) + stream.flush() == content
            assert stream.eof
            assert stream.unused_data == b""
    stream, out = zlib.decompressobj(), []
    rest = packed
    while not stream.eof:
        out.append(stream.decompress(rest, 333))
        rest = stream.unconsumed_tail
    assert b"".join(out) == content


def test_the_inflater_of_java(tmp_path: Path) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("java is not installed")
    expected = []
    for name in CODECS:
        for kind, kinds in SHAPES.items():
            packed = bytes(stitch(name, mixed(name, kinds, 3)).data)
            (tmp_path / f"{name} {kind}").write_bytes(packed)
            expected.append((tmp_path / f"{name} {kind}", hashlib.sha256(zlib.decompress(packed)).hexdigest()))
    command = [java, str(Path(__file__).with_name("Inflate.java")), *(str(path) for path, _ in expected)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{digest} {digest}" for _, digest in expected]


def test_constant_parts_do_not_depend_on_payloads(name: str) -> None:
    """Each part inflates to the same bytes behind any payload of the section below."""
    templates = Templates(CODECS[name])
    kinds = [-1, -2, -3, 0, 5]
    for y in range(1, STORED_SECTIONS):
        for below in (-2, -3):
            opening = templates._opening(y - 1, below)
            size = templates.payload_sizes[below]
            for kind in [*kinds, -4]:
                part = templates.part(y, kind, below)
                packed = part.packed
                if kind in templates.payload_sizes:
                    packed = packed[:-4] + b"\0\0\xff\xff"
                texts = set()
                for filling in (bytes(size), (opening * 9)[7 : size + 7]):
                    stream = zlib.decompressobj(-15, zdict=opening + filling)
                    texts.add(stream.decompress(packed))
                    assert stream.unused_data == b""
                (text,) = texts
                assert Sums.of(text) == part.sums


def test_the_parts_of_a_full_column_fit_twenty_sectors() -> None:
    assert 5 + stitch("byte", mixed("byte", FULL, 4)).size <= 20 * 4096
    assert 5 + stitch("concrete", mixed("concrete", FULL, 4)).size <= 10 * 4096


def test_what_is_not_stitched() -> None:
    full = mixed("byte", FULL, 5)
    assert stitcher_for(codec("redstone")) is None
    assert stitcher("byte").cells([b"short", *full[1:]]) is None
    raw = stitch("byte", full)
    data = bytes(raw.data)
    assert cut_up("byte", raw) is not None
    assert cut_up("byte", raw, (AT[0] + 1, AT[1])) is None
    assert cut_up("concrete", raw) is None
    others = [
        RawChunk(2, data + b"\0"),
        RawChunk(2, data[:-1]),
        RawChunk(2, data[:300]),
        RawChunk(2, b""),
        RawChunk(1, data),
        compress(zlib.decompress(data)),
        RawChunk(2, zlib.compress(zlib.decompress(data), 0)),
    ]
    assert [cut_up("byte", other) for other in others] == [None] * len(others)


def test_a_head_with_other_blocks_above_it_is_not_cut_up(name: str) -> None:
    payloads = mixed(name, FULL, 6)
    cells = stitcher(name).cells(payloads)
    assert cells is not None
    kind, longs = cells[CHECK_SECTION]
    assert isinstance(longs, bytes)
    for changed in (b"\xff" + longs[1:], longs[:-8] + bytes(8)):
        cells[CHECK_SECTION] = kind, changed
        chunk = stitcher(name).chunk(*AT, cells)
        assert cut_up(name, RawChunk(2, chunk.data)) is None


def test_heads_are_packed_as_the_general_encoder_packs(name: str) -> None:
    kind: Codec = CODECS[name]
    head = HeadSection(kind)
    first = random.Random(name).randbytes(HEAD_BYTES)
    bits = (len(kind.palette) - 1).bit_length()
    assert head.pack(first) + head.rest[:-1] == pack(kind.encode(first), bits)
    assert head.unpack(head.pack(first)) == first


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_sums_of_parts(parts: list[bytes]) -> None:
    total = Sums()
    for part in parts:
        total = total + Sums.of(part)
    assert total.checksum() == zlib.adler32(b"".join(parts))


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(list(CODECS)),
    st.sampled_from(list(SHAPES)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4),
    st.integers(0, 1 << 32),
)
def test_damage_is_never_other_bytes_without_a_crc(
    name: str, shape: str, flips: list[tuple[float, int]], seed: int
) -> None:
    """With a check section, wrong bytes are those of a damaged section, which its CRC tells; without one, none are."""
    payloads = mixed(name, SHAPES[shape], seed)
    raw = stitch(name, payloads)
    whole = cut_up(name, raw)
    assert whole is not None
    damaged = bytearray(raw.data)
    for place, value in flips:
        damaged[int(place * len(damaged))] ^= value
    bad = RawChunk(2, bytes(damaged))
    found = cut_up(name, bad)
    if found is None:
        try:
            content = decompress(bad)
        except ColumnUnreadable:
            return
        assert content == decompress(raw)
        return
    if SHAPES[shape][CHECK_SECTION] != "head":
        assert list(found.payloads) == list(whole.payloads)
        return
    differing = [y for y in range(STORED_SECTIONS) if found.payloads[y] != whole.payloads[y]]
    assert len(differing) <= len(flips)
    assert found.lost == whole.lost


@pytest.mark.parametrize("name", CODECS)
def test_a_column_of_many_values_goes_the_short_way(name: str) -> None:
    size = CODECS[name].section_size
    rng = random.Random(1)
    data = [rng.randbytes(size) for _ in range(16)]
    own: list[SectionWrite] = [*data, rng.randbytes(HEAD_BYTES), rng.randbytes(size), memoryview(rng.randbytes(size))]
    heads = stitcher(name).packed_heads([own])
    quick = stitcher(name).varied_chunk(*AT, [*own, KEEP], ALL_AIR, heads)
    assert quick is not None
    cells = stitcher(name).cells([*own, KEEP])
    assert cells is not None
    assert quick.data == stitcher(name).chunk(*AT, cells).data
    uniform = [*own[:3], bytes([119]) * size, *own[4:], KEEP]
    assert stitcher(name).varied_chunk(*AT, uniform, ALL_AIR, heads) is None
    above = [*ALL_AIR[:-1], (templates.FULL, data[0])]
    assert stitcher(name).varied_chunk(*AT, [*own, KEEP], above, heads) is None
    assert stitcher(name).varied_chunk(*AT, [*own, None], above, heads) is not None
