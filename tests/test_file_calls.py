"""Reads and writes of the machine's own files, whatever the kernel makes of them."""

from __future__ import annotations

import errno
import fcntl
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from bbd import safe_writes
from bbd.blocks import BLOCK, fresh
from bbd.files import File
from bbd.os_files import OsFiles
from tests.torture.faulty_files import Faults, FaultyFiles
from tests.torture.simulated_files import Name, SimulatedFiles, Sync, Write
from tests.worlds.memory_files import MemoryFiles

PARTS = [random.Random(seed).randbytes(seed % 37) for seed in range(2500)]
WHOLE = b"".join(PARTS)


def opened(path: Path) -> File:
    return OsFiles().open(path, write=True, create=True)


def test_more_parts_than_one_call_takes(tmp_path: Path) -> None:
    file = opened(tmp_path / "f")
    file.pwrite([*PARTS, bytearray(b"ab"), memoryview(b"cd")], 7)
    assert (tmp_path / "f").read_bytes() == bytes(7) + WHOLE + b"abcd"
    file.pwrite([], 0)
    file.close()


@pytest.mark.parametrize("limit", [1, 1000, 20_000])
def test_short_writes_and_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    pwritev, pwrite, preadv = os.pwritev, os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwritev", lambda fd, parts, offset: pwritev(fd, _first(parts, limit), offset))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[: limit * 2], offset))
    monkeypatch.setattr(os, "preadv", lambda fd, buffers, offset: preadv(fd, [buffers[0][:limit]], offset))
    parts, whole = PARTS[:200], b"".join(PARTS[:200])
    file = opened(tmp_path / "f")
    file.pwrite(parts, 3)
    assert (tmp_path / "f").read_bytes() == bytes(3) + whole
    buffer = memoryview(bytearray(len(whole) + 10))
    assert file.pread_into(buffer, 3) == len(whole)
    assert buffer[: len(whole)] == whole
    file.close()


def _first(parts: Sequence[bytes], size: int) -> list[bytes]:
    return [b"".join(parts)[:size]]


@pytest.mark.parametrize("own", [True, False])
def test_reading_into_memory(tmp_path: Path, *, own: bool) -> None:
    file = opened(tmp_path / "f") if own else MemoryFiles().open(tmp_path / "f", write=True, create=True)
    file.pwrite([WHOLE], 0)
    buffer = memoryview(bytearray(100))
    assert file.pread_into(buffer, 5) == 100
    assert buffer == WHOLE[5:105]
    assert file.pread_into(buffer, len(WHOLE) - 9) == 9
    assert buffer[:9] == WHOLE[-9:]
    assert file.pread_into(buffer, len(WHOLE) + 9) == 0
    file.close()


@pytest.mark.parametrize("count", [0, 3, 1500])
@pytest.mark.parametrize("limit", [100, 1 << 20])
def test_writing_and_making_safe_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, limit: int
) -> None:
    pwritev, fdatasync = os.pwritev, os.fdatasync
    synced: list[bool] = []

    def short(fd: int, parts: Sequence[bytes], offset: int, flags: int = 0) -> int:
        written = pwritev(fd, _first(parts, limit), offset, flags)
        synced.append(flags == os.RWF_DSYNC and written == len(b"".join(parts)))
        return written

    def sync(fd: int) -> None:
        fdatasync(fd)
        synced.append(True)

    monkeypatch.setattr(os, "pwritev", short)
    monkeypatch.setattr(os, "fdatasync", sync)
    file = opened(tmp_path / "f")
    file.pwrite_safely(PARTS[:count], 3)
    assert synced[-1], "the last call made all of it safe"
    assert (tmp_path / "f").read_bytes() == (bytes(3) + b"".join(PARTS[:count]) if count else b"")
    file.close()


def test_writing_and_making_safe_elsewhere(tmp_path: Path) -> None:
    files = MemoryFiles()
    file = files.open(tmp_path / "f", write=True, create=True)
    file.pwrite_safely(PARTS[:9], 0)
    inode = files.names[tmp_path / "f"]
    assert inode.safe == b"".join(PARTS[:9])
    assert not inode.unsafe


def test_files_that_are_watched_show_the_plain_calls(tmp_path: Path) -> None:
    """Even where the file behind them is the machine's, which could do it in other ways."""
    faults = Faults()
    file = FaultyFiles(OsFiles(), faults).open(tmp_path / "f", write=True, create=True)
    file.write_past_cache()
    file.pwrite_safely(PARTS[:9], 0)
    assert faults.kinds == {"open": 1, "pwrite": 1, "sync": 1}
    file.pwrite_early(PARTS[:9], 0)
    file.pread_into(memoryview(bytearray(9)), 0)
    assert faults.kinds == {"open": 1, "pwrite": 2, "sync": 1, "pread": 1}
    file.close()


