"""Clients that people put between themselves and a disk, several at once, and clients that break the rules."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.interop.conftest import RunTool
from tests.interop.test_tools import make_image
from tests.nbd_client import FUA, TRIM, NbdClient
from tests.servers import BbdServer

MIB = 1 << 20
SIZE = 24 * MIB
ODD_SIZE = 5 * MIB + 512
COLUMN = 64 << 10


@pytest.fixture
def worlds(bbd: RunBbd, tmp_path: Path) -> tuple[str | Path, ...]:
    """Options that serve the disks ``first`` and ``odd``, of two worlds."""
    bbd("create", tmp_path / "first", "--size", str(SIZE))
    bbd("create", tmp_path / "second", "--size", str(ODD_SIZE), "--disk", "odd", "--layout", "linear")
    return ("--world", tmp_path / "first", "--world", tmp_path / "second")


@pytest.fixture
def server(worlds: tuple[str | Path, ...], bbd_server: StartServer) -> BbdServer:
    return bbd_server(*worlds)


# -- in between ---------------------------------------------------------------------------------------------------


def test_nbdkit_in_front(tool: RunTool, server: BbdServer, tmp_path: Path) -> None:
    """nbdkit's nbd plugin is the client, and serves the disk on: with TLS, filters, other protocols."""
    image = make_image(tmp_path / "image", SIZE, 11)
    front = ["nbdkit", "--unix", "-", "nbd", f"uri={server.uri('first')}", "shared=true"]
    tool(*front, "--run", 'nbdcopy --flush image "$uri" && nbdcopy "$uri" back')
    assert (tmp_path / "back").read_bytes() == image.read_bytes()
    with NbdClient(server.connect(), "first") as client:
        assert client.read(4096, MIB) == image.read_bytes()[4096 : 4096 + MIB]
    # A filter's view of the disk: an offset, and trims that go through.
    tool(
        *(*front, "--filter=offset", f"offset={MIB}", f"range={MIB}"),
        *("--run", 'qemu-io -f raw -c "discard 0 512k" -c "write -P 0x7e 512k 512k" -c flush "$uri"'),
    )
    with NbdClient(server.connect(), "first") as client:
        assert client.read(MIB, MIB // 2) == bytes(MIB // 2)
        assert client.read(3 * MIB // 2, MIB // 2) == b"\x7e" * (MIB // 2)
        assert client.read(MIB - 4096, 4096) == image.read_bytes()[MIB - 4096 : MIB]
        assert client.read(2 * MIB, 4096) == image.read_bytes()[2 * MIB : 2 * MIB + 4096]


def test_qemu_img_converts_and_maps(tool: RunTool, server: BbdServer, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", SIZE, 12)
    tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", image, tmp_path / "image.qcow2")
    tool("qemu-img", "convert", "-n", "-f", "qcow2", "-O", "raw", tmp_path / "image.qcow2", server.uri("first"))
    tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", server.uri("first"), tmp_path / "back.qcow2")
    same = tool("qemu-img", "compare", "-f", "raw", "-F", "qcow2", image, tmp_path / "back.qcow2")
    assert "Images are identical." in same.stdout
    extents = json.loads(tool("qemu-img", "map", "--output=json", "-f", "raw", server.uri("first")).stdout)
    position = 0
    content = image.read_bytes()
    for extent in extents:
        assert extent["start"] == position
        position += extent["length"]
        assert not extent["zero"] or not any(content[extent["start"] : position]), "bytes where the map has zeros"
    assert position == SIZE


@contextlib.contextmanager
def fused(uri: str) -> Iterator[Path]:
    """The disk as a plain file, by nbdfuse."""
    with tempfile.TemporaryDirectory(prefix="bbd-", dir="/tmp") as folder:
        file = Path(folder) / "disk"
        with subprocess.Popen(["nbdfuse", file, uri], stderr=subprocess.PIPE, text=True) as fuse:
            try:
                deadline = time.monotonic() + 30
                while not file.exists():
                    assert fuse.poll() is None, f"nbdfuse ended: {fuse.stderr and fuse.stderr.read()}"
                    assert time.monotonic() < deadline, "nbdfuse does not mount"
                    time.sleep(0.02)
                yield file
                subprocess.run(["fusermount3", "-u", folder], check=True, timeout=30)
                assert fuse.wait(30) == 0
            finally:
                fuse.kill()
                subprocess.run(["fusermount3", "-q", "-u", "-z", folder], check=False, timeout=30)


@pytest.mark.skipif(not os.access("/dev/fuse", os.R_OK | os.W_OK), reason="this machine lets nobody use /dev/fuse")
def test_nbdfuse_makes_a_file_of_it(
    tool: RunTool, worlds: tuple[str | Path, ...], server: BbdServer, bbd_server: StartServer, tmp_path: Path
) -> None:
    """A FAT made, filled, checked and read again without root and without a kernel's block device."""
    noise = Random(13).randbytes(3 * MIB + 77)
    (tmp_path / "noise").write_bytes(noise)
    with fused(server.uri("first")) as disk:
        assert disk.stat().st_size == SIZE
        tool("mkfs.vfat", "-n", "BBD", disk)
        tool("mmd", "-i", disk, "::ast")
        tool("mcopy", "-i", disk, tmp_path / "noise", "::ast/noise")
        with disk.open("r+b", buffering=0) as file:
            os.fsync(file.fileno())
    server.kill()
    again = bbd_server(*worlds)
    with fused(again.uri("first")) as disk:
        tool("fsck.vfat", "-n", disk)
        tool("mcopy", "-i", disk, "::ast/noise", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == noise


# -- several at once ----------------------------------------------------------------------------------------------


def test_two_clients_see_each_other_at_once(server: BbdServer) -> None:
    random = Random(14)
    with NbdClient(server.connect(), "first") as one, NbdClient(server.connect(), "") as two:
        for _ in range(300):
            writer, reader = random.sample([one, two], 2)
            offset = random.randrange(SIZE - 20000)
            if random.random() < 0.1:
                writer.command(TRIM, offset, 20000)
                assert reader.read(offset, 20000) == bytes(20000)
            else:
                data = random.randbytes(random.choice([1, 512, 4096, 20000]))
                writer.write(offset, data)
                assert reader.read(offset, len(data)) == data


@pytest.mark.parametrize("by", ["flush", "fua"])
def test_a_flush_on_one_connection_covers_the_writes_of_all(
    worlds: tuple[str | Path, ...], server: BbdServer, bbd_server: StartServer, by: str
) -> None:
    """What CAN_MULTI_CONN promises of FLUSH; FUA promises less, and covers its own write."""
    random = Random(15)
    written: dict[int, bytes] = {}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(NbdClient(server.connect(), "first")) for _ in range(4)]
        for at in range(64):
            offset = at * (SIZE // 64) + 1000
            written[offset] = random.randbytes(5000)
            clients[at % 4].write(offset, written[offset], FUA if by == "fua" else 0)
        if by == "flush":
            clients[0].flush()
        server.kill()
    survivor = bbd_server(*worlds)
    with NbdClient(survivor.connect(), "first") as client:
        for offset, data in written.items():
            assert client.read(offset, 5000) == data


def test_many_writers_of_disjoint_places_on_two_exports(server: BbdServer) -> None:
    """Eight connections, two exports; neighbours share sections, so a torn merge of two writers would show."""
    failures: list[BaseException] = []
    sizes = {"first": SIZE, "odd": ODD_SIZE}
    step = 16 * 1024 + 3

    def fill(export: str, lane: int) -> None:
        try:
            with NbdClient(server.connect(), export) as client:
                for offset in range(lane * step, sizes[export] - step, 4 * step):
                    client.write(offset, bytes([1 + lane]) * step)
                client.flush()
        except BaseException as failure:
            failures.append(failure)

    writers = [threading.Thread(target=fill, args=(export, lane)) for export in sizes for lane in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert not failures
    for export, size in sizes.items():
        with NbdClient(server.connect(), export) as client:
            found = b"".join(client.read(at, min(MIB, size - at)) for at in range(0, size, MIB))
        whole = -(-(size - step) // step)
        expected = b"".join(bytes([1 + at % 4]) * step for at in range(whole))
        assert found[: len(expected)] == expected
        assert not any(found[len(expected) :])


# -- breaking the rules -------------------------------------------------------------------------------------------

_UNRULY = """
import errno, nbd
h = nbd.NBD()
h.connect_uri({uri!r})
h.set_strict_mode(0)
SIZE = h.get_size()
assert SIZE == {size}
LONGEST = 32 << 20

def fails(number, call, *arguments, **flags):
    try:
        call(*arguments, **flags)
    except nbd.Error as error:
        assert error.errnum == number, (call.__name__, arguments[-1], error)
    else:
        raise AssertionError((call.__name__, arguments[-1], "did not fail"))
    assert h.pread(9, 4096) == bytearray(b"untouched"), "the connection does not go on"

h.pwrite(b"untouched", 4096)
h.pwrite(b"the end", SIZE - 7)
# past the end, by little and by much, and where offset + length leaves 64 bits
for offset in (SIZE - 1, SIZE, SIZE + 4096, 1 << 62, (1 << 63) - 1):
    fails(errno.EINVAL, h.pread, 2, offset)
    fails(errno.ENOSPC, h.pwrite, b"xx", offset)
    fails(errno.EINVAL, h.trim, 2, offset)
    fails(errno.ENOSPC, h.zero, 2, offset)
    fails(errno.EINVAL, h.cache, 2, offset)
# nothing asked for
for call in (h.trim, h.zero, h.cache):
    fails(errno.EINVAL, call, 0, 0)
fails(errno.EINVAL, h.pwrite, b"", 0)
# more than the maximum, and more than there is
fails(errno.EINVAL, h.pread, LONGEST + 1, 0)
fails(errno.EINVAL, h.pwrite, bytes(LONGEST + 1), 0)
fails(errno.EINVAL, h.trim, 0xFFFFFFFF, 0)
fails(errno.ENOSPC, h.zero, 0xFFFFFFFF, 0)
# flags that mean nothing, or nothing here
for flag in (nbd.CMD_FLAG_DF, nbd.CMD_FLAG_REQ_ONE, nbd.CMD_FLAG_NO_HOLE, 1 << 9, 1 << 15):
    fails(errno.EINVAL, h.pread, 1, 0, flags=flag)
    fails(errno.EINVAL, h.pwrite, b"x", 0, flags=flag)
    fails(errno.EINVAL, h.trim, 1, 0, flags=flag)
    fails(errno.EINVAL, h.trim, 0, 0, flags=flag)
assert h.pread(7, SIZE - 7) == bytearray(b"the end")
assert h.pread(1, 0) == bytearray(1), "a write that was refused left something"
h.zero(SIZE, 0, flags=nbd.CMD_FLAG_FAST_ZERO | nbd.CMD_FLAG_NO_HOLE)
h.flush()
h.shutdown()
"""


def test_libnbd_without_its_manners(tool: RunTool, worlds: tuple[str | Path, ...], bbd_server: StartServer) -> None:
    """Strict mode off: what a well-behaved client would not send gets the spec's error, and all goes on."""
    server = bbd_server(*worlds)
    for export, size in (("first", SIZE), ("odd", ODD_SIZE)):
        tool("/usr/bin/python3", "-c", _UNRULY.format(uri=server.uri(export), size=size))
    server.stop()
    assert "Traceback" not in server.output
