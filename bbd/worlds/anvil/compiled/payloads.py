"""Blocks to payload bytes, compiled. See :mod:`~bbd.worlds.anvil.packing` and the codecs."""

from __future__ import annotations

import numpy as np

from bbd.worlds.anvil.compiled.jit import Bytes, Indices, Number, Words, compiled, inlined
from bbd.worlds.anvil.compiled.palettes import LOST
from bbd.worlds.anvil.compiled.tags import word

BLOCKS = 4096
BYTES_OF_BLOCKS = 8
"""Width in bits of a block where each holds a byte."""

_BYTES = np.uint64(0x00FF00FF00FF00FF)
_SHORTS = np.uint64(0x0000FFFF0000FFFF)


@inlined
def bits_for(kinds: Number) -> Number:
    """Bits of an index into a palette of that many blocks."""
    bits: Number = 4
    while 1 << bits < kinds:
        bits += 1
    return bits


@inlined
def longs_for(bits: Number) -> Number:
    """How many longs hold a section's indices."""
    each = 64 // bits
    return (BLOCKS + each - 1) // each


@inlined
def _long(words: Words, at: Number) -> np.uint64:
    found = word(words, at)
    found = (found >> np.uint64(8)) & _BYTES | (found & _BYTES) << np.uint64(8)
    found = (found >> np.uint64(16)) & _SHORTS | (found & _SHORTS) << np.uint64(16)
    return found >> np.uint64(32) | found << np.uint64(32)


@inlined
def _unpack_some(
    words: Words, at: Number, bits: Number, count: Number, table: Indices, blocks: Indices, first: Number
) -> None:
    longs = _long(words, at)
    mask = np.uint64((1 << bits) - 1)
    for place in range(count):
        index = longs >> np.uint64(place * bits) & mask
        blocks[np.uint64(first + place)] = table[index]


@inlined
def _unpack(words: Words, at: Number, bits: Number, table: Indices, blocks: Indices) -> None:
    each = 64 // bits
    whole = BLOCKS // each
    for long in range(whole):
        _unpack_some(words, at + 8 * long, bits, each, table, blocks, long * each)
    if BLOCKS % each:
        _unpack_some(words, at + 8 * whole, bits, BLOCKS % each, table, blocks, whole * each)


@compiled
def unpack(words: Words, at: Number, bits: Number, table: Indices, blocks: Indices) -> None:
    """The meanings of a section's blocks, in order. ``table`` must have one for each number of so many bits."""
    # The same for each width, and yet not: where it is known beforehand, the loops have no ends to look for.
    if bits == 4:
        _unpack(words, at, 4, table, blocks)
    elif bits == 5:
        _unpack(words, at, 5, table, blocks)
    elif bits == 6:
        _unpack(words, at, 6, table, blocks)
    elif bits == 7:
        _unpack(words, at, 7, table, blocks)
    elif bits == 8:
        _unpack(words, at, 8, table, blocks)
    else:
        _unpack(words, at, bits, table, blocks)


@inlined
def _join_bytes(blocks: Indices, count: Number, payload: Bytes, start: Number) -> np.uint16:
    seen = np.uint16(0)
    for first in range(0, count, 8):
        for place in range(8):
            block = blocks[np.uint64(first + 7 - place)]
            seen = np.uint16(seen | block)
            payload[np.uint64(start + first + place)] = np.uint8(block)
    return seen


@inlined
def _join_nibbles(blocks: Indices, count: Number, payload: Bytes, start: Number) -> np.uint16:
    seen = np.uint16(0)
    for first in range(0, count, 8):
        for place in range(8):
            low = blocks[np.uint64(2 * (first + 7 - place))]
            high = blocks[np.uint64(2 * (first + 7 - place) + 1)]
            seen = np.uint16(seen | low | high)
            payload[np.uint64(start + first + place)] = np.uint8(low | high << np.uint16(4))
    return seen


@compiled
def join(blocks: Indices, width: Number, count: Number, payload: Bytes, start: Number) -> bool:
    """Put the first ``count`` bytes that blocks of ``width`` bits hold into ``payload``, and whether none is lost."""
    if width == BYTES_OF_BLOCKS:
        return bool(_join_bytes(blocks, count, payload, start) & LOST == 0)
    return bool(_join_nibbles(blocks, count, payload, start) & LOST == 0)


@inlined
def fill(meaning: Number, width: Number, count: Number, payload: Bytes, start: Number) -> None:
    """The payload of blocks that are all the same."""
    value = np.uint8(meaning if width == BYTES_OF_BLOCKS else meaning | meaning << 4)
    for place in range(count):
        payload[np.uint64(start + place)] = value
