"""Having the kernel bring written bytes to the disk early: what it does to real files, and what is made of refusals."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bbd import early_writes
from bbd.early_writes import begin_to_write
from bbd.os_files import OsFiles
from tests.worlds.memory_files import MemoryFiles

CONTENT = random.Random(1).randbytes(64 << 10)
BEGIN_ONLY = 2
"""``SYNC_FILE_RANGE_WRITE``: without the flags beside it the call waits for nothing."""
CACHESTAT = 451

linux = pytest.mark.skipif(sys.platform != "linux", reason="the call is Linux's")


class Call:
    """``sync_file_range``, recorded: what comes in its place returns 0, or -1 with ``errno`` set."""

    def __init__(self, instead: Callable[[int, int, int, int], int]) -> None:
        self.instead = instead
        self.seen: list[tuple[int, int, int, int]] = []

    def __call__(self, fd: int, offset: int, size: int, flags: int) -> int:
        self.seen.append((fd, offset, size, flags))
        return self.instead(fd, offset, size, flags)


def refusing(number: int) -> Call:
    def refuse(_fd: int, _offset: int, _size: int, _flags: int) -> int:
        ctypes.set_errno(number)
        return -1

    return Call(refuse)


def put_in_place(monkeypatch: pytest.MonkeyPatch, call: Call | None) -> None:
    monkeypatch.setattr(early_writes, "_sync_file_range", lambda: call)


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    """A file that holds ``CONTENT``, open for reading and writing."""
    opened = os.open(tmp_path / "f", os.O_RDWR | os.O_CREAT)
    try:
        assert os.pwrite(opened, CONTENT, 0) == len(CONTENT)
        yield opened
    finally:
        os.close(opened)


@pytest.fixture
def _looked_up_anew() -> Iterator[None]:
    early_writes._sync_file_range.cache_clear()
    yield
    early_writes._sync_file_range.cache_clear()


def unwritten(fd: int) -> int:
    """How many of a file's pages the kernel has not begun to write; 0 where it does not tell (``cachestat(2)``)."""
    everything, told = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
    failed = ctypes.CDLL(None).syscall(CACHESTAT, fd, everything, told, 0)
    return 0 if failed else told[1]


@linux
def test_the_kernel_begins_with_what_was_written(tmp_path: Path, fd: int) -> None:
    # Where nothing is ever written (tmpfs), a sync leaves as much.
    synced = os.open(tmp_path / "synced", os.O_RDWR | os.O_CREAT)
    os.pwrite(synced, CONTENT, 0)
    os.fdatasync(synced)
    begin_to_write(fd, 0, len(CONTENT))
    assert unwritten(fd) == unwritten(synced)
    os.close(synced)


@pytest.mark.parametrize(
    ("offset", "size"),
    [
        (0, len(CONTENT)),
        (4096, 8192),
        (1, 3),
        (len(CONTENT) - 1, 1 << 20),
        (len(CONTENT) + 4096, 4096),
        (3 << 40, 1),
        (0, 0),
    ],
)
def test_the_file_stays_as_it_is(fd: int, offset: int, size: int) -> None:
    """Bytes, length and position, whether anything was written there or not."""
    os.lseek(fd, 77, os.SEEK_SET)
    begin_to_write(fd, offset, size)
    assert os.fstat(fd).st_size == len(CONTENT)
    assert os.pread(fd, len(CONTENT) + 1, 0) == CONTENT
    assert os.lseek(fd, 0, os.SEEK_CUR) == 77


def test_it_asks_for_just_that_range_and_waits_for_nothing(fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(lambda *_: 0)
    put_in_place(monkeypatch, call)
    begin_to_write(fd, 5 << 40, 8192)
    assert call.seen == [(fd, 5 << 40, 8192, BEGIN_ONLY)]


@linux
def test_a_closed_file_is_an_error(fd: int) -> None:
    closed = os.dup(fd)
    os.close(closed)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)) as caught:
        begin_to_write(closed, 0, 1)
    assert caught.value.errno == errno.EBADF


def test_what_has_no_ranges_is_left_alone() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"abc")
    begin_to_write(writer, 0, 3)
    assert os.read(reader, 4) == b"abc"
    os.close(reader)
    os.close(writer)


def test_a_range_that_there_can_not_be_is_left_alone(fd: int) -> None:
    begin_to_write(fd, -1, 1)
    begin_to_write(fd, 0, -1)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EINVAL, errno.ESPIPE, errno.EPERM, errno.EOPNOTSUPP])
def test_a_system_that_can_not_do_it_is_not_told_of(fd: int, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    call = refusing(number)
    put_in_place(monkeypatch, call)
    begin_to_write(fd, 0, 9)
    assert len(call.seen) == 1, "it is not tried again"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.ENOMEM, errno.EDQUOT])
def test_a_failure_is_told(fd: int, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The kernel tells of it once: the sync that comes later may find nothing wrong."""
    put_in_place(monkeypatch, refusing(number))
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        begin_to_write(fd, 0, 9)
    assert caught.value.errno == number


@pytest.mark.usefixtures("_looked_up_anew")
@pytest.mark.parametrize("libc", [OSError("no library"), object()])
def test_a_system_without_the_call(fd: int, monkeypatch: pytest.MonkeyPatch, libc: object) -> None:
    looked: list[object] = []

    def load(name: None, *, use_errno: bool) -> object:
        looked.append((name, use_errno))
        if isinstance(libc, OSError):
            raise libc
        return libc

    monkeypatch.setattr(ctypes, "CDLL", load)
    begin_to_write(fd, 0, 9)
    begin_to_write(fd + 1000, 0, 9)
    assert looked == [(None, True)], "it is looked up once"


def test_pieces_are_written_and_begun_with_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(lambda *_: 0)
    put_in_place(monkeypatch, call)
    file = OsFiles().open(tmp_path / "f", write=True, create=True)
    file.pwrite_early([b"abc", b"", memoryview(b"defg")], 5)
    assert [seen[1:] for seen in call.seen] == [(5, 7, BEGIN_ONLY)]
    assert (tmp_path / "f").read_bytes() == bytes(5) + b"abcdefg"
    file.close()


def test_a_write_fails_where_beginning_with_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = OsFiles().open(tmp_path / "f", write=True, create=True)
    put_in_place(monkeypatch, refusing(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        file.pwrite_early([b"abc"], 0)
    for call in (refusing(errno.EOPNOTSUPP), None):
        put_in_place(monkeypatch, call)
        file.pwrite_early([b"def"], 0)
        assert (tmp_path / "f").read_bytes() == b"def"
    file.close()


def test_files_that_are_not_the_systems_are_only_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(lambda *_: 0)
    put_in_place(monkeypatch, call)
    files = MemoryFiles()
    file = files.open(tmp_path / "f", write=True, create=True)
    file.pwrite_early([b"abc", b"def"], 0)
    assert files.names[tmp_path / "f"].content == b"abcdef"
    assert files.names[tmp_path / "f"].unsafe, "nothing is promised"
    assert not call.seen
