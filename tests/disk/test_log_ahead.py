"""Logging ahead of flushes that are to be expected: when, and what becomes of failures."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path

import pytest

from bbd.disk.disk import Disk
from bbd.disk.flush_pattern import UNASKED_AHEAD_BYTES, UNASKED_BYTES, FlushPattern
from bbd.disk.journal import Journal
from bbd.disk.journal_records import DataRecord, Record
from bbd.disk.journal_recovery import recover
from tests.disk.bench_of_disks import COLUMN, Bench, pieces, put, read_all

SECTION = 4096
MIB = 1 << 20
FLUSHED = 4 * MIB


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, size=128 * COLUMN, cache=64 << 20)


def journaled(bench: Bench) -> int:
    """How many sections the journal holds."""
    found = recover(bench.files, bench.options.journals / bench.descriptor.id, bench.descriptor.uuid_bytes, SECTION)
    return sum(len(record.sections) for record in found.records if isinstance(record, DataRecord))


async def begin(bench: Bench, *, flushed: int) -> Disk:
    """A disk of which a client has written and flushed so many bytes."""
    disk = bench.open()
    await put(disk, 0, os.urandom(flushed))
    if not disk.try_flush():
        await disk.flush()
    return disk


def write(disk: Disk, offset: int, data: bytes) -> None:
    assert disk.try_write_pieces(offset, pieces(disk, offset, data))


async def until_journaled(bench: Bench, sections: int) -> None:
    deadline = time.monotonic() + 20
    while journaled(bench) < sections:
        assert time.monotonic() < deadline, f"the journal holds {journaled(bench)} sections, not {sections}"
        await asyncio.sleep(0.01)


def test_what_will_be_flushed_is_in_the_journal_before(bench: Bench) -> None:
    data = os.urandom(2 * MIB)

    async def run() -> None:
        disk = await begin(bench, flushed=FLUSHED)
        before = journaled(bench)
        write(disk, FLUSHED, data)
        await until_journaled(bench, before + len(data) // SECTION)
        disk.release()
        again = bench.open()
        assert await read_all(again, FLUSHED, len(data)) == data
        again.release()

    asyncio.run(run())


def test_of_a_client_that_flushes_little_no_little_is_logged(bench: Bench) -> None:
    async def run() -> None:
        disk = await begin(bench, flushed=SECTION)
        for offset in range(0, UNASKED_AHEAD_BYTES - MIB, MIB):
            write(disk, offset, os.urandom(MIB))
            await asyncio.sleep(0.02)
        assert journaled(bench) == 1
        disk.release()

    asyncio.run(run())


def test_a_failure_ahead_is_the_flushs_to_mend(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Journal.append
    tried = asyncio.Event()
    data = os.urandom(2 * MIB)

    def failing(self: Journal, records: list[Record], *, beyond_limit: bool = False) -> None:
        tried.set()
        raise OSError(errno.EIO, "injected")

    async def run() -> None:
        disk = await begin(bench, flushed=FLUSHED)
        monkeypatch.setattr(Journal, "append", failing)
        write(disk, FLUSHED, data)
        await asyncio.wait_for(tried.wait(), 20)
        await asyncio.sleep(0.05)
        with pytest.raises(OSError, match="injected"):
            await disk.flush()
        monkeypatch.setattr(Journal, "append", append)
        await disk.flush()
        disk.release()
        again = bench.open()
        assert await read_all(again, FLUSHED, len(data)) == data
        again.release()

    asyncio.run(run())


def test_a_copy_is_logged_before_its_flush(bench: Bench) -> None:
    data = os.urandom(UNASKED_AHEAD_BYTES)

    async def run() -> None:
        disk = await begin(bench, flushed=SECTION)
        for offset in range(0, len(data), MIB):
            write(disk, offset, data[offset : offset + MIB])
        await until_journaled(bench, len(data) // SECTION)
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, len(data)) == data
        again.release()

    asyncio.run(run())


def test_who_writes_the_same_again_and_again_is_not_believed(bench: Bench) -> None:
    size = UNASKED_AHEAD_BYTES

    async def run() -> None:
        disk = await begin(bench, flushed=SECTION)
        first = os.urandom(size)
        for data in (first, os.urandom(size), os.urandom(size)):
            for offset in range(0, size, MIB):
                write(disk, offset, data[offset : offset + MIB])
            if data is first:
                await until_journaled(bench, size // SECTION)
            await asyncio.sleep(0.05)
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, size) == first, "what nobody had flushed was logged twice"
        again.release()

    asyncio.run(run())


@pytest.mark.parametrize(("since", "often"), [(1, False), (256, False), (512, True), (16384, True), (16385, False)])
def test_the_pattern_of_flushes(since: int, often: bool) -> None:
    pattern = FlushPattern(SECTION)
    assert not pattern.is_worth_logging(256, 256)
    pattern.logged(since - 1)
    pattern.flush(1)
    pattern.logged(1)
    assert not pattern.is_worth_logging(255, 256)
    assert pattern.is_worth_logging(256, 256) is often
    pattern.flush(0)
    assert pattern.is_worth_logging(256, 256) is often, "a flush of nothing says nothing"
    pattern.flush(3)
    assert not pattern.is_worth_logging(256, 256)


def test_without_a_pattern_more_must_wait() -> None:
    least, most = UNASKED_AHEAD_BYTES // SECTION, UNASKED_BYTES // SECTION
    pattern = FlushPattern(SECTION)
    for logged in range(0, most, least):
        assert not pattern.is_worth_logging(least - 1, logged + least)
        assert pattern.is_worth_logging(least, logged + least)
        pattern.logged(least)
    assert not pattern.is_worth_logging(least, most + least), "who never flushes writes twice, but not for ever"
    pattern.flush(least)
    pattern.logged(least)
    assert pattern.is_worth_logging(least, least)


def test_what_is_written_again_is_no_copy() -> None:
    least = UNASKED_AHEAD_BYTES // SECTION
    pattern = FlushPattern(SECTION)
    pattern.logged(least)
    assert not pattern.is_worth_logging(least, least + 1)
    assert not pattern.is_worth_logging(least, 4 * least), "not before it flushes"
    pattern.flush(least)
    pattern.logged(least)
    assert pattern.is_worth_logging(least, least)
    pattern.give_up()
    assert not pattern.is_worth_logging(least, least)
