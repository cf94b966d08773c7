"""The wheel, installed where no clone is: it has the game's server in it, and ``bbd demo`` runs that."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.live_server.processes import game_of
from tests.servers import BbdServer, environment

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
JAR = "bbd/cli/bbd-minestom.jar"


@pytest.fixture
def wheel(tmp_path: Path, jar: Path) -> Path:
    """The wheel that this clone makes; the jar is built by now."""
    del jar
    run(*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "wheel", ROOT)
    (wheel,) = (tmp_path / "wheel").glob("bbd_nbd-*.whl")
    return wheel


@pytest.fixture
def fresh(tmp_path: Path, wheel: Path) -> Path:
    """The programs of a fresh environment that has the wheel, and takes what that needs from this one."""
    folder = tmp_path / "fresh"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    run(*PIP, "--python", folder / "bin" / "python", "install", "--quiet", "--no-deps", wheel)
    (packages,) = folder.glob("lib/python3*/site-packages")
    # Lines of such a file are folders, whose own .pth files, an editable bbd among them, don't count.
    (packages / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


def test_the_demo_of_a_wheel(wheel: Path, fresh: Path, tmp_path: Path) -> None:
    assert JAR in zipfile.ZipFile(wheel).namelist()
    demo = BbdServer(
        *("--world", tmp_path / "demo", "--minecraft-port", "0"),
        environment=environment(tmp_path / "state"),
        command=(fresh / "bbd", "demo"),
    )
    try:
        assert str(fresh.parent).encode() in Path(f"/proc/{game_of(demo)}/cmdline").read_bytes()
        said = run(fresh / "bbd", "files", demo.uri("demo"), "cat", "/README.TXT")
        assert said.startswith("Welcome to bbd!")
        demo.stop()
    finally:
        demo.kill()


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
