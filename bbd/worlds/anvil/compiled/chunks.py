"""A column out of a chunk as it lies in a region file, compiled."""

from __future__ import annotations

import numpy as np

from bbd.worlds.anvil.compiled.columns import read_column
from bbd.worlds.anvil.compiled.inflating import inflate
from bbd.worlds.anvil.compiled.jit import Bytes, Indices, Number, Stack, Words, inlined, kept

SMALLEST = 1024
"""Bytes of a chunk that are worth a look; a view of all its words needs some."""


@inlined
def _unpack(function: Number, memory: Number, chunk: Bytes, content: Bytes, size: Stack) -> Number:
    if function:
        return inflate(function, memory, chunk, content, size)
    if len(chunk) > len(content):
        return -1
    content[: len(chunk)] = chunk
    return np.int64(len(chunk))


@kept
def read_chunk(
    function: Number,
    memory: Number,
    chunk: Bytes,
    content: Bytes,
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
    """See :func:`~bbd.worlds.anvil.compiled.columns.read_column`. ``chunk`` is a zlib stream, or NBT where there is no
    ``function`` that inflates; ``content`` has room for what is in it, and ``words`` is a view of that."""
    size = _unpack(function, memory, chunk, content, stack)
    if size < SMALLEST:
        return False
    return read_column(
        content[:size], words[: size - 7], known, factors, slots, width, payloads, filled, table, blocks, stack
    )
