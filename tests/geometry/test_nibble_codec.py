"""Codec nibble: bytes come back from their pairs of blocks, and half a byte is no byte."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.geometry.codecs.nibble import NibbleCodec
from bbd.geometry.interfaces import SECTION_BLOCKS, Codec

CONCRETE: Codec = NibbleCodec()
WOOL: Codec = NibbleCodec("wool")
TABLE = json.loads(resources.files("bbd.geometry.palettes").joinpath("palette256.json").read_text())
SIZE = 2048
AIR = 16


def random_payload(seed: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, SIZE, dtype=np.uint8).tobytes()


@pytest.mark.parametrize(("codec", "palette"), [(CONCRETE, "concrete"), (WOOL, "wool")])
def test_the_palette_is_the_dyes_and_air_last(codec: Codec, palette: str) -> None:
    names = [f"minecraft:{dye}_{palette}" for dye in TABLE["dye_order"]]
    assert [block.name for block in codec.palette] == [*names, "minecraft:air"]
    assert not any(block.properties for block in codec.palette)
    assert [codec.recognise(name, {}) for name in names] == list(range(16))


def test_a_palette_knows_only_its_own_blocks() -> None:
    assert CONCRETE.recognise("minecraft:red_wool", {}) is None
    assert WOOL.recognise("minecraft:red_concrete", {}) is None
    for name in ("minecraft:red_concrete_powder", "red_concrete", "minecraft:obsidian", ""):
        assert CONCRETE.recognise(name, {}) is None
    for name in ("minecraft:air", "minecraft:cave_air", "minecraft:void_air"):
        assert CONCRETE.recognise(name, {}) == WOOL.recognise(name, {}) == AIR
    with pytest.raises(ValueError, match="silk"):
        NibbleCodec("silk")


@given(st.integers(0, 2**32))
def test_every_payload_comes_back(seed: int) -> None:
    payload = random_payload(seed)
    indices = CONCRETE.encode(payload)
    assert (indices.dtype, indices.shape) == (np.dtype(np.uint16), (SECTION_BLOCKS,))
    assert int(indices.max()) < AIR
    assert CONCRETE.decode(indices.astype(np.int32)) == (payload, None)


def test_every_byte_value_comes_back_at_every_place_of_a_long() -> None:
    for shift in range(8):
        payload = bytes((byte + shift) & 255 for byte in range(SIZE))
        assert CONCRETE.decode(CONCRETE.encode(payload).astype(np.int32)) == (payload, None)


@given(st.integers(0, 2**32), st.integers(0, SIZE - 1))
def test_a_byte_stands_where_blocks_of_says(seed: int, byte: int) -> None:
    payload = random_payload(seed)
    upper, lower = CONCRETE.blocks_of(byte)
    assert lower == 2 * (byte ^ 7)
    assert upper == lower + 1
    indices = CONCRETE.encode(payload)
    assert indices[upper] << 4 | indices[lower] == payload[byte]
    assert CONCRETE.byte_at(upper) == CONCRETE.byte_at(lower) == byte


@given(st.integers(0, 2**32))
def test_the_longs_of_a_chunk_are_the_payload(seed: int) -> None:
    """Sixteen four-bit entries to a big-endian long, the first in the lowest bits, as the game packs them."""
    payload = random_payload(seed)
    indices = CONCRETE.encode(payload).tolist()
    longs = [sum(indices[start + i] << 4 * i for i in range(16)) for start in range(0, SECTION_BLOCKS, 16)]
    assert b"".join(long.to_bytes(8, "big") for long in longs) == payload


@given(st.binary(max_size=SIZE))
def test_a_short_payload_leaves_air(payload: bytes) -> None:
    indices = CONCRETE.encode(payload)
    for byte in range(SIZE):
        expected = [payload[byte] >> 4, payload[byte] & 15] if byte < len(payload) else [AIR, AIR]
        assert [indices[block] for block in CONCRETE.blocks_of(byte)] == expected


@given(st.integers(0, 2**32), st.dictionaries(st.integers(0, SECTION_BLOCKS - 1), st.sampled_from([-1, AIR])))
def test_a_byte_is_lost_with_either_of_its_blocks(seed: int, holes: dict[int, int]) -> None:
    payload = bytearray(random_payload(seed))
    indices = CONCRETE.encode(bytes(payload)).astype(np.int32)
    gone = {CONCRETE.byte_at(block) for block in holes}
    for block, index in holes.items():
        indices[block] = index
        payload[CONCRETE.byte_at(block) or 0] = 0
    before = indices.copy()
    found, lost = CONCRETE.decode(indices)
    assert (indices == before).all()
    assert found == payload
    if not holes:
        assert lost is None
    else:
        assert lost is not None
        assert len(lost) == SIZE
        assert {byte for byte, flag in enumerate(lost) if flag} == gone


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2048"):
        CONCRETE.encode(bytes(SIZE + 1))
    with pytest.raises(ValueError, match="4096"):
        CONCRETE.decode(np.zeros(SECTION_BLOCKS - 1, dtype=np.int32))
