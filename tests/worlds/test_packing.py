"""Packing of block indices, against a reference that goes bit by bit."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from bbd.worlds.anvil.packing import bits_for, longs_for, pack, unpack


def slow_pack(entries: list[int], bits: int) -> bytes:
    longs: list[int] = []
    place = 64
    for entry in entries:
        if place + bits > 64:
            longs.append(0)
            place = 0
        longs[-1] |= entry << place
        place += bits
    return struct.pack(f">{len(longs)}Q", *longs)


@pytest.mark.parametrize("bits", range(4, 17))
def test_both_ways_with_every_width(bits: int) -> None:
    rng = random.Random(bits)
    entries = [rng.randrange(1 << bits) for _ in range(4096)]
    packed = slow_pack(entries, bits)
    assert len(packed) == 8 * longs_for(bits)
    assert pack(np.array(entries, np.uint16), bits) == packed
    assert unpack(b"ab" + packed + b"c", 2, bits).tolist() == entries


@pytest.mark.parametrize(
    ("size", "bits"), [(2, 4), (16, 4), (17, 5), (32, 5), (33, 6), (256, 8), (257, 9), (512, 9), (513, 10), (4096, 12)]
)
def test_width_of_entries(size: int, bits: int) -> None:
    assert bits_for(size) == bits


@pytest.mark.parametrize("bits", range(4, 17))
def test_bits_that_belong_to_no_entry_are_ignored(bits: int) -> None:
    rng = random.Random(bits)
    entries = [rng.randrange(1 << bits) for _ in range(4096)]
    used = 64 // bits * bits
    longs = struct.unpack(f">{longs_for(bits)}Q", slow_pack(entries, bits))
    dirty = struct.pack(f">{len(longs)}Q", *(long | (1 << 64) - (1 << used) for long in longs))
    assert unpack(dirty, 0, bits).tolist() == entries
