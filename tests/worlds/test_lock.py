"""``session.lock``, against POSIX locks of other processes, the game's way of locking, and another of ours."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bbd.errors import BbdError, WorldLocked
from bbd.worlds.anvil import lock
from bbd.worlds.anvil.lock import SessionLock

POSIX = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("refused", flush=True)
    else:
        print("held", flush=True)
        sys.stdin.read()
"""


def holder(kind: str, path: Path) -> list[str]:
    if kind == "POSIX":
        return [sys.executable, "-c", POSIX, str(path / "session.lock")]
    java = shutil.which("java")
    if java is None:
        pytest.skip("java is not installed")
    return [java, str(Path(__file__).with_name("HoldLock.java")), str(path / "session.lock")]


@contextmanager
def other(kind: str, path: Path) -> Iterator[tuple[str, int]]:
    """Another process that tries to take the lock: what it says, and its id."""
    with subprocess.Popen(holder(kind, path), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.communicate(timeout=60)


@pytest.fixture(params=["POSIX", "Java"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    (tmp_path / "session.lock").write_bytes(b"old")
    return tmp_path


def test_a_world_that_the_game_has_open(world: Path, kind: str) -> None:
    with other(kind, world) as (said, pid):
        assert said == "held"
        with pytest.raises(WorldLocked, match=f"is open in Minecraft .process {pid}.; close it there first"):
            SessionLock(world)
    SessionLock(world).release()


def test_the_game_is_refused_while_we_have_it(world: Path, kind: str) -> None:
    with SessionLock(world):
        (world / "session.lock").read_bytes()  # would drop a plain POSIX lock of this process
        with other(kind, world) as (said, _):
            assert said == "refused"
    assert (world / "session.lock").read_bytes() == b"\xe2\x98\x83"
    with other(kind, world) as (said, _):
        assert said == "held"


def test_another_bbd(world: Path) -> None:
    with SessionLock(world):
        with pytest.raises(WorldLocked, match="is open in another bbd"):
            SessionLock(world)
        with pytest.raises(WorldLocked):
            SessionLock(world)
    SessionLock(world).release()


def test_where_there_are_no_locks_by_description(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("F_OFD_SETLK", "F_OFD_GETLK"):
        monkeypatch.delattr(fcntl, name)
    with SessionLock(world), other("POSIX", world) as (said, _):
        assert said == "refused"
    with other("POSIX", world) as (said, _):
        assert said == "held"
        with pytest.raises(WorldLocked, match="in Minecraft or in another bbd"):
            SessionLock(world)


def test_a_lock_that_can_not_be_made(tmp_path: Path) -> None:
    with pytest.raises(BbdError, match=r"can't be locked: .*session\.lock: No such file") as caught:
        SessionLock(tmp_path / "absent")
    assert not isinstance(caught.value, WorldLocked)


def test_releasing_twice(world: Path) -> None:
    held = lock.SessionLock(world)
    held.release()
    held.release()
