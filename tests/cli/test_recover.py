"""``bbd recover``: disks found again from their blocks, after the game's migration and worse."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from bbd.disk.check import CHECK_SIZE
from bbd.geometry.geometry import Geometry
from bbd.geometry.registry import codec, layout
from bbd.os_files import OsFiles
from bbd.worlds.anvil.region import RegionFile
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import CHECK_SECTION, KEEP, ColumnWrite, read_column
from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient
from tests.worlds.region_model import raw

SIZE = 3_000_000
PIECES = [(0, 5000), (70_000, 300), (1_000_000, 70_000), (SIZE - 7, 7)]


def content(seed: int) -> bytes:
    rng = random.Random(seed)
    data = bytearray(SIZE)
    for offset, length in PIECES:
        data[offset : offset + length] = rng.randbytes(length)
    return bytes(data)


def fill(start: StartServer, world: Path, seed: int, *options: str | Path, crash: bool = False) -> None:
    """Write a disk; stop cleanly, or crash with everything flushed."""
    server = start("--world", world, *options)
    with NbdClient(server.connect()) as client:
        for offset, length in PIECES:
            client.write(offset, content(seed)[offset : offset + length])
        client.flush()
    if crash:
        server.kill()
    else:
        server.stop()


def read(start: StartServer, world: Path, export: str = "") -> bytes:
    server = start("--world", world)
    with NbdClient(server.connect(), export) as client:
        data = b"".join(client.read(at, min(1 << 20, client.size - at)) for at in range(0, client.size, 1 << 20))
    server.stop()
    return data


def migrate(world: Path, *, keep_bbd: bool) -> None:
    """What a game of 26.1 does with an older world: it builds a new folder and swaps it in."""
    fresh = world.with_name("fresh")
    (fresh / "dimensions/minecraft/overworld").mkdir(parents=True)
    (world / "region").rename(fresh / "dimensions/minecraft/overworld/region")
    shutil.copy(world / "level.dat", fresh)
    if keep_bbd:
        (world / "bbd").rename(fresh / "bbd")
    shutil.rmtree(world)
    fresh.rename(world)


KINDS = [
    ["--codec", "byte", "--layout", "hilbert", "--origin=-32,64", "--compression", "lz4"],
    ["--codec", "byte", "--layout", "linear", "--origin=5,-3", "--parity", "3", "--edits", "accept"],
    ["--codec", "nibble", "--palette", "wool", "--layout", "spiral", "--parity", "0", "--compression", "none"],
    ["--codec", "redstone", "--layout", "hilbert", "--parity", "1"],
]


@pytest.mark.parametrize("options", KINDS, ids=lambda options: f"{options[1]} {options[3]}")
def test_a_migrated_world_without_its_disk_files(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, options: list[str]
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE), "--disk", "old name", *options)
    fill(bbd_server, world, 1)
    before = json.loads((world / "bbd/old name.json").read_text())
    migrate(world, keep_bbd=False)
    done = json.loads(bbd("recover", world, "--json").stdout)
    (disk,) = done["disks"]
    assert disk["from_copy"]
    assert disk["clean"]
    assert (disk["strays"], disk["damaged"]) == (0, 0)
    assert json.loads((world / "bbd/old name.json").read_text()) == before
    assert read(bbd_server, world, "old name") == content(1)


def test_a_migrated_world_that_kept_its_disk_files(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE))
    fill(bbd_server, world, 1)
    fill(bbd_server, world, 2, crash=True)
    migrate(world, keep_bbd=True)
    refused = bbd("recover", world, check=False)
    assert refused.returncode == 1
    assert "no check section of a disk whose descriptor is gone; it has w" in refused.stderr
    assert read(bbd_server, world) == content(2)


def test_a_disk_in_a_world_of_the_new_layout(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "64K", "--origin", "64,64")
    migrate(world, keep_bbd=False)
    bbd("create", world, "--size", str(SIZE), "--disk", "new")
    fill(bbd_server, world, 3)
    assert read(bbd_server, world) == content(3)
    assert (world / "dimensions/minecraft/overworld/region/r.0.0.mca").exists()
    assert not (world / "region").exists()
    (world / "region").mkdir()
    refused = bbd("serve", "--world", world, "--listen", "127.0.0.1:0", check=False)
    assert refused.returncode == 1
    assert "twice" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_after_a_crash_the_journal_is_found_too(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE))
    fill(bbd_server, world, 1)
    fill(bbd_server, world, 2, crash=True)
    shutil.rmtree(world / "bbd")
    shown = bbd("recover", world).stdout
    assert "bbd serve replays its journal" in shown
    assert read(bbd_server, world) == content(2)
    assert json.loads((world / "bbd/w.json").read_text())["clean"]


def test_a_world_that_was_written_after_the_copy(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    """Its journal is gone with another state folder: that something may be missing is said, not hidden."""
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE))
    fill(bbd_server, world, 1)
    copy = next((tmp_path / "state/bbd/descriptors").iterdir())
    old = copy.read_bytes()
    fill(bbd_server, world, 2, "--journal", tmp_path / "elsewhere")
    copy.write_bytes(old)
    shutil.rmtree(world / "bbd")
    bbd("recover", world)
    refused = bbd("serve", "--world", world, "--listen", "127.0.0.1:0", check=False)
    assert refused.returncode == 1
    assert "was not stopped cleanly" in refused.stderr


def test_without_a_copy(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE), "--disk", "d", "--codec", "nibble")
    fill(bbd_server, world, 1)
    shutil.rmtree(world / "bbd")
    shutil.rmtree(tmp_path / "state")
    for options, words in [([], "say its exact size with --size"), (["--size", "2M"], "2 MiB can't be its size")]:
        refused = bbd("recover", world, *options, check=False)
        assert refused.returncode == 1
        assert words in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert not (world / "bbd").exists()
    shown = bbd("recover", world, "--size", str(SIZE), "--edits", "accept").stdout
    assert "codec nibble, layout hilbert, origin 0,0 in minecraft:overworld, parity 2" in shown
    assert json.loads((world / "bbd/w.json").read_text())["edits"] == "accept"
    assert read(bbd_server, world) == content(1)


def test_two_disks_of_which_one_is_lost(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    for name, origin in (("one", "0,0"), ("two", "0,8")):
        bbd("create", world, "--size", str(SIZE), "--disk", name, "--layout", "linear", "--origin", origin)
        fill(bbd_server, world, len(name) + ord(name[0]), "--disk", name)
    stands = (world / "bbd/one.json").read_bytes()
    (world / "bbd/two.json").unlink()
    (world / "bbd/two.columns").unlink()
    done: dict[str, Any] = json.loads(bbd("recover", world, "--json").stdout)
    assert [disk["name"] for disk in done["disks"]] == ["two"]
    assert (world / "bbd/one.json").read_bytes() == stands
    assert read(bbd_server, world, "two") == content(3 + ord("t"))
    assert read(bbd_server, world, "one") == content(3 + ord("o"))


def test_two_lost_disks(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    for name, origin in (("one", "0,0"), ("two", "0,8")):
        bbd("create", world, "--size", str(SIZE), "--disk", name, "--layout", "linear", "--origin", origin)
        fill(bbd_server, world, ord(name[0]), "--disk", name)
    ids = {name: json.loads((world / f"bbd/{name}.json").read_text())["id"] for name in ("one", "two")}
    shutil.rmtree(world / "bbd")
    refused = bbd("recover", world, "--disk", "mine", check=False)
    assert refused.returncode == 1
    assert "say which with --id" in refused.stderr
    bbd("recover", world, "--disk", "mine", "--id", ids["two"][:8])
    refused = bbd("recover", world, "--disk", "mine", "--id", ids["one"], check=False)
    assert "another disk is" in refused.stderr
    bbd("recover", world)
    assert sorted(path.name for path in (world / "bbd").glob("*.json")) == ["mine.json", "one.json"]
    assert read(bbd_server, world, "mine") == content(ord("t"))
    assert read(bbd_server, world, "one") == content(ord("o"))


def test_chunks_that_can_not_be_read_are_errors_and_copies_elsewhere_are_left_alone(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE), "--layout", "linear")
    fill(bbd_server, world, 1)
    region = RegionFile(OsFiles(), world / "region/r.0.0.mca")
    first = region.read_raw(0)
    assert first is not None
    region.write({1: raw(100, 1), 500: first, 10: raw(100, 1), 700: raw(100, 2)})
    region.close()
    shutil.rmtree(world / "bbd")
    (disk,) = json.loads(bbd("recover", world, "--json").stdout)["disks"]
    assert (disk["strays"], disk["damaged"]) == (1, 2)
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        assert client.read(0, 5000) == content(1)[:5000]
        assert client.read(1_000_000, 70_000) == content(1)[1_000_000:1_070_000]
        for column in (1, 10):
            with pytest.raises(OSError, match="error"):
                client.read(column * 65536, 4096)
        assert client.read(2 * 65536, 4096) == bytes(4096)


@pytest.mark.parametrize("damage", ["empty", "a world without a disk", "a damaged descriptor", "no world"])
def test_nothing_to_recover(bbd: RunBbd, tmp_path: Path, damage: str) -> None:
    world = tmp_path / "w"
    words = "no check section"
    if damage == "no world":
        words = "no Minecraft world"
    else:
        bbd("create", world, "--size", "64K")
    if damage == "a world without a disk":
        shutil.rmtree(world / "bbd")
    if damage == "a damaged descriptor":
        (world / "bbd/w.json").write_text("{")
        words = "is damaged"
    refused = bbd("recover", world, check=False)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_column_whose_check_section_is_damaged_is_an_error_and_not_zeros(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE), "--layout", "linear", "--parity", "0")
    fill(bbd_server, world, 1)
    geometry = Geometry(codec("byte"), layout({"name": "linear", "width": 32}))
    with AnvilWorld(world) as anvil:
        site = anvil.site(geometry)
        for column, changed in ((0, 60), (1, 8)):
            stored = read_column(site, column)
            assert stored is not None
            check = stored.payloads[CHECK_SECTION]
            assert check is not None
            # A byte of the CRCs in the first column, the whole disk id in the second.
            fresh = bytearray(check[:CHECK_SIZE])
            fresh[changed : changed + 16] = bytes(value ^ 0xFF for value in fresh[changed : changed + 16])
            site.write({column: ColumnWrite([KEEP] * 16 + [bytes(fresh)] + [KEEP] * 3, stored.base)})
    shutil.rmtree(world / "bbd")
    (disk,) = json.loads(bbd("recover", world, "--json").stdout)["disks"]
    assert (disk["damaged"], disk["unknown"], disk["strays"]) == (1, 1, 0)
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        with pytest.raises(OSError, match="error"):
            client.read(0, 4096)
        assert client.read(1_000_000, 70_000) == content(1)[1_000_000:1_070_000]
