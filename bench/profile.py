"""``python -m bench.profile``: where the microseconds of one cached 4 KiB request go, with 32 in flight.

The layers are measured in this process (:mod:`bench.layers`). The processor time that a real server needs for the same
requests is more: what is left is the event loop's, and the kernel's for waking it up.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console

from bbd.disk.disk import Disk
from bbd.nbd import wire
from bench import fio, page, report
from bench.client import Client, Requests, requests
from bench.errors import BenchError
from bench.fio import Job
from bench.layers import layers
from bench.loads import FioLoad
from bench.peers import PEERS
from bench.plan import Plan
from bench.processes import processor_seconds
from bench.server import Server
from bench.tables import Table
from bench.units import KIB, MIB
from bench.worlds import new_world, with_disk, write_all

DEPTH = 32
BLOCK = 4 * KIB
SIZE = 64 * MIB
SERVED_SECONDS = 2.0
_FIO = [FioLoad(pattern, (), Job(pattern, BLOCK, DEPTH)) for pattern in ("randread", "randwrite")]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write where the command line says; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--page", type=Path, metavar="FILE", help="also put the table into this document")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="bbd-bench-") as place:
            table = profile(Plan(1, SERVED_SECONDS, SIZE, Path(place), progress=lambda _: None))
        report.show_table(Console(), table)
        if options.page is not None:
            page.replace(options.page, "profile", page.markdown(table))
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


def profile(plan: Plan) -> Table:
    """A row for each layer: microseconds of a READ, and of a WRITE."""
    batches = [_batch(wire.NBD_CMD_READ), _batch(wire.NBD_CMD_WRITE, payload=BLOCK)]
    with new_world("bbd", plan) as folder:
        spent = with_disk(folder, partial(_in_process, batches=batches))
        with Server(PEERS["bbd"], plan.size, plan.place, folder) as server:
            served = [_served(server, batch, plan.seconds) for batch in batches]
            fio.fill(server.uri, plan.size)
            under_fio = [load.measure(server, plan.size, plan.seconds).cpu_us or 0.0 for load in _FIO]
    rest = [whole - sum(parts.values()) for whole, parts in zip(served, spent, strict=True)]
    lines = {layer: [parts[layer] for parts in spent] for layer in spent[0]}
    lines |= {
        "the event loop and waking up": rest,
        "all of the server's processor time": served,
        "the same under fio": under_fio,
    }
    return Table(
        f"One of {DEPTH} cached 4 KiB requests in flight, in µs",
        ("layer", "READ", "WRITE"),
        [(layer, *(f"{taken:.2f}" for taken in times)) for layer, times in lines.items()],
    )


def _batch(kind: int, payload: int = 0) -> Requests:
    offsets = np.random.default_rng(1).permutation(SIZE // BLOCK)[:DEPTH] * BLOCK
    made = requests(kind, offsets, BLOCK, payload=payload)
    if payload:
        made["data"] = np.frombuffer(os.urandom(DEPTH * payload), f"V{payload}")
    return made


async def _in_process(disk: Disk, batches: Sequence[Requests]) -> list[dict[str, float]]:
    await write_all(disk, os.urandom(disk.size))
    return [layers(disk, batch) for batch in batches]


def _served(server: Server, batch: Requests, seconds: float) -> float:
    """Microseconds of processor time that the server takes for a request."""
    data = BLOCK if batch["type"][0] == wire.NBD_CMD_READ else 0
    with Client(server.address, server.peer.export) as client:
        client.send(batch, data)
        before, end, sent = processor_seconds(server.session), time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            client.send(batch, data)
            sent += len(batch)
        return (processor_seconds(server.session) - before) / sent * 1e6


if __name__ == "__main__":
    sys.exit(main())
