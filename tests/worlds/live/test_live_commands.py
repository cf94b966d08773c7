"""The commands over a companion: the real ``bbd``, and real NBD clients."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient
from tests.servers import BBD, environment
from tests.worlds.live.fake_companion import TOKEN, FakeCompanion
from tests.worlds.live.fake_world import FakeWorld

pytestmark = pytest.mark.interop

SIZE = 4 << 20


@pytest.fixture
def companion() -> Iterator[FakeCompanion]:
    with FakeCompanion(FakeWorld()) as started:
        yield started


@pytest.fixture
def options(companion: FakeCompanion, tmp_path: Path) -> list[str]:
    token = tmp_path / "token"
    token.touch(0o600)
    token.write_text(TOKEN)
    return ["--live", companion.url, "--token-file", str(token)]


def test_create_serve_and_serve_again(
    companion: FakeCompanion, options: list[str], bbd: RunBbd, bbd_server: StartServer
) -> None:
    made = bbd("create", "--disk", "demo", "--size", "4M", *options)
    assert f"Made disk 'demo', 4 MiB, at {companion.url}" in made.stdout
    data = Random(1).randbytes(SIZE)
    server = bbd_server(*options)
    with NbdClient(server.connect()) as client:
        client.write(0, data)
        client.flush()
        deadline = time.monotonic() + 20
        while not companion.counts.notes and time.monotonic() < deadline:
            time.sleep(0.05)
    server.stop()
    assert sum(note["written_bytes"] for note in companion.counts.notes) == SIZE
    assert {note["note"] for note in companion.counts.notes} == {"activity"}
    assert json.loads(companion.world.files["demo.json"])["clean"] is True
    server = bbd_server(*options, "--disk", "demo")
    copy = subprocess.run(
        ["nbdcopy", server.uri("demo"), "-"], check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert copy.stdout == data


def test_the_server_is_killed_under_a_load(
    companion: FakeCompanion, options: list[str], bbd: RunBbd, bbd_server: StartServer
) -> None:
    bbd("create", "--disk", "demo", "--size", "4M", *options)
    data = Random(2).randbytes(SIZE)
    server = bbd_server(*options, "--cache", "1M")
    with NbdClient(server.connect()) as client:
        for at in range(0, SIZE, 1 << 16):
            client.write(at, data[at : at + (1 << 16)])
            if at % (1 << 20) == 0:
                client.flush()
                companion.kill()
                companion.start()
        assert b"".join(client.read(at, 1 << 20) for at in range(0, SIZE, 1 << 20)) == data
    server.stop()
    server = bbd_server(*options)
    with NbdClient(server.connect()) as client:
        assert client.read(0, SIZE) == data


def test_fio_verifies_through_lost_connections(
    companion: FakeCompanion, options: list[str], bbd: RunBbd, bbd_server: StartServer
) -> None:
    bbd("create", "--disk", "demo", "--size", "4M", *options)
    server = bbd_server(*options, "--cache", "1M")
    fio = subprocess.Popen(
        [
            *("fio", "--name=live", "--ioengine=nbd", f"--uri={server.uri('demo')}", "--rw=randwrite", "--bs=4k"),
            *("--iodepth=16", "--size=4M", "--verify=crc32c", "--verify_fatal=1", "--fsync=32", "--loops=2"),
            "--verify_state_save=0",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for number in range(4):
            try:
                output, _ = fio.communicate(timeout=0.3)
                break
            except subprocess.TimeoutExpired:
                if number % 2:
                    companion.cut()
                else:
                    companion.kill()
                    companion.start()
        else:
            output, _ = fio.communicate(timeout=100)
        assert fio.returncode == 0, output
    finally:
        fio.kill()
        fio.wait()


@pytest.mark.parametrize("silent", [False, True], ids=["down", "silent"])
def test_a_stop_while_it_waits_for_the_server(
    companion: FakeCompanion, options: list[str], tmp_path: Path, silent: bool
) -> None:
    """However long it may wait, it ends when it is told to."""
    companion.manners.mute = silent
    if not silent:
        companion.kill()
    log = tmp_path / "log"
    command: list[str | Path] = [BBD, "serve", *options, "--live-timeout", "3600", "--unix", tmp_path / "n"]
    with log.open("wb") as output:
        waiting = subprocess.Popen(command, stdout=output, stderr=output, env=environment(tmp_path / "state"))
    try:
        deadline = time.monotonic() + 60
        while not (companion.counts.hellos if silent else "trying again" in log.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        waiting.terminate()
        assert waiting.wait(30) == 0, log.read_text()
    finally:
        waiting.kill()
        waiting.wait(30)


def test_create_is_the_operators_to_allow(bbd: RunBbd, companion: FakeCompanion, options: list[str]) -> None:
    companion.manners.approve = False
    waits = bbd("create", "--disk", "demo", "--size", "4M", *options, check=False)
    assert waits.returncode == 1
    assert "/bbd approve demo" in waits.stderr
    companion.manners.approve = True
    bbd("create", "--disk", "demo", "--size", "4M", *options)
    again = bbd("create", "--disk", "demo", "--size", "4M", *options, check=False)
    assert "there is a disk demo already" in again.stderr
    companion.manners.capabilities = ()
    off = bbd("create", "--disk", "other", "--size", "4M", *options, check=False)
    assert "makes no disks" in off.stderr


def test_what_is_missing_is_said(bbd: RunBbd, options: list[str]) -> None:
    assert "nothing to serve" in bbd("serve", check=False).stderr
    assert "--live needs --token-file" in bbd("serve", *options[:2], check=False).stderr
    assert "say where" in bbd("create", "--size", "1M", check=False).stderr
    assert "--disk NAME" in bbd("create", "--size", "1M", *options, check=False).stderr
    assert "whose status" in bbd("status", check=False).stderr


def test_status(bbd: RunBbd, companion: FakeCompanion, options: list[str]) -> None:
    bbd("create", "--disk", "demo", "--size", "4M", *options)
    said = bbd("status", *options).stdout
    assert "Minecraft 26.1.2" in said
    assert "demo  4 MiB in minecraft:overworld, protected; not served" in said
    document = json.loads(bbd("status", *options, "--json").stdout)
    assert document["companion"]["disks"][0]["size"] == SIZE
    assert TOKEN not in json.dumps(document)
    url = companion.url
    companion.kill()
    down = bbd("status", "127.0.0.1:1", *options, check=False)
    assert down.returncode == 1
    assert "127.0.0.1:1: " in down.stdout
    assert f"the companion at {url} can't be reached" in down.stdout
