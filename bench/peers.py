"""The servers that can be raced. To add one, write a class and name it in :data:`PEERS`."""

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
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import bbd
from bench.errors import BenchError

START_TIMEOUT = 60.0
STOP_TIMEOUT = 60.0


class Peer(ABC):
    """A kind of server. It serves one disk of ``size`` bytes on the unix socket ``address``; ``folder`` is its own."""

    name: str
    export = ""

    @abstractmethod
    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        """The command that serves in the foreground."""

    @abstractmethod
    def version(self) -> str:
        """One line that says which version it is."""

    def prepare(self, folder: Path, size: int) -> None:
        """Make what the command needs; by default, nothing."""
        del folder, size

    @property
    def label(self) -> str:
        """Its name as a person reads it."""
        return self.name.replace("-", " ")


class Bbd(Peer):
    """This package, from the environment that runs the benchmark."""

    name = "bbd"
    export = "bench"
    _program = Path(sys.executable).parent / "bbd"

    def prepare(self, folder: Path, size: int) -> None:
        run(self._program, "create", folder / "world", "--disk", self.export, "--size", str(size))

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        del size
        return [self._program, "serve", "--world", folder / "world", "--unix", address, "--journal", folder / "journal"]

    def version(self) -> str:
        return f"bbd {bbd.__version__}"


class NbdkitMemory(Peer):
    """nbdkit's RAM disk: a sparse array in C, a thread a request."""

    name = "nbdkit-memory"

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        del folder
        return ["nbdkit", "--foreground", "--unix", address, "memory", str(size)]

    def version(self) -> str:
        return run("nbdkit", "--version").strip()


class NbdkitFile(NbdkitMemory):
    """nbdkit over a plain file, through the page cache."""

    name = "nbdkit-file"

    def prepare(self, folder: Path, size: int) -> None:
        with (folder / "image").open("wb") as image:
            image.truncate(size)

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        del size
        return ["nbdkit", "--foreground", "--unix", address, "file", folder / "image"]


class QemuNbd(NbdkitFile):
    """QEMU's server over a plain file, through the page cache."""

    name = "qemu-nbd"

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        del size
        return ["qemu-nbd", "--persistent", "--format=raw", f"--socket={address}", folder / "image"]

    def version(self) -> str:
        return run("qemu-nbd", "--version").splitlines()[0]


PEERS = {peer.name: peer for peer in (Bbd(), NbdkitMemory(), NbdkitFile(), QemuNbd())}


class Server:
    """A running peer."""

    def __init__(self, peer: Peer, size: int, place: Path | None = None) -> None:
        self.peer = peer
        self._folder = Path(tempfile.mkdtemp(prefix="bbd-bench-", dir=place))
        self._socket_folder = Path(tempfile.mkdtemp(prefix="bbd-", dir="/tmp"))  # socket paths must be short
        self._address = self._socket_folder / "nbd.sock"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            peer.prepare(self._folder, size)
            self._start(peer.command(self._folder, self._address, size))
        except BaseException:
            self.stop()
            raise

    @property
    def uri(self) -> str:
        """The disk's NBD URI."""
        return f"nbd+unix:///{self.peer.export}?socket={self._address}"

    @property
    def session(self) -> int:
        """The session that all its processes are in."""
        assert self._process is not None
        return self._process.pid

    def pause(self) -> None:
        """Stop it in its tracks, so that its background work costs nobody else's measurement."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it and remove what it left."""
        if self._process is not None:
            self.resume()
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.rmtree(self._socket_folder, ignore_errors=True)

    def _start(self, command: Sequence[str | Path]) -> None:
        log = self._folder / "log"
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
                )
        except FileNotFoundError:
            raise BenchError(f"{command[0]} is missing: run scripts/install-test-packages") from None
        deadline = time.monotonic() + START_TIMEOUT
        while not self._greets():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"{self.peer.label} does not serve; it said: {log.read_text().strip()}")
            time.sleep(0.02)

    def _greets(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self._address))
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


def run(*command: str | Path) -> str:
    """Run a command to its end; its standard output. Raises :class:`BenchError` with its first line."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    except FileNotFoundError:
        raise BenchError(f"{command[0]} is missing: run scripts/install-test-packages") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise BenchError(f"{Path(command[0]).name} failed: {said}")
    return done.stdout
