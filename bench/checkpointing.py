"""``python -m bench.checkpointing WORLD SOCKET JOURNAL CACHE``: serve a disk as ``bbd serve`` does, and bring all that
is in memory into the world on SIGUSR1. When that is done a file ``checkpointed`` stands beside the socket."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bbd.cli.hosting import open_host
from bbd.cli.loop import run
from bbd.disk.disk import Disk
from bbd.disk.opening import Options
from bbd.nbd.export import Export
from bbd.nbd.server import NbdServer
from bench.peers import Bbd
from bench.worlds import like_a_server

DONE: Final = "checkpointed"
REQUEST: Final = signal.SIGUSR1


@dataclass(frozen=True)
class Checkpointing(Bbd):
    """bbd, with a checkpoint whenever it is asked for one."""

    def command(self, folder: Path, address: Path, size: int) -> list[str | Path]:
        return [
            *(sys.executable, "-m", "bench.checkpointing", folder / "world", address, folder / "journal"),
            str(4 * size),
        ]


async def _serve(world: Path, address: Path, journal: Path, cache: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    host = open_host(world, Options(journal, cache=cache))
    try:
        (disk,) = host.disks
        await disk.start()
        asked: set[asyncio.Task[None]] = set()
        loop.add_signal_handler(REQUEST, lambda: asked.add(loop.create_task(_checkpoint(disk, address.parent / DONE))))
        server = NbdServer([Export(disk.name, "", disk)])
        await server.listen_unix(address)
        await stop.wait()
        await server.stop()
        await disk.close()
    finally:
        host.close()


async def _checkpoint(disk: Disk, done: Path) -> None:
    await disk.checkpoint()
    done.touch()


if __name__ == "__main__":
    like_a_server()
    run(_serve(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))
