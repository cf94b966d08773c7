"""Clients that people use, against a disk in memory: the protocol alone."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bbd.nbd.export import Export
from tests.interop.conftest import RunTool
from tests.nbd.memory_device import MemoryDevice
from tests.nbd.serving import Client, Serving, serving

SIZE = 24 << 20


@pytest.fixture
def device() -> MemoryDevice:
    return MemoryDevice(SIZE)


@pytest.fixture(params=["hits", "misses"])
def served(device: MemoryDevice, request: pytest.FixtureRequest) -> Iterator[Serving]:
    device.miss = request.param == "misses"
    locked = MemoryDevice(1 << 20, read_only=True)
    with serving(Export("demo", "a disk for tests", device), Export("locked", "", locked)) as running:
        yield running
    assert running.server.connections == 0


@pytest.fixture
def uri(served: Serving) -> str:
    return f"nbd+unix:///demo?socket={served.path}"


def image(folder: Path) -> Path:
    """Random bytes with a hole in the middle."""
    path = folder / "image"
    path.write_bytes(os.urandom(SIZE // 3) + bytes(SIZE // 3) + os.urandom(SIZE - 2 * (SIZE // 3)))
    return path


def test_nbdinfo(tool: RunTool, uri: str) -> None:
    (found,) = json.loads(tool("nbdinfo", "--json", uri).stdout)["exports"]
    expected = {
        "export-name": "demo",
        "description": "a disk for tests",
        "export-size": SIZE,
        "is_read_only": False,
        "is_rotational": False,
        "can_cache": True,
        "can_fast_zero": True,
        "can_flush": True,
        "can_fua": True,
        "can_multi_conn": True,
        "can_trim": True,
        "can_zero": True,
        "block_size_minimum": 1,
        "block_size_preferred": 4096,
        "block_size_maximum": 32 << 20,
    }
    assert {key: found.get(key) for key in expected} == expected


def test_nbdinfo_list(tool: RunTool, served: Serving) -> None:
    listing = json.loads(tool("nbdinfo", "--list", "--json", f"nbd+unix://?socket={served.path}").stdout)
    assert [(each["export-name"], each["is_read_only"]) for each in listing["exports"]] == [
        ("demo", False),
        ("locked", True),
    ]


def test_the_default_export_over_tcp(tool: RunTool, served: Serving) -> None:
    assert int(tool("nbdinfo", "--size", f"nbd://127.0.0.1:{served.port}").stdout) == SIZE


def test_nbdcopy_in_and_out(tool: RunTool, uri: str, tmp_path: Path, device: MemoryDevice) -> None:
    source = image(tmp_path)
    tool("nbdcopy", "--flush", source, uri)
    assert device.content() == source.read_bytes()
    tool("nbdcopy", uri, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == source.read_bytes()


def test_qemu_img_convert_and_compare(tool: RunTool, uri: str, tmp_path: Path, device: MemoryDevice) -> None:
    source = image(tmp_path)
    tool("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", source, uri)
    assert device.content() == source.read_bytes()
    tool("qemu-img", "compare", "-f", "raw", "-F", "raw", source, uri)
    tool("qemu-img", "convert", "-f", "raw", "-O", "qcow2", uri, tmp_path / "copy.qcow2")
    tool("qemu-img", "compare", "-f", "raw", "-F", "qcow2", source, tmp_path / "copy.qcow2")


def test_qemu_io(tool: RunTool, uri: str, device: MemoryDevice) -> None:
    commands = [
        "write -P 0xab 1000 70000",
        "aio_write -P 0x11 1M 2M",
        "aio_write -P 0x22 4M 2M",
        "aio_flush",
        "write -f -P 0xcd 3M 4k",
        "write -z 2000 3000",
        "write -z -u 64k 4k",
        "discard 1M 64k",
        "flush",
        "read -P 0xab 1000 1000",
        "read -P 0 2000 3000",
        "read -P 0xab 5000 60000",
        "read -P 0xcd 3M 4k",
        "read -P 0x22 4M 2M",
    ]
    done = tool("qemu-io", "-f", "raw", *(part for command in commands for part in ("-c", command)), uri)
    assert "Pattern verification failed" not in done.stdout + done.stderr
    content = device.content()
    assert content[1000:2000] == b"\xab" * 1000
    assert content[2000:5000] == bytes(3000)
    assert content[3 << 20 : (3 << 20) + 4096] == b"\xcd" * 4096


def nbdsh(tool: RunTool, uri: str, *lines: str) -> None:
    """Run Python lines with a connected handle ``h`` that sends whatever it is told to."""
    script = "\n".join(
        [
            "import errno, nbd",
            "def fails(expected, call, *arguments, **flags):",
            "    try:",
            "        call(*arguments, **flags)",
            "    except nbd.Error as error:",
            "        assert error.errnum == expected, (error, arguments)",
            "    else:",
            "        raise AssertionError(('nothing failed', arguments))",
            "h = nbd.NBD()",
            f"h.connect_uri({uri!r})",
            "h.set_strict_mode(0)",
            "size = h.get_size()",
            *lines,
            "h.shutdown()",
        ]
    )
    tool("/usr/bin/python3", "-c", script)


def test_libnbd_out_of_line(tool: RunTool, uri: str) -> None:
    """What a well-behaved client would not send: its error comes back and the connection goes on."""
    nbdsh(
        tool,
        uri,
        "fails(errno.EINVAL, h.pread, 2, size - 1)",
        "fails(errno.ENOSPC, h.pwrite, b'ab', size - 1)",
        "fails(errno.ENOSPC, h.pwrite, bytes(100000), size)",
        "fails(errno.ENOSPC, h.zero, 2, size - 1)",
        "fails(errno.EINVAL, h.trim, 2, size - 1)",
        "fails(errno.EINVAL, h.cache, 2, size - 1)",
        "fails(errno.EINVAL, h.pread, 0, 0)",
        "fails(errno.EINVAL, h.pwrite, b'', 0)",
        "fails(errno.EINVAL, h.zero, 0, 0)",
        "fails(errno.EINVAL, h.trim, 0, 0)",
        "fails(errno.EINVAL, h.pread, 1, 0, flags=nbd.CMD_FLAG_DF)",
        "fails(errno.EINVAL, h.pread, 1, 0, flags=1 << 12)",
        "fails(errno.EINVAL, h.pwrite, b'x', 0, flags=nbd.CMD_FLAG_NO_HOLE)",
        "fails(errno.EINVAL, h.pwrite, bytes((32 << 20) + 1), 0)",
        "h.pwrite(b'still here', 5, flags=nbd.CMD_FLAG_FUA)",
        "assert h.pread(10, 5) == bytearray(b'still here')",
        "h.flush()",
    )


def test_libnbd_on_a_read_only_export(tool: RunTool, served: Serving) -> None:
    nbdsh(
        tool,
        f"nbd+unix:///locked?socket={served.path}",
        "assert h.is_read_only()",
        "fails(errno.EPERM, h.pwrite, b'x', 0)",
        "fails(errno.EPERM, h.zero, 4096, 0)",
        "fails(errno.EPERM, h.trim, 4096, 0)",
        "assert h.pread(4, 0) == bytearray(4)",
        "h.flush()",
    )


def test_libnbd_negotiates_by_hand(tool: RunTool, served: Serving) -> None:
    script = f"""
