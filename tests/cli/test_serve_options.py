"""What ``bbd serve`` makes of its options before it serves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path

import pytest

from bbd.cli import serve
from bbd.nbd.peers import Limits
from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient


@pytest.mark.parametrize(("option", "seconds"), [({}, 0.0), ({"busy_poll": 0}, 0.0), ({"busy_poll": 50}, 50e-6)])
def test_busy_polling_is_off_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, option: dict[str, int], seconds: float
) -> None:
    found: list[Limits] = []

    async def note(*arguments: object, **_: object) -> None:
        found.extend(argument for argument in arguments if isinstance(argument, Limits))

    def run(main: Coroutine[object, object, None]) -> None:
        asyncio.run(main)

    monkeypatch.setattr(serve, "_serve", note)
    monkeypatch.setattr(serve, "run", run)
    serve.serve(world=[tmp_path], **option)  # type: ignore[arg-type]
    assert [limits.busy_poll for limits in found] == [seconds]


@pytest.mark.parametrize("microseconds", ["-1", "10001", "soon"])
def test_times_that_can_not_be_polled_for(bbd: RunBbd, tmp_path: Path, microseconds: str) -> None:
    refused = bbd("serve", "--world", tmp_path / "w", "--busy-poll", microseconds, check=False)
    assert refused.returncode == 2
    assert "--busy-poll" in refused.stderr
    assert not (tmp_path / "w").exists()


def test_a_server_that_polls_serves(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    bbd("create", tmp_path / "w", "--size", "1M")
    server = bbd_server("--world", tmp_path / "w", "--busy-poll", "50")
    with NbdClient(server.connect()) as client:
        for offset in range(0, 1 << 20, 4096):
            client.write(offset, b"x" * 4096)
            assert client.read(offset, 4096) == b"x" * 4096
    server.stop()
