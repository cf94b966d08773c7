"""The disk on a dictionary world: what a client may rely on."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from bbd.disk.allocation import AllocationFile
from bbd.disk.descriptor import save_descriptor
from bbd.disk.disk import Disk
from bbd.disk.journal import Journal
from bbd.disk.journal_records import Record
from bbd.disk.opening import allocation_path
from bbd.errors import BbdError, Refused
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all
from tests.disk.dict_site import StoredSection


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_fresh_disk_reads_zeros_and_writes_nothing(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        assert await read_all(disk) == bytes(bench.size)
        await disk.flush()
        await disk.close()

    before = bench.descriptor
    asyncio.run(run())
    assert bench.descriptor == before
    assert not bench.options.journals.exists()


def test_a_clean_stop_leaves_all_in_the_world_and_no_journal(bench: Bench) -> None:
    data = os.urandom(3 * COLUMN + 777)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 1000, data)
        assert not bench.descriptor.clean
        await disk.close()
        assert bench.descriptor.clean
        again = bench.open()
        assert await read_all(again, 1000, len(data)) == data
        await again.close()

    asyncio.run(run())
    assert len(bench.site.columns) == 4
    assert not list((bench.options.journals / bench.descriptor.id).iterdir())


def test_flushed_writes_survive_a_crash_and_unflushed_ones_may_not_tear_the_rest(bench: Bench) -> None:
    first, second = os.urandom(5000), os.urandom(4096)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 100, first)
        await disk.flush()
        await put(disk, COLUMN, second)
        disk.release()
        assert not bench.site.columns
        again = bench.open()
        assert await read_all(again, 100, 5000) == first
        assert await read_all(again, COLUMN, 4096) == bytes(4096)
        await again.close()

    asyncio.run(run())
    assert set(bench.site.columns) == {0}


def test_trim_after_a_checkpoint_does_not_come_back_by_replay(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"old" * 4000)
        await disk.flush()
        await disk.checkpoint()
        await put(disk, 0, b"new" * 4000)
        await disk.flush()
        await disk.zero(0, COLUMN, may_punch=True)
        await disk.flush()
        disk.release()
        again = bench.open()
        assert await read_all(again) == bytes(bench.size)
        await again.close()
        assert not bench.site.columns

    asyncio.run(run())


def test_written_zeros_leave_the_world_and_do_not_come_back(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"x" * 4096)
        await disk.flush()
        await put(disk, 0, bytes(4096))
        await disk.checkpoint()
        assert not bench.site.columns
        disk.release()
        again = bench.open()
        assert await read_all(again) == bytes(bench.size)
        await again.close()

    asyncio.run(run())


def test_a_flush_between_snapshot_and_removal_is_not_lost(bench: Bench) -> None:
    """The zeros that a checkpoint finds count from its snapshot on, not from when they are logged."""

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"x" * 4096)
        await disk.checkpoint()
        await put(disk, 0, bytes(4096))
        checkpoint = asyncio.create_task(disk.checkpoint())
        await asyncio.sleep(0)
        await put(disk, 0, b"y" * 4096)
        await disk.flush()
        await checkpoint
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, 4096) == b"y" * 4096
        await again.close()

    asyncio.run(run())


def test_a_damaged_section_is_eio_and_its_neighbours_are_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, parity=0)
    data = os.urandom(COLUMN)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, data)
        await disk.close()
        sections = bench.site.columns[0]
        good = sections[3]
        assert good is not None
        sections[3] = StoredSection(b"!" + good.payload[1:])
        again = bench.open()
        with caplog.at_level(logging.ERROR), pytest.raises(OSError, match="section 3 of column 0, chunk 0,0") as caught:
            await again.read(3 * 4096, 1)
        assert caught.value.errno == errno.EIO
        assert await read_all(again, 0, 3 * 4096) == data[: 3 * 4096]
        with pytest.raises(OSError, match="CRC"):
            await again.write(3 * 4096 + 5, b"part")
        await again.write(3 * 4096, b"w" * 4096)
        assert await read_all(again, 3 * 4096, 4096) == b"w" * 4096
        await again.close()
        once_more = bench.open()
        assert (
            await read_all(once_more, 2 * 4096, 3 * 4096)
            == data[2 * 4096 : 3 * 4096] + b"w" * 4096 + (data[4 * 4096 : 5 * 4096])
        )
        await once_more.close()

    asyncio.run(run())


def test_edits_in_the_world_are_the_disks_where_the_policy_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path, edits="accept")

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"a" * 8192)
        await disk.close()
        old = bench.site.columns[0][0]
        assert old is not None
        bench.site.columns[0][0] = StoredSection(b"Z" + old.payload[1:])
        again = bench.open()
        assert await read_all(again, 0, 2) == b"Za"
        await again.write(4096, b"b")
        await again.close()
        last = bench.open()
        assert await read_all(last, 0, 2) == b"Za"
        assert await read_all(last, 4096, 2) == b"ba"
        await last.close()

    asyncio.run(run())


def test_a_column_that_vanished_is_damage_not_zeros(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"a" * 4096)
        await disk.close()
        del bench.site.columns[0]
        again = bench.open()
        with pytest.raises(OSError, match="gone"):
            await again.read(0, 1)
        await again.close()

    asyncio.run(run())


def test_an_unreadable_column_is_kept_and_its_unknown_bytes_stay_eio(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"a" * COLUMN)
        await disk.close()
        bench.site.unreadable.add(0)
        again = bench.open()
        await again.write(4096, b"n" * 4096)
        await again.close()
        (kept,) = (bench.world / "bbd" / "quarantine").iterdir()
        assert kept.read_bytes() == b"raw bytes"
        last = bench.open()
        assert await read_all(last, 4096, 4096) == b"n" * 4096
        with pytest.raises(OSError, match="lost before"):
            await last.read(0, 1)
        await last.close()

    asyncio.run(run())


def test_somebodys_blocks_are_not_written_over_without_force(bench: Bench) -> None:
    bench.site.columns[1] = [StoredSection(b"house" + bytes(4091)), *[None] * 19]

    async def run() -> None:
        disk = bench.open()
        with pytest.raises(PermissionError, match="--force"):
            await disk.write(COLUMN, b"x")
        await disk.write(0, b"fine")
        assert await read_all(disk, COLUMN, 16) == bytes(16)
        await disk.close()
        forced = bench.open(force=True)
        await forced.write(COLUMN, b"x")
        await forced.close()

    asyncio.run(run())


async def write_until_refused(disk: Disk, data: bytes, start: int) -> tuple[int, int | None]:
    """How far writing in sequence came, and the error number that ended it."""
    for offset in range(start, len(data), 65536):
        try:
            await put(disk, offset, data[offset : offset + 65536])
        except OSError as error:
            return offset, error.errno
    return len(data), None


def test_a_full_world_loses_nothing_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path, size=64 * COLUMN, cache=1 << 20)
    data = os.urandom(bench.size)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, data[:4096])
        bench.site.fail_writes = errno.ENOSPC
        written, failure = await write_until_refused(disk, data, 4096)
        assert failure == errno.ENOSPC
        await disk.flush()
        assert await read_all(disk, 0, written) == data[:written]
        bench.site.fail_writes = None
        await put(disk, written, data[written:])
        await disk.close()
        again = bench.open()
        assert await read_all(again) == data
        await again.close()

    asyncio.run(run())


def test_a_flush_goes_into_the_world_where_the_journal_finds_no_room(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal may lie on another, smaller file system than the world."""

    def full(self: Journal, records: Sequence[Record], *, beyond_limit: bool = False) -> None:
        if records:
            raise OSError(errno.ENOSPC, "No space left on device")

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"k" * 9000)
        monkeypatch.setattr(Journal, "append", full)
        await disk.flush()
        disk.release()
        monkeypatch.undo()
        again = bench.open()
        assert await read_all(again, 0, 9000) == b"k" * 9000
        await again.close()

    asyncio.run(run())


