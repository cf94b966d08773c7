"""A server that begins without machine code for columns that the game saved, and has it while it serves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bbd.worlds.anvil.compiled.cache import cache_folder, turn
from bench.game import save_as_game
from tests.conftest import RunBbd, StartServer
from tests.interop.conftest import RunTool
from tests.servers import BbdServer

pytest.importorskip("numba")
MIB = 1 << 20
TIMEOUT = 300


@pytest.fixture
def image(tmp_path: Path, bbd: RunBbd) -> Path:
    """What is on the disk of the world ``w``, of which the game has saved every chunk."""
    path, world = tmp_path / "image", tmp_path / "w"
    path.write_bytes(os.urandom(3 * MIB) + b"words and words; " * 300_000 + bytes(MIB))
    bbd("import", path, world)
    save_as_game(world, sorted(world.rglob("r.*.mca")))
    return path


def has_llvm(server: BbdServer) -> bool:
    return "llvmlite" in Path(f"/proc/{server.process.pid}/maps").read_text()


def wait_until_loaded(server: BbdServer) -> None:
    """The server's turn ends when it has loaded the code."""
    deadline = time.monotonic() + TIMEOUT
    while not has_llvm(server):
        assert time.monotonic() < deadline, "the code does not come"
        assert server.process.poll() is None, server.output
        time.sleep(0.05)
    with turn():
        pass


def test_the_bytes_are_the_same_before_and_after(
    image: Path, tmp_path: Path, bbd_server: StartServer, tool: RunTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    copy = tmp_path / "copy"
    with turn():  # so that nothing is compiled yet
        server = bbd_server("--world", tmp_path / "w", "--cache", "1M")
        tool("nbdcopy", server.uri("w"), copy)
        assert copy.read_bytes()[: image.stat().st_size] == image.read_bytes()
        assert not has_llvm(server)
        assert not list(cache_folder().rglob("*.nbi"))
    wait_until_loaded(server)
    assert list(cache_folder().rglob("*.nbi"))
    for _ in range(2):
        tool("nbdcopy", server.uri("w"), copy)
        assert copy.read_bytes()[: image.stat().st_size] == image.read_bytes()
    assert "identical" in tool("qemu-img", "compare", "-f", "raw", "-F", "raw", copy, server.uri("w")).stdout
    server.stop()
