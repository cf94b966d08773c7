"""Idle processors are kept awake while busy polling pays, and never otherwise."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from bbd.nbd import spinning
from bbd.nbd.peers import Limits
from bbd.nbd.processors import LATENCY_FILE, Processors
from bbd.nbd.spinning import Spinner
from bench.awake import latency
from tests.nbd.memory_device import export
from tests.nbd.serving import Client, serving


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.fixture
def processors(tmp_path: Path) -> Processors:
    """Those of a machine whose kernel writes our wish into a file."""
    (tmp_path / "latency").touch()
    return Processors(tmp_path / "latency")


def test_the_wish_is_a_zero_in_the_file_while_it_is_open(tmp_path: Path, processors: Processors) -> None:
    before = open_files()
    processors.keep_awake()
    processors.keep_awake()
    assert processors.kept_awake
    assert (tmp_path / "latency").read_bytes() == bytes(4)
    assert open_files() == before + 1
    processors.let_sleep()
    processors.let_sleep()
    assert not processors.kept_awake
    assert open_files() == before


@pytest.mark.parametrize("file", ["missing", ".", "/dev/full"])
def test_a_refusal_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture, file: str) -> None:
    refused, before = Processors(tmp_path / file), open_files()
    with caplog.at_level(logging.INFO, "bbd.nbd"):
        refused.keep_awake()
        refused.keep_awake()
    assert not refused.kept_awake
    assert len(caplog.records) == 1
    assert str(tmp_path / file) in caplog.text
    assert open_files() == before
    refused.let_sleep()


def spin(spinner: Spinner, act: Callable[[], object]) -> None:
    async def run() -> None:
        act()
        await asyncio.sleep(0.2)
        spinner.stop()

    uvloop.run(run())


def test_they_stay_awake_once_somebody_comes_in_time(monkeypatch: pytest.MonkeyPatch, processors: Processors) -> None:
    monkeypatch.setattr(spinning, "LET_GO_SECONDS", 3600)
    spinner, seen = Spinner(3600, processors), list[bool]()

    def come() -> None:
        spinner.touch()
        seen.append(processors.kept_awake)
        spinner.touch()
        seen.append(processors.kept_awake)

    spin(spinner, come)
    assert seen == [False, True]
    assert not processors.kept_awake  # it was stopped


def test_who_comes_now_and_then_lets_them_sleep(monkeypatch: pytest.MonkeyPatch, processors: Processors) -> None:
    spinner, seen = Spinner(1e-6, processors), list[bool]()

    async def run() -> None:
        for _ in range(5):
            spinner.touch()
            await asyncio.sleep(0.01)
            seen.append(processors.kept_awake)

    uvloop.run(run())
    assert seen == [False] * 5


def test_they_may_sleep_again_when_nobody_comes(processors: Processors) -> None:
    spinner = Spinner(1e-3, processors)

    async def run() -> None:
        spinner.touch()
        spinner.touch()
        assert processors.kept_awake
        for _ in range(1000):
            if processors.kept_awake:
                await asyncio.sleep(0.01)
        assert not processors.kept_awake
        spinner.touch()  # and all begins again
        spinner.touch()
        assert processors.kept_awake
        spinner.stop()

    uvloop.run(run())


def test_who_does_not_ask_for_busy_polling_never_does_it(processors: Processors) -> None:
    spinner = Spinner(0, processors)

    def come() -> None:
        spinner.touch()
        spinner.touch()
        assert not processors.kept_awake

    spin(spinner, come)


def test_a_server_asks_the_kernel(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """As root, the kernel says what it was asked for; without the right to ask, the log says so."""
    processors, may = Processors(), latency() is not None
    monkeypatch.setattr("bbd.nbd.server.Processors", lambda: processors)
    monkeypatch.setattr(spinning, "LET_GO_SECONDS", 3600)
    with (
        caplog.at_level(logging.INFO, "bbd.nbd"),
        serving(export(), limits=Limits(busy_poll=0.5)) as served,
        Client(served) as client,
    ):
        client.go()
        for _ in range(3):
            client.read(0, 512)
        assert processors.kept_awake == may
        assert latency() == (0 if may else None)
        served.run(served.server.stop())
        assert not processors.kept_awake
    assert may or str(LATENCY_FILE) in caplog.text