def test_a_clean_stop_into_a_full_world_keeps_what_is_left_in_the_journal(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"k" * 9000)
        bench.site.fail_writes = errno.ENOSPC
        with pytest.raises(OSError, match="injected"):
            await disk.close()
        bench.site.fail_writes = None
        again = bench.open()
        assert await read_all(again, 0, 9000) == b"k" * 9000
        await again.close()

    asyncio.run(run())
    assert bench.descriptor.clean


def test_a_journal_that_is_missing_is_refused_in_words(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"k" * 9000)
        await disk.flush()
        disk.release()

    asyncio.run(run())
    folder = bench.options.journals / bench.descriptor.id
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(Refused, match="--journal"):
        bench.open()
    bench.open(force=True).release()


def test_an_older_copy_of_the_world_is_refused(bench: Bench) -> None:
    older = bench.descriptor

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"k" * 9000)
        await disk.flush()
        disk.release()

    asyncio.run(run())
    save_descriptor(bench.files, bench.world / "bbd" / "disk.json", older)
    with pytest.raises(Refused, match="older copy"):
        bench.open()
    bench.open(force=True).release()
    assert [path.name for path in (bench.options.journals / older.id).iterdir() if ".aside-" in path.name]


def test_a_lost_or_damaged_allocation_map_is_built_from_the_world(bench: Bench) -> None:
    path = allocation_path(bench.world, "disk")

    async def run() -> None:
        disk = bench.open()
        await put(disk, 5 * COLUMN, b"k" * 9000)
        await disk.close()
        for damage in (path.unlink, lambda: path.write_bytes(path.read_bytes()[:5000] + b"!" * 20)):
            damage()
            again = bench.open()
            assert await read_all(again, 5 * COLUMN, 9000) == b"k" * 9000
            await again.close()

    asyncio.run(run())


