"""The game's server killed under load, the NBD server killed, and both: nothing that was flushed is lost."""

from __future__ import annotations

import hashlib
import subprocess
import time
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.fio import AREA, Fio, wait_for_burst
from tests.live_server.conftest import StartMinecraft
from tests.live_server.minecraft import MinecraftServer
from tests.servers import BbdServer, free_port

MIB = 1 << 20
PATIENT = ("--live-timeout", "90")
KILLS = 3


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return tmp_path / "world"


def digest(server: BbdServer) -> str:
    """Of all of the disk's bytes."""
    copy = subprocess.run(
        ["nbdcopy", server.uri("demo"), "-"], check=True, capture_output=True, timeout=120, stdin=subprocess.DEVNULL
    )
    return hashlib.sha256(copy.stdout).hexdigest()


def saved(world: Path) -> int:
    """When the game's server last saved chunks."""
    return max((file.stat().st_mtime_ns for file in world.glob("**/r.*.mca")), default=0)


def wait_until_it_saves(world: Path, fio: subprocess.Popen[str]) -> None:
    """Return in the middle of something: when chunks were saved that had not been when this was called."""
    before = saved(world)
    deadline = time.monotonic() + 60
    while saved(world) == before and fio.poll() is None:
        assert time.monotonic() < deadline, "the game's server saves nothing"
        time.sleep(0.005)


def test_the_games_server_is_killed_under_fio(
    bbd: RunBbd, minecraft: StartMinecraft, bbd_server: StartServer, world: Path
) -> None:
    bbd("create", world, "--disk", "demo", "--size", "4M")
    random = Random(6)
    port = str(free_port())
    game = minecraft(world, "--bridge-port", port)
    served = bbd_server("--live", game.bridge, "--token-file", game.token, "--cache", "1M", *PATIENT)
    job = [
        *("fio", "--name=live", "--ioengine=nbd", f"--uri={served.uri('demo')}", "--rw=randwrite", "--bs=4k"),
        *("--iodepth=16", "--size=4M", "--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0", "--fsync=64"),
    ]
    for number in range(KILLS):
        fio = subprocess.Popen(
            [*job, f"--randseed={number}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            wait_until_it_saves(world, fio)
            time.sleep(random.uniform(0, 0.3))
            game.kill()
            game = minecraft(world, "--bridge-port", port)
            output, _ = fio.communicate(timeout=100)
            assert fio.returncode == 0, output
        finally:
            fio.kill()
            fio.wait(30)
    assert served.output.count("is back, after") == KILLS, served.output
    content = digest(served)
    served.stop()
    game.stop()
    assert bbd("check", world).returncode == 0
    offline = bbd_server("--world", world)
    assert digest(offline) == content
    again = [f"--uri={offline.uri('demo')}" if part.startswith("--uri=") else part for part in job]
    subprocess.run([*again, f"--randseed={KILLS - 1}", "--verify_only"], check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("both", [False, True], ids=["bbd", "both"])
def test_killed_in_a_burst(
    bbd: RunBbd, minecraft: StartMinecraft, bbd_server: StartServer, world: Path, tmp_path: Path, both: bool
) -> None:
    bbd("create", world, "--disk", "demo", "--size", str(2 * AREA))
    random = Random(7)
    port = str(free_port())
    game = minecraft(world, "--bridge-port", port)
    rounds = 3 if both else 5
    for number in range(rounds):
        served = serve(bbd_server, game)
        fio = Fio(served, tmp_path, "demo")
        burst_begins = tmp_path / f"burst-{number}"
        run = fio.start(number, burst_begins)
        try:
            wait_for_burst(burst_begins, run)
            time.sleep(random.uniform(0, 0.3))
            if both:
                game.kill()
                time.sleep(random.uniform(0, 0.1))
            served.kill()
            fio.check(run, *(["verify"] if number else []), "write")
        finally:
            run.kill()
            run.wait(30)
        if both:
            game = minecraft(world, "--bridge-port", port)
    served = serve(bbd_server, game)
    Fio(served, tmp_path, "demo").verify(rounds - 1)
    content = digest(served)
    served.stop()
    game.stop()
    assert bbd("check", world).returncode == 0
    assert digest(bbd_server("--world", world)) == content


def serve(bbd_server: StartServer, game: MinecraftServer) -> BbdServer:
    return bbd_server("--live", game.bridge, "--token-file", game.token, "--cache", "1M", *PATIENT)
