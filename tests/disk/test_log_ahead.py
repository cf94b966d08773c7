"""Logging ahead of flushes that are to be expected: when, and what becomes of failures."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import time
from pathlib import Path

import pytest

from bbd.disk.disk import Disk
from bbd.disk.flush_pattern import FlushPattern
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


def test_without_a_flush_nothing_is_logged(bench: Bench) -> None:
    async def run() -> None:
        disk = await begin(bench, flushed=SECTION)
        for offset in range(0, FLUSHED, MIB):
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


@pytest.mark.parametrize(("since", "expected"), [(1, False), (256, False), (512, True), (16384, True), (16385, False)])
def test_the_pattern_of_flushes(since: int, expected: bool) -> None:
    pattern = FlushPattern(SECTION)
    assert pattern.threshold == sys.maxsize
    pattern.logged(since - 1)
    pattern.flush(1)
    assert (pattern.threshold == 256) is expected
    pattern.flush(0)
    assert (pattern.threshold == 256) is expected, "a flush of nothing says nothing"
    pattern.flush(3)
    assert pattern.threshold == sys.maxsize
