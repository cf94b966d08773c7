"""``bbd check``, and what ``bbd serve`` says of a world that changed: on a world in files, blocks changed by hand."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bbd.geometry.registry import codec
from bbd.worlds.anvil.lock import SessionLock
from tests.conftest import RunBbd, StartServer
from tests.disk.test_explosions import CHUNK, ball, blow_up
from tests.nbd_client import NbdClient

BYTE = codec("byte")
SMALL = ball(16 * 19, (40, 8, 8), 5)
LARGE = ball(16 * 19, (40, 8, 8), 40)


@pytest.fixture
def world(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> Path:
    """A disk of two columns of random bytes, in chunks 32,64 and 32,65."""
    path = tmp_path / "w"
    bbd("create", path, "--size", "128K", "--origin", f"{CHUNK[0]},{CHUNK[1]}")
    server = bbd_server("--world", path)
    with NbdClient(server.connect()) as client:
        client.write(0, Random(5).randbytes(128 << 10))
    server.stop()
    return path


def test_a_sound_world(bbd: RunBbd, world: Path) -> None:
    assert "w: 2 columns looked at: 2 sound" in bbd("check", world).stdout


def test_a_crater_is_told_and_repaired(bbd: RunBbd, world: Path) -> None:
    blow_up(world, BYTE, SMALL)
    done = bbd("check", world)
    assert "column 0, chunk 32,64 (x 512..527, z 1024..1039): section 2 told again from parity" in done.stderr
    assert "1 sound, 0 edited, 1 mended, 0 damaged" in done.stdout
    assert "--repair" in done.stdout
    document = json.loads(bbd("check", world, "--json", "--repair").stdout)
    (disk,) = document["disks"]
    assert (disk["mended"], disk["damaged"]) == (1, 0)
    assert disk["findings"][0]["mended"].keys() == {"2"}
    assert "2 sound" in bbd("check", world).stdout


def test_what_is_beyond_repair_ends_with_1(bbd: RunBbd, world: Path) -> None:
    blow_up(world, BYTE, LARGE)
    done = bbd("check", world, "--repair", check=False)
    assert done.returncode == 1
    assert "1 damaged" in done.stdout
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(bbd("check", world, "--json", check=False).stdout)["disks"][0]["damaged"] == 1


def test_a_world_in_use_is_not_checked(bbd: RunBbd, world: Path) -> None:
    with SessionLock(world):
        done = bbd("check", world, check=False)
    assert done.returncode == 1
    assert "is open" in done.stderr


def test_serve_tells_what_changed_and_serves_it_mended(bbd_server: StartServer, world: Path) -> None:
    quiet = bbd_server("--world", world)
    assert "changed" not in quiet.output
    quiet.stop()
    blow_up(world, BYTE, SMALL)
    server = bbd_server("--world", world)
    assert "the world changed since the last clean stop (r.1.2.mca); 2 columns looked at: 1 sound" in server.output
    with NbdClient(server.connect()) as client:
        assert client.read(0, 128 << 10) == Random(5).randbytes(128 << 10)
    server.stop()
    again = bbd_server("--world", world)
    assert "changed" not in again.output


@pytest.mark.parametrize("dimension", ["the_nether", "minecraft:the_end"])
def test_a_disk_in_the_nether_or_end(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, dimension: str) -> None:
    path = tmp_path / "w"
    assert "keep others away" in bbd("create", path, "--size", "1M", "--dimension", dimension).stdout
    (disk,) = json.loads(bbd("info", path, "--json").stdout)["disks"]
    assert (disk["parity"], disk["to"][1]) == (0, 255)
    server = bbd_server("--world", path)
    data = np.random.default_rng(3).bytes(200000)
    with NbdClient(server.connect()) as client:
        client.write(1000, data)
    server.stop()
    assert list((path / ("DIM-1" if "nether" in dimension else "DIM1") / "region").iterdir())
    again = bbd_server("--world", path)
    with NbdClient(again.connect()) as client:
        assert client.read(1000, len(data)) == data
        assert client.read(0, 1000) == bytes(1000)
    again.stop()
    assert json.loads(bbd("what", path, "0", "256", "0", "--json").stdout)["role"] == "above the disk"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--dimension", "the_nether", "--parity", "1"], "no room for parity"),
        (["--dimension", "moon"], "overworld, the_nether or the_end"),
    ],
)
def test_dimensions_that_can_not_be(bbd: RunBbd, tmp_path: Path, options: list[str], words: str) -> None:
    done = bbd("create", tmp_path / "w", "--size", "1M", *options, check=False)
    assert done.returncode == 1
    assert words in done.stderr
