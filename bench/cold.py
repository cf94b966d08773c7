"""Reading columns that are in no memory but the page cache's, against copying the region files that they are in."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from bench.commands import run
from bench.peers import PEERS
from bench.plan import Plan
from bench.results import Measurement
from bench.server import Server
from bench.trials import Round, Trial
from bench.worlds import check, copy_time, new_world, read_all, region_files, with_disk, write_all


class ColdRead(Trial):
    """A whole disk in order: the disk alone (``bbd``), the same through a server by nbdcopy (``bbd-nbd``), and ``cp``.

    All count the disk's bytes, so that the ratios are those of the times.
    """

    name = "cold-read"

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        content = os.urandom(plan.size)
        with ExitStack() as stack:
            folders = {kind: stack.enter_context(new_world(kind, plan)) for kind in ("bbd", "bbd-nibble")}
            for folder in folders.values():
                with_disk(folder, partial(write_all, content=content))

            def once() -> dict[str, Measurement]:
                times = {kind: with_disk(folder, read_all) for kind, folder in folders.items()}
                with Server(PEERS["bbd"], plan.size, plan.place, folders["bbd"]) as server:
                    start = time.perf_counter()
                    run("nbdcopy", server.uri, "null:")
                    times["bbd-nbd"] = time.perf_counter() - start
                times["cp"] = copy_time(region_files(folders["bbd"]), plan.place, synced=False)
                return {name: Measurement(plan.size / seconds) for name, seconds in times.items()}

            yield once
            for folder in folders.values():
                with_disk(folder, partial(check, content=content))
