"""The loop stays awake for a moment after a request, and no longer."""

from __future__ import annotations

import asyncio
import os
import time

import pytest
import uvloop

from bbd.nbd.spinning import Spinner


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
