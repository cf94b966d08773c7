"""Codec redstone: bits come back from their levers, whatever became of the lamps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.geometry.codecs.redstone import RedstoneCodec
from bbd.geometry.interfaces import SECTION_BLOCKS, Block, Codec

CODEC: Codec = RedstoneCodec()
SIZE = 128
LAMP, LEVER = "minecraft:redstone_lamp", "minecraft:lever"
FLOOR = {"face": "floor", "facing": "north"}
LEVERS = [block for block in range(SECTION_BLOCKS) if (block >> 8) % 4 == 2]
SCAFFOLDING = [block for block in range(SECTION_BLOCKS) if (block >> 8) % 4 != 2]

payloads = st.binary(min_size=SIZE, max_size=SIZE)


def built(payload: bytes) -> dict[tuple[int, int, int], Block]:
    """The blocks by (x, y, z), as docs/format.md tells where each bit stands."""
    blocks = {}
    for n in range(1024):
        powered = "true" if payload[n // 8] >> 7 - n % 8 & 1 else "false"
        x, z, y = n & 15, n >> 4 & 15, 4 * (n >> 8)
        blocks[x, y, z] = Block(LAMP, {"lit": powered})
        blocks[x, y + 1, z] = Block("minecraft:smooth_stone")
        blocks[x, y + 2, z] = Block(LEVER, {**FLOOR, "powered": powered})
        blocks[x, y + 3, z] = Block("minecraft:air")
    return blocks


@given(payloads)
def test_every_block_is_as_described(payload: bytes) -> None:
    indices = CODEC.encode(payload)
    assert (indices.dtype, indices.shape) == (np.dtype(np.uint16), (SECTION_BLOCKS,))
    for (x, y, z), block in built(payload).items():
        assert CODEC.palette[indices[y << 8 | z << 4 | x]] == block


@given(payloads)
def test_every_payload_comes_back(payload: bytes) -> None:
    assert CODEC.decode(CODEC.encode(payload).astype(np.int32)) == (payload, None)


def test_air_is_last_and_every_block_is_recognised_as_itself() -> None:
    assert CODEC.palette[-1].name == "minecraft:air"
    for index, block in enumerate(CODEC.palette):
        assert CODEC.recognise(block.name, block.properties) == index


@given(payloads, st.integers(0, SIZE - 1))
def test_a_byte_stands_where_blocks_of_says(payload: bytes, byte: int) -> None:
    blocks = CODEC.blocks_of(byte)
    assert len(blocks) == 8
    states = [CODEC.palette[CODEC.encode(payload)[block]] for block in blocks]
    assert all(state.name == LEVER for state in states)
    bits = "".join("1" if state.properties["powered"] == "true" else "0" for state in states)
    assert int(bits, 2) == payload[byte]
    assert all(CODEC.byte_at(block) == byte for block in blocks)


def test_every_lever_is_of_one_byte_and_all_else_of_none() -> None:
    assert sorted(block for byte in range(SIZE) for block in CODEC.blocks_of(byte)) == LEVERS
    assert {CODEC.byte_at(block) for block in SCAFFOLDING} == {None}


@given(st.binary(max_size=SIZE))
def test_a_short_payload_leaves_air(payload: bytes) -> None:
    indices = CODEC.encode(payload)
    for (x, y, z), block in built(payload.ljust(SIZE, b"\0")).items():
        bit = (y >> 2) * 256 + z * 16 + x
        expected = block.name if bit < 8 * len(payload) else "minecraft:air"
        assert CODEC.palette[indices[y << 8 | z << 4 | x]].name == expected
    found, lost = CODEC.decode(indices.astype(np.int32))
    assert found == payload.ljust(SIZE, b"\0")
    assert (lost or bytes(SIZE)) == bytes(len(payload)) + b"\1" * (SIZE - len(payload))


@given(payloads, st.dictionaries(st.sampled_from(SCAFFOLDING), st.integers(-1, 5)))
def test_damaged_scaffolding_loses_nothing(payload: bytes, damage: dict[int, int]) -> None:
    indices = CODEC.encode(payload).astype(np.int32)
    for block, index in damage.items():
        indices[block] = index
    assert CODEC.decode(indices) == (payload, None)


@given(payloads, st.dictionaries(st.sampled_from(LEVERS), st.sampled_from([-1, 0, 1, 2, 5]), min_size=1))
def test_a_lever_that_is_gone_is_a_lost_byte(payload: bytes, damage: dict[int, int]) -> None:
    left = bytearray(payload)
    indices = CODEC.encode(payload).astype(np.int32)
    for block, index in damage.items():
        indices[block] = index
        left[CODEC.byte_at(block) or 0] = 0
    before = indices.copy()
    found, lost = CODEC.decode(indices)
    assert (indices == before).all()
    assert found == left
    assert lost is not None
    assert len(lost) == SIZE
    assert {byte for byte, flag in enumerate(lost) if flag} == {CODEC.byte_at(block) for block in damage}


@pytest.mark.parametrize("where", [{}, {"face": "wall"}, {"face": "ceiling", "facing": "east"}, FLOOR])
def test_only_powered_counts_on_a_lever(where: dict[str, str]) -> None:
    off, on = (CODEC.recognise(LEVER, {**FLOOR, "powered": value}) for value in ("false", "true"))
    assert off != on
    assert CODEC.recognise(LEVER, {**where, "powered": "true"}) == on
    assert CODEC.recognise(LEVER, {**where, "powered": "false"}) == off
    assert CODEC.recognise(LEVER, where) == off


def test_missing_properties_of_a_lamp_are_its_defaults() -> None:
    assert (
        CODEC.recognise(LAMP, {}) == CODEC.recognise(LAMP, {"lit": "false"}) != CODEC.recognise(LAMP, {"lit": "true"})
    )


def test_strangers_are_not_recognised() -> None:
    for name in ("minecraft:stone", "minecraft:stone_button", "lever", "minecraft:fire", ""):
        assert CODEC.recognise(name, {"powered": "true"}) is None
    for name in ("minecraft:air", "minecraft:cave_air", "minecraft:void_air"):
        assert CODEC.recognise(name, {}) == len(CODEC.palette) - 1


def test_what_can_not_be_is_refused() -> None:
    with pytest.raises(ValueError, match="128"):
        CODEC.encode(bytes(SIZE + 1))
    with pytest.raises(ValueError, match="4096"):
        CODEC.decode(np.zeros(SECTION_BLOCKS - 1, dtype=np.int32))
    with pytest.raises(ValueError, match="bulb"):
        RedstoneCodec("bulb")
