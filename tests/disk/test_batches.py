"""Many columns a call: the same as one by one, whatever is wrong with some of them."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.disk import columns as columns_module
from bbd.disk.column_reader import ColumnReader
from bbd.disk.disk import Disk
from bbd.disk.identity import Identity
from bbd.disk.loaded_column import LoadedColumn
from bbd.worlds.world import ColumnWrite, Reading
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all
from tests.disk.damage import Hit, strike
from tests.disk.dict_site import DictSite, StoredSection

SIZE = 4096
COUNT = 12
SOME = frozenset(range(100, 400))
HARM = ["none", "none", "none", "hole", "two holes", "legal", "parity", "check", "unreadable", "gone", "foreign", "air"]


class WatchedSite(DictSite):
    """Counts what readers ask for, and lets a test hold them, or take the world away from them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[int]] = []
        self.failing: set[int] = set()
        self.may_return = threading.Event()
        self.may_return.set()
        self.holding = threading.Event()

    @property
    def columns_read(self) -> list[int]:
        return [column for call in self.calls for column in call]

    def read(self, columns: Sequence[int]) -> list[Reading]:
        if not threading.current_thread().name.startswith("bbd-read"):
            return super().read(columns)
        self.calls.append(list(columns))
        if self.failing.intersection(columns):
            raise OSError(errno.EIO, "the file system can't read that")
        found = super().read(columns)
        if not self.may_return.is_set():
            self.holding.set()
            self.may_return.wait(60)
        return found

    def hold(self) -> None:
        self.holding.clear()
        self.may_return.clear()


class CarefulReader(ColumnReader):
    """Takes the long way with each column."""

    def _sound(self, column: int, reading: Reading) -> LoadedColumn | None:
        return None


def watched(root: Path, *, columns: int = 64, cache: int = 16 << 20, parity: int = 2) -> tuple[Bench, WatchedSite]:
    site = WatchedSite()
    return Bench(root, size=columns * COLUMN, cache=cache, parity=parity, site=site), site


async def fill(bench: Bench, data: bytes, offset: int = 0) -> None:
    disk = bench.open()
    await put(disk, offset, data)
    await disk.close()


def harm(site: DictSite, column: int, how: str) -> None:
    match how:
        case "hole":
            strike(site, column, [Hit(3, SOME)])
        case "two holes":
            strike(site, column, [Hit(index, SOME) for index in (3, 4, 5, 6)])
        case "legal":
            strike(site, column, [Hit(7, SOME, legal=True)])
        case "parity":
            strike(site, column, [Hit(17, SOME, legal=True)])
        case "check":
            strike(site, column, [Hit(16, frozenset({3, 40}))])
        case "unreadable":
            site.unreadable.add(column)
        case "gone":
            del site.columns[column]
        case "foreign":
            other = site.columns.get((column + 1) % COUNT, [])
            site.columns[column] = other + [StoredSection(b"!" * SIZE)] * (20 - len(other))
        case "air":
            site.columns[column][2] = None


def seen(loaded: LoadedColumn) -> tuple[object, ...]:
    found = loaded.finding
    return (loaded.sections, loaded.check, found.damaged, found.edited, found.mended, found.extra, loaded.raw)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(HARM), min_size=COUNT, max_size=COUNT), st.integers(0, 3), st.booleans(), st.booleans())
