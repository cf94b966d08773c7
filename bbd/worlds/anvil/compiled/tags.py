"""NBT, compiled: where tags begin and end. See :mod:`~bbd.worlds.anvil.nbt_scan`.

A position of -1 stands for bytes that are no NBT, or too deep; -1 is also the type of a tag that is none.
"""

from __future__ import annotations

import numpy as np

from bbd.worlds.anvil.compiled.jit import Bytes, Number, Stack, Words, compiled, inlined

END, BYTE, SHORT, INT, LONG, FLOAT, DOUBLE = range(7)
BYTE_ARRAY, STRING, LIST, COMPOUND, INT_ARRAY, LONG_ARRAY = range(7, 13)
BROKEN = -1
MAX_DEPTH = 64

# On the stack is a compound, or a list with its items' type in the lowest bits and above them how many are left.
_A_COMPOUND = -1
_KIND_BITS = 4
_KIND_MASK = 15


@inlined
def byte(data: Bytes, at: Number) -> Number:
    """Unsigned."""
    return np.int64(data[np.uint64(at)])


@inlined
def short(data: Bytes, at: Number) -> Number:
    """Unsigned, of two bytes."""
    return byte(data, at) << 8 | byte(data, at + 1)


@inlined
def integer(data: Bytes, at: Number) -> Number:
    """Signed, of four bytes."""
    unsigned = short(data, at) << 16 | short(data, at + 2)
    return (unsigned ^ 0x80000000) - 0x80000000


@inlined
def word(words: Words, at: Number) -> np.uint64:
    """Eight bytes, the first in the lowest bits."""
    return words[np.uint64(at)]  # type: ignore[no-any-return]


@inlined
def tag(data: Bytes, at: Number) -> tuple[Number, Number, Number]:
    """The type of a named tag, and where its name and its payload begin; of a compound's end where it ends, twice."""
    if at >= len(data):
        return BROKEN, at, at
    kind = byte(data, at)
    if kind == END:
        return kind, at + 1, at + 1
    if at + 3 > len(data):
        return BROKEN, at, at
    payload = at + 3 + short(data, at + 1)
    if payload > len(data):
        return BROKEN, at, at
    return kind, at + 3, payload


@inlined
def is_named(data: Bytes, name: Number, payload: Number, wanted: Bytes) -> bool:
    """Whether the bytes between are that name."""
    if payload - name != len(wanted):
        return False
    for place in range(len(wanted)):
        if data[np.uint64(name + place)] != wanted[place]:
            return False
    return True


@inlined
def listed(data: Bytes, at: Number) -> tuple[Number, Number]:
    """The type and the number of a list's items, which begin five bytes later; -1 for the type of what is no list."""
    if at + 5 > len(data):
        return BROKEN, 0
    kind, count = byte(data, at), integer(data, at + 1)
    if count < 0 or (count > 0 and kind == END):
        return BROKEN, 0
    return kind, count


@inlined
def _behind_array(data: Bytes, at: Number, item: Number) -> Number:
    if at + 4 > len(data):
        return -1
    count = integer(data, at)
    return at + 4 + item * count if count >= 0 else -1


@inlined
def _fixed_size(kind: Number) -> Number:
    if kind == BYTE:
        return 1
    if kind == SHORT:
        return 2
    if kind in (INT, FLOAT):
        return 4
    if kind in (LONG, DOUBLE):
        return 8
    return 0


@inlined
def _item_size(kind: Number) -> Number:
    if kind == BYTE_ARRAY:
        return 1
    if kind == INT_ARRAY:
        return 4
    if kind == LONG_ARRAY:
        return 8
    return 0


@inlined
def _behind(data: Bytes, kind: Number, at: Number) -> Number:
    """The position behind a payload without tags in it; it may be behind the end."""
    size = _fixed_size(kind)
    if size:
        return at + size
    if kind == STRING:
        return at + 2 + short(data, at) if at + 2 <= len(data) else -1
    item = _item_size(kind)
    return _behind_array(data, at, item) if item else -1


@inlined
def _enter(data: Bytes, kind: Number, at: Number, stack: Stack, depth: Number) -> Number:
    """Put a list or a compound on the stack; the position of what is in it."""
    if depth >= MAX_DEPTH:
        return -1
    if kind == COMPOUND:
        stack[np.uint64(depth)] = _A_COMPOUND
        return at
    kind, count = listed(data, at)
    if kind == BROKEN:
        return -1
    stack[np.uint64(depth)] = count << _KIND_BITS | kind & _KIND_MASK
    return at + 5 if kind <= LONG_ARRAY or not count else -1


@inlined
def _next(data: Bytes, at: Number, stack: Stack, depth: Number) -> tuple[Number, Number, Number]:
    """What comes next: its type, 0 where nothing is left, the position of its payload, and how deep it lies."""
    while depth > 0:
        top = stack[np.uint64(depth - 1)]
        if top == _A_COMPOUND:
            kind, _, at = tag(data, at)
            if kind != END:
                return kind, at, depth
            depth -= 1
        elif top >> _KIND_BITS:
            stack[np.uint64(depth - 1)] = top - (1 << _KIND_BITS)
            return top & _KIND_MASK, at, depth
        else:
            depth -= 1
    return END, at, depth


@compiled
def skip(data: Bytes, kind: Number, at: Number, stack: Stack) -> Number:
    """The position behind a payload of that type."""
    depth: Number = np.int64(0)
    while True:
        if kind in (LIST, COMPOUND):
            at = _enter(data, kind, at, stack, depth)
            depth += 1
        else:
            at = _behind(data, kind, at)
        if at < 0 or at > len(data):
            return -1
        kind, at, depth = _next(data, at, stack, depth)
        if kind == END:
            return at
