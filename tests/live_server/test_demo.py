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
from tests.live_server.processes import game_of, is_running
from tests.nbd_client import NbdClient
from tests.players import Player
from tests.servers import BBD, STOP_TIMEOUT, BbdServer, environment, free_port
from tests.system.vm import HOST, VirtualMachine
from tests.waiting import wait_until

LETTERS = 16 << 10
"""The length of a file."""


class StartDemo(Protocol):
    """Start ``bbd demo`` on a world, in a session of its own, on a unix socket or a port of 127.0.0.1."""

    def __call__(self, world: Path, port: int | None = None) -> BbdServer: ...


@pytest.fixture
def start_demo(tmp_path: Path, jar: Path) -> Iterator[StartDemo]:
    del jar  # built by now
    started: list[BbdServer] = []

    def start(world: Path, port: int | None = None) -> BbdServer:
        arguments = ("--world", world, "--minecraft-port", "0")
        server = BbdServer(
            *arguments, port=port, environment=environment(tmp_path / "state"), command=(BBD, "demo"), new_session=True
        )
        started.append(server)
        return server

    yield start
    for server in started:
        server.kill()


def test_a_file_is_copied_seen_and_edited_until_ctrl_c(
    bbd: RunBbd, start_demo: StartDemo, bbd_server: StartServer, tmp_path: Path
) -> None:
    world, port = tmp_path / "demo", free_port()
    demo = start_demo(world, port=port)
    assert "Welcome to bbd" in bbd("files", world, "cat", "/README.TXT").stdout
    with VirtualMachine() as machine, Player(game_port(demo), "Steve") as player:
        machine.run(f"modprobe nbd && nbd-client -N demo {HOST} {port} /dev/nbd0 && mount -t vfat /dev/nbd0 /mnt")
        machine.run(f"head -c {LETTERS} /dev/zero | tr '\\0' H >/mnt/letters && sync")
        with NbdClient(demo.connect(), "demo") as client:
            edited = top_of_a_section(found(client, b"H" * LETTERS))
            place = blocks_of(bbd, world, edited)[0]
            visit(player, edited, place)
            player.see(place, names()[ord("H")])
            blow_a_hole(player, demo)
            player.see(place, names()[ord("H")])
            replace_block(player, place, names()[ord("J")], demo)
            read_until(client, edited, b"J")
        # A kernel believes what it has read once, until it forgets it.
        assert machine.run("cat /mnt/letters").output == "H" * LETTERS
        letters = machine.run("echo 1 >/proc/sys/vm/drop_caches; cat /mnt/letters").output
        assert (letters.count("H"), letters.count("J")) == (LETTERS - 1, 1)
        machine.run("umount /mnt && nbd-client -d /dev/nbd0")
    # As a terminal does it: to all that are in the foreground.
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(STOP_TIMEOUT) == 0, demo.output
    told = re.compile("edited in the world|told again from parity")
    assert all(told.search(line) for line in said_while_serving(demo)), demo.output
    assert "stopped cleanly" in bbd("info", world).stdout
    assert "0 damaged" in bbd("check", world).stdout
    with NbdClient(bbd_server("--world", world).connect(), "demo") as offline:
        assert found(offline, letters.encode())


def found(client: NbdClient, content: bytes) -> int:
    """Where some bytes are on the demo's disk."""
    return b"".join(client.read(at, 1 << 20) for at in range(0, 64 << 20, 1 << 20)).index(content)


def top_of_a_section(offset: int) -> int:
    """A byte behind an offset, of the uppermost layer of a section, which can be had from above."""
    return -(-offset // 4096) * 4096 + 4096 - 256 + 5


def replace_block(player: Player, place: tuple[int, int, int], name: str, demo: BbdServer) -> None:
    """Break a block and put another one there; again, where the first was being mended just then."""
    x, y, z = place
    for _ in range(5):
        if (seen := player.do("replace", x=x, y=y, z=z, name=name))["name"] == name:
            return
    where = player.do("where")
    raise AssertionError(f"{name} can't be put at {place} from {where}: {seen} is there; bbd demo said: {demo.output}")


def blow_a_hole(player: Player, demo: BbdServer) -> None:
    """And wait until it is mended."""
    player.do("say", words="/boom 6")
    assert int(player.do("heard", words="blocks are gone").split()[0]) > 0
    wait_until(lambda: "told again from parity" in demo.output)


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
