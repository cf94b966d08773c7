"""``bbd mount`` in earnest, by every way that this machine has; and what it says where it has none."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from bbd.cli.attach import WAYS, Export, Way, this_machine
from tests.conftest import RunBbd, StartServer
from tests.interop.conftest import RunTool
from tests.servers import BBD, environment


@pytest.fixture
def world(bbd: RunBbd, tool: RunTool, tmp_path: Path) -> Path:
    """A disk with ext4 on it, and an empty folder ``mnt``."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    tool("mkfs.ext4", "-q", "-O", "^has_journal", image)
    bbd("import", image, tmp_path / "w")
    (tmp_path / "mnt").mkdir()
    return tmp_path / "w"


def lacks(way: Way, image: Path) -> str:
    return way.missing(this_machine(), Export("nbd://x/y", image.read_bytes()[:2048]))


def start(tmp_path: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start ``bbd mount`` on the folder ``mnt``; return when it has mounted, or ended."""
    process = subprocess.Popen(
        [BBD, "mount", *arguments, tmp_path / "mnt"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path / "state"),
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and not os.path.ismount(tmp_path / "mnt"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_files_that_are_written_are_on_the_disk(
    bbd: RunBbd, tool: RunTool, world: Path, tmp_path: Path, way: Way
) -> None:
    mnt, image = tmp_path / "mnt", tmp_path / "image"
    missing = lacks(way, image)
    process = start(tmp_path, "--with", way.name, world)
    try:
        if missing:
            _, said = process.communicate(timeout=60)
            assert process.returncode == 1
            assert f"{way.name} needs {missing}" in said
            return
        (mnt / "greeting").write_bytes(b"hello, blocks")
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert f"by {way.words}" in said
        assert not os.path.ismount(mnt)
        bbd("export", world, image)  # nobody has the world open any more
        tool("e2fsck", "-fn", image)
        assert "hello, blocks" in tool("debugfs", "-R", "cat greeting", image).stdout
    finally:
        process.terminate()  # not killed: its server and its helpers would stay
        process.wait(60)


def test_umount_ends_it_and_a_served_world_stays_served(
    bbd: RunBbd, bbd_server: StartServer, tool: RunTool, world: Path, tmp_path: Path
) -> None:
    ways = [way for way in WAYS if not lacks(way, tmp_path / "image")]
    server = bbd_server("--world", world)
    for target in (str(world), server.uri("w")):
        process = start(tmp_path, "--read-only", target)
        if ways:
            assert (tmp_path / "mnt" / "lost+found").is_dir()
            with pytest.raises(OSError, match="Read-only"):
                (tmp_path / "mnt" / "no").write_bytes(b"")
            tool("umount", tmp_path / "mnt")
        process.communicate(timeout=60)
        assert process.returncode == (0 if ways else 1)
    assert server.process.poll() is None


def test_what_mount_refuses(bbd: RunBbd, world: Path, tmp_path: Path) -> None:
    assert "is no folder" in bbd("mount", world, tmp_path / "none", check=False).stderr
    assert "mounted on /proc already" in bbd("mount", world, "/proc", check=False).stderr
    assert "none of: nbd" in bbd("mount", world, tmp_path / "mnt", "--with", "x", check=False).stderr
    bbd("export", world, tmp_path / "out")  # none of them left a server
