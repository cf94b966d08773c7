"""How commands find the server that has a world open, and what they do where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bbd.worlds.anvil.lock import SessionLock
from tests.cli.test_commands import said
from tests.conftest import RunBbd, StartServer
from tests.servers import free_port


@pytest.fixture
def world(bbd: RunBbd, tmp_path: Path) -> Path:
    bbd("create", tmp_path / "w", "--size", "1M")
    return tmp_path / "w"


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "state" / "bbd" / "served").glob("*"))


@pytest.mark.parametrize("tcp", [False, True])
def test_a_server_tells_where_it_is_as_long_as_it_serves(
    bbd: RunBbd, bbd_server: StartServer, world: Path, tmp_path: Path, *, tcp: bool
) -> None:
    server = bbd_server("--world", world, port=free_port() if tcp else None)
    bbd("export", world, tmp_path / "out.img")
    (path,) = entries(tmp_path)
    document = json.loads(path.read_text())
    assert document["pid"] == server.process.pid
    assert document["uris"] == [server.uri("w")]
    assert document["world"] == str(world.resolve())
    assert (document["disk"], document["size"], document["read_only"]) == ("w", 1 << 20, False)
    server.stop()
    assert entries(tmp_path) == []


def test_what_a_killed_server_left_is_known_to_be_stale(
    bbd: RunBbd, bbd_server: StartServer, world: Path, tmp_path: Path
) -> None:
    bbd_server("--world", world).kill()
    assert len(entries(tmp_path)) == 1
    bbd("export", world, tmp_path / "out.img")


def test_a_world_that_another_has_open_is_refused(bbd: RunBbd, world: Path, tmp_path: Path) -> None:
    with SessionLock(world):
        rest: dict[str, list[str | Path]] = {"export": [tmp_path / "i"], "files": ["ls"], "mount": [tmp_path]}
        rest["grow"] = ["--size", "2M"]
        for verb in ("export", "files", "mount", "compact", "grow"):
            assert "is open" in said(bbd(verb, world, *rest.get(verb, []), check=False))
    assert not (tmp_path / "i").exists()


def test_an_entry_of_another_copy_of_the_world_does_not_count(
    bbd: RunBbd, bbd_server: StartServer, world: Path, tmp_path: Path
) -> None:
    bbd_server("--world", world)
    bbd("export", world, tmp_path / "out.img")
    (path,) = entries(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "world": str(tmp_path / "elsewhere")}))
    assert "is open" in said(bbd("export", world, tmp_path / "again.img", check=False))


def test_a_disk_served_read_only_is_not_written(
    bbd: RunBbd, bbd_server: StartServer, world: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"\1" * 4096)
    server = bbd_server("--world", world, "--read-only")
    for target in (str(world), server.uri("w")):
        assert "read-only" in said(bbd("import", image, target, check=False))
    bbd("export", server.uri("w"), tmp_path / "out.img")
    assert (tmp_path / "out.img").read_bytes() == bytes(1 << 20)