def test_a_strange_allocation_map_is_refused(bench: Bench) -> None:
    allocation_path(bench.world, "disk").write_bytes(b"something else" * 1000)
    with pytest.raises(BbdError, match="not the allocation map of this disk"):
        bench.open()


def test_a_read_only_disk_shows_the_journal_and_writes_nothing(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"k" * 9000)
        await disk.flush()
        disk.release()
        reader = bench.open(read_only=True)
        assert await read_all(reader, 0, 9000) == b"k" * 9000
        with pytest.raises(PermissionError):
            await reader.write(0, b"x")
        await reader.close()

    asyncio.run(run())
    assert not bench.descriptor.clean
    assert not bench.site.columns


def test_clearing_a_huge_disk_is_done_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, size=1 << 50)

    async def run() -> None:
        disk = bench.open()
        for offset in range(0, 1 << 50, 1 << 46):
            await put(disk, offset, b"there")
        await disk.zero(0, bench.size, may_punch=True)
        assert await read_all(disk, 1 << 46, 5) == bytes(5)
        await disk.close()

    asyncio.run(run())
    assert not bench.site.columns


def test_a_partial_write_into_a_column_in_a_running_checkpoint_keeps_both(bench: Bench) -> None:
    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"a" * COLUMN)
        checkpoint = asyncio.create_task(disk.checkpoint())
        await asyncio.sleep(0.005)
        await put(disk, 10, b"b" * 10)
        await disk.zero(8192, 4096, may_punch=True)
        await checkpoint
        await disk.close()
        again = bench.open()
        expected = bytearray(b"a" * COLUMN)
        expected[10:20] = b"b" * 10
        expected[8192:12288] = bytes(4096)
        assert await read_all(again, 0, COLUMN) == bytes(expected)
        await again.close()

    asyncio.run(run())


def test_a_stop_waits_for_a_checkpoint_that_only_clears(bench: Bench) -> None:
    """Until the last column has left the world and the map, the journal must be there to say that it is zeros."""

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"x" * 4096)
        await disk.checkpoint()
        await disk.zero(0, COLUMN, may_punch=True)
        bench.site.gate.clear()
        running = asyncio.create_task(disk.checkpoint())
        await asyncio.to_thread(bench.site.waiting.wait, 10)
        closing = asyncio.create_task(disk.close())
        await asyncio.sleep(0.05)
        assert not bench.descriptor.clean
        bench.site.gate.set()
        await running
        await closing
        assert bench.descriptor.clean

    asyncio.run(run())


def test_what_is_cleared_while_a_checkpoint_begins_is_journaled_before_it_goes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotating, go = threading.Event(), threading.Event()
    real_rotate = Journal.rotate

    def slow_rotate(journal: Journal) -> int:
        rotating.set()
        go.wait(10)
        return real_rotate(journal)

    def power_cut(*_: object) -> None:
        raise OSError(errno.EIO, "the power went between world and map")

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"x" * 4096)
        await disk.checkpoint()
        await put(disk, COLUMN, b"y" * 4096)
        monkeypatch.setattr(Journal, "rotate", slow_rotate)
        monkeypatch.setattr(AllocationFile, "update", power_cut)
        checkpoint = asyncio.create_task(disk.checkpoint())
        await asyncio.to_thread(rotating.wait, 10)
        await disk.zero(0, COLUMN, may_punch=True)
        go.set()
        with pytest.raises(OSError, match="power"):
            await checkpoint
        disk.release()
        monkeypatch.undo()
        again = bench.open()
        assert await read_all(again, 0, COLUMN) in {bytes(COLUMN), b"x" * 4096 + bytes(COLUMN - 4096)}
        await again.close()

    asyncio.run(run())


@pytest.mark.timeout(30)
def test_a_checkpoint_that_is_just_over_is_not_waited_for_again(bench: Bench) -> None:
    """Between the end of its task and that task's callbacks there is a moment in which somebody may look."""

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"x" * 4096)
        assert disk._write_side
        task = disk._write_side.checkpointer.begin()
        while not task.done():  # noqa: ASYNC110 - the moment to hit is the very next one
            await asyncio.sleep(0)
        await disk.checkpoint()
        await disk.close()

    asyncio.run(run())