def test_a_batch_is_what_its_columns_are_one_by_one(harms: list[str], parity: int, accept: bool, checked: bool) -> None:
    random = Random(repr((harms, parity)))
    sections = [bytes(SIZE) if random.random() < 0.2 else random.randbytes(SIZE) for _ in range(16 * COUNT)]
    parity = parity if checked else 0
    dimension = "minecraft:overworld" if checked else "minecraft:the_end"
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), size=COUNT * COLUMN, parity=parity, dimension=dimension)
        asyncio.run(fill(bench, b"".join(sections)))
        for column, how in enumerate(harms):
            if column in bench.site.columns:
                harm(bench.site, column, how)
        identity = Identity(bench.descriptor.uuid_bytes, 1, 1, 0, parity, SIZE, accept, checked)
    columns = range(COUNT)
    one_by_one = [CarefulReader(bench.site, identity).load(column) for column in columns]
    reader = ColumnReader(bench.site, identity)
    assert [seen(loaded) for loaded in reader.load_many(columns)] == [seen(loaded) for loaded in one_by_one]
    for sound, loaded in zip(reader.load_sound(columns), one_by_one, strict=True):
        assert (sound is None) == bool(loaded.finding)
        assert sound is None or sound.sections == loaded.sections
    verified = [CarefulReader(bench.site, identity).verify_many([column])[0] for column in columns]
    assert [seen(loaded) for loaded in reader.verify_many(columns)] == [seen(loaded) for loaded in verified]
    if parity and "parity" in harms and harms.index("parity") in bench.site.columns:
        assert verified[harms.index("parity")].finding


def test_bad_columns_cost_a_long_read_nothing_but_their_own_bytes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench, site = watched(tmp_path, parity=1)
    data = os.urandom(32 * COLUMN)

    async def run() -> None:
        await fill(bench, data)
        strike(site, 3, [Hit(1, SOME)])
        strike(site, 6, [Hit(1, SOME), Hit(2, SOME)])
        del site.columns[9]
        site.failing.add(20)
        disk = bench.open(read_only=True)
        found = await asyncio.gather(
            *(disk.read(column * COLUMN, COLUMN) for column in range(32)), return_exceptions=True
        )
        for column, parts in enumerate(found):
            if column in {6, 9, 20}:
                assert isinstance(parts, OSError)
                assert parts.errno == errno.EIO
            else:
                assert not isinstance(parts, BaseException)
                assert b"".join(parts) == data[column * COLUMN : (column + 1) * COLUMN]
        assert await read_all(disk, 10 * COLUMN, 10 * COLUMN) == data[10 * COLUMN : 20 * COLUMN]
        with pytest.raises(OSError, match="file system"):
            await read_all(disk)
        with pytest.raises(OSError, match="section 1 of column 6"):
            await disk.read(6 * COLUMN, COLUMN)
        assert await read_all(disk, 6 * COLUMN, 4096) == data[6 * COLUMN : 6 * COLUMN + 4096]
        disk.release()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    said = [record.message.split(",")[0] for record in caplog.records]
    assert sorted(said) == ["column 3", "column 6", "column 9"], "each once"


def test_a_long_read_takes_few_calls_and_later_ones_none(tmp_path: Path) -> None:
    bench, site = watched(tmp_path)
    data = os.urandom(32 * COLUMN)

    async def run() -> None:
        await fill(bench, data)
        disk = bench.open()
        assert await read_all(disk, 0, len(data)) == data
        assert sorted(site.columns_read) == list(range(32))
        assert len(site.calls) <= 4
        assert disk.try_read(0, len(data)) is not None
        disk.release()

    asyncio.run(run())


def test_what_cache_brought_is_read_from_memory(tmp_path: Path) -> None:
    bench, site = watched(tmp_path)
    data = os.urandom(40 * COLUMN)

    async def run() -> None:
        await fill(bench, data)
        strike(site, 5, [Hit(1, SOME), Hit(2, SOME), Hit(3, SOME)])
        disk = bench.open()
        await disk.prefetch(COLUMN + 4096, 8 * COLUMN)
        assert site.columns_read[:9] == list(range(1, 10))
        assert disk.try_read(COLUMN, 4096) is None, "only what was asked for"
        calls = len(site.calls)
        for column in (2, 3, 4, 6, 7, 8):
            parts = disk.try_read(column * COLUMN, COLUMN)
            assert parts is not None
            assert b"".join(parts) == data[column * COLUMN : (column + 1) * COLUMN]
        assert len(site.calls) == calls
        with pytest.raises(OSError, match="column 5"):
            await disk.read(5 * COLUMN, COLUMN)
        disk.release()

    asyncio.run(run())


