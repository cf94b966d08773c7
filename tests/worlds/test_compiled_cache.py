"""The folders of compiled code: those of other versions go when nobody uses them any more, and nothing else does."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bbd.worlds.anvil.compiled.cache import cache_folder, remove_unused, turn

pytest.importorskip("numba")
DAY = 24 * 3600
OLD = "compiled-0123456789abcdef"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, with nothing in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_folder().parent


def unused(folder: Path, days: float) -> Path:
    """Folder that has what compiled code has in it, and that was last used so long ago."""
    (folder / "compiled_1").mkdir(parents=True)
    (folder / "compiled_1" / "columns.read_column-1.py311.nbi").touch()
    return aged(folder, days)


def aged(path: Path, days: float) -> Path:
    then = time.time() - days * DAY
    os.utime(path, (then, then), follow_symlinks=False)
    return path


def test_what_nobody_has_used_for_a_month_goes(place: Path) -> None:
    old, young = unused(place / OLD, 31), unused(place / "compiled-fedcba9876543210", 29)
    remove_unused()
    assert not old.exists()
    assert list(young.rglob("*.nbi"))


def test_using_it_counts_and_nobody_removes_his_own(place: Path) -> None:
    mine = aged(cache_folder(), 365)
    remove_unused()
    assert mine.exists()
    assert cache_folder() == mine
    assert time.time() - mine.stat().st_mtime < DAY


@pytest.mark.parametrize(
    "name", ["compiled", "compiled-", f"{OLD}0", "compiled-0123456789ABCDEF", "compiled-mine.but.not.bbd", "worlds"]
)
def test_what_has_another_name_stays(place: Path, name: str) -> None:
    other = unused(place / name, 400)
    remove_unused()
    assert list(other.rglob("*.nbi"))


def test_what_is_no_folder_stays(place: Path, tmp_path: Path) -> None:
    elsewhere = unused(tmp_path / "elsewhere", 400)
    link, file = place / OLD, place / "compiled-fedcba9876543210"
    link.symlink_to(elsewhere)
    file.touch()
    for one in (link, file):
        aged(one, 400)
    remove_unused()
    assert link.is_symlink()
    assert file.exists()
    assert list(elsewhere.rglob("*.nbi"))


def test_a_link_in_it_leads_nowhere(place: Path, tmp_path: Path) -> None:
    elsewhere = unused(tmp_path / "elsewhere", 400)
    old = unused(place / OLD, 0)
    (old / "link").symlink_to(elsewhere)
    aged(old, 31)
    remove_unused()
    assert not old.exists()
    assert list(elsewhere.rglob("*.nbi"))


def test_what_others_may_write_to_stays(place: Path) -> None:
    """They may have put there anything."""
    old = unused(place / OLD, 31)
    old.chmod(0o770)
    remove_unused()
    assert list(old.rglob("*.nbi"))


def test_what_can_not_be_removed_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    old = unused(place / OLD, 31)
    monkeypatch.setattr(os, "unlink", refuse)
    remove_unused()
    assert old.exists()


def test_nobody_else_may_hold_up_the_turn(place: Path) -> None:
    place.chmod(0o777)
    with pytest.raises(PermissionError), turn():
        pass
    place.chmod(0o700)
    (place / "compiled.lock").symlink_to(place / "elsewhere")
    with pytest.raises(OSError), turn():  # noqa: PT011 - macOS and Linux differ in which
        pass
    assert not (place / "elsewhere").exists()
