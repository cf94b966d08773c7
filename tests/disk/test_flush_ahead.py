"""Syncing what a client is about to flush before it asks: for whom, and what becomes of failures."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from bbd.disk import committer
from bbd.disk.disk import Disk
from bbd.disk.flush_pattern import FlushPattern
from bbd.disk.journal import Journal
from bbd.disk.journal_records import Record
from tests.disk.bench_of_disks import Bench, put, read_all

SECTION = 4096


@pytest.fixture(autouse=True)
def _any_sync_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUICK_SECONDS", 1e9)


@pytest.fixture
def appended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records each append had."""
    counts: list[int] = []
    append = Journal.append

    def counting(self: Journal, records: list[Record], *, beyond_limit: bool = False) -> None:
        counts.append(len(records))
        append(self, records, beyond_limit=beyond_limit)

    monkeypatch.setattr(Journal, "append", counting)
    return counts


async def flush(disk: Disk) -> None:
    if not disk.try_flush():
        await disk.flush()


async def regular(bench: Bench, each: int = 1) -> Disk:
    """A disk whose client has twice flushed after ``each`` sections."""
    disk = bench.open()
    for start in (0, each):
        for section in range(start, start + each):
            await put(disk, section * SECTION, os.urandom(SECTION))
        await flush(disk)
    return disk


@pytest.mark.parametrize("each", [1, 3])
def test_what_will_be_flushed_is_safe_before(tmp_path: Path, appended: list[int], each: int) -> None:
    bench = Bench(tmp_path)
    data = os.urandom(each * SECTION)

    async def run() -> None:
        disk = await regular(bench, each)
        for index in range(each):
            assert not disk.foresees_flush
            offset = index * SECTION
            await put(disk, offset, data[offset : offset + SECTION])
        assert disk.foresees_flush
        before = len(appended)
        disk.flush_ahead()
        assert len(appended) == before + 1
        assert not disk.foresees_flush
        disk.flush_ahead()
        assert disk.try_flush()
        assert len(appended) == before + 1, "the flush had something to do"
        await put(disk, 0, data[:SECTION])
        assert disk.foresees_flush is (each == 1)
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, len(data)) == data
        again.release()

    asyncio.run(run())


def test_a_client_that_only_writes_costs_one_guess(tmp_path: Path, appended: list[int]) -> None:
    async def run() -> None:
        disk = await regular(Bench(tmp_path))
        before = len(appended)
        for _ in range(20):
            await put(disk, 0, os.urandom(SECTION))
            disk.flush_ahead()
        assert len(appended) == before + 1
        await flush(disk)
        await put(disk, 0, os.urandom(SECTION))
        assert not disk.foresees_flush, "it has yet to show that it flushes after each write"
        disk.release()

    asyncio.run(run())


def test_a_failure_ahead_is_the_flushs_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    append = Journal.append
    data = os.urandom(SECTION)

    def failing(self: Journal, records: list[Record], *, beyond_limit: bool = False) -> None:
        raise OSError(errno.EIO, "injected")

    async def run() -> None:
        disk = await regular(bench)
        await put(disk, 0, data)
        monkeypatch.setattr(Journal, "append", failing)
        disk.flush_ahead()
        assert not disk.try_flush()
        with pytest.raises(OSError, match="injected"):
            await disk.flush()
        monkeypatch.setattr(Journal, "append", append)
        await flush(disk)
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, SECTION) == data
        again.release()

    asyncio.run(run())


def test_nothing_is_done_while_another_batch_is_on_its_way(tmp_path: Path, appended: list[int]) -> None:
    async def run() -> None:
        disk = await regular(Bench(tmp_path))
        await put(disk, 0, os.urandom(SECTION))
        waiting = asyncio.create_task(disk.flush())
        await asyncio.sleep(0)
        before = len(appended)
        disk.flush_ahead()
        assert len(appended) == before
        await waiting
        disk.release()

    asyncio.run(run())


def test_a_disk_that_was_never_written_foresees_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        disk = Bench(tmp_path).open()
        assert not disk.foresees_flush
        disk.flush_ahead()
        disk.release()

    asyncio.run(run())


def write_and_flush(pattern: FlushPattern, sections: int) -> None:
    pattern.flush(sections)
    pattern.logged(sections)


def guess(pattern: FlushPattern, sections: int) -> None:
    pattern.guessed()
    pattern.logged(sections)


def test_the_pattern_of_few_writes() -> None:
    pattern = FlushPattern(SECTION)
    assert not pattern.expects(0)
    write_and_flush(pattern, 2)
    assert not pattern.expects(2)
    write_and_flush(pattern, 2)
    assert [count for count in range(5) if pattern.expects(count)] == [2]
    guess(pattern, 2)
    assert not pattern.expects(2), "one guess a flush"
    pattern.flush(0)
    assert pattern.expects(2), "the guess was right"
    write_and_flush(pattern, 3)
    assert not any(map(pattern.expects, range(5)))


def test_a_wrong_guess_ends_guessing_until_the_pattern_is_seen_again() -> None:
    pattern = FlushPattern(SECTION)
    for _ in range(2):
        write_and_flush(pattern, 1)
    guess(pattern, 1)
    write_and_flush(pattern, 1)
    for _ in range(2):
        assert not any(map(pattern.expects, range(5)))
        write_and_flush(pattern, 1)
    assert pattern.expects(1)