def test_cache_takes_no_more_than_half_of_memory(tmp_path: Path) -> None:
    bench, site = watched(tmp_path, cache=1 << 20)

    async def run() -> None:
        await fill(bench, os.urandom(64 * COLUMN))
        disk = bench.open()
        await disk.prefetch(0, 64 * COLUMN)
        assert 6 <= len(site.columns_read) <= 9
        disk.release()

    asyncio.run(run())


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("size", [4096, 65536, 131072, 1 << 20])
def test_a_sequential_reader_finds_nearly_all_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, *, side_by_side: bool
) -> None:
    bench, site = watched(tmp_path)
    site.side_by_side = side_by_side
    monkeypatch.setattr(columns_module, "_PROCESSORS", 2)
    data = os.urandom(48 * COLUMN)

    async def run() -> None:
        await fill(bench, data)
        for column in (30, 31, 40):
            await clear(bench, column)
        expected = bytearray(data)
        for column in (30, 31, 40):
            expected[column * COLUMN : (column + 1) * COLUMN] = bytes(COLUMN)
        disk = bench.open()
        misses = 0
        for offset in range(0, len(data), size):
            parts = disk.try_read(offset, size)
            if parts is None:
                misses += 1
                parts = await disk.read(offset, size)
            assert b"".join(parts) == expected[offset : offset + size]
            await quiet(disk)
        assert sorted(site.columns_read) == [column for column in range(48) if column not in {30, 31, 40}]
        assert misses <= 3 + 48 * COLUMN // max(size, 2 * COLUMN)
        disk.release()

    asyncio.run(run())


async def clear(bench: Bench, column: int) -> None:
    disk = bench.open()
    await disk.trim(column * COLUMN, COLUMN)
    await disk.close()


async def quiet(disk: Disk) -> None:
    """Let what is read ahead come."""
    while runs := disk._read_side._columns._runs:
        await asyncio.wait(runs)


def test_reading_ahead_leaves_damage_to_the_reader(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench, site = watched(tmp_path)

    async def run() -> None:
        await fill(bench, os.urandom(48 * COLUMN))
        site.failing.add(20)
        strike(site, 6, [Hit(index, SOME) for index in (1, 2, 3)])
        disk = bench.open()
        for column in range(5):
            await disk.read(column * COLUMN, COLUMN)
        await quiet(disk)
        assert 6 in site.columns_read
        assert not caplog.records
        with pytest.raises(OSError, match="column 6"):
            await disk.read(6 * COLUMN, COLUMN)
        assert len(caplog.records) == 1
        disk.release()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())


def test_a_small_cache_reads_no_column_twice(tmp_path: Path) -> None:
    bench, site = watched(tmp_path, cache=0)

    async def run() -> None:
        await fill(bench, os.urandom(64 * COLUMN))
        disk = bench.open()
        for offset in range(0, 64 * COLUMN, 4096):
            if disk.try_read(offset, 4096) is None:
                await disk.read(offset, 4096)
        assert site.columns_read == list(range(64))
        disk.release()

    asyncio.run(run())


@pytest.mark.parametrize(("remote", "side_by_side", "at_once"), [(False, False, 1), (False, True, 2), (True, False, 3)])
def test_reads_from_memory_go_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, remote: bool, side_by_side: bool, at_once: int
) -> None:
    bench, site = watched(tmp_path)
    site.remote, site.side_by_side = remote, side_by_side
    monkeypatch.setattr(columns_module, "_PROCESSORS", 2)
    monkeypatch.setattr(columns_module, "_LATE", 60)

    async def run() -> None:
        await fill(bench, os.urandom(64 * COLUMN))
        disk = bench.open()
        await disk.read(0, COLUMN)
        site.calls.clear()
        site.hold()
        reading = [asyncio.create_task(disk.read(column * COLUMN, 4096)) for column in (5, 15, 25, 35)]
        await asyncio.to_thread(site.holding.wait, 60)
        await asyncio.sleep(0.1)
        assert len(site.calls) == at_once
        site.may_return.set()
        await asyncio.gather(*reading)
        assert sorted(site.columns_read) == [5, 15, 25, 35]
        await disk.close()

    asyncio.run(run())


