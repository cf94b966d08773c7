"""Palette entries, compiled: those that are known. See :mod:`~bbd.worlds.anvil.entries`, whose tables these are."""

from __future__ import annotations

import numpy as np

from bbd.worlds.anvil.compiled.jit import Bytes, Indices, Number, Stack, Words, inlined
from bbd.worlds.anvil.compiled.tags import COMPOUND, END, byte, listed, skip, word
from bbd.worlds.anvil.entries import MASKS, MAX_ENTRY, SLOTS_LOG2

MAX_KINDS = 4096
LOST = 1 << 15
"""Set in the meaning of what is no block of a payload."""
AIR = LOST | 1

WORDS = MAX_ENTRY // 8
SIZE, MEANING = WORDS, WORDS + 1
"""What follows an entry's words in a row of the known ones."""

_MASKS = MASKS
_SHIFT = np.uint64(64 - SLOTS_LOG2)
_ROOM = 10 + 255
"""No entry that is a short name alone takes more bytes."""
_NAME_ALONE = np.uint64(int.from_bytes(b"\x08\0\x04Name\0", "little"))


@inlined
def _slot(words: Words, end: Number, size: Number, factors: Words) -> np.uint64:
    mixed = np.uint64(size) * factors[0]
    for place in range(3):
        last = WORDS - 1 - place
        mixed += (word(words, end - 8 - 8 * place) & _MASKS[np.uint64(size), last]) * factors[1 + place]
    return mixed >> _SHIFT  # type: ignore[no-any-return]


@inlined
def _difference(words: Words, start: Number, size: Number, known: Words, number: np.uint64) -> np.uint64:
    """Zero where the known entry with that number is the one."""
    different = known[number, SIZE] ^ np.uint64(size)
    for place in range(WORDS):
        found = word(words, start + 8 * place) & _MASKS[np.uint64(size), place]
        different |= found ^ known[number, place]
    return different  # type: ignore[no-any-return]


@inlined
def read_palette(
    data: Bytes,
    words: Words,
    at: Number,
    known: Words,
    factors: Words,
    slots: Indices,
    table: Indices,
    stack: Stack,
) -> tuple[Number, Number, bool]:
    """Put the meanings of a palette's entries into ``table``: the position behind it, how many they are, and whether
    all of them are known."""
    kind, kinds = listed(data, at)
    if kind != COMPOUND or kinds < 1 or kinds > MAX_KINDS:
        return -1, 0, False
    strangers = np.int64(0)
    at += 5
    # What is called in here with arrays must have no branches: numba would count how often each array is in use.
    for place in range(kinds):
        end: Number = np.int64(-1)
        # Most are a short name alone.
        if at + _ROOM <= len(data) and word(words, at) == _NAME_ALONE:
            end = at + 10 + byte(data, at + 8)
            if byte(data, end - 1) != END:
                end = np.int64(-1)
        if end < 0:
            end = skip(data, COMPOUND, at, stack)
            if end < 0:
                return -1, 0, False
        size = end - at
        if size <= MAX_ENTRY <= end:
            number = np.uint64(slots[_slot(words, end, size, factors)])
            if _difference(words, end - MAX_ENTRY, size, known, number):
                strangers += 1
            table[np.uint64(place)] = known[number, MEANING]
        else:
            strangers += 1
        at = end
    return at, kinds, strangers == 0
