"""The commands as a person or a script runs them: what they print, what they refuse, how they end."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path

import pytest

from bbd.worlds.anvil.lock import SessionLock
from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient
from tests.servers import BBD, BbdServer, environment


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed command left."""
    assert done.returncode == 1, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_version_and_help(bbd: RunBbd) -> None:
    assert re.fullmatch(r"bbd \d+\.\d+\.\d+\n", bbd("--version").stdout)
    for command in ("create", "serve", "info", "where", "what"):
        assert "Usage" in bbd(command, "--help").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--size", "0"], "at least 1"),
        (["--size", "-5"], "is no size"),
        (["--size", "64Q"], "is no size"),
        (["--size", "4E"], "world border"),
        (["--size", "9999E"], "more than NBD can tell"),
        (["--size", "1M", "--codec", "morse"], "byte"),
        (["--size", "1M", "--layout", "knot"], "hilbert"),
        (["--size", "1M", "--origin", "5,5"], "multiple of 32"),
        (["--size", "1M", "--origin", "here"], "CX,CZ"),
        (["--size", "1M", "--origin", "32000000,0"], "border"),
        (["--size", "1M", "--parity", "4"], "0 to 3"),
        (["--size", "1M", "--edits", "maybe"], "accept or repair"),
        (["--size", "1M", "--disk", "a/b"], "name"),
        (["--size", "1M", "--disk", ".hidden"], "name"),
    ],
)
def test_what_create_refuses(bbd: RunBbd, tmp_path: Path, options: list[str], words: str) -> None:
    assert words in said(bbd("create", tmp_path / "w", *options, check=False))
    assert not (tmp_path / "w").exists()