def test_files_that_are_recorded_have_written_and_then_synced() -> None:
    path = Path("/f")
    files = SimulatedFiles(folders={Path("/")})
    file = files.open(path, write=True, create=True)
    file.write_past_cache()
    file.pwrite_early([b"a", b"b"], 0)
    file.pwrite_safely([b"c", b"d"], 2)
    node = files.names[path]
    assert files.calls == [Name(path, node), Write(node, 0, b"ab"), Write(node, 2, b"cd"), Sync(node)]


def test_a_file_that_leaves_something_out_is_none() -> None:
    class Unsynced(File):
        def pwrite(self, parts: Sequence[bytes | bytearray | memoryview], offset: int) -> None:
            """Gone."""

    with pytest.raises(TypeError, match="sync"):
        Unsynced()  # type: ignore[abstract]


@pytest.mark.parametrize("known", [True, False])
def test_making_safe_takes_a_sync_where_one_call_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    pwritev, fdatasync = os.pwritev, os.fdatasync
    calls: list[str] = []

    def refusing(fd: int, parts: Sequence[bytes], offset: int, flags: int = 0) -> int:
        calls.append("write and sync" if flags else "write")
        if flags:
            raise OSError(errno.EOPNOTSUPP, "told to refuse")
        return pwritev(fd, parts, offset)

    def sync(fd: int) -> None:
        fdatasync(fd)
        calls.append("sync")

    monkeypatch.setattr(os, "pwritev", refusing)
    monkeypatch.setattr(os, "fdatasync", sync)
    monkeypatch.setattr("bbd.os_files.in_one_call", lambda fd: known)
    file = opened(tmp_path / "f")
    file.pwrite_safely(PARTS[:9], 0)
    file.pwrite_safely(PARTS[:9], 0)
    assert calls == (["write and sync"] if known else []) + ["write", "sync"] * 2
    file.close()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["36 35 {} / / rw,noatime shared:1 - ext4 /dev/root rw"], True),
        (["36 35 {} / / rw - fuse.sshfs host: rw"], False),
        (["36 35 {} / / rw - ext4 /dev/a rw", "37 35 {} / /mnt rw - fuse.x y rw"], False),
        (["36 35 1:99999 / / rw - ext4 /dev/a rw", "nonsense"], False),
        (None, False),
    ],
)
def test_which_file_systems_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str] | None, *, expected: bool
) -> None:
    mountinfo = tmp_path / "mountinfo"
    device = tmp_path.stat().st_dev
    if lines is not None:
        number = f"{os.major(device)}:{os.minor(device)}"
        mountinfo.write_text("".join(line.format(number) + "\n" for line in lines))
    monkeypatch.setattr(safe_writes, "_MOUNTINFO", mountinfo)
    safe_writes._kind_of.cache_clear()
    with (tmp_path / "f").open("wb") as file:
        assert safe_writes.in_one_call(file.fileno()) == (expected and hasattr(os, "RWF_DSYNC"))
    safe_writes._kind_of.cache_clear()


def _is_direct(fd: int) -> bool:
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT)


def test_writing_past_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwritev = os.pwritev
    direct: list[bool] = []

    def watched(fd: int, parts: Sequence[memoryview], offset: int, flags: int = 0) -> int:
        direct.append(_is_direct(fd))
        return pwritev(fd, parts, offset, flags)

    monkeypatch.setattr(os, "pwritev", watched)
    block = fresh(BLOCK)
    block[:] = b"b" * BLOCK
    file = opened(tmp_path / "f")
    file.pwrite([b"head".ljust(BLOCK)], 0)
    file.write_past_cache()
    file.pwrite_safely([block, block], BLOCK)
    assert direct == [False, True]
    assert (tmp_path / "f").read_bytes() == b"head".ljust(BLOCK) + 2 * bytes(block)
    file.close()


def test_a_file_system_that_does_not_write_past_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the flag and refuses the write, as some do; what is written is written all the same."""
    pwritev = os.pwritev

    def refusing(fd: int, parts: Sequence[memoryview], offset: int, flags: int = 0) -> int:
        if _is_direct(fd):
            raise OSError(errno.EINVAL, "told to refuse")
        return pwritev(fd, parts, offset, flags)

    monkeypatch.setattr(os, "pwritev", refusing)
    file = opened(tmp_path / "f")
    file.write_past_cache()
    file.pwrite([b"b" * BLOCK], 0)
    file.pwrite_safely([b"c" * BLOCK], BLOCK)
    assert (tmp_path / "f").read_bytes() == b"b" * BLOCK + b"c" * BLOCK
    file.close()


def test_a_file_system_that_refuses_the_flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called = fcntl.fcntl

    def refusing(fd: int, command: int, argument: int = 0) -> int:
        if command == fcntl.F_SETFL:
            raise OSError(errno.EINVAL, "told to refuse")
        return called(fd, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", refusing)
    file = opened(tmp_path / "f")
    file.write_past_cache()
    file.pwrite([b"odd"], 1)
    assert (tmp_path / "f").read_bytes() == b"\0odd"
    file.close()
