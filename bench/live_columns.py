"""Sections over the bridge: a whole disk in large batches, one section at a time, and the known way for both."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import product
from typing import Final

from bbd.cli.hosting import geometry_of
from bbd.cli.live_hosting import LiveHost
from bbd.disk.disk import Disk
from bbd.worlds.live.frames import Columns, ReadEntry
from bbd.worlds.live.opened import Attachment
from bbd.worlds.live.site import LiveSite
from bbd.worlds.world import DATA_SECTIONS, KEEP, STORED_SECTIONS, ColumnWrite, SectionWrite, StoredColumn
from bench import fio
from bench.commands import run
from bench.errors import BenchError
from bench.fio import Job
from bench.live import UNLOADED, Ticks, live_world, with_live_disk
from bench.peers import PEERS
from bench.plan import Plan
from bench.results import Measurement
from bench.server import Server
from bench.trials import Round, Trial
from bench.units import KIB, MIB
from bench.worlds import check, read_all, write_all

_SECTION: Final = 4 * KIB
_READ_SINGLY: Final = 24
_WRITTEN_SINGLY: Final = 2
"""Columns whose sections are read, or written, one at a time."""


class LiveRead(Trial):
    """A whole disk in order over the bridge, from the server's region files: the disk alone (``bbd``), and by nbdcopy
    from a server (``bbd-nbd``); ``one-at-a-time`` asks for a section, waits, and asks for the next."""

    name = "live-read"
    block = _SECTION

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        content = os.urandom(plan.size)
        with ExitStack() as stack:
            world = stack.enter_context(live_world(plan, plan.size))
            http = stack.enter_context(_known_way(plan))
            with_live_disk(world, partial(_write, content=content))
            time.sleep(UNLOADED)

            def once() -> dict[str, Measurement]:
                with Ticks(world) as ticks:
                    alone = with_live_disk(world, lambda host: read_all(_only(host)))
                with Server(world.peer, plan.size, plan.place, world.folder) as server:
                    start = time.perf_counter()
                    run("nbdcopy", server.uri, "null:")
                    served = time.perf_counter() - start
                return {
                    "bbd": _measured(plan.size, alone, ticks),
                    "bbd-nbd": _measured(plan.size, served),
                    "one-at-a-time": _measured(
                        _READ_SINGLY * DATA_SECTIONS * _SECTION, with_live_disk(world, _read_singly)
                    ),
                    "http-chunks": _by_http(http, Job("read", MIB, 4), plan),
                }

            yield once
            with_live_disk(world, lambda host: check(_only(host), content))


class LiveWrite(Trial):
    """A disk that is dirty all over, until every column is confirmed: saved by the server, read again, and forced to
    its disk. ``one-at-a-time`` writes a section and waits for its confirmation."""

    name = "live-write"
    block = _SECTION

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        with ExitStack() as stack:
            world = stack.enter_context(live_world(plan, plan.size))
            http = stack.enter_context(_known_way(plan))
            content = os.urandom(plan.size)
            with_live_disk(world, partial(_write, content=content))

            def once() -> dict[str, Measurement]:
                nonlocal content
                content = os.urandom(plan.size)
                with Ticks(world) as ticks:
                    batched = with_live_disk(world, partial(_write, content=content))
                return {
                    "bbd": _measured(plan.size, batched, ticks),
                    "one-at-a-time": _measured(
                        _WRITTEN_SINGLY * DATA_SECTIONS * _SECTION, with_live_disk(world, _write_singly)
                    ),
                    "http-chunks": _by_http(http, Job("write", MIB, 4), plan),
                }

            yield once
            with_live_disk(world, lambda host: check(_only(host), content))


@contextmanager
def _known_way(plan: Plan) -> Iterator[Server]:
    peer = PEERS["http-chunks"]
    with Server(peer, plan.size, plan.place) as server:
        fio.fill(server.uri, peer.area(plan.size))
        yield server


def _by_http(server: Server, job: Job, plan: Plan) -> Measurement:
    found = fio.timed(server.uri, job, server.peer.area(plan.size), plan.seconds)
    return Measurement(found["bw_bytes"])


def _measured(size: int, seconds: float, ticks: Ticks | None = None) -> Measurement:
    return Measurement(size / seconds, size / _SECTION / seconds, tick_ms=None if ticks is None else ticks.p95_ms)


def _only(host: LiveHost) -> Disk:
    (disk,) = host.disks
    return disk


async def _write(host: LiveHost, content: bytes) -> float:
    """Seconds from a disk that is dirty all over to one that is in the world."""
    disk = _only(host)
    await write_all(disk, content)
    start = time.perf_counter()
    await disk.checkpoint()
    return time.perf_counter() - start


async def _read_singly(host: LiveHost) -> float:
    (opened,), (descriptor,) = host.opened, host.descriptors
    geometry = geometry_of(descriptor)
    start = time.perf_counter()
    for column, index in product(range(_READ_SINGLY), range(DATA_SECTIONS)):
        opened.call(partial(_read_section, entry=ReadEntry(*geometry.chunk_of(column), 1 << index)))
    return time.perf_counter() - start


async def _read_section(attachment: Attachment, entry: ReadEntry) -> Columns:
    return await attachment.link.read(attachment.handle, [entry])


async def _write_singly(host: LiveHost) -> float:
    """The same bytes as stand there: a disk's check sections vouch for them."""
    (opened,), (descriptor,) = host.opened, host.descriptors
    site = LiveSite(opened, geometry_of(descriptor))
    taken = 0.0
    for column, index in product(range(_WRITTEN_SINGLY), range(DATA_SECTIONS)):
        (stored,) = site.read([column])
        if not isinstance(stored, StoredColumn):
            raise BenchError(f"column {column} can't be read")
        sections: list[SectionWrite] = [KEEP] * STORED_SECTIONS
        sections[index] = stored.payloads[index]
        start = time.perf_counter()
        site.write({column: ColumnWrite(sections, stored.base)})
        taken += time.perf_counter() - start
    return taken
