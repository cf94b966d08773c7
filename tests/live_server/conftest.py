"""Servers and players for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from tests.conftest import StartServer
from tests.live_server.minecraft import MinecraftServer, build
from tests.nbd_client import NbdClient
from tests.players import Player
from tests.servers import BbdServer


class StartMinecraft(Protocol):
    """Start the game's server on a world, with further arguments, by the command ``within``."""

    def __call__(self, world: Path, *arguments: str, within: Sequence[str | Path] = ()) -> MinecraftServer: ...


class Join(Protocol):
    """Have a player join a server."""

    def __call__(self, server: MinecraftServer, name: str = "Steve") -> Player: ...


class Attach(Protocol):
    """Serve the disk ``demo`` of a running server over NBD, through the bridge."""

    def __call__(self, server: MinecraftServer) -> tuple[BbdServer, NbdClient]: ...


@pytest.fixture(scope="session")
def jar() -> Path:
    """The server's jar."""
    return build()


@pytest.fixture
def minecraft(tmp_path: Path, jar: Path) -> Iterator[StartMinecraft]:
    """Starts servers; those that still run at the end of the test are killed."""
    started: list[MinecraftServer] = []

    def start(world: Path, *arguments: str, within: Sequence[str | Path] = ()) -> MinecraftServer:
        server = MinecraftServer(jar, world, *arguments, token=tmp_path / "companion.token", within=within)
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()


@pytest.fixture
def join() -> Iterator[Join]:
    """Has players join; they leave at the end of the test."""
    players: list[Player] = []

    def joined(server: MinecraftServer, name: str = "Steve") -> Player:
        player = Player(server.port, name)
        players.append(player)
        return player

    yield joined
    for player in players:
        player.close()


@pytest.fixture
def attach(minecraft: StartMinecraft, bbd_server: StartServer) -> Iterator[Attach]:
    """Serves disks; what still runs stops cleanly at the end of the test, before the game's server goes."""
    served: list[BbdServer] = []

    def attached(server: MinecraftServer) -> tuple[BbdServer, NbdClient]:
        served.append(bbd_server("--live", server.bridge, "--token-file", server.token))
        return served[-1], NbdClient(served[-1].connect(), "demo")

    yield attached
    for server in served:
        server.stop()
