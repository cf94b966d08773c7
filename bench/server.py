"""A server that runs: started, paused while others are measured, ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from bench.errors import BenchError
from bench.peers import Peer, environment

START_TIMEOUT = 60.0
STOP_TIMEOUT = 60.0


class Server:
    """A running peer. Its files are in a folder of their own under ``place``, or in ``folder``, as they are there."""

    def __init__(self, peer: Peer, size: int, place: Path, folder: Path | None = None) -> None:
        self.peer = peer
        self.folder = folder or Path(tempfile.mkdtemp(prefix="bbd-bench-", dir=place))
        self.address = Path(tempfile.mkdtemp(prefix="bbd-", dir="/tmp")) / "nbd.sock"  # socket paths must be short
        self._size = size
        self._own = folder is None
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if self._own:
                peer.prepare(self.folder, size)
            self._start()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def uri(self) -> str:
        """The disk's NBD URI."""
        return f"nbd+unix:///{self.peer.export}?socket={self.address}"

    @property
    def session(self) -> int:
        """The session that all its processes are in."""
        assert self._process is not None
        return self._process.pid

    def _start(self) -> None:
        command = self.peer.command(self.folder, self.address, self._size)
        log = self.folder / "log"
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    env=environment(self.folder),
                    start_new_session=True,
                )
        except FileNotFoundError:
            raise BenchError(f"{command[0]} is missing: run scripts/install-test-packages") from None
        deadline = time.monotonic() + START_TIMEOUT
        while not self._greets():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"{self.peer.name} does not serve; it said: {log.read_text().strip()}")
            time.sleep(0.02)

    def restart(self) -> None:
        """End it cleanly and start it again, on the same files."""
        self._end()
        self._start()

    def pause(self) -> None:
        """Stop it in its tracks, so that its background work costs nobody else's measurement."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, cleanly if it can, and remove what is its own."""
        self._end()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.address.parent, ignore_errors=True)

    def _end(self) -> None:
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _greets(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.address))
            return client.recv(8) == b"NBDMAGIC"
        return False

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)


@contextlib.contextmanager
def only(server: Server, servers: Sequence[Server]) -> Iterator[None]:
    """Let just ``server`` of ``servers`` run."""
    others = [other for other in servers if other is not server]
    for other in others:
        other.pause()
    try:
        yield
    finally:
        for other in others:
            other.resume()
