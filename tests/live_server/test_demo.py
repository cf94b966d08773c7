"""``bbd demo`` as it is: the game's server and the NBD server in one command, started, played on, and stopped."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.conftest import RunBbd, StartServer
from tests.live_server.places import blocks_of, names, read_until, visit
from tests.live_server.processes import game_of, is_running, wait_until
from tests.nbd_client import NbdClient
from tests.players import Player
from tests.servers import BBD, STOP_TIMEOUT, BbdServer, environment

_FREE = 32 << 20
"""An offset of the demo's disk that no file has."""
_EDITED = _FREE + 4096 - 256 + 5
"""A byte of the uppermost layer of its section, which can be had from above."""


class StartDemo(Protocol):
    """Start ``bbd demo`` on a world, in a session of its own."""

    def __call__(self, world: Path) -> BbdServer: ...


@pytest.fixture
def start_demo(tmp_path: Path, jar: Path) -> Iterator[StartDemo]:
    del jar  # built by now
    started: list[BbdServer] = []

    def start(world: Path) -> BbdServer:
        arguments = ("--world", world, "--minecraft-port", "0")
        server = BbdServer(
            *arguments, environment=environment(tmp_path / "state"), command=(BBD, "demo"), new_session=True
        )
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()


def test_bytes_are_seen_and_edited_until_ctrl_c(
    bbd: RunBbd, start_demo: StartDemo, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "demo"
    demo = start_demo(world)
    assert "Welcome to bbd" in bbd("files", world, "cat", "/README.TXT").stdout
    place = blocks_of(bbd, world, _EDITED)[0]
    with NbdClient(demo.connect(), "demo") as client, Player(game_port(demo), "Steve") as player:
        client.write(_FREE, b"H" * 4096)
        visit(player, _EDITED, place)
        player.see(place, names()[ord("H")])
        player.do("say", words="/boom 6")
        assert int(player.do("heard", words="blocks are gone").split()[0]) > 0
        wait_until(lambda: "told again from parity" in demo.output)
        player.see(place, names()[ord("H")])
        x, y, z = place
        player.do("dig", x=x, y=y, z=z)
        player.do("put", x=x, y=y - 1, z=z, name=names()[ord("J")])
        read_until(client, _EDITED, b"J")
    # As a terminal does it: to all that are in the foreground.
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(STOP_TIMEOUT) == 0, demo.output
    told = re.compile("edited in the world|told again from parity")
    assert all(told.search(line) for line in said_while_serving(demo)), demo.output
    assert "stopped cleanly" in bbd("info", world).stdout
    assert "0 damaged" in bbd("check", world).stdout
    with NbdClient(bbd_server("--world", world).connect(), "demo") as offline:
        assert offline.read(_FREE, 4096) == b"H" * (_EDITED - _FREE) + b"J" + b"H" * (_FREE + 4095 - _EDITED)


def test_neither_outlives_the_other(bbd: RunBbd, start_demo: StartDemo, tmp_path: Path) -> None:
    world = tmp_path / "two"
    bbd("create", world, "--disk", "first", "--size", "1M")
    bbd("create", world, "--disk", "second", "--size", "1M", "--origin", "64,64")
    demo = start_demo(world)
    with NbdClient(demo.connect(), "first") as first, NbdClient(demo.connect(), "second") as second:
        first.write(0, b"A" * 4096)
        second.write(0, b"B" * 4096)
        second.flush()
        os.kill(game_of(demo), signal.SIGKILL)
        assert demo.process.wait(STOP_TIMEOUT) == 1, demo.output
    (said,) = said_while_serving(demo)
    assert said.startswith("bbd: the game's server has ended by itself (killed by signal 9); ")

    demo = start_demo(world)
    with NbdClient(demo.connect(), "first") as first, NbdClient(demo.connect(), "second") as second:
        assert first.read(0, 4096) == b"A" * 4096
        assert second.read(0, 4096) == b"B" * 4096
    game = game_of(demo)
    demo.process.kill()
    wait_until(lambda: not is_running(game))
    assert "0 damaged" in bbd("check", world, "--disk", "second").stdout


def said_while_serving(demo: BbdServer) -> list[str]:
    return demo.output.partition("leaves everything in the world.\n")[2].splitlines()


def game_port(demo: BbdServer) -> int:
    found = re.search(r"Join 127\.0\.0\.1:(\d+) with Minecraft 26\.1", demo.output)
    assert found, demo.output
    return int(found[1])
