"""Raw images in and out: bytes, holes, sizes, refusals, and what is left when something fails."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.test_commands import said
from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient
from tests.servers import BBD, environment

MIB = 1 << 20


def sparse(path: Path, size: int, pieces: dict[int, bytes]) -> None:
    """Make a file with holes."""
    with path.open("wb") as file:
        file.truncate(size)
        for offset, piece in pieces.items():
            file.seek(offset)
            file.write(piece)


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


@pytest.mark.parametrize("size", [3 * MIB, 3 * MIB + 4097, 1])
def test_there_and_back(bbd: RunBbd, tmp_path: Path, size: int) -> None:
    image, back, world = tmp_path / "image.img", tmp_path / "back.img", tmp_path / "w"
    sparse(image, size, {0: noise(1)} | ({MIB: noise(100_000), size - 1: b"\xff"} if size > MIB else {}))
    content = image.read_bytes()
    report = json.loads(bbd("import", image, world, "--json").stdout)
    assert (report["disk"], report["size"], report["image_size"], report["made"]) == (
        "w",
        len(content),
        len(content),
        True,
    )
    report = json.loads(bbd("export", world, back, "--json").stdout)
    assert report["size"] == len(content)
    assert back.read_bytes() == content


def test_holes_stay_holes(bbd: RunBbd, tmp_path: Path) -> None:
    image, back, world = tmp_path / "image.img", tmp_path / "back.img", tmp_path / "w"
    sparse(image, 1 << 40, {1 << 39: noise(5000), (1 << 40) - 100: noise(100)})
    bbd("import", image, world)
    (disk,) = json.loads(bbd("info", world, "--json").stdout)["disks"]
    assert disk["size"] == 1 << 40
    assert disk["allocated_columns"] == 2
    report = json.loads(bbd("export", world, back, "--json").stdout)
    assert report["copied"] == 2 * 65536
    assert back.stat().st_size == 1 << 40
    assert back.stat().st_blocks * 512 <= MIB
    with back.open("rb") as file:
        file.seek(1 << 39)
        assert file.read(8192) == noise(5000) + bytes(3192)
        file.seek(-200, os.SEEK_END)
        assert file.read() == bytes(100) + noise(100)


def test_a_disk_holds_the_image_and_nothing_else(bbd: RunBbd, tmp_path: Path) -> None:
    first, second, back, world = (tmp_path / name for name in ("1", "2", "back", "w"))
    first.write_bytes(noise(2 * MIB))
    sparse(second, MIB, {300_000: noise(50_000, 2)})
    bbd("import", first, world)
    assert "--overwrite" in said(bbd("import", second, world, check=False))
    bbd("import", second, world, "--overwrite")
    bbd("export", world, back)
    assert back.read_bytes() == second.read_bytes() + bytes(MIB)
    (disk,) = json.loads(bbd("info", world, "--json").stdout)["disks"]
    assert disk["allocated_columns"] == 2


def test_a_size_of_ones_own(bbd: RunBbd, tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(noise(5000))
    assert "more than --size" in said(bbd("import", image, tmp_path / "w", "--size", "4K", check=False))
    assert not (tmp_path / "w").exists()
    bbd("import", image, tmp_path / "w", "--size", "1M", "--disk", "mine")
    (disk,) = json.loads(bbd("info", tmp_path / "w", "--json").stdout)["disks"]
    assert (disk["name"], disk["size"]) == ("mine", MIB)
    assert "--size" in said(bbd("import", image, tmp_path / "w", "--size", "1M", check=False))


def test_what_import_refuses(bbd: RunBbd, tmp_path: Path) -> None:
    image, world = tmp_path / "image.img", tmp_path / "w"
    bbd("create", world, "--size", "1M")
    image.write_bytes(bytes(MIB + 1))
    assert "larger" in said(bbd("import", image, world, check=False))
    assert "no such file" in said(bbd("import", tmp_path / "nothing", world, check=False))
    assert "no file" in said(bbd("import", tmp_path, world, check=False))
    image.write_bytes(b"QFI\xfb" + bytes(100))
    assert "--format raw" in said(bbd("import", image, world, check=False))
    bbd("import", image, world, "--format", "raw")
    bbd("export", world, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"QFI\xfb" + bytes(MIB - 4)
    assert "disk 'x'" in said(bbd("import", image, world, "--disk", "x", "--format", "raw", check=False))
    assert "can't be reached" in said(bbd("export", "nbd+unix:///x?socket=/tmp/bbd-none", tmp_path / "y", check=False))


def test_a_served_disk_is_copied_through_its_server(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    image, back, world = tmp_path / "image", tmp_path / "back", tmp_path / "w"
    sparse(image, MIB, {0: noise(70_000), 600_000: noise(9, 2)})
    content = image.read_bytes()
    bbd("create", world, "--size", "2M")
    server = bbd_server("--world", world)
    bbd("import", image, world)
    with NbdClient(server.connect(), "w") as client:
        assert client.read(0, 2 * MIB) == content + bytes(MIB)
        client.write(2 * MIB - 3, b"end")
        # It is in the server's memory, and not in any file: only the server can tell it.
        bbd("export", world, back)
        assert back.read_bytes() == content + bytes(MIB - 3) + b"end"
        assert "--overwrite" in said(bbd("import", image, server.uri("w"), check=False))
        bbd("import", image, server.uri("w"), "--overwrite")
        assert client.read(0, 2 * MIB) == content + bytes(MIB)


def test_an_export_that_fails_leaves_what_was_there(bbd: RunBbd, tmp_path: Path) -> None:
    image, world, out = tmp_path / "image", tmp_path / "w", tmp_path / "out"
    out.mkdir()
    image.write_bytes(noise(3 * MIB))
    bbd("import", image, world)
    with (world / "region" / "r.0.0.mca").open("r+b") as region:
        region.seek(-200_000, os.SEEK_END)
        region.write(bytes(100_000))
    (out / "old").write_bytes(b"precious")
    for name in ("new", "old"):
        failed = bbd("export", world, out / name, check=False)
        assert failed.returncode == 1
        assert "can't be read" in failed.stderr.splitlines()[-1]
    assert [path.name for path in out.iterdir()] == ["old"]
    assert (out / "old").read_bytes() == b"precious"


def test_an_export_that_is_ended_leaves_no_file(bbd: RunBbd, tmp_path: Path) -> None:
    world, out = tmp_path / "w", tmp_path / "out"
    out.mkdir()
    bbd("create", world, "--size", "1M")
    server = Stubborn(tmp_path)
    export = subprocess.Popen([BBD, "export", server.uri, out / "image"], env=environment(tmp_path / "state"))
    try:
        server.serve_until_read()
        deadline = time.monotonic() + 60
        while not list(out.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        export.send_signal(signal.SIGTERM)
        assert export.wait(60) == 128 + signal.SIGTERM
        assert list(out.iterdir()) == []
    finally:
        export.kill()
        export.wait()
        server.close()


def test_progress_on_a_terminal_and_silence_in_a_pipe(bbd: RunBbd, tmp_path: Path) -> None:
    image, world = tmp_path / "image", tmp_path / "w"
    image.write_bytes(noise(MIB))
    assert bbd("import", image, world).stderr == ""
    terminal, theirs = os.openpty()
    try:
        subprocess.run(
            [BBD, "export", world, tmp_path / "back"],
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
            env={**environment(tmp_path / "state"), "TERM": "xterm"},
        )
        assert b"exporting" in os.read(terminal, 65536)
    finally:
        os.close(terminal)
        os.close(theirs)


class Stubborn:
    """A server that answers GO, and never a READ."""

    def __init__(self, tmp_path: Path) -> None:
        import socket
        import tempfile

        self._folder = tempfile.TemporaryDirectory(prefix="bbd-", dir="/tmp")
        path = Path(self._folder.name) / "s"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(60)
        self.uri = f"nbd+unix:///x?socket={path}"

    def serve_until_read(self) -> None:
        import struct

        self._client, _ = self._listener.accept()
        self._client.settimeout(60)
        self._client.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 1))
        self._client.recv(4 + 16 + 4 + 1 + 2)
        reply = struct.Struct(">QIII")
        info = struct.pack(">HQH", 0, 1 << 20, 1)
        self._client.sendall(reply.pack(0x3E889045565A9, 7, 3, len(info)) + info + reply.pack(0x3E889045565A9, 7, 1, 0))
        assert len(self._client.recv(28)) == 28

    def close(self) -> None:
        self._client.close()
        self._listener.close()
        self._folder.cleanup()
