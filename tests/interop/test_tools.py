"""The NBD clients that people have: libnbd's tools, QEMU's, fio."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunBbd, StartServer
from tests.interop.conftest import RunTool
from tests.servers import BbdServer

MIB = 1 << 20
SIZE = 32 * MIB
ODD_SIZE = 20 * MIB + 512
"""Not a whole number of columns, sections or pages."""


@pytest.fixture
def world(bbd: RunBbd, tmp_path: Path) -> Path:
    folder = tmp_path / "first"
    bbd("create", folder, "--size", str(SIZE))
    return folder


@pytest.fixture
def other_world(bbd: RunBbd, tmp_path: Path) -> Path:
    folder = tmp_path / "second"
    bbd("create", folder, "--size", str(ODD_SIZE), "--disk", "odd", "--layout", "linear")
    return folder


@pytest.fixture
def server(world: Path, other_world: Path, bbd_server: StartServer) -> BbdServer:
    return bbd_server("--world", world, "--world", other_world)


def make_image(path: Path, size: int, seed: int) -> Path:
    """A file with noise, long runs of zeros that end off every boundary, and a last byte that counts."""
    source = random.Random(seed)
    image = bytearray(source.randbytes(size))
    for start in range(0, size - 3 * MIB, 4 * MIB):
        first, length = start + source.randrange(MIB), source.randrange(2 * MIB)
        image[first : first + length] = bytes(length)
    image[-1] |= 1
    path.write_bytes(image)
    return path


def exports(tool: RunTool, *arguments: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(tool("nbdinfo", "--json", *arguments).stdout)["exports"]
    return listed


def test_nbdinfo_sees_what_the_disk_is(tool: RunTool, server: BbdServer) -> None:
    (export,) = exports(tool, server.uri("odd"))
    assert export["export-name"] == "odd"
    assert export["export-size"] == ODD_SIZE
    able = {"can_cache", "can_fast_zero", "can_flush", "can_fua", "can_multi_conn", "can_trim", "can_zero"}
    assert {name for name in able if not export[name]} == set()
    assert not export["is_read_only"]
    assert not export["is_rotational"]
    assert export["block_size_minimum"] in {1, 512}
    assert export["block_size_preferred"] == 4096
    assert export["block_size_maximum"] == 32 * MIB


def test_nbdinfo_lists_every_disk(tool: RunTool, server: BbdServer) -> None:
    found = {export["export-name"]: export["export-size"] for export in exports(tool, "--list", server.uri())}
    assert {name: found[name] for name in ("first", "odd")} == {"first": SIZE, "odd": ODD_SIZE}
    assert found.keys() <= {"first", "odd", ""}


def test_the_first_disk_has_the_empty_name_too(tool: RunTool, server: BbdServer) -> None:
    (export,) = exports(tool, server.uri())
    assert export["export-size"] == SIZE


def test_an_unknown_export_is_refused(tool: RunTool, server: BbdServer) -> None:
    refused = tool("nbdinfo", server.uri("nobody"), check=False)
    assert refused.returncode != 0
    (export,) = exports(tool, server.uri("first"))
    assert export["export-size"] == SIZE, "the server does not serve on after a refusal"


def test_nbdcopy_there_and_back(tool: RunTool, world: Path, server: BbdServer, bbd_server: StartServer) -> None:
    image = make_image(world.parent / "image", SIZE, 1)
    copy = world.parent / "copy"
    tool("nbdcopy", "--flush", image, server.uri("first"))
    tool("nbdcopy", server.uri("first"), copy)
    assert copy.read_bytes() == image.read_bytes()

    server.stop()
    server = bbd_server("--world", world)
    tool("nbdcopy", server.uri("first"), copy)
    assert copy.read_bytes() == image.read_bytes(), "the restart changed the disk"


def test_nbdcopy_to_two_disks_at_once(tool: RunTool, tmp_path: Path, server: BbdServer) -> None:
    images = {"first": make_image(tmp_path / "a", SIZE, 2), "odd": make_image(tmp_path / "b", ODD_SIZE, 3)}
    writers = [
        subprocess.Popen(["nbdcopy", "--flush", image, server.uri(name)], stderr=subprocess.PIPE, text=True)
        for name, image in images.items()
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=300)
        assert writer.returncode == 0, said
    for name, image in images.items():
        tool("nbdcopy", server.uri(name), tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == image.read_bytes(), f"{name} holds something else"


def test_qemu_img_compares(tool: RunTool, tmp_path: Path, server: BbdServer) -> None:
    image = make_image(tmp_path / "image", ODD_SIZE, 4)
    tool("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", image, server.uri("odd"))
    same = tool("qemu-img", "compare", "-f", "raw", "-F", "raw", image, server.uri("odd"))
    assert same.stdout == "Images are identical.\n"

    spoilt = bytearray(image.read_bytes())
    spoilt[ODD_SIZE - 1] ^= 0xFF
    image.write_bytes(spoilt)
    different = tool("qemu-img", "compare", "-f", "raw", "-F", "raw", image, server.uri("odd"), check=False)
    assert different.returncode == 1
    assert f"Content mismatch at offset {ODD_SIZE - 512}!" in different.stdout


def test_qemu_io_discards_and_zeroes(tool: RunTool, server: BbdServer) -> None:
    steps = (
        "write -P 0xab 0 3M",
        "write -P 0xcd -f 3M 64k",
        "discard 64k 1M",
        "write -z -u 1200k 300k",
        "write -z 2M 4k",
        "write -P 0xee 2050k 512",
        "flush",
        "read -P 0xab 0 64k",
        "read -P 0 64k 1M",
        "read -P 0xab 1088k 112k",
        "read -P 0 1200k 300k",
        "read -P 0xab 1500k 548k",
        "read -P 0 2M 2k",
        "read -P 0xee 2050k 512",
        "read -P 0 2099712 1536",
        "read -P 0xab 2052k 1020k",
        "read -P 0xcd 3M 64k",
        "read -P 0 3136k 1M",
    )
    commands = [part for step in steps for part in ("-c", step)]
    done = tool("qemu-io", "-f", "raw", *commands, server.uri("first"))
    assert "Pattern verification failed" not in done.stdout + done.stderr


def test_a_read_only_server_takes_no_write(tool: RunTool, world: Path, bbd_server: StartServer, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", SIZE, 5)
    server = bbd_server("--world", world)
    tool("nbdcopy", "--flush", image, server.uri())
    server.stop()
    server = bbd_server("--world", world, "--read-only")
    (export,) = exports(tool, server.uri())
    assert export["is_read_only"]
    assert tool("qemu-io", "-f", "raw", "-c", "write -P 1 0 4k", server.uri(), check=False).returncode != 0
    tool("nbdcopy", server.uri(), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == image.read_bytes()


def test_fio_verifies_across_a_restart(tool: RunTool, world: Path, server: BbdServer, bbd_server: StartServer) -> None:
    options = (
        *("--name=verify", "--ioengine=nbd", "--thread", "--rw=randwrite", "--bs=4k", f"--size={SIZE}"),
        *("--iodepth=32", "--verify=crc32c", "--verify_fatal=1", "--randseed=7", "--verify_state_save=0"),
    )
    tool("fio", *options, f"--uri={server.uri('first')}", "--do_verify=1", "--fsync=500")
    server.stop()
    server = bbd_server("--world", world)
    tool("fio", *options, f"--uri={server.uri('first')}", "--verify_only")
