"""Columns decoded by machine code against the plain way: the same bytes or none, and some where all is well."""

from __future__ import annotations

import random
import struct
import sys
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.compression import GZIP, LZ4, NONE, ZLIB, RawChunk
from bbd.worlds.anvil.palette import PaletteCache
from bbd.worlds.world import ColumnUnreadable, DataColumn
from tests.worlds.test_outline import CODECS, biomes, blocks_of, column, damaged, entry, light, named, states

pytest.importorskip("numba")
pytestmark = pytest.mark.slow
AIR = entry(("minecraft:air", {}))
HEAD = {"byte": 128, "nibble": 256}


def section(y: int, entries: list[bytes], indices: list[int] | None, rng: random.Random) -> bytes:
    tags = [states(entries, indices, data_first=rng.random() < 0.5), named(1, "Y", struct.pack(">b", y))]
    tags += [biomes("minecraft:plains"), light("SkyLight", rng)]
    return b"".join(rng.sample(tags, len(tags))) + b"\0"


def saved(used: Codec, rng: random.Random, odd: int) -> bytes:
    """A chunk with a head of a check section, and sections above and below."""
    whole = len(used.palette) - 1
    head = [entry(block) for block in blocks_of(used, rng, min(whole, 100), odd)]
    blocks = [rng.randrange(len(head)) if at < HEAD[used.name] else len(head) for at in range(4096)]
    sections = [section(16, [*head, AIR], blocks, rng)]
    for y in rng.sample([*range(-4, 16), 17, 18, 19], 4):
        kinds = rng.choice([1, 2, 5, 15, 16, 17, 60, 129, whole])
        entries = [entry(block, name_last=rng.random() < 0.9) for block in blocks_of(used, rng, min(kinds, whole), odd)]
        if rng.random() < 0.1:
            entries = [AIR]
        highest = len(entries) - 1 if rng.random() < 0.95 else 15
        indices = [rng.randint(0, highest) for _ in range(4096)] if len(entries) > 1 else None
        sections.append(section(y, entries, indices, rng))
    return column(sections)


def compare(content: bytes, used: Codec, palettes: PaletteCache) -> DataColumn | None:
    """What machine code says, after asserting that the plain way says the same."""
    from bbd.worlds.anvil.compiled.reader import CompiledReader

    found = CompiledReader(used).read(content, palettes.table.known)
    try:
        payloads, lost = Chunk.parse(content, palettes).stored_sections(used)
    except ColumnUnreadable:
        assert found is None
        return None
    again = CompiledReader(used).read(content, palettes.table.known)
    for one in (found, again):
        if one is not None:
            assert lost.keys() <= {16}
            assert not any(lost.get(16, b"")[:128])
            head = payloads[16]
            assert head is not None
            assert one.head == head[:128]
            expected = CompiledReader(used).read(content, palettes.table.known)
            assert expected is not None
            assert [None if data is None else bytes(data) for data in expected.data] == payloads[:16]
    return again


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(HEAD)), st.integers(0, 2**32))
def test_whole_columns_are_decoded(name: str, seed: int) -> None:
    used, rng, palettes = CODECS[name], random.Random(seed), PaletteCache()
    content = column(
        [
            section(
                16,
                [*(entry(block) for block in blocks_of(used, rng, 10, 0)), AIR],
                [at % 10 if at < HEAD[name] else 10 for at in range(4096)],
                rng,
            ),
            *(
                section(y, [entry(block) for block in blocks_of(used, rng, kinds, 0)], [*range(kinds)] * 256, rng)
                for y, kinds in ((0, 16), (15, 16), (19, 16))
            ),
        ]
    )
    assert compare(content, used, palettes) is not None


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(HEAD)), st.integers(0, 2**32), st.integers(0, 3), st.sampled_from([0, 0, 1, 3]))
def test_anything_else_is_decoded_the_same_or_left(name: str, seed: int, changes: int, odd: int) -> None:
    used, rng, palettes = CODECS[name], random.Random(seed), PaletteCache()
    content = saved(used, rng, odd)
    compare(content, used, palettes)
    for _ in range(4):
        broken = content
        for _ in range(changes):
            broken = damaged(broken, rng)
        compare(broken, used, palettes)


def inflated_by_the_library(packed: bytes, used: Codec, palettes: PaletteCache) -> DataColumn | None:
    """The column in a chunk as it lies in a region file."""
    from bbd.worlds.anvil.compiled.reader import CompiledReader

    reader = CompiledReader(used)
    if not reader.inflates(RawChunk(ZLIB, packed)):
        pytest.skip("there is no library that inflates")
    return reader.read(packed, palettes.table.known, inflated=False)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(HEAD)), st.integers(0, 2**32), st.integers(0, 9), st.binary(max_size=9))
def test_streams_are_inflated(name: str, seed: int, level: int, behind: bytes) -> None:
    used, rng, palettes = CODECS[name], random.Random(seed), PaletteCache()
    content = saved(used, rng, 0)
    expected = compare(content, used, palettes)
    packed = zlib.compress(content, level)
    assert inflated_by_the_library(packed + behind, used, palettes) == expected
    assert inflated_by_the_library(packed[: rng.randrange(len(packed))], used, palettes) is None
    changed = bytearray(packed)
    changed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
    try:
        assert zlib.decompress(changed) == content
    except zlib.error:
        assert inflated_by_the_library(bytes(changed), used, palettes) is None


def test_no_stream_fills_the_memory() -> None:
    used, palettes = CODECS["byte"], PaletteCache()
    assert inflated_by_the_library(zlib.compress(bytes(100 << 20)), used, palettes) is None


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    from bbd.worlds.anvil.compiled import inflating

    assert inflating.Decompressor().function
    monkeypatch.setattr(inflating, "_library", inflating._library.__wrapped__)
    monkeypatch.setitem(sys.modules, "deflate", None)
    monkeypatch.setitem(sys.modules, "deflate._deflate", None)
    assert not inflating.Decompressor().function


def test_other_types_are_inflated_by_others() -> None:
    from bbd.worlds.anvil.compiled.reader import CompiledReader

    reader = CompiledReader(CODECS["byte"])
    assert not any(reader.inflates(RawChunk(other, b"")) for other in (GZIP, NONE, LZ4))