import errno, nbd
h = nbd.NBD()
h.set_opt_mode(True)
h.connect_unix({str(served.path)!r})
assert h.get_protocol() == "newstyle-fixed"
names = []
assert h.opt_list(lambda name, description: names.append((name, description))) == 2
assert names == [("demo", "a disk for tests"), ("locked", "")], names
h.set_export_name("nowhere")
try:
    h.opt_info()
except nbd.Error as error:
    assert error.errnum == errno.ENOENT, error
else:
    raise AssertionError("there is no such export")
h.set_export_name("")
h.set_full_info(True)
h.opt_info()
assert h.get_canonical_export_name() == "demo"
h.opt_go()
assert h.get_size() == {SIZE}
assert h.get_block_size(nbd.SIZE_MAXIMUM) == 32 << 20
h.shutdown()
"""
    tool("/usr/bin/python3", "-c", script)


def test_old_clients(tool: RunTool, served: Serving) -> None:
    """EXPORT_NAME, with the zeroes after it."""
    script = f"""
import nbd
h = nbd.NBD()
h.set_handshake_flags(0)
h.set_export_name("demo")
h.connect_unix({str(served.path)!r})
h.pwrite(b"old", 1)
assert h.pread(3, 1) == bytearray(b"old")
h.shutdown()
"""
    tool("/usr/bin/python3", "-c", script)


@pytest.mark.parametrize(
    ("pattern", "size", "depth"), [("randwrite", "4k", 32), ("write", "1M", 8), ("randwrite", "512-300k", 16)]
)
def test_fio_verifies(tool: RunTool, uri: str, pattern: str, size: str, depth: int) -> None:
    sizes = f"--bsrange={size}" if "-" in size else f"--bs={size}"
    tool(
        *("fio", "--name=verify", "--ioengine=nbd", f"--uri={uri}", f"--rw={pattern}", sizes),
        *("--bs_unaligned=1" if "-" in size else "--group_reporting", f"--iodepth={depth}", f"--size={SIZE}"),
        *("--verify=crc32c", "--verify_fatal=1", "--do_verify=1", "--fsync=50", "--output-format=terse"),
    )


def test_many_connections_at_once(tool: RunTool, uri: str, device: MemoryDevice, tmp_path: Path) -> None:
    """nbdcopy opens several when the export allows it; several nbdcopy at once open more."""
    source = image(tmp_path)
    failures: list[BaseException] = []

    def copy() -> None:
        try:
            tool("nbdcopy", "--connections=4", "--flush", source, uri)
        except BaseException as failure:
            failures.append(failure)

    copies = [threading.Thread(target=copy) for _ in range(3)]
    for each in copies:
        each.start()
    for each in copies:
        each.join()
    assert not failures
    assert device.content() == source.read_bytes()


def test_a_client_killed_in_the_middle_of_writing(
    served: Serving, uri: str, device: MemoryDevice, tmp_path: Path
) -> None:
    """Again and again: nothing of it stays but whole writes, and the next client is served."""
    command = ["fio", "--name=kill", "--thread", "--ioengine=nbd", f"--uri={uri}", "--rw=write", "--bs=1M"]
    command += ["--iodepth=8", f"--size={SIZE}", "--time_based", "--runtime=60", "--buffer_pattern=0x5a"]
    for _ in range(4):
        device.sections.clear()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path) as writing:
            try:
                served.wait_for(lambda: len(device.sections) > 256)
            finally:
                writing.kill()
        served.wait_for(lambda: served.server.connections == 0)
        with Client(served) as client:
            client.go()
            content = client.read(0, SIZE)
        for start in range(0, SIZE, 1 << 20):
            assert content[start : start + (1 << 20)] in (bytes(1 << 20), b"\x5a" * (1 << 20))
