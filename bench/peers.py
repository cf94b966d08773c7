"""The servers that can be raced. To add one, write a class and name it in :data:`PEERS`."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bbd
from bench.commands import run
from bench.units import MIB

BBD = Path(sys.executable).parent / "bbd"
_PLUGINS = Path(__file__).parent / "plugins"


class Peer(ABC):
    """A kind of server. It serves one disk of ``size`` bytes on the unix socket ``address``; ``folder`` is its own."""

    name: str
    export = ""

    def area(self, size: int) -> int:
        """How many bytes of its disk are to be loaded; by default, all."""
        return size

    @abstractmethod
    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        """The command that serves in the foreground."""

    @abstractmethod
    def version(self) -> str:
        """One line that says which version it is."""

    def prepare(self, folder: Path, size: int) -> None:
        """Make what the command needs; by default, nothing."""
        del folder, size


@dataclass(frozen=True)
class Bbd(Peer):
    """This package, from the environment that runs the benchmark, with options of ``bbd create`` and ``bbd serve``.

    Its cache has room for four times the disk: so a load that is called cached meets no checkpoint that begins because
    the cache is half full of unwritten data. The rows that measure checkpoints ask for them.
    """

    name: str = "bbd"
    creating: tuple[str, ...] = ()
    serving: tuple[str, ...] = ()

    export = "bench"

    def prepare(self, folder: Path, size: int) -> None:
        options = ["--disk", self.export, "--size", str(size), *self.creating]
        run(BBD, "create", folder / "world", *options, environment=environment(folder))

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        options = ["--cache", str(4 * size), *self.serving]
        return [BBD, "serve", "--world", folder / "world", "--unix", address, "--journal", folder / "journal", *options]

    def version(self) -> str:
        return f"bbd {bbd.__version__}"


class NbdkitMemory(Peer):
    """nbdkit's RAM disk: a sparse array in C, a thread a request."""

    name = "nbdkit-memory"

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        return nbdkit(address, "memory", str(size))

    def version(self) -> str:
        return run("nbdkit", "--version").strip()


class NbdkitFile(NbdkitMemory):
    """nbdkit over a plain file, through the page cache."""

    name = "nbdkit-file"

    def prepare(self, folder: Path, size: int) -> None:
        with (folder / "image").open("wb") as image:
            image.truncate(size)

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        return nbdkit(address, "file", folder / "image")


class NbdkitPython(NbdkitMemory):
    """nbdkit's Python plugin with a disk in memory, whose flush has nothing to do."""

    name = "nbdkit-python"

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        return nbdkit(address, "python", _PLUGINS / "memory.py", f"size={size}")


class NbdkitPythonFile(NbdkitFile):
    """nbdkit's Python plugin over a plain file: for loads whose flushes must keep their word."""

    name = "nbdkit-python-file"

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        return nbdkit(address, "python", _PLUGINS / "file.py", f"file={folder / 'image'}")


class HttpChunks(NbdkitMemory):
    """A stand-in of the known design, Block Block Device's: nbdkit's Python plugin asks a server of its own for each
    chunk by HTTP, in base64. It flatters the design: no game runs behind that server."""

    name = "http-chunks"

    def area(self, size: int) -> int:
        """Less than of others: it would take long to fill."""
        return min(size, 4 * MIB)

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        return nbdkit(
            address, "python", _PLUGINS / "http_chunks.py", f"size={size}", f"server={_PLUGINS / 'chunks.py'}"
        )


class QemuNbd(NbdkitFile):
    """QEMU's server over a plain file, through the page cache."""

    name = "qemu-nbd"

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        return ["qemu-nbd", "--persistent", "--shared=8", "--format=raw", f"--socket={address}", folder / "image"]

    def version(self) -> str:
        return run("qemu-nbd", "--version").splitlines()[0]


PEERS: Mapping[str, Peer] = {
    peer.name: peer
    for peer in (
        Bbd(),
        Bbd("bbd-busy-poll", serving=("--busy-poll", "50")),
        Bbd("bbd-nibble", creating=("--codec", "nibble")),
        Bbd("bbd-parity-0", creating=("--parity", "0")),
        NbdkitMemory(),
        NbdkitFile(),
        NbdkitPython(),
        NbdkitPythonFile(),
        QemuNbd(),
        HttpChunks(),
    )
}


def environment(folder: Path) -> Mapping[str, str]:
    """The environment of a command that keeps its state in ``folder``, and out of the user's own."""
    return os.environ | {"XDG_STATE_HOME": str(folder.absolute() / "state")}


def nbdkit(address: Path, *plugin: str | Path) -> Sequence[str | Path]:
    """The command of nbdkit in the foreground, with a plugin and its parameters."""
    return ["nbdkit", "--foreground", "--unix", address, *plugin]
