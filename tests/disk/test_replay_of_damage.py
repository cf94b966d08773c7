"""A crash with an uncut journal, and a column that can't say what it includes: what is damage stays damage."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bbd.disk.disk import Disk
from bbd.disk.journal import Journal
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all
from tests.disk.dict_site import StoredSection

FIRST, LATER = Random(1).randbytes(COLUMN), Random(2).randbytes(COLUMN)


async def trim_write_and_crash(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Column 1 is zeros in the journal, which was not cut, and then something else in the world."""
    disk = bench.open()
    await put(disk, COLUMN, FIRST)
    await disk.checkpoint()
    await disk.trim(COLUMN, COLUMN)
    await disk.flush()
    await put(disk, COLUMN, LATER)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "cut", lambda _self, _mark: None)
        await disk.checkpoint()
    await disk.flush()
    disk.release()


def garble(bench: Bench) -> None:
    """More blocks are gone than parity can tell again: those of the check section, and of parity."""
    for index in (16, 17, 18):
        found = bench.site.columns[1][index]
        assert found is not None
        bench.site.columns[1][index] = StoredSection(bytes(4096), b"\1" * 4096)
    assert bench.site.columns[1][0] is not None


def cut_off(bench: Bench) -> None:
    bench.site.unreadable.add(1)


async def assert_damaged(disk: Disk) -> None:
    with pytest.raises(OSError, match="column 1") as failed:
        await read_all(disk, COLUMN, 4096)
    assert failed.value.errno == errno.EIO


@pytest.mark.parametrize("harm", [garble, cut_off])
def test_an_older_trim_makes_no_zeros_of_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Bench], None]
) -> None:
    async def play() -> None:
        bench = Bench(tmp_path)
        await trim_write_and_crash(bench, monkeypatch)
        harm(bench)
        disk = bench.open()
        await assert_damaged(disk)
        assert await read_all(disk, 0, COLUMN) == bytes(COLUMN)
        await put(disk, COLUMN, FIRST[:4096])
        await disk.close()
        disk = bench.open()
        assert await read_all(disk, COLUMN, 4096) == FIRST[:4096]
        with pytest.raises(OSError, match="column 1"):
            await read_all(disk, COLUMN + 4096, 4096)
        disk.release()

    asyncio.run(play())


def test_a_column_that_left_the_world_is_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bit in the map may still be set: nothing stands there any more, so there is nothing damaged."""

    async def play() -> None:
        bench = Bench(tmp_path)
        await trim_write_and_crash(bench, monkeypatch)
        del bench.site.columns[1]
        disk = bench.open()
        assert await read_all(disk, COLUMN, COLUMN) == bytes(COLUMN)
        await disk.close()

    asyncio.run(play())


def test_the_columns_own_word_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> None:
        bench = Bench(tmp_path)
        await trim_write_and_crash(bench, monkeypatch)
        disk = bench.open()
        assert await read_all(disk, COLUMN, COLUMN) == LATER
        await disk.close()

    asyncio.run(play())
