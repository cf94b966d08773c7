"""Writes of whole sections: in one piece or cut, they are the same to the disk."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from bbd.disk import holdings as holdings_module
from bbd.disk.disk import Disk
from bbd.worlds.world import read_column
from tests.disk.bench_of_disks import COLUMN, Bench, pieces, put, read_all

BLOCK = COLUMN // 16


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def begin(bench: Bench) -> Disk:
    """A disk whose first columns take writes at once."""
    disk = bench.open()
    await disk.write(0, bytes(4 * COLUMN))
    return disk


@pytest.mark.parametrize("first", [0, 3, 15, 16])
@pytest.mark.parametrize("count", [1, 2, 16, 30])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_pieces_are_taken_as_one_view_is(bench: Bench, first: int, count: int, in_pieces: bool) -> None:
    data = os.urandom(count * BLOCK)
    expected = (bytes(first * BLOCK) + data).ljust(4 * COLUMN, b"\0")

    async def run() -> None:
        disk = await begin(bench)
        if in_pieces:
            assert disk.try_write_pieces(first * BLOCK, pieces(disk, first * BLOCK, data))
        else:
            assert disk.try_write(first * BLOCK, memoryview(data))
        assert await read_all(disk, 0, 4 * COLUMN) == expected
        await disk.close()
        again = bench.open()
        assert await read_all(again, 0, 4 * COLUMN) == expected
        again.release()

    asyncio.run(run())


def test_pieces_over_what_is_cached_and_dirty(bench: Bench) -> None:
    async def run() -> None:
        disk = await begin(bench)
        old, new = os.urandom(2 * COLUMN), os.urandom(20 * BLOCK)
        await put(disk, 0, old)
        await disk.checkpoint()
        await put(disk, 9 * BLOCK, b"x" * BLOCK)
        assert disk.try_write_pieces(7 * BLOCK, pieces(disk, 7 * BLOCK, new))
        expected = old[: 7 * BLOCK] + new + old[27 * BLOCK :]
        assert await read_all(disk, 0, 2 * COLUMN) == expected
        await disk.flush()
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, 2 * COLUMN) == expected
        await again.close()

    asyncio.run(run())


def test_zeros_take_no_room_in_the_world(bench: Bench) -> None:
    data = bytes(BLOCK) + b"x" * BLOCK + bytes(COLUMN - 2 * BLOCK)

    async def run() -> None:
        disk = await begin(bench)
        await put(disk, 0, data + bytes(COLUMN))
        await disk.checkpoint()
        assert disk.allocated == [0]
        stored = read_column(bench.site, 0)
        assert stored is not None
        assert [index for index in range(16) if stored.payloads[index] is not None] == [1]
        await put(disk, 0, bytes(2 * BLOCK))
        await disk.checkpoint()
        assert disk.allocated == []
        assert await read_all(disk, 0, 2 * COLUMN) == bytes(2 * COLUMN)
        await disk.close()

    asyncio.run(run())


def test_pieces_that_can_not_be_taken_change_nothing(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        block = b"x" * BLOCK
        assert not disk.try_write_pieces(0, [memoryview(block)]), "nobody has looked yet who stands there"
        assert await read_all(disk, 0, COLUMN) == bytes(COLUMN)
        await disk.write(0, block)
        assert disk.try_write_pieces(0, [memoryview(block)])
        disk.release()

    asyncio.run(run())


def test_long_reads_of_what_is_cached_dirty_and_zero(bench: Bench) -> None:
    async def run() -> None:
        disk = await begin(bench)
        cached, dirty = os.urandom(COLUMN), os.urandom(COLUMN)
        await put(disk, 0, cached)
        await disk.checkpoint()
        await put(disk, COLUMN, dirty)
        whole = cached + dirty + bytes(COLUMN)
        for start in range(0, 3 * COLUMN, 5 * BLOCK + 7):
            for end in range(start + 1, 3 * COLUMN, 7 * BLOCK - 1):
                found = disk.try_read(start, end - start)
                assert found is not None
                assert b"".join(found) == whole[start:end]
        disk.release()

    asyncio.run(run())


def test_what_was_read_last_is_dropped_last(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings_module, "_ROOMY", 0)  # as when memory is nearly full

    async def run() -> None:
        disk = await begin(bench)
        await put(disk, 0, os.urandom(4 * COLUMN))
        await disk.checkpoint()
        assert disk.try_read(COLUMN, COLUMN) is not None
        assert disk.try_read(BLOCK, BLOCK) is not None
        assert list(disk._memory._held.clean)[-2:] == [1, 0]
        disk.release()

    asyncio.run(run())
