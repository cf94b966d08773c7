"""The process that compiles: one at a time, in nobody's way, at work when whoever began it has ended, and not for ever.

Another program stands for it where compiling itself doesn't matter.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bbd.worlds.anvil.compiled.cache import cache_folder, turn
from bbd.worlds.anvil.compiled.loading import Loader

pytest.importorskip("numba")
TIMEOUT = 300


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o700)
    return path


_COMMAND = """
import sys, time
from pathlib import Path
from bbd.worlds.anvil.compiled.loading import Loader

sys.executable, begun = sys.argv[1:]
Loader(1).ask()
while not Path(begun).exists():
    time.sleep(0.01)
"""
_UNTIL_TOLD = """
where=$(pwd -P)
cd "$(dirname "$0")" || exit
echo $$ "$where" > begun.new
mv begun.new begun
for _ in $(seq 1000); do [ -e go ] && break; sleep 0.05; done
touch done
"""


def test_it_goes_on_when_the_command_has_ended(cache: Path, tmp_path: Path) -> None:
    compiler = program(tmp_path / "compiler", _UNTIL_TOLD)
    begun, go, done = (tmp_path / name for name in ("begun", "go", "done"))
    try:
        subprocess.run([sys.executable, "-c", _COMMAND, compiler, begun], check=True, timeout=TIMEOUT)
        pid, where = begun.read_text().split()
        assert os.getsid(int(pid)) == int(pid), "what the command's terminal sends would reach it"
        assert where == "/", "the command's folder could not be unmounted"
        assert not done.exists()
        with (cache / "bbd" / "compiled.lock").open() as lock, pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        go.touch()
    with turn():
        assert done.exists()


@pytest.mark.usefixtures("cache")
def test_a_command_does_not_wait_for_its_turn(tmp_path: Path) -> None:
    (tmp_path / "begun").touch()
    with turn():
        nobody, begun = "/nowhere/python", tmp_path / "begun"
        subprocess.run([sys.executable, "-c", _COMMAND, nobody, begun], check=True, timeout=TIMEOUT)


@pytest.mark.usefixtures("cache")
def test_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    compiler = program(tmp_path / "compiler", f"echo begin $$ >> {log}; sleep 0.2; echo end $$ >> {log}; exit 1")
    monkeypatch.setattr(sys, "executable", str(compiler))
    loaders = [Loader(1) for _ in range(3)]
    for loader in loaders:
        loader.ask()
    assert not any(loader.wait(TIMEOUT) for loader in loaders)
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [word for word, _ in lines] == ["begin", "end"] * 3
    for _, pid in lines:
        assert not Path("/proc", pid).exists(), "it is left as a zombie"


_ENDLESS = """
import os, signal
from pathlib import Path

Path(os.environ["SEEN"]).write_text(f"{signal.alarm(1)} {os.nice(0)}")
while True:
    pass
"""
_IGNORING = """
import os, signal, sys

signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
os.execv(sys.executable, [sys.executable, "-P", "-m", "bbd.worlds.anvil.compiled"])
"""


@pytest.mark.usefixtures("cache")
def test_it_ends_in_time_whatever_holds_it_up(tmp_path: Path) -> None:
    """A numba that never returns, in a process whose parent wants no alarms; here its time is shortened."""
    (tmp_path / "numba.py").write_text(_ENDLESS)
    seen = tmp_path / "seen"
    done = subprocess.run(
        [sys.executable, "-c", _IGNORING],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "SEEN": str(seen)},
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == -signal.SIGALRM
    seconds, niceness = map(int, seen.read_text().split())
    assert 0 < seconds <= 300
    assert niceness >= min(19, os.nice(0) + 10)


@pytest.mark.slow
def test_what_nobody_uses_any_more_goes_along() -> None:
    """In the cache that all tests share, where the code may be already."""
    old = cache_folder().parent / "compiled-0123456789abcdef"
    old.mkdir(exist_ok=True)
    os.utime(old, (0, 0))
    loader = Loader(1)
    loader.ask()
    assert loader.wait(TIMEOUT)
    assert not old.exists()