def test_a_folder_that_is_no_world(bbd: RunBbd, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    assert "is not empty" in said(bbd("create", tmp_path, "--size", "1M", check=False))
    for command in (["serve", "--world"], ["info"]):
        assert "is no Minecraft world" in said(bbd(*command, tmp_path, check=False))


def test_a_world_without_a_disk(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    for entry in (world / "bbd").iterdir():
        entry.unlink()
    assert "bbd create" in said(bbd("serve", "--world", world, check=False))


def test_a_disk_from_a_newer_format(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    path = world / "bbd" / "w.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "format": 2}))
    assert "newer bbd" in said(bbd("serve", "--world", world, check=False))
    path.write_text(json.dumps({**document, "incompat": ["holograms"]}))
    assert "holograms" in said(bbd("serve", "--world", world, check=False))
    path.write_text("{")
    assert "damaged" in said(bbd("info", world, check=False))


def test_several_disks_in_one_world(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "4M")
    assert "another --origin" in said(bbd("create", world, "--size", "1M", "--disk", "two", check=False))
    assert "already" in said(bbd("create", world, "--size", "1M", "--origin", "-64,-64", check=False))
    bbd("create", world, "--size", "1M", "--disk", "two", "--origin", "-64,-96", "--layout", "linear", "--parity", "0")
    listed = json.loads(bbd("info", world, "--json").stdout)
    assert [disk["name"] for disk in listed["disks"]] == ["two", "w"]
    assert listed["disks"][0]["from"] == [-1024, 0, -1536]
    assert listed["disks"][0]["to"] == [-1024 + 16 * 16 - 1, 271, -1536 + 15]
    assert "--disk" in said(bbd("where", world, "5", check=False))
    answer = json.loads(bbd("where", world, "4096", "--disk", "two", "--json").stdout)
    assert answer == {
        "disk": "two",
        "offset": 4096,
        "value": 0,
        "blocks": [{"x": -1024 + 7, "y": 16, "z": -1536, "block": "minecraft:air", "properties": {}}],
    }


@pytest.mark.quick
def test_existing_builds_are_in_the_way(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    # The platform at spawn is somebody's build for a disk that would cover it.
    refused = bbd("create", world, "--size", "64M", "--disk", "two", "--origin", "-32,-32", check=False)
    assert "something is built" in said(refused)
    bbd("create", world, "--size", "64M", "--disk", "two", "--origin", "-32,-32", "--force")


def test_where_and_what_agree_on_bytes_that_a_client_wrote(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "8M", "--origin", "-32,-64")
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        client.write(70000, b"Hello Andrew\n")
    server.stop()
    seen = json.loads(bbd("where", world, "70000", "--json").stdout)
    assert seen["value"] == ord("H")
    (block,) = seen["blocks"]
    assert block["x"] < 0
    assert block["z"] < 0
    assert block["block"] != "minecraft:air"
    place = [str(block[axis]) for axis in "xyz"]
    back = json.loads(bbd("what", world, *place, "--json").stdout)
    assert (back["offset"], back["value"], back["block"]) == (70000, ord("H"), block["block"])
    shown = bbd("what", world, *place).stdout
    assert "offset 70000 of w: 72 (0x48, 'H')" in shown
    assert "check section" in bbd("what", world, place[0], "256", place[2]).stdout
    assert "parity section" in bbd("what", world, place[0], "272", place[2]).stdout
    assert "outside the disk" in bbd("what", world, "5", "5", "5").stdout
    assert "is not on the disk" in said(bbd("where", world, "8M", check=False))


def test_a_world_that_the_game_has_open_is_refused(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    with SessionLock(world):
        assert "is open" in said(bbd("serve", "--world", world, check=False))
        assert "is open" in said(bbd("create", world, "--size", "1M", "--disk", "x", check=False))
        assert "another bbd" in bbd("info", world).stdout


def test_a_port_in_use(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = said(bbd("serve", "--world", world, "--listen", f"127.0.0.1:{port}", check=False))
    assert str(port) in message
    assert "another port" in message


def test_two_disks_of_one_name_in_two_worlds(bbd: RunBbd, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        bbd("create", tmp_path / folder, "--size", "1M", "--disk", "same")
    refused = bbd("serve", "--world", tmp_path / "a", "--world", tmp_path / "b", check=False)
    assert "same" in said(refused)


@pytest.mark.quick
def test_read_only_refuses_writes_and_changes_nothing(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    before = {path: path.read_bytes() for path in world.rglob("*") if path.is_file()}
    server = bbd_server("--world", world, "--read-only")
    with NbdClient(server.connect()) as client:
        assert client.flags & 2
        assert client.read(0, 100) == bytes(100)
        with pytest.raises(OSError, match="error") as caught:
            client.write(0, b"x")
        assert caught.value.errno == 1
    server.stop()
    assert {path: path.read_bytes() for path in world.rglob("*") if path.is_file()} == before


@pytest.mark.quick
def test_the_demo_is_made_once_and_says_hello(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "sub" / "demo"
    server = bbd_server("--world", world)
    assert "Making" in server.output
    with NbdClient(server.connect(), "demo") as client:
        assert client.size == 64 << 20
        image = client.read(0, 8 << 20)
        assert b"Hello Andrew\n" in image
        client.write(40 << 20, b"mine")
    server.stop()
    again = bbd_server("--world", world)
    assert "Making" not in again.output
    with NbdClient(again.connect()) as client:
        assert client.read(40 << 20, 4) == b"mine"
    assert "accept" in bbd("info", world).stdout


def test_once_ends_with_the_last_client(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    server = BbdServer("--world", world, "--once", environment=environment(tmp_path / "state"))
    try:
        with NbdClient(server.connect()) as client:
            client.write(0, b"last words")
        assert server.process.wait(20) == 0
    finally:
        server.kill()
    assert json.loads(bbd("where", world, "0", "--json").stdout)["value"] == ord("l")


def test_the_uris_and_the_way_to_mount_are_printed(bbd_server: StartServer, bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "4096000", "--disk", "two words")
    server = bbd_server("--world", world)
    assert f"nbd+unix:///two%20words?socket={server.socket}" in server.output
    assert "4096000 bytes (3.9 MiB)" in server.output
    assert "Mount it on this machine:" in server.output


@pytest.mark.quick
def test_usage_errors_end_with_2(bbd: RunBbd) -> None:
    assert bbd("create", check=False).returncode == 2
    assert BBD.exists()


def test_a_stopped_world_opens_with_another_journal_folder_but_not_after_a_crash(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    server = bbd_server("--world", world, "--journal", tmp_path / "j1")
    with NbdClient(server.connect()) as client:
        client.write(0, b"flushed")
        client.flush()
    server.kill()
    assert "--journal" in said(bbd("serve", "--world", world, "--journal", tmp_path / "j2", check=False))
    again = bbd_server("--world", world, "--journal", tmp_path / "j1")
    with NbdClient(again.connect()) as client:
        assert client.read(0, 7) == b"flushed"
    again.stop()
    bbd_server("--world", world, "--journal", tmp_path / "j2").stop()
