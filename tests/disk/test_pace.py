"""How a checkpoint treats clients that keep the loop busy."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from bbd.disk import world_writer
from bbd.disk.pace import LoopLoad
from bbd.worlds.world import ColumnWrite
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all
from tests.disk.dict_site import DictSite


class CountingSite(DictSite):
    """Counts how many writes are under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self._now = 0
        self._counting = threading.Lock()

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        with self._counting:
            self._now += 1
            self.seen.append(self._now)
        time.sleep(0.02)
        super().write(columns)
        with self._counting:
            self._now -= 1


@pytest.mark.parametrize(("share", "at_once"), [(0.0, 2), (1.0, 1)])
def test_busy_clients_meet_one_batch_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, at_once: int
) -> None:
    site = CountingSite()
    bench = Bench(tmp_path, size=16 * COLUMN, cache=16 << 20, site=site)
    monkeypatch.setattr(world_writer, "BATCH_COLUMNS", 2)
    monkeypatch.setattr(LoopLoad, "share", lambda _self: share)
    data = os.urandom(16 * COLUMN)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, data)
        await disk.checkpoint()
        # How busy the loop is is not known before the first two.
        assert max(site.seen[2:]) == at_once
        disk.release()
        again = bench.open()
        assert await read_all(again) == data
        again.release()

    asyncio.run(run())


def test_the_share_is_of_this_threads_time() -> None:
    load = LoopLoad()
    time.sleep(0.05)
    assert load.share() < 0.9
    end = time.thread_time() + 0.05
    while time.thread_time() < end:
        pass
    assert load.elapsed >= 0.05
    assert 0 < load.share() <= 1.01


class Clock:
    """Stands in for the module ``time``: it goes as far as it is told, and the loop's thread works as much of that."""

    def __init__(self) -> None:
        self.now = self.worked = 1000.0

    def perf_counter(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.worked

    def goes(self, seconds: float, *, working: float) -> None:
        self.now += seconds
        self.worked += seconds * working


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("bbd.disk.pace.time", clock)
    return clock


def test_a_moment_tells_no_load(clock: Clock) -> None:
    load = LoopLoad()
    clock.goes(0.050, working=0.1)
    assert load.share() == pytest.approx(0.1)
    for _ in range(9):
        clock.goes(0.001, working=1)
        assert load.share() == pytest.approx(0.1)
    assert load.elapsed == pytest.approx(0.009)


def test_moments_add_up_to_a_load(clock: Clock) -> None:
    """What was too short to be told of is not forgotten."""
    load = LoopLoad()
    clock.goes(0.005, working=1)
    assert load.share() == 0
    clock.goes(0.015, working=0.2)
    assert load.share() == pytest.approx(0.4)
    clock.goes(0.020, working=0)
    assert load.share() == 0


class MomentarySite(CountingSite):
    """Whatever it has written, the loop was busy with for a moment."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        super().write(columns)
        self._clock.goes(0.001, working=1)


def test_batches_that_end_together_are_not_taken_for_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    site = MomentarySite(clock)
    bench = Bench(tmp_path, size=16 * COLUMN, cache=16 << 20, site=site)
    monkeypatch.setattr(world_writer, "BATCH_COLUMNS", 2)

    async def run() -> None:
        disk = bench.open()
        await put(disk, 0, os.urandom(16 * COLUMN))
        await disk.checkpoint()
        assert len(site.seen) == 8
        assert max(site.seen[2:]) == 2
        disk.release()

    asyncio.run(run())
