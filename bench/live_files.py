"""Files copied into a vfat file system on a disk that is in a running server, against the same disk in files."""

from __future__ import annotations

import filecmp
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.client import FLUSH, Client
from bench.commands import run
from bench.errors import BenchError
from bench.live import LiveWorld, live_world
from bench.peers import BBD, PEERS, Peer
from bench.plan import Plan
from bench.results import Measurement
from bench.server import Server
from bench.trials import Round, Trial
from bench.units import MIB
from bench.worlds import new_world

_FILES: Final = 16
_FILE: Final = 4 * MIB
_DISK: Final = 96 * MIB


class LiveFiles(Trial):
    """64 MiB of files, by ``bbd files put``, into a new vfat, until a flush is answered; or, ``settled``, until the
    server has ended cleanly, with all of it in the world. Over the bridge (``bbd-live``), and ``offline``."""

    def __init__(self, name: str, *, settled: bool = False) -> None:
        self.name = name
        self._settled = settled

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        with ExitStack() as stack:
            source = Path(stack.enter_context(TemporaryDirectory(dir=plan.place)))
            empty = _vfat(source / "vfat")
            files = [source / f"file-{number}" for number in range(_FILES)]
            for file in files:
                file.write_bytes(os.urandom(_FILE))

            def once() -> dict[str, Measurement]:
                with live_world(plan, _DISK) as world:
                    live = self._copied(world.peer, world.folder, plan, empty, files)
                    _compare(world, plan, files)
                with new_world("bbd", plan, _DISK) as folder:
                    offline = self._copied(PEERS["bbd"], folder, plan, empty, files)
                size = _FILES * _FILE
                return {"bbd-live": Measurement(size / live), "offline": Measurement(size / offline)}

            yield once

    def _copied(self, peer: Peer, folder: Path, plan: Plan, empty: Path, files: list[Path]) -> float:
        """Seconds from the first file on."""
        with Server(peer, _DISK, plan.place, folder) as server:
            run("nbdcopy", "--flush", empty, server.uri)
            start = time.perf_counter()
            run(BBD, "files", server.uri, "put", *files, "/")
            with Client(server.address, peer.export) as client:
                client.send(FLUSH)
            flushed = time.perf_counter()
        return (time.perf_counter() if self._settled else flushed) - start


def _vfat(image: Path) -> Path:
    with image.open("wb") as file:
        file.truncate(_DISK)
    run("mkfs.vfat", image)
    return image


def _compare(world: LiveWorld, plan: Plan, files: list[Path]) -> None:
    back = plan.place / "back"
    with Server(world.peer, _DISK, plan.place, world.folder) as server:
        for file in files:
            run(BBD, "files", server.uri, "get", f"/{file.name}", back)
            if not filecmp.cmp(file, back, shallow=False):
                raise BenchError(f"{file.name} is not the one that was copied in")
            back.unlink()
