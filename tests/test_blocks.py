"""Cutting into blocks: what comes out is the buffer's bytes, and belongs to nobody else."""

from __future__ import annotations

import os

import pytest

from bbd.blocks import cut


@pytest.mark.parametrize("size", [1, 128, 4096])
@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 200])
@pytest.mark.parametrize("rest", [0, 1])
def test_whole_blocks_come_out_in_order(size: int, count: int, rest: int) -> None:
    rest = min(rest, size - 1)
    data = os.urandom(size * count + rest)
    blocks = cut(memoryview(data), size)
    assert len(blocks) == count
    assert all(type(block) is bytes and len(block) == size for block in blocks)
    assert b"".join(blocks) == data[: size * count]


def test_they_are_copies() -> None:
    buffer = bytearray(b"abcdefgh")
    blocks = cut(memoryview(buffer), 4)
    buffer[:] = bytes(8)
    assert blocks == [b"abcd", b"efgh"]
