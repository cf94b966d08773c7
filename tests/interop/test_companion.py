"""The companion builds and passes its own tests on a machine without a Java of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
JAVA = frozenset({"java", "javac", "jshell"})


@pytest.fixture
def path_without_java(tmp_path: Path) -> Path:
    """A folder with all that PATH has, but for Java."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in os.get_exec_path():
        for program in Path(place).iterdir() if Path(place).is_dir() else ():
            link = folder / program.name
            if program.name not in JAVA and not link.is_symlink():
                link.symlink_to(program)
    return folder


def test_it_builds_and_passes_its_tests(path_without_java: Path) -> None:
    if shutil.which("mvn") is None:
        pytest.skip("Maven is not installed")
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    environment["PATH"] = str(path_without_java)
    done = subprocess.run(
        [ROOT / "scripts/companion-build"], env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    reports: list[Path] = []
    for module in ("core", "minestom", "paper"):
        found = list((ROOT / f"companion-mod/{module}/target/surefire-reports").glob("TEST-*.xml"))
        assert found, f"tests of {module} ran"
        reports += found
    assert all('failures="0"' in report.read_text() and 'errors="0"' in report.read_text() for report in reports)
    assert_plugin_is_complete()
    for jar in ("paper/target/bbd-paper.jar", "minestom/target/bbd-minestom.jar"):
        assert_licences_are_in(ROOT / "companion-mod" / jar)


def assert_plugin_is_complete() -> None:
    """The plugin's jar has what it needs, and nothing of the server's."""
    with zipfile.ZipFile(ROOT / "companion-mod/paper/target/bbd-paper.jar") as jar:
        names = set(jar.namelist())
        description = jar.read("plugin.yml").decode()
    classes = {name for name in names if name.endswith(".class")}
    assert {
        "bbd/companion/paper/BbdPlugin.class",
        "bbd/companion/Companion.class",
        "bbd/companion/websocket/WebSocketImpl.class",
    } <= classes
    assert {"plugin.yml", "config.yml", "palette256.json"} <= names
    assert "main: bbd.companion.paper.BbdPlugin" in description
    assert all(name.startswith("bbd/companion/") for name in classes), "neither org/bukkit nor other libraries"


def assert_licences_are_in(jar: Path) -> None:
    """What the jar says to bring along has its licence in it; the companion's own tests see that it says all."""
    with zipfile.ZipFile(jar) as archive:
        listed = re.findall(r"(?m)^(\S+) +(\S+\.txt)$", archive.read("META-INF/THIRD-PARTY.txt").decode())
        assert ("Java-WebSocket", "Java-WebSocket.txt") in listed
        for _, text in listed:
            assert archive.read(f"META-INF/licenses/{text}") == (ROOT / "companion-mod/licenses" / text).read_bytes()
        assert archive.read("META-INF/LICENSE") == (ROOT / "LICENSE").read_bytes()
