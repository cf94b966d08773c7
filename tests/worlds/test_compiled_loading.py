"""Machine code comes when it is ready, or never; and only from where nobody else can have put it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bbd.worlds.anvil.compiled.loading import Loader

numba = pytest.importorskip("numba")
ROOT = Path(__file__).parents[2]
TIMEOUT = 300


def never(loader: Loader, caplog: pytest.LogCaptureFixture) -> str:
    """What is said of a loader whose loading fails, which is said once."""
    with caplog.at_level(logging.DEBUG, "bbd.worlds.anvil.compiled"):
        assert loader.ask() is None
        assert not loader.wait(TIMEOUT)
        assert loader.ask() is None
    (message,) = caplog.messages
    return message


@pytest.mark.slow
def test_it_comes_after_it_was_asked_for_often_enough() -> None:
    loader = Loader(3)
    for _ in range(2):
        assert loader.ask() is None
    assert not loader.wait(0)
    loader.ask()
    assert loader.wait(TIMEOUT)
    assert loader.ask() is not None


def test_without_numba(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert "numba" in never(Loader(1), caplog)


@pytest.mark.parametrize("program", ["/bin/false", "/nowhere/python"])
def test_compiling_that_fails(program: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(sys, "executable", program)
    never(Loader(1), caplog)


def test_a_cache_that_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "bbd").write_bytes(b"a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "FileExistsError" in never(Loader(1), caplog)


def test_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)
    never(Loader(1), caplog)


def test_whose_the_cache_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bbd.worlds.anvil.compiled.cache import cache_folder

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder.parent == tmp_path / "bbd"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert cache_folder() == folder
    for one in (folder, folder.parent):
        before = one.stat().st_mode
        one.chmod(0o770)
        with pytest.raises(PermissionError):
            cache_folder()
        one.chmod(before)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
        with pytest.raises(PermissionError):
            cache_folder()
    folder.rename(tmp_path / "elsewhere")
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        cache_folder()


def test_a_cache_by_a_relative_path_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bbd.worlds.anvil.compiled.cache import cache_folder

    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder().is_relative_to(tmp_path / ".cache" / "bbd")


@pytest.mark.slow
def test_no_byte_beside_its_memory_is_touched(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.worlds.checked_bounds"],
        cwd=ROOT,
        env=os.environ | {"NUMBA_BOUNDSCHECK": "1", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert done.returncode == 0, done.stderr
