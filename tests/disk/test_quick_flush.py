"""Flushes that are done on the spot, because the last sync was quick and there is little to do."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from bbd.disk import committer
from bbd.disk.disk import Disk
from bbd.disk.journal import Journal
from bbd.disk.journal_records import Record
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all

FIRST, SECOND = os.urandom(4096), os.urandom(4096)


@pytest.fixture(autouse=True)
def _any_sync_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUICK_SECONDS", 1e9)


async def warm(bench: Bench) -> Disk:
    """A disk that has written and flushed once, as all must before it is known how long a sync takes."""
    disk = bench.open()
    assert disk.try_flush(), "there is nothing to do yet"
    await put(disk, 0, FIRST)
    assert not disk.try_flush()
    await disk.flush()
    assert disk.try_flush()
    return disk


def test_what_was_flushed_on_the_spot_survives(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def run() -> None:
        disk = await warm(bench)
        await put(disk, 8192, SECOND)
        await disk.zero(0, 4096, may_punch=True)
        assert disk.try_flush()
        await put(disk, 4096, SECOND)
        disk.release()
        again = bench.open()
        expected = bytes(8192) + SECOND
        assert (await read_all(again)) == expected.ljust(bench.size, b"\0")
        again.release()

    asyncio.run(run())


def test_much_is_left_to_a_thread(tmp_path: Path) -> None:
    bench = Bench(tmp_path, cache=16 << 20)

    async def run() -> None:
        disk = await warm(bench)
        await put(disk, 0, os.urandom(3 * COLUMN))
        assert not disk.try_flush()
        await disk.flush()
        assert disk.try_flush()
        disk.release()

    asyncio.run(run())


def test_a_failure_is_left_to_the_flush_that_can_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    append = Journal.append

    def failing(self: Journal, records: list[Record], *, beyond_limit: bool = False) -> None:
        raise OSError(errno.EIO, "injected")

    async def run() -> None:
        disk = await warm(bench)
        await put(disk, 4096, SECOND)
        monkeypatch.setattr(Journal, "append", failing)
        assert not disk.try_flush()
        with pytest.raises(OSError, match="injected"):
            await disk.flush()
        monkeypatch.setattr(Journal, "append", append)
        await disk.flush()
        disk.release()
        again = bench.open()
        assert (await read_all(again)) == (FIRST + SECOND).ljust(bench.size, b"\0")
        again.release()

    asyncio.run(run())


def test_nothing_overtakes_a_flush_that_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path)

    async def run() -> None:
        disk = await warm(bench)
        await put(disk, 4096, SECOND)
        waiting = asyncio.create_task(disk.flush())
        await asyncio.sleep(0)
        assert not disk.try_flush()
        await waiting
        assert disk.try_flush()
        disk.release()

    asyncio.run(run())
