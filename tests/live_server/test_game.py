"""A disk in a running server, a client that writes it, and a player who sees and changes it."""

from __future__ import annotations

import fcntl
import socket
import subprocess
from pathlib import Path

import pytest

from tests.conftest import RunBbd, StartServer
from tests.live_server.conftest import Attach, Join, StartMinecraft
from tests.live_server.minecraft import command
from tests.live_server.places import blocks_of, names, read_until, visit
from tests.nbd_client import NbdClient

ROOT = Path(__file__).parents[2]
_TIMEOUT = 60.0


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return tmp_path / "world"


def test_a_player_sees_the_bytes_of_a_written_file(
    bbd: RunBbd, minecraft: StartMinecraft, attach: Attach, bbd_server: StartServer, join: Join, world: Path
) -> None:
    bbd("create", world, "--disk", "demo", "--size", "1M")
    content = bytes(range(256)) * 16
    offset = 8192
    places = {at: blocks_of(bbd, world, offset + at)[0] for at in (0, 1, 72, 255, 4095)}
    server = minecraft(world)
    player = join(server)
    visit(player, offset, places[0])
    served, client = attach(server)
    client.write(offset, content)
    client.flush()
    for at, place in places.items():
        player.see(place, names()[content[at]])
    # Over blocks that the player has before its eyes already.
    client.write(offset, b"\x48")
    client.flush()
    player.see(places[0], names()[0x48])
    assert "0x48 'H'" in player.do("heard", words=f"demo 0x{offset:x}: 0x48", bar=True)
    served.stop()
    server.stop()
    assert bbd("check", world).returncode == 0
    with NbdClient(bbd_server("--world", world).connect(), "demo") as offline:
        assert offline.read(offset, len(content)) == b"\x48" + content[1:]


def test_a_block_of_a_protected_disk_stays(
    bbd: RunBbd, minecraft: StartMinecraft, attach: Attach, join: Join, world: Path
) -> None:
    bbd("create", world, "--disk", "demo", "--size", "1M")
    place = blocks_of(bbd, world, 0)[0]
    server = minecraft(world)
    player = join(server)
    _served, client = attach(server)
    client.write(0, b"\x07" * 4096)
    client.flush()
    visit(player, 0, place)
    player.see(place, names()[7])
    x, y, z = place
    player.do("dig", x=x, y=y, z=z)
    player.do("heard", words="protected")
    player.see(place, names()[7])
    player.do("say", words="/boom 3")
    assert player.do("heard", words="blocks are gone").startswith("0 ")
    assert client.read(0, 4096) == b"\x07" * 4096


def test_an_edit_in_the_game_is_what_the_client_reads(
    bbd: RunBbd, minecraft: StartMinecraft, attach: Attach, join: Join, world: Path
) -> None:
    bbd("create", world, "--disk", "demo", "--size", "1M", "--edits", "accept")
    top = 4096 - 256 + 5
    place = blocks_of(bbd, world, top)[0]
    server = minecraft(world, "--unprotected")
    player = join(server)
    _served, client = attach(server)
    client.write(0, b"\x07" * 4096)
    client.flush()
    visit(player, top, place)
    player.see(place, names()[7])
    x, y, z = place
    player.do("dig", x=x, y=y, z=z)
    player.see(place, "air")
    player.do("put", x=x, y=y - 1, z=z, name=names()[9])
    player.see(place, names()[9])
    read_until(client, top, b"\x09")
    assert client.read(0, top) == b"\x07" * top


def test_a_lever_is_a_bit(bbd: RunBbd, minecraft: StartMinecraft, attach: Attach, join: Join, world: Path) -> None:
    bbd("create", world, "--disk", "demo", "--size", "16K", "--codec", "redstone")
    levers = blocks_of(bbd, world, 0)
    assert len(levers) == 8
    server = minecraft(world, "--unprotected")
    player = join(server)
    _served, client = attach(server)
    client.write(0, b"\x80\x01")
    client.flush()
    visit(player, 0, levers[0])
    player.see(levers[0], "lever", powered="true")
    player.see(levers[1], "lever", powered="false")
    x, y, z = levers[1]
    player.see((x, y - 2, z), "redstone_lamp", lit="false")
    player.do("click", x=x, y=y, z=z)
    player.see(levers[1], "lever", powered="true")
    player.see((x, y - 2, z), "redstone_lamp", lit="true")
    read_until(client, 0, b"\xc0\x01")


def test_an_open_world_is_refused_both_ways(
    bbd: RunBbd, minecraft: StartMinecraft, jar: Path, world: Path, tmp_path: Path
) -> None:
    bbd("create", world, "--disk", "demo", "--size", "1M")
    server = minecraft(world)
    refused = bbd("serve", "--world", world, "--unix", tmp_path / "n", check=False)
    assert refused.returncode != 0
    assert "open" in refused.stderr
    server.stop()
    with (world / "session.lock").open("r+b") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        done = run_server(jar, world, tmp_path)
    assert done.returncode == 1
    assert "is open in another program" in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_cannot_be_served_is_said_in_a_line(bbd: RunBbd, jar: Path, world: Path, tmp_path: Path) -> None:
    bbd("create", world, "--disk", "demo", "--size", "1M")
    missing = run_server(jar, tmp_path / "nothing", tmp_path)
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "there is no world" in missing.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_server(jar, world, tmp_path, port=taken.getsockname()[1])
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "can't be listened on" in done.stderr


def run_server(jar: Path, world: Path, folder: Path, port: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(jar, world, folder / "token", port), capture_output=True, text=True, check=False, timeout=_TIMEOUT
    )
