"""What a person reads when the server's file system fails: that it is the server's, and what to do there."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from random import Random
from typing import TypeAlias

import pytest

from bbd.cli import main
from bbd.cli.companion import Companion
from bbd.cli.live_making import make_live_disk
from bbd.worlds.live.codes import Code
from tests.disk.bench_of_disks import put, read_all
from tests.worlds.live.live_bench import LiveBench

SIZE = 8 << 16
WHY = "No space left on device"
FULL = "the server's file system is full, make room there"

Said: TypeAlias = Callable[[Callable[[], object]], str]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """What ``bbd`` says of a command that fails."""

    def run(command: Callable[[], object]) -> str:
        monkeypatch.setattr(main, "app", command)
        with pytest.raises(SystemExit):
            main.main()
        return capsys.readouterr().err

    return run


def leave_unclean(live: LiveBench) -> bytes:
    """Have a bbd die, with all that it has said to be safe; return what the disk holds."""
    data = Random(1).randbytes(SIZE)

    async def play() -> None:
        disk = live.open()
        await put(disk, 0, data[: SIZE // 2])
        await disk.checkpoint()
        await put(disk, SIZE // 2, data[SIZE // 2 :])
        await disk.flush()
        disk.release()

    asyncio.run(play())
    live.let_go()
    return data


def start(live: LiveBench) -> bytes:
    """As ``bbd serve`` does; return what the disk holds."""

    async def play() -> bytes:
        disk = live.open()
        try:
            await disk.start()
            return await read_all(disk)
        finally:
            disk.release()

    return asyncio.run(play())


@pytest.mark.parametrize(
    "request_refused", ["open", "file_list", "file_stat", "file_read", "file_write", "file_replace", "sync"]
)
def test_at_the_start(live: LiveBench, said: Said, request_refused: str) -> None:
    data = leave_unclean(live)
    live.companion.manners.refuse[request_refused] = Code.NO_SPACE, WHY
    assert FULL in (line := said(lambda: start(live)))
    assert WHY in line
    assert line.count("make room") == 1
    live.companion.manners.refuse.clear()
    assert start(live) == data


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (Code.NO_SPACE, FULL),
        (Code.IO, "the server's file system failed, look into its log"),
        (Code.READ_ONLY, "the server can't write its world, look at the owner and mode of its folder"),
        (Code.INTERNAL, "the server says"),
    ],
)
def test_whatever_it_is(live: LiveBench, said: Said, code: Code, words: str) -> None:
    leave_unclean(live)
    live.companion.manners.refuse["file_replace"] = code, WHY
    assert said(lambda: start(live)) == f"bbd: {words}: {WHY}\n"


def test_while_it_serves(live: LiveBench, caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        disk = live.open()
        await put(disk, 0, Random(2).randbytes(SIZE))
        live.companion.manners.confirm_error = Code.NO_SPACE
        with pytest.raises(OSError, match=FULL):
            await disk.checkpoint()
        live.companion.manners.confirm_error = None
        live.companion.manners.refuse["file_write"] = Code.NO_SPACE, WHY
        with pytest.raises(OSError, match=f"{FULL}: {WHY}"):
            await disk.checkpoint()
        live.companion.manners.refuse.clear()
        await disk.close()

    asyncio.run(play())
    assert FULL in caplog.text


def test_when_a_disk_is_made(live: LiveBench, said: Said) -> None:
    descriptor = dataclasses.replace(live.descriptor, name="other")
    live.companion.manners.refuse["create"] = Code.NO_SPACE, WHY
    line = said(lambda: make_live_disk(Companion(live.access, live.timeout), descriptor))
    assert "'other'" in line
    assert f"{FULL}: {WHY}" in line
