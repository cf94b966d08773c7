"""``scripts/setup-venv`` with a pip that refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "setup-venv"
REASON = "ERROR: No matching distribution found for numba"
_PYTHON = f"""#!/bin/sh
case "$*" in
    "-m pip install "*"-e .[$REFUSED]") echo "ERROR: a long story" >&2; echo "{REASON}" >&2; exit 1 ;;
    "-m pip install "*) echo "$*" >> installed ;;
    *) exec "{sys.executable}" "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the script, and an environment that works."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup-venv").write_bytes(SCRIPT.read_bytes())
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "pip"):
        (programs / name).write_text(_PYTHON)
        (programs / name).chmod(0o700)
    return tmp_path


def set_up(project: Path, *extras: str, refused: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", project / "scripts" / "setup-venv", *extras],
        env={"PATH": "/usr/bin:/bin", "REFUSED": refused},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def ready(project: Path) -> set[str]:
    return {path.name for path in (project / ".venv").glob(".ready*")}


def test_development_has_the_extra_fast(project: Path) -> None:
    done = set_up(project, "dev")
    assert (done.returncode, done.stderr) == (0, "")
    rest, fast = (project / "installed").read_text().splitlines()
    assert rest.endswith(" -e .[dev]")
    assert fast.endswith(" -e .[fast]")
    assert "--only-binary deflate,numba,llvmlite" in fast, "to build them takes LLVM"


def test_it_goes_on_without_the_extra_fast_and_says_so_in_a_line(project: Path) -> None:
    done = set_up(project, "dev", refused="fast")
    assert (done.returncode, done.stderr) == (0, "")
    _, line = done.stdout.splitlines()
    assert "'fast'" in line
    assert line.endswith(REASON)
    assert ready(project) == {".ready", ".ready-dev", ".ready-demo"}


def test_without_the_rest_it_fails(project: Path) -> None:
    done = set_up(project, "dev", refused="dev")
    assert done.returncode == 1
    assert REASON in done.stderr
    assert not ready(project)


@pytest.mark.parametrize("extras", [(), ("demo",)])
def test_who_only_uses_it_is_not_made_to_wait_for_it(project: Path, extras: tuple[str, ...]) -> None:
    assert set_up(project, *extras, refused="fast").returncode == 0
    assert len((project / "installed").read_text().splitlines()) == 1
