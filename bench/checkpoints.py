"""Bringing a disk that is dirty all over into its world, against copying the region files that come of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bbd.disk.disk import Disk
from bench.commands import run
from bench.peers import PEERS
from bench.plan import Plan
from bench.results import Measurement
from bench.server import Server
from bench.trials import Round, Trial
from bench.worlds import check, copy_time, new_world, region_files, with_disk, write_all


class Checkpoint(Trial):
    """Into a new world: the disk alone (``bbd``), by nbdcopy and a flush through a server (``bbd-nbd``), and ``cp``
    with a sync of every file.

    All count the disk's bytes, so that the ratios are those of the times.
    """

    name = "checkpoint"

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        content = os.urandom(plan.size)
        image = plan.place / "random"
        image.write_bytes(content)

        def once() -> dict[str, Measurement]:
            times: dict[str, float] = {}
            for kind in ("bbd", "bbd-nibble"):
                with new_world(kind, plan) as folder:
                    times[kind] = with_disk(folder, partial(_checkpoint, content=content))
                    with_disk(folder, partial(check, content=content))
                    if kind == "bbd":
                        times["cp"] = copy_time(region_files(folder), plan.place, synced=True)
            with new_world("bbd", plan) as folder:
                times["bbd-nbd"] = _served(folder, plan, image)
                with_disk(folder, partial(check, content=content))
            return {name: Measurement(plan.size / seconds) for name, seconds in times.items()}

        yield once
        image.unlink()


async def _checkpoint(disk: Disk, content: bytes) -> float:
    await write_all(disk, content)
    start = time.perf_counter()
    await disk.checkpoint()
    return time.perf_counter() - start


def _served(folder: Path, plan: Plan, image: Path) -> float:
    with Server(PEERS["bbd"], plan.size, plan.place, folder) as server:
        start = time.perf_counter()
        run("nbdcopy", "--flush", image, server.uri)
        return time.perf_counter() - start
