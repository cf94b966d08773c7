"""A column out of a chunk's NBT, compiled: what data and check section hold, if all is as it should be."""

from __future__ import annotations

import numpy as np

from bbd.worlds.anvil.compiled.jit import Bytes, Indices, Number, Stack, Words, compiled, inlined
from bbd.worlds.anvil.compiled.palettes import AIR, LOST, read_palette
from bbd.worlds.anvil.compiled.payloads import BLOCKS, bits_for, fill, join, longs_for, unpack
from bbd.worlds.anvil.compiled.tags import (
    BYTE,
    COMPOUND,
    END,
    LIST,
    LONG_ARRAY,
    byte,
    integer,
    is_named,
    listed,
    short,
    skip,
    tag,
)
from bbd.worlds.world import CHECK_SECTION, STORED_SECTIONS

HEAD_SIZE = 128
SEEN, FILLED = 1, 2
"""What is said of a section by its Y: that there is one, and that it has blocks."""

_NO_Y = -1
_NO_LONGS = -1


def _name(text: bytes) -> Bytes:
    return np.frombuffer(text, np.uint8)


_SECTIONS, _STATES, _PALETTE, _DATA, _Y = map(_name, (b"sections", b"block_states", b"palette", b"data", b"Y"))


@inlined
def _read_longs(data: Bytes, at: Number) -> tuple[Number, Number]:
    """The position behind an array of longs, and how many they are."""
    if at + 4 > len(data):
        return -1, 0
    count = integer(data, at)
    end = at + 4 + 8 * count
    return (end, count) if count >= 0 and end <= len(data) else (np.int64(-1), np.int64(0))


@inlined
def _read_states(
    data: Bytes,
    words: Words,
    at: Number,
    known: Words,
    factors: Words,
    slots: Indices,
    table: Indices,
    stack: Stack,
) -> tuple[Number, Number, bool, Number, Number]:
    """The position behind ``block_states``, how many kinds of blocks it has, whether all are known, and the position
    and number of its longs."""
    kinds: Number = np.int64(0)
    complete = True
    longs: Number = np.int64(0)
    count: Number = np.int64(_NO_LONGS)
    while at >= 0:
        kind, name, at = tag(data, at)
        if kind == END:
            break
        if is_named(data, name, at, _PALETTE):
            if kind != LIST or kinds:
                return -1, kinds, complete, longs, count
            at, kinds, complete = read_palette(data, words, at, known, factors, slots, table, stack)
        elif is_named(data, name, at, _DATA):
            if kind != LONG_ARRAY or count != _NO_LONGS:
                return -1, kinds, complete, longs, count
            longs = at + 4
            at, count = _read_longs(data, at)
        else:
            at = skip(data, kind, at, stack)
    expected = longs_for(bits_for(kinds)) if kinds > 1 else _NO_LONGS
    if not kinds or count != expected:
        at = -1
    return at, kinds, complete, longs, count


@inlined
def _has_lost(table: Indices, count: Number) -> bool:
    seen = np.uint16(0)
    for place in range(count):
        seen = np.uint16(seen | table[place])
    return bool(seen & LOST != 0)


@inlined
def _decode_uniform(y: Number, meaning: Number, width: Number, payloads: Bytes, filled: Bytes) -> bool:
    if meaning == AIR or meaning & LOST or y == CHECK_SECTION:
        return bool(meaning == AIR and y != CHECK_SECTION)
    size = BLOCKS * width // 8
    fill(meaning, width, size, payloads, y * size)
    filled[np.uint64(y)] = FILLED
    return True


@compiled
def _decode(
    words: Words,
    longs: Number,
    kinds: Number,
    y: Number,
    width: Number,
    payloads: Bytes,
    filled: Bytes,
    table: Indices,
    blocks: Indices,
) -> bool:
    """Whether a section is as it should be; its payload, if anybody wants that."""
    if kinds == 1:
        return _decode_uniform(y, np.int64(table[0]), width, payloads, filled)
    bits = bits_for(kinds)
    table[kinds : 1 << bits] = LOST
    if y > CHECK_SECTION and not _has_lost(table, 1 << bits):
        return True
    unpack(words, longs, bits, table, blocks)
    filled[np.uint64(y)] = FILLED
    size = BLOCKS * width // 8
    return join(blocks, width, HEAD_SIZE if y == CHECK_SECTION else size, payloads, y * size)


@compiled
def _read_section(
    data: Bytes,
    words: Words,
    at: Number,
    known: Words,
    factors: Words,
    slots: Indices,
    width: Number,
    payloads: Bytes,
    filled: Bytes,
    table: Indices,
    blocks: Indices,
    stack: Stack,
) -> Number:
    """The position behind a section; -1 where it is not as it should be."""
    y: Number = np.int64(_NO_Y)
    longs: Number = np.int64(0)
    kinds: Number = np.int64(0)
    complete = True
    while at >= 0:
        kind, name, at = tag(data, at)
        if kind == END:
            break
        if is_named(data, name, at, _Y):
            if kind != BYTE or y != _NO_Y or at >= len(data):
                return -1
            y = byte(data, at)
            at += 1
        elif is_named(data, name, at, _STATES):
            if kind != COMPOUND or kinds:
                return -1
            at, kinds, complete, longs, _ = _read_states(data, words, at, known, factors, slots, table, stack)
        else:
            at = skip(data, kind, at, stack)
    if at < 0 or y == _NO_Y or filled[np.uint64(y)]:
        return -1
    filled[np.uint64(y)] = SEEN
    # What is not known may be no entry at all, which only the plain way tells: also where it is not the disk's.
    if not complete:
        return -1
    if not kinds or y >= STORED_SECTIONS:
        return at
    return at if _decode(words, longs, kinds, y, width, payloads, filled, table, blocks) else np.int64(-1)


@inlined
def _read_sections(
    data: Bytes,
    words: Words,
    at: Number,
    known: Words,
    factors: Words,
    slots: Indices,
    width: Number,
    payloads: Bytes,
    filled: Bytes,
    table: Indices,
    blocks: Indices,
    stack: Stack,
) -> Number:
    kind, count = listed(data, at)
    if kind < 0 or (count > 0 and kind != COMPOUND):
        return -1
    at += 5
    for _ in range(count):
        at = _read_section(data, words, at, known, factors, slots, width, payloads, filled, table, blocks, stack)
        if at < 0:
            return -1
    return at


@compiled
def read_column(
    data: Bytes,
    words: Words,
    known: Words,
    factors: Words,
    slots: Indices,
    width: Number,
    payloads: Bytes,
    filled: Bytes,
    table: Indices,
    blocks: Indices,
    stack: Stack,
) -> bool:
    """Whether the chunk is one in which all is as it should be; its sections' payloads are in ``payloads`` then where
    ``filled`` says so, by their Y, and no other data section has any block.

    ``words`` has for each byte of ``data``, but for the last seven, the eight bytes from there on. A block holds
    ``width`` bits. The others are memory: 20 payloads, 256 for ``filled``, as many as there are kinds of blocks and
    blocks of a section at most, and the depth of tags.
    """
    filled[:] = 0
    if len(data) < 3 or byte(data, 0) != COMPOUND:
        return False
    seen = False
    at = 3 + short(data, 1)
    while at >= 0:
        kind, name, at = tag(data, at)
        if kind == END:
            return seen and filled[CHECK_SECTION] == FILLED
        if is_named(data, name, at, _SECTIONS):
            if kind != LIST or seen:
                return False
            seen = True
            at = _read_sections(data, words, at, known, factors, slots, width, payloads, filled, table, blocks, stack)
        else:
            at = skip(data, kind, at, stack)
    return False
