"""Orders of events in which bytes could get lost or come back, each found by thinking."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bbd.disk import committer
from bbd.disk.journal import Journal
from bbd.disk.journal_records import Record
from bbd.worlds.world import ColumnWrite, Reading
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all

SECTION = 4096
PATIENCE = 20


class Gate:
    """Holds worker threads up; ``there`` is set when one has come."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._there = threading.Event()

    def open(self) -> None:
        self._open.set()

    def __call__(self) -> None:
        self._there.set()
        assert self._open.wait(PATIENCE)

    async def reached(self) -> None:
        assert await asyncio.to_thread(self._there.wait, PATIENCE)


@pytest.mark.parametrize("dimension", ["minecraft:overworld", "minecraft:the_nether"])
@pytest.mark.parametrize("whole", [True, False])
def test_zeros_again_while_zeros_are_on_their_way(tmp_path: Path, dimension: str, *, whole: bool) -> None:
    """All zeros are one object: that it is the same one does not mean that nothing was written in between."""
    bench = Bench(tmp_path, parity=2 if dimension == "minecraft:overworld" else 0, dimension=dimension)
    gate = Gate()
    write = bench.site.write

    def slow(columns: Mapping[int, ColumnWrite]) -> None:
        gate()
        write(columns)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"\1" * COLUMN)
        await disk.checkpoint()
        await put(disk, 0 if whole else SECTION, bytes(COLUMN if whole else SECTION))
        bench.site.write = slow  # type: ignore[method-assign]
        checkpoint = asyncio.create_task(disk.checkpoint())
        await gate.reached()
        await put(disk, SECTION, b"X" * SECTION)
        await disk.flush()
        await put(disk, SECTION, bytes(SECTION))
        gate.open()
        await checkpoint
        if not disk.try_flush():
            await disk.flush()
        disk.release()
        again = bench.open()
        assert await read_all(again, SECTION, SECTION) == bytes(SECTION)
        again.release()

    asyncio.run(run())


def test_what_was_in_memory_when_a_read_began_is_not_read_from_an_older_column(tmp_path: Path) -> None:
    bench = Bench(tmp_path, size=64 * COLUMN)
    gate = Gate()
    read = bench.site.read

    def slow(columns: Sequence[int]) -> list[Reading]:
        if 1 in columns:
            gate()
        return read(columns)

    async def run() -> None:
        disk = bench.open()
        for column in range(40):
            await put(disk, column * COLUMN, bytes([column + 1]) * COLUMN)
            await disk.checkpoint()
        disk.release()
        again = bench.open()
        bench.site.read = slow  # type: ignore[method-assign]
        await put(again, 0, b"N" * SECTION)
        other = asyncio.create_task(read_all(again, COLUMN + 2 * SECTION, SECTION))
        await gate.reached()
        reading = asyncio.create_task(read_all(again, 0, 2 * COLUMN))
        await asyncio.sleep(0.1)
        await again.checkpoint()
        for column in range(4, 36):
            await read_all(again, column * COLUMN, COLUMN)  # presses column 0 out of the cache
        gate.open()
        assert (await reading)[:SECTION] == b"N" * SECTION
        await other
        again.release()

    asyncio.run(run())


def test_whatever_ends_a_flush_its_bytes_are_not_taken_for_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "QUICK_SECONDS", 1e9)
    bench = Bench(tmp_path)
    append: Callable[..., None] = Journal.append

    def failing(self: Journal, records: Sequence[Record], *, beyond_limit: bool = False) -> None:
        raise MemoryError

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, b"A" * SECTION)
        await disk.flush()
        await put(disk, 0, b"B" * SECTION)
        monkeypatch.setattr(Journal, "append", failing)
        with pytest.raises(MemoryError):
            disk.try_flush()
        monkeypatch.setattr(Journal, "append", append)
        if not disk.try_flush():
            await disk.flush()
        disk.release()
        again = bench.open()
        assert await read_all(again, 0, SECTION) == b"B" * SECTION
        again.release()

    asyncio.run(run())
