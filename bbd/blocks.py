"""Buffers for blocks, and cutting them."""

from __future__ import annotations

import ctypes
import functools
import struct
from collections.abc import Sequence
from typing import Final

import numpy as np

BLOCK: Final = 4096
"""Bytes of which offsets, lengths and addresses must be multiples where the kernel is to write past its page cache:
enough for every common file system."""
_AT_ONCE: Final = 64


def fresh(size: int) -> memoryview:
    """A buffer of ``size`` bytes with anything in it: clearing it first would cost as much as half a copy. One that has
    whole blocks begins with one."""
    if size % BLOCK:
        return np.empty(size, np.uint8).data
    room = np.empty(size + BLOCK, np.uint8)
    start = -ctypes.addressof(ctypes.c_char.from_buffer(room.data)) % BLOCK
    return room[start : start + size].data


def is_aligned(data: memoryview) -> bool:
    """Whether bytes begin at a block in memory."""
    if data.readonly:  # which ctypes refuses, though it is the quicker one
        address: int = np.frombuffer(data, np.uint8).__array_interface__["data"][0]
    else:
        address = ctypes.addressof(ctypes.c_char.from_buffer(data))
    return address % BLOCK == 0


def cut(data: memoryview, size: int) -> list[bytes]:
    """The whole blocks of ``size`` bytes that ``data`` begins with, copied.

    One call of ``struct`` for many blocks takes half the time of a slice for each.
    """
    count = len(data) // size
    blocks: list[bytes] = []
    for first in range(0, count, _AT_ONCE):
        cutter = _cutters(size)[min(_AT_ONCE, count - first)]
        blocks += cutter.unpack_from(data, first * size)
    return blocks


@functools.cache
def _cutters(size: int) -> Sequence[struct.Struct]:
    """What cuts 0, 1, 2 … blocks of ``size`` bytes."""
    return [struct.Struct(f"{size}s" * count) for count in range(_AT_ONCE + 1)]
