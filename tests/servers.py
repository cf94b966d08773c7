"""Starting and stopping the real ``bbd`` for tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

BBD = Path(sys.executable).parent / "bbd"
"""The command as it is installed beside the Python that runs the tests."""

START_TIMEOUT = 60.0
STOP_TIMEOUT = 60.0
_GREETING = b"NBDMAGIC"


class ServerFailed(AssertionError):
    """The server did not start, or did not stop as it should; the message holds what it printed."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class BbdServer:
    """A running ``bbd serve``: on the unix socket ``socket``, or on 127.0.0.1 where ``port`` is given.

    ``arguments`` follow ``command``; ``environment`` is the process's whole environment. The constructor returns when
    the server greets; a server that ends before that raises :class:`ServerFailed`.
    """

    def __init__(
        self,
        *arguments: str | Path,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str | Path] = (BBD, "serve"),
        new_session: bool = False,
    ):
        self.port = port
        self._folder = Path(tempfile.mkdtemp(prefix="bbd-", dir="/tmp"))  # unix socket paths are at most 107 bytes
        self.socket = self._folder / "nbd.sock"
        where = ["--unix", self.socket] if port is None else ["--listen", f"127.0.0.1:{port}"]
        self._log = self._folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *arguments, *where],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=new_session,
            )
        try:
            self._wait_for_greeting()
        except BaseException:
            self.kill()
            raise

    @property
    def output(self) -> str:
        """What the server printed so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def uri(self, export: str = "") -> str:
        """The export's URI, as the NBD URI specification writes it."""
        if self.port is None:
            return f"nbd+unix:///{export}?socket={self.socket}"
        return f"nbd://127.0.0.1:{self.port}/{export}"

    def connect(self) -> socket.socket:
        """A raw connection, before any byte was read."""
        if self.port is not None:
            return socket.create_connection(("127.0.0.1", self.port), timeout=30)
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        try:
            client.connect(str(self.socket))
        except OSError:
            client.close()
            raise
        return client

    def stop(self) -> None:
        """SIGTERM, as an init system would; the server must end by itself, with code 0. Once is enough."""
        if not self._folder.exists():
            return
        try:
            self.process.send_signal(signal.SIGTERM)
            status = self._wait(STOP_TIMEOUT)
            if status != 0:
                raise ServerFailed(f"bbd serve ended with {status} after SIGTERM; it printed:\n{self.output}")
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self, timeout: float) -> int:
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ServerFailed(f"bbd serve did not stop in {timeout:.0f} s; it printed:\n{self.output}") from None

    def _wait_for_greeting(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._greets():
            if (status := self.process.poll()) is not None:
                raise ServerFailed(f"bbd serve ended with {status} before it served; it printed:\n{self.output}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"bbd serve does not greet; it printed:\n{self.output}")
            time.sleep(0.02)

    def _greets(self) -> bool:
        with contextlib.suppress(OSError), self.connect() as client:
            return client.recv(len(_GREETING)) == _GREETING
        return False


def environment(state: Path) -> dict[str, str]:
    """This process's environment, with bbd's own state kept in the folder ``state`` instead of the user's home."""
    return {**os.environ, "XDG_STATE_HOME": str(state), "NO_COLOR": "1", "COLUMNS": "200"}
