"""``--compression``: chosen when a disk is made, kept in its descriptor, overridden for a while by ``bbd serve``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient
from tests.worlds.region_model import chunks

TYPES = {"stitched": 2, "zlib": 2, "none": 3, "lz4": 4}


def write(start: StartServer, world: Path, data: bytes, *options: str) -> None:
    server = start("--world", world, *options)
    with NbdClient(server.connect()) as client:
        client.write(0, data)
        client.flush()
    server.stop()


def types(world: Path) -> set[int]:
    return {chunk.compression for chunk in chunks((world / "region/r.0.0.mca").read_bytes()).values()}


@pytest.mark.parametrize("compression", TYPES)
def test_what_a_disk_is_made_with(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, compression: str) -> None:
    world = tmp_path / "w"
    said = bbd("create", world, "--size", "1M", "--compression", compression).stdout
    assert ("needs Minecraft 1.20.5 or later" in said) == (compression == "lz4")
    assert json.loads((world / "bbd/w.json").read_text())["compression"] == compression
    version = json.loads(bbd("info", world, "--json").stdout)["data_version"]
    assert version == (3837 if compression == "lz4" else 3465)
    write(bbd_server, world, b"a" * 70_000)
    assert types(world) == {TYPES[compression]}
    other = "none" if compression == "zlib" else "zlib"
    write(bbd_server, world, b"b" * 70_000, "--compression", other)
    assert types(world) == {TYPES[other]}
    assert json.loads((world / "bbd/w.json").read_text())["compression"] == compression


def test_a_descriptor_of_an_older_bbd_has_none(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    path = world / "bbd/w.json"
    document = json.loads(path.read_text())
    del document["compression"]
    path.write_text(json.dumps(document))
    write(bbd_server, world, b"a" * 70_000)
    assert types(world) == {2}
    assert json.loads(path.read_text())["compression"] == "zlib"
    path.write_text(json.dumps({**document, "compression": "brotli"}))
    refused = bbd("info", world, check=False)
    assert refused.returncode == 1
    assert "'brotli' is none of stitched, zlib, lz4, none" in refused.stderr


@pytest.mark.parametrize("command", ["create", "serve"])
def test_a_word_that_is_no_compression(bbd: RunBbd, tmp_path: Path, command: str) -> None:
    world = tmp_path / "w"
    arguments: list[str | Path] = [world, "--size", "1M"] if command == "create" else ["--world", world]
    refused = bbd(command, *arguments, "--compression", "brotli", check=False)
    assert refused.returncode == 1
    assert refused.stderr.strip().endswith("be compressed with 'brotli'; choose one of stitched, zlib, lz4, none")
    assert not world.exists()


def test_lz4_into_a_world_of_an_older_game_is_told(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "1M")
    server = bbd_server("--world", world, "--compression", "lz4")
    assert "it needs Minecraft 1.20.5 or later" in server.output
    server.stop()
    said = bbd("create", world, "--size", "1M", "--disk", "d", "--origin", "64,64", "--compression", "lz4").stdout
    assert "needs Minecraft 1.20.5 or later" in said
