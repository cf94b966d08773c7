"""Codec byte: bytes come back from their blocks, and what is no byte is known to be lost."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.geometry.codecs.byte import ByteCodec
from bbd.geometry.interfaces import SECTION_BLOCKS, Codec

CODEC: Codec = ByteCodec()
TABLE = json.loads(resources.files("bbd.geometry.palettes").joinpath("palette256.json").read_text())
NAMES = [entry["name"] for entry in TABLE["byte_to_block"]]
AIR = 256


def random_payload(seed: int) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, SECTION_BLOCKS, dtype=np.uint8).tobytes()


def test_palette_is_the_table_and_air_last() -> None:
    assert [block.name for block in CODEC.palette] == [*NAMES, "minecraft:air"]
    assert all(not block.properties for block in CODEC.palette)
    assert len(set(NAMES)) == 256


@given(st.integers(0, 2**32))
def test_every_payload_comes_back(seed: int) -> None:
    payload = random_payload(seed)
    indices = CODEC.encode(payload)
    assert (indices.dtype, indices.shape) == (np.dtype(np.uint16), (SECTION_BLOCKS,))
    assert CODEC.decode(indices.astype(np.int32)) == (payload, None)


@given(st.integers(0, 2**32), st.integers(0, SECTION_BLOCKS - 1))
def test_a_byte_stands_where_blocks_of_says(seed: int, byte: int) -> None:
    payload = random_payload(seed)
    (block,) = CODEC.blocks_of(byte)
    assert block == byte ^ 7
    assert CODEC.encode(payload)[block] == payload[byte]
    assert CODEC.byte_at(block) == byte


@given(st.binary(max_size=SECTION_BLOCKS))
def test_a_short_payload_leaves_air(payload: bytes) -> None:
    indices = CODEC.encode(payload)
    for byte in range(SECTION_BLOCKS):
        assert indices[byte ^ 7] == (payload[byte] if byte < len(payload) else AIR)


@given(st.integers(0, 2**32), st.dictionaries(st.integers(0, SECTION_BLOCKS - 1), st.sampled_from([-1, AIR])))
def test_air_and_strangers_are_lost_bytes(seed: int, holes: dict[int, int]) -> None:
    payload = bytearray(random_payload(seed))
    indices = CODEC.encode(bytes(payload)).astype(np.int32)
    for byte, index in holes.items():
        payload[byte] = 0
        indices[byte ^ 7] = index
    found, lost = CODEC.decode(indices)
    assert found == payload
    if not holes:
        assert lost is None
    else:
        assert lost is not None
        assert len(lost) == SECTION_BLOCKS
        assert {byte for byte, flag in enumerate(lost) if flag} == set(holes)


def test_a_section_of_air_is_lost_all_over() -> None:
    found, lost = CODEC.decode(np.full(SECTION_BLOCKS, AIR, dtype=np.int32))
    assert found == bytes(SECTION_BLOCKS)
    assert lost is not None
    assert all(lost)


def test_decode_does_not_change_its_input() -> None:
    indices = np.arange(SECTION_BLOCKS, dtype=np.int32) % 300 - 1
    before = indices.copy()
    CODEC.decode(indices)
    assert (indices == before).all()


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="4096"):
        CODEC.encode(bytes(SECTION_BLOCKS + 1))
    with pytest.raises(ValueError, match="4096"):
        CODEC.decode(np.zeros(SECTION_BLOCKS - 1, dtype=np.int32))


def test_blocks_are_recognised_by_name_alone() -> None:
    for byte, name in enumerate(NAMES):
        assert CODEC.recognise(name, {}) == byte
        assert CODEC.recognise(name, {"facing": "west", "axis": "z"}) == byte


def test_unwaxed_copper_is_read_as_waxed() -> None:
    assert len(TABLE["alias_on_read"]) == 8
    for alias, name in TABLE["alias_on_read"].items():
        assert CODEC.recognise(alias, {}) == NAMES.index(name)


@pytest.mark.parametrize("name", ["minecraft:air", "minecraft:cave_air", "minecraft:void_air"])
def test_air_has_the_last_index(name: str) -> None:
    assert CODEC.recognise(name, {}) == AIR


@pytest.mark.parametrize("name", ["minecraft:dirt", "minecraft:fire", "white_concrete", "", "mod:white_concrete"])
def test_strangers_are_not_recognised(name: str) -> None:
    assert name not in NAMES
    assert CODEC.recognise(name, {}) is None
