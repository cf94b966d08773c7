"""The loop stays awake for a moment after a request, and no longer."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
import uvloop

from bbd.nbd.peers import Limits
from bbd.nbd.processors import Processors
from bbd.nbd.server import NbdServer
from bbd.nbd.spinning import Spinner
from tests.nbd.memory_device import export


def turns(spinner: Spinner, monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> int:
    """How often the loop is called back until it is left alone, each time a microsecond later."""
    counted = 0

    def now() -> float:
        nonlocal counted
        counted += 1
        clock[0] += 1e-6
        return clock[0]

    async def run() -> None:
        spinner.touch()
        for _ in range(1000):
            await asyncio.sleep(0)

    monkeypatch.setattr(time, "perf_counter", now)
    try:
        uvloop.run(run())
    finally:
        monkeypatch.undo()
    return counted


def test_it_ends_by_itself_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    spinner, clock = Spinner(50e-6), [0.0]
    first = turns(spinner, monkeypatch, clock)
    assert 45 < first < 60
    assert turns(spinner, monkeypatch, clock) == first


def test_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert turns(Spinner(0), monkeypatch, [0.0]) == 0


def test_a_single_processor_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert turns(Spinner(50e-6), monkeypatch, [0.0]) == 0


@pytest.mark.parametrize(("limits", "seconds"), [(None, 0.0), (Limits(), 0.0), (Limits(busy_poll=50e-6), 50e-6)])
def test_a_server_does_it_only_if_asked_to(
    monkeypatch: pytest.MonkeyPatch, limits: Limits | None, seconds: float
) -> None:
    asked: list[float] = []

    class Asked(Spinner):
        def __init__(self, seconds: float, processors: Processors | None = None) -> None:
            asked.append(seconds)
            super().__init__(seconds, processors)

    monkeypatch.setattr("bbd.nbd.server.Spinner", Asked)

    async def run() -> None:
        NbdServer([export()], limits=limits)

    uvloop.run(run())
    assert asked == [seconds]


def test_others_have_their_turn_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)

    async def run() -> None:
        spinner = Spinner(3600)
        spinner.touch()
        called, rung = asyncio.Event(), asyncio.Event()
        asyncio.get_running_loop().call_soon(called.set)
        asyncio.get_running_loop().call_later(0.001, rung.set)
        await asyncio.wait_for(called.wait(), 10)
        await asyncio.wait_for(rung.wait(), 10)

    uvloop.run(run())
