"""Larger disks, and smaller worlds: what changes, and what must not."""

from __future__ import annotations

import json
import random
import struct
import zlib
from pathlib import Path
from random import Random

import pytest

from bbd.os_files import OsFiles
from bbd.worlds.anvil.compact import SUFFIX, compact_region
from bbd.worlds.anvil.compression import NONE, ZLIB, RawChunk, compress, decompress
from bbd.worlds.anvil.region import RegionFile
from tests.cli.test_commands import said
from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient
from tests.torture.simulated_files import SimulatedFiles

MIB = 1 << 20
REGION = Path("/w/r.0.0.mca")


def fill(bbd: RunBbd, tmp_path: Path, world: Path, size: int) -> bytes:
    content = random.Random(7).randbytes(size)
    (tmp_path / "image").write_bytes(content)
    bbd("import", tmp_path / "image", world)
    return content


def exported(bbd: RunBbd, tmp_path: Path, world: Path) -> bytes:
    bbd("export", world, tmp_path / "exported")
    return (tmp_path / "exported").read_bytes()


# -- grow -------------------------------------------------------------------------------------------------------------


def test_a_grown_disk_keeps_its_bytes_and_takes_more(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    content = fill(bbd, tmp_path, world, MIB - 1000)
    assert "grew" in bbd("grow", world, "--size", "3M").stdout
    assert exported(bbd, tmp_path, world) == content + bytes(2 * MIB + 1000)
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        assert client.size == 3 * MIB
        client.write(3 * MIB - 4, b"last")
        client.flush()
    server.kill()
    bbd("grow", world, "--size", "4M")  # with a journal that waits to be replayed
    assert exported(bbd, tmp_path, world) == content + bytes(2 * MIB + 996) + b"last" + bytes(MIB)


@pytest.mark.parametrize(("size", "words"), [("1M", "never shrink"), ("512K", "never shrink"), ("5E", "border")])
def test_sizes_that_can_not_be(bbd: RunBbd, tmp_path: Path, size: str, words: str) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    before = (world / "bbd" / "w.json").read_bytes()
    assert words in said(bbd("grow", world, "--size", size, check=False))
    assert (world / "bbd" / "w.json").read_bytes() == before


def test_a_disk_does_not_grow_over_others(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    linear = ("--layout", "linear")
    bbd("create", world, "--size", "1M", "--disk", "a", *linear)
    bbd("create", world, "--size", "1M", "--disk", "b", "--origin", "0,32", *linear)
    assert "on disk 'b'" in said(bbd("grow", world, "--disk", "a", "--size", "1G", check=False))
    bbd("grow", world, "--disk", "a", "--size", "64M")
    assert "with --disk" in said(bbd("grow", world, "--size", "1G", check=False))


def test_a_disk_does_not_grow_over_builds(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "4M", "--layout", "spiral")  # all around it players have a platform
    assert "--force" in said(bbd("grow", world, "--size", "1G", check=False))
    bbd("grow", world, "--size", "1G", "--force")


# -- compact ----------------------------------------------------------------------------------------------------------


def test_a_world_is_smaller_and_holds_the_same(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    fill(bbd, tmp_path, world, 2 * MIB)
    region = world / "region" / "r.0.0.mca"
    (tmp_path / "image").write_bytes(bytes(MIB) + random.Random(8).randbytes(MIB))
    bbd("import", tmp_path / "image", world, "--overwrite")
    region.chmod(0o640)
    before = region.stat().st_size
    report = json.loads(bbd("compact", world, "--json").stdout)
    assert report["before"] == before
    assert report["after"] == region.stat().st_size < before
    assert region.stat().st_mode & 0o777 == 0o640
    assert exported(bbd, tmp_path, world) == (tmp_path / "image").read_bytes()
    assert "0.0 % won" in bbd("compact", world).stdout


def test_a_world_with_nothing_in_it(bbd: RunBbd, tmp_path: Path) -> None:
    bbd("create", tmp_path / "w", "--size", "1T")
    assert "nothing to win" in bbd("compact", tmp_path / "w").stdout


def test_what_is_not_the_disks_is_the_same_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "r.0.0.mca"
    theirs = {
        3: RawChunk(1, b"gzip, they say"),
        40: RawChunk(NONE, b"\0" * 9000),
        1023: compress(b"their blocks" * 999),
    }
    ours = {
        5: RawChunk(ZLIB, zlib.compress(b"our blocks" * 2000, 0)),
        6: RawChunk(NONE, b"plain" * 999),
    }
    region = RegionFile(OsFiles(), path)
    region.write({**theirs, **ours, 9: RawChunk(NONE, bytes(50_000))})
    region.write({}, removals=[9])
    region.close()
    times = path.read_bytes()[4096:8192]
    found = compact_region(OsFiles(), path, set(ours))
    assert found.after == path.stat().st_size < found.before
    assert path.read_bytes()[4096:8192] == times
    region = RegionFile(OsFiles(), path)
    for index, raw in theirs.items():
        assert region.read_raw(index) == raw
    assert region.read_raw(6) == ours[6]
    packed = region.read_raw(5)
    assert packed is not None
    assert (packed.compression, len(packed.data) < len(ours[5].data)) == (ZLIB, True)
    assert decompress(packed) == decompress(ours[5])
    assert region.present_bitmap == sum(1 << index for index in (*theirs, *ours))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("location", [1 << 8 | 1, 500 << 8 | 1, 2 << 8 | 1])
def test_a_file_that_is_not_understood_is_left_alone(tmp_path: Path, location: int) -> None:
    path = tmp_path / "r.0.0.mca"
    region = RegionFile(OsFiles(), path)
    region.write({0: RawChunk(NONE, bytes(9000)), 1: RawChunk(NONE, bytes(50))})
    region.write({0: RawChunk(NONE, bytes(90))})
    region.close()
    with path.open("r+b") as file:
        file.seek(4 * 7)
        file.write(struct.pack(">I", location))
        file.seek(4)
        file.write(struct.pack(">I", 2 << 8 | 1))
    before = path.read_bytes()
    assert compact_region(OsFiles(), path, {0, 1}).damaged
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_power_cut_leaves_the_old_file_or_the_new_one() -> None:
    files = SimulatedFiles()
    files.make_dir(REGION.parent)
    chunks = {index: compress(Random(index).randbytes(900) * 9) for index in range(3)}
    region = RegionFile(files, REGION)
    region.write({**chunks, 9: RawChunk(NONE, bytes(9_000))})
    region.write({1: chunks[1]}, removals=[9])
    files.mark()
    found = compact_region(files, REGION, set(chunks))
    assert found.after < found.before
    for calls in range(len(files.calls) + 1):
        for seed in range(4):
            left = files.after_power_cut(files.calls[:calls], Random(f"{seed} {calls}"))
            survivor = RegionFile(left, REGION)
            for index, raw in chunks.items():
                stored = survivor.read_raw(index)
                assert stored is not None
                assert decompress(stored) == decompress(raw)
            compact_region(left, REGION, set(chunks))
            assert not left.exists(REGION.with_name(REGION.name + SUFFIX))
