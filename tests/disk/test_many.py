"""Many requests of one length at once: the same to the disk as one by one, as far as they are at hand."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from bbd.disk.disk import Disk
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all

BLOCK = COLUMN // 16
SIZE = 4 * COLUMN


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def begin(bench: Bench, data: bytes = bytes(SIZE)) -> Disk:
    """A disk whose first columns are in memory and take writes at once."""
    disk = bench.open()
    await disk.write(0, data)
    return disk


def write(disk: Disk, offsets: Sequence[int], payloads: Sequence[bytes]) -> int:
    return disk.try_writes(offsets, [memoryview(payload) for payload in payloads])


@pytest.mark.parametrize("length", [BLOCK, 2 * BLOCK, 100, BLOCK + 1])
@pytest.mark.parametrize("step", [BLOCK, BLOCK // 2, 1])
def test_what_was_written_is_read(bench: Bench, length: int, step: int) -> None:
    async def run() -> None:
        content = bytearray(os.urandom(SIZE))
        disk = await begin(bench, bytes(content))
        chance = random.Random(length * step)
        for turn in range(6):
            offsets = [chance.randrange((SIZE - length) // step) * step for _ in range(40)]
            payloads = [os.urandom(length) for _ in offsets]
            assert write(disk, offsets, payloads) == len(offsets)
            for offset, payload in zip(offsets, payloads, strict=True):
                content[offset : offset + length] = payload
            found = disk.try_reads(offsets, length)
            expected = [bytes(content[offset : offset + length]) for offset in offsets]
            assert [b"".join(parts) for parts in found] == expected
            await (disk.flush() if turn % 2 else disk.checkpoint())
        assert await read_all(disk, 0, SIZE) == bytes(content)
        await disk.flush()
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, SIZE) == bytes(content)
        await again.close()

    asyncio.run(run())


@pytest.mark.parametrize("length", [BLOCK, 2 * BLOCK])
def test_reads_end_before_what_memory_lacks(bench: Bench, length: int) -> None:
    async def run() -> None:
        data = os.urandom(SIZE)
        disk = await begin(bench, data)
        await disk.close()
        again = bench.open()
        await again.read(0, length)
        found = again.try_reads([0, 0, 3 * COLUMN, 0], length)
        assert [b"".join(parts) for parts in found] == [data[:length]] * 2
        again.release()

    asyncio.run(run())


def test_writes_end_before_what_is_not_taken(bench: Bench) -> None:
    async def run() -> None:
        data = os.urandom(SIZE)
        await (await begin(bench, data)).close()
        disk = bench.open()
        await disk.write(0, b"x" * BLOCK)
        assert write(disk, [0, 100, 2 * COLUMN + 100, 0], [b"y" * 50] * 4) == 2, "the bytes around it must be read"
        assert await read_all(disk, 0, SIZE) == b"y" * 50 + b"x" * 50 + b"y" * 50 + b"x" * (BLOCK - 150) + data[BLOCK:]
        disk.release()

    asyncio.run(run())


def test_nothing_is_taken_before_the_journal_stands(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        assert write(disk, [0, BLOCK], [b"x" * BLOCK] * 2) == 0
        disk.release()

    asyncio.run(run())


def test_a_reply_keeps_what_it_read(bench: Bench) -> None:
    """As one by one: what others were given never changes."""

    async def run() -> None:
        old = os.urandom(SIZE)
        disk = await begin(bench)
        await put(disk, 0, old)
        offsets = [index * BLOCK for index in range(64)]
        found = disk.try_reads(offsets, BLOCK)
        assert write(disk, offsets, [b"new!" * (BLOCK // 4)] * 64) == 64
        assert b"".join(part for parts in found for part in parts) == old
        assert await read_all(disk, 0, SIZE) == b"new!" * (SIZE // 4)
        disk.release()

    asyncio.run(run())


def test_the_last_of_two_writes_to_one_place_counts(bench: Bench) -> None:
    async def run() -> None:
        disk = await begin(bench)
        assert write(disk, [BLOCK] * 3, [bytes([turn]) * BLOCK for turn in range(3)]) == 3
        assert await read_all(disk, BLOCK, BLOCK) == bytes([2]) * BLOCK
        disk.release()

    asyncio.run(run())
