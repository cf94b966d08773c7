"""Flushes that bring mostly new columns straight into the world, and how they are ordered against the journal."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path

import pytest

from bbd.disk import committer
from bbd.disk.allocation import AllocationFile
from bbd.disk.disk import Disk
from bbd.disk.journal_records import DataRecord
from bbd.disk.journal_recovery import recover
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all

SECTION = 4096
COLUMNS = 12
OVERWORLD, NETHER = "minecraft:overworld", "minecraft:the_nether"


@pytest.fixture(autouse=True)
def _no_bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "BURST_SHARE", 0)
    monkeypatch.setattr(committer, "FULL_SHARE", 0)


@pytest.fixture(params=[OVERWORLD, NETHER])
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    dimension = request.param
    return Bench(tmp_path, 16 * COLUMN, parity=2 if dimension == OVERWORLD else 0, dimension=dimension, cache=8 << 20)


def journaled(bench: Bench) -> set[int]:
    """The columns whose bytes the journal holds."""
    found = recover(bench.files, bench.options.journals / bench.descriptor.id, bench.descriptor.uuid_bytes, SECTION)
    return {record.column for record in found.records if isinstance(record, DataRecord) and record.sections}


async def crash(bench: Bench, disk: Disk) -> bytes:
    """What the next process reads after this one was killed."""
    disk.release()
    again = bench.open()
    found = await read_all(again)
    again.release()
    return found


async def blocked(bench: Bench, disk: Disk, start: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
    """A call that waits because the site does not finish a write."""
    bench.site.gate.clear()
    task = asyncio.create_task(start())
    assert await asyncio.to_thread(bench.site.waiting.wait, 20)
    assert not task.done()
    return task


def test_mostly_new_columns_are_in_the_world_and_not_in_the_journal(bench: Bench) -> None:
    data = os.urandom(COLUMNS * COLUMN)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, data)
        await put(disk, 13 * COLUMN, b"little" * 1000)
        await disk.flush()
        assert set(bench.site.columns) == set(range(COLUMNS))
        assert journaled(bench) == {13}
        found = await crash(bench, disk)
        assert found[: len(data)] == data
        assert found[13 * COLUMN :][:6000] == b"little" * 1000

    asyncio.run(run())


def test_a_burst_goes_into_the_journal_and_what_comes_on_into_the_world(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "BURST_SHARE", 0.2)
    data = os.urandom(COLUMNS * COLUMN)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, data)
        await disk.flush()
        assert not bench.site.columns
        assert journaled(bench) == set(range(COLUMNS))
        for _ in range(50):  # MiB, nearly: more than that share of a journal of 128
            await put(disk, 0, data[::-1])
            await disk.flush()
        assert set(bench.site.columns) == set(range(COLUMNS))
        found = await crash(bench, disk)
        assert found[: len(data)] == data[::-1]

    asyncio.run(run())


def test_what_is_written_over_and_over_goes_into_the_journal_until_that_is_full(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "FULL_SHARE", 0.2)
    data = os.urandom(COLUMNS * COLUMN)

    async def run() -> None:
        disk = bench.open()
        for _ in range(18):  # 14 MiB in one segment, 18 times what is dirty
            await put(disk, 0, data)
            await disk.flush()
        assert not bench.site.columns
        for _ in range(25):
            await put(disk, 0, data[::-1])
            await disk.flush()
        assert set(bench.site.columns) == set(range(COLUMNS))
        found = await crash(bench, disk)
        assert found[: len(data)] == data[::-1]

    asyncio.run(run())


def test_a_flush_of_little_goes_into_the_journal(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, os.urandom(4 * COLUMN))
        for column in range(4, 16):
            await put(disk, column * COLUMN, os.urandom(11 * SECTION))
        await disk.flush()
        assert not bench.site.columns
        assert journaled(bench) == set(range(16))
        disk.release()

    asyncio.run(run())


def test_what_the_world_has_of_a_column_stays(bench: Bench) -> None:
    """Columns that are not dirty all over are merged with what stands, as in any checkpoint."""
    data = bytearray(os.urandom(COLUMNS * COLUMN))

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, bytes(data))
        await disk.checkpoint()
        for column in range(COLUMNS):
            data[column * COLUMN : column * COLUMN + 13 * SECTION] = os.urandom(13 * SECTION)
            await put(disk, column * COLUMN, bytes(data[column * COLUMN :][: 13 * SECTION]))
        await disk.flush()
        assert not journaled(bench)
        assert (await crash(bench, disk))[: len(data)] == data

    asyncio.run(run())


def test_replay_does_not_undo_it(bench: Bench) -> None:
    """The journal holds older bytes of these columns, an older range of zeros, and newer bytes of one of them."""
    data = bytearray(os.urandom(COLUMNS * COLUMN))

    async def run() -> None:
        disk = bench.open()
        for column in range(COLUMNS):
            await put(disk, column * COLUMN + 100, b"older" * 1000)
        await disk.flush()
        await disk.zero(0, 4 * COLUMN, may_punch=True)
        await disk.flush()
        await put(disk, 0, bytes(data))
        await disk.flush()
        assert set(bench.site.columns) == set(range(COLUMNS))
        data[5 * COLUMN : 5 * COLUMN + 5] = b"newer"
        await put(disk, 5 * COLUMN, b"newer")
        await disk.flush()
        assert (await crash(bench, disk))[: len(data)] == data

    asyncio.run(run())


def test_zeros_that_were_not_flushed_before_do_not_come_after(bench: Bench) -> None:
    """A TRIM and the write that follows it are made safe by the same flush, one in the journal, one in the world."""
    data = os.urandom(COLUMNS * COLUMN)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, os.urandom(16 * COLUMN))
        await disk.checkpoint()
        await disk.zero(0, 14 * COLUMN, may_punch=True)
        await put(disk, 0, data)
        await disk.flush()
        found = await crash(bench, disk)
        assert found[: len(data)] == data
        assert found[len(data) : 14 * COLUMN] == bytes(2 * COLUMN)
        assert any(found[14 * COLUMN :])

    asyncio.run(run())


def test_writes_and_trims_meanwhile_come_after(bench: Bench) -> None:
    data = bytearray(os.urandom(COLUMNS * COLUMN))

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, bytes(data))
        first = await blocked(bench, disk, disk.flush)
        data[SECTION : 2 * SECTION] = os.urandom(SECTION)
        await put(disk, SECTION, bytes(data[SECTION : 2 * SECTION]))
        data[COLUMN : 2 * COLUMN] = bytes(COLUMN)
        await disk.zero(COLUMN, COLUMN, may_punch=True)
        assert await read_all(disk, 0, len(data)) == data
        second = asyncio.create_task(disk.flush())
        await asyncio.sleep(0.01)
        assert not second.done()
        bench.site.gate.set()
        await asyncio.gather(first, second)
        assert await read_all(disk, 0, len(data)) == data
        assert (await crash(bench, disk))[: len(data)] == data

    asyncio.run(run())


def test_a_flush_of_nothing_new_waits_for_the_one_under_way(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, os.urandom(COLUMNS * COLUMN))
        first = await blocked(bench, disk, disk.flush)
        second = asyncio.create_task(disk.flush())
        await asyncio.sleep(0.01)
        assert not second.done()
        bench.site.gate.set()
        await asyncio.gather(first, second)
        disk.release()

    asyncio.run(run())


def test_a_checkpoint_under_way_keeps_the_world_to_itself(bench: Bench) -> None:
    """A flush then goes into the journal, all of it, and does not wait for the checkpoint."""
    data = os.urandom(COLUMNS * COLUMN)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"x")
        checkpoint = await blocked(bench, disk, disk.checkpoint)
        await put(disk, 0, data)
        await asyncio.wait_for(disk.flush(), 20)
        assert journaled(bench) == set(range(COLUMNS))
        bench.site.gate.set()
        await checkpoint
        assert (await crash(bench, disk))[: len(data)] == data

    asyncio.run(run())


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_world_that_takes_nothing_leaves_all_to_the_journal(bench: Bench, error: int) -> None:
    data = os.urandom(COLUMNS * COLUMN)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, data)
        bench.site.fail_writes = error
        await disk.flush()
        assert not bench.site.columns
        assert journaled(bench) == set(range(COLUMNS))
        assert await read_all(disk, 0, len(data)) == data
        bench.site.fail_writes = None
        assert (await crash(bench, disk))[: len(data)] == data

    asyncio.run(run())


@pytest.mark.parametrize("times", [1, 2])
def test_a_map_that_fails_after_the_columns_leaves_all_to_the_journal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    data = os.urandom(COLUMNS * COLUMN)
    update, left = AllocationFile.update, [errno.EIO] * times

    def failing(self: AllocationFile, allocate: Iterable[int], free: Iterable[int]) -> None:
        if left:
            raise OSError(left.pop(), "injected")
        update(self, allocate, free)

    monkeypatch.setattr(AllocationFile, "update", failing)

    async def run() -> None:
        disk = bench.open()
        for _ in range(times):
            await put(disk, 0, data)
            await disk.flush()
        assert journaled(bench) == set(range(COLUMNS))
        assert (await crash(bench, disk))[: len(data)] == data

    asyncio.run(run())


def test_columns_that_left_the_world_before_the_map_failed_are_zeros(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their chunks are gone, but the map still names them: without more ado that would be damage."""
    update, left = AllocationFile.update, [errno.EIO]

    def failing(self: AllocationFile, allocate: Iterable[int], free: Iterable[int]) -> None:
        if left and set(free):
            raise OSError(left.pop(), "injected")
        update(self, allocate, free)

    monkeypatch.setattr(AllocationFile, "update", failing)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 3 * SECTION, b"x" * SECTION)
        await disk.checkpoint()
        if bench.dimension == NETHER:
            await put(disk, 0, bytes(COLUMN))
        await put(disk, 3 * SECTION, bytes(SECTION))
        with pytest.raises(OSError, match="injected"):
            await disk.checkpoint()
        assert await read_all(disk) == bytes(disk.size)
        await disk.checkpoint()
        assert await read_all(disk) == bytes(disk.size)
        assert not bench.site.columns
        assert await crash(bench, disk) == bytes(bench.size)

    asyncio.run(run())
