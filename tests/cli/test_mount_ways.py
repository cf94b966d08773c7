"""Which way of mounting is taken on which machine, and the commands that it means."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bbd.cli.attach import EXT_MAGIC, EXT_MAGIC_AT, Export, Machine, choose, free_device
from bbd.cli.mount import await_socket
from bbd.errors import BbdError

EVERYTHING = Machine(
    programs=frozenset({"nbd-client", "nbdfuse", "fuse2fs", "mount", "umount", "modprobe", "fusermount3"}),
    root=True,
    nbd=True,
    fuse=True,
    loop=True,
)
EXT4 = Export("nbd+unix:///a%20disk?socket=/run/bbd.sock", bytes(EXT_MAGIC_AT) + EXT_MAGIC + bytes(900))
FAT = Export("nbd://example.org/disk", b"\xeb\x3c\x90mkfs.fat".ljust(2048, b"\0"))
MNT, WORK = Path("/mnt"), Path("/tmp/there")


def commands(machine: Machine, export: Export, wanted: str | None = None) -> list[str]:
    steps = choose(machine, export, wanted).steps(machine, export, MNT, WORK)
    return [" ".join(step.do) for step in steps] + [" ".join(step.undo) for step in reversed(steps) if step.undo]


def test_the_kernels_client_comes_first() -> None:
    device = str(free_device(Path("/sys/block"), Path("/dev")))
    found = [command for command in commands(EVERYTHING, EXT4) if command != "modprobe nbd"]
    assert found == [
        f"nbd-client -N a disk -unix /run/bbd.sock {device}",
        f"mount {device} /mnt",
        "umount /mnt",
        f"nbd-client -d {device}",
    ]
    found = commands(EVERYTHING, replace(FAT, read_only=True))
    assert f"nbd-client -N disk example.org 10809 {device} -readonly" in found
    assert f"mount -o ro {device} /mnt" in found


def test_without_the_module_it_is_a_loop_device() -> None:
    assert commands(replace(EVERYTHING, nbd=False), FAT) == [
        "nbdfuse /tmp/there/disk nbd://example.org/disk",
        "mount -o loop /tmp/there/disk /mnt",
        "umount /mnt",
        "fusermount3 -u /tmp/there",
    ]


def test_without_root_ext4_goes_through_fuse() -> None:
    user = replace(EVERYTHING, root=False)
    assert commands(user, EXT4) == [
        "nbdfuse /tmp/there/disk nbd+unix:///a%20disk?socket=/run/bbd.sock",
        "fuse2fs -o rw,fakeroot /tmp/there/disk /mnt",
        "fusermount3 -u /mnt",
        "fusermount3 -u /tmp/there",
    ]
    assert "fuse2fs -o ro /tmp/there/disk /mnt" in commands(user, replace(EXT4, read_only=True))
    assert commands(replace(EVERYTHING, nbd=False), EXT4, "fuse2fs")[1] == "fuse2fs -o rw /tmp/there/disk /mnt"


def test_what_a_machine_lacks_is_said() -> None:
    user = replace(EVERYTHING, root=False)
    with pytest.raises(BbdError, match=r"nbd needs root; loop needs root; fuse2fs needs an ext4.*bbd files"):
        choose(user, FAT)
    with pytest.raises(BbdError, match="fuse2fs needs fusermount3"):
        choose(replace(user, programs=user.programs - {"fusermount3"}), EXT4)
    with pytest.raises(BbdError, match=r"nbd-client.*nbdfuse.*nbdfuse and fuse2fs"):
        choose(Machine(frozenset({"mount"}), root=True, nbd=True, fuse=True, loop=True), EXT4)
    with pytest.raises(BbdError, match="nbd needs the nbd module; loop needs loop devices; fuse2fs needs an ext4"):
        choose(replace(EVERYTHING, nbd=False, loop=False), FAT)
    with pytest.raises(BbdError, match="loop needs /dev/fuse; fuse2fs needs /dev/fuse"):
        choose(replace(EVERYTHING, nbd=False, fuse=False), EXT4)
    with pytest.raises(BbdError, match="none of: nbd, loop, fuse2fs"):
        choose(EVERYTHING, EXT4, "magic")


def test_a_device_that_is_in_use_is_not_taken(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"nbd{number}").mkdir()
    (tmp_path / "nbd0" / "pid").write_text("1")
    assert free_device(tmp_path, Path("/dev")) == Path("/dev/nbd1")


LATE_SERVER = """
import socket, sys, time
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    time.sleep(0.3)
    listener.listen()
    sys.stdin.read()
"""


def test_a_server_that_has_its_socket_is_waited_for_until_it_listens(tmp_path: Path) -> None:
    path = tmp_path / "nbd.sock"
    with subprocess.Popen([sys.executable, "-c", LATE_SERVER, path], stdin=subprocess.PIPE) as server:
        await_socket(server, path, tmp_path / "log")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        server.communicate(timeout=60)
    assert server.returncode == 0