def test_a_read_that_hangs_holds_up_no_others(tmp_path: Path) -> None:
    bench, site = watched(tmp_path)

    async def run() -> None:
        await fill(bench, os.urandom(64 * COLUMN))
        disk = bench.open()
        await disk.read(0, COLUMN)
        read, hanging, released = site.read, threading.Event(), threading.Event()

        def slow(columns: Sequence[int]) -> list[Reading]:
            if 5 in columns:
                hanging.set()
                released.wait(60)
            return read(columns)

        site.read = slow  # type: ignore[method-assign]
        waiting = asyncio.create_task(disk.read(5 * COLUMN, 4096))
        await asyncio.to_thread(hanging.wait, 60)
        await asyncio.wait_for(disk.read(15 * COLUMN, 4096), 30)
        assert not waiting.done()
        released.set()
        await waiting
        await disk.close()

    asyncio.run(run())


def test_what_is_written_while_it_is_read_counts(tmp_path: Path) -> None:
    bench, site = watched(tmp_path)
    old, new = os.urandom(2 * COLUMN), os.urandom(4096)

    async def run() -> None:
        await fill(bench, old)
        disk = bench.open()
        site.hold()
        reading = asyncio.create_task(disk.read(0, 2 * COLUMN))
        await asyncio.to_thread(site.holding.wait, 60)
        await disk.write(COLUMN, new)
        await disk.checkpoint()
        disk._memory.reconciling.forget(None)
        site.may_return.set()
        await reading
        expected = old[:COLUMN] + new + old[COLUMN + 4096 :]
        assert await read_all(disk, 0, 2 * COLUMN) == expected
        disk._memory.reconciling.forget(None)
        assert await read_all(disk, 0, 2 * COLUMN) == expected
        await disk.close()

    asyncio.run(run())


def test_what_is_trimmed_while_it_is_read_is_zeros(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench, site = watched(tmp_path)

    async def run() -> None:
        await fill(bench, os.urandom(2 * COLUMN))
        disk = bench.open()
        site.hold()
        reading = asyncio.create_task(disk.read(0, 2 * COLUMN))
        await asyncio.to_thread(site.holding.wait, 60)
        await disk.trim(0, COLUMN)
        await disk.checkpoint()
        site.may_return.set()
        await reading
        assert await read_all(disk, 0, COLUMN) == bytes(COLUMN)
        await disk.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert not caplog.records


class VanishingSite(WatchedSite):
    """Takes away a column that became zeros, and only returns from that when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()
        self.gone = threading.Event()

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        super().write(columns)
        if not self.columns:
            self.gone.set()
            self.may_go_on.wait(60)


def test_a_column_that_just_left_the_world_is_zeros_not_damage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = VanishingSite()
    bench = Bench(tmp_path, site=site)

    async def run() -> None:
        await fill(bench, b"x" * 4096)
        disk = bench.open()
        await disk.write(0, bytes(4096))
        checkpoint = asyncio.create_task(disk.checkpoint())
        await asyncio.to_thread(site.gone.wait, 60)
        reading = asyncio.create_task(disk.read(4096, 4096))
        await asyncio.sleep(0.05)
        assert site.calls == [[0]]
        site.may_go_on.set()
        assert b"".join(await reading) == bytes(4096)
        await checkpoint
        await disk.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(run(), 60))
    assert not caplog.records
