"""Worlds with a disk in them, and reaching that disk without a server."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import uvloop

from bbd.cli.allocator import collect_less_often, share_one_arena, use_huge_pages
from bbd.cli.hosting import open_host
from bbd.cli.loop import SWITCH_INTERVAL
from bbd.disk.disk import Disk
from bbd.disk.opening import Options
from bench.commands import run
from bench.errors import BenchError
from bench.peers import PEERS
from bench.plan import Plan
from bench.units import MIB

Returned = TypeVar("Returned")
AT_ONCE = 4
"""Requests of 1 MiB in flight, as clients that copy have them."""
CACHE = 1 << 30


def like_a_server() -> None:
    """Have this process treat its memory and its threads as ``bbd serve`` does. To be called before all else."""
    share_one_arena()
    collect_less_often()
    use_huge_pages(CACHE)
    sys.setswitchinterval(SWITCH_INTERVAL)


@contextmanager
def new_world(peer: str, plan: Plan, size: int = 0) -> Iterator[Path]:
    """A folder with a world that has an empty disk in it, as ``peer`` would serve it; ``size`` is the plan's unless
    given."""
    with TemporaryDirectory(prefix="bbd-bench-", dir=plan.place) as folder:
        PEERS[peer].prepare(Path(folder), size or plan.size)
        yield Path(folder)


def with_disk(folder: Path, use: Callable[[Disk], Awaitable[Returned]]) -> Returned:
    """Open the disk of a world, cold, ``use`` it, and close it cleanly. Like ``bbd serve``, but without the look at
    what changed since the last stop: that would be measured along."""

    async def opened() -> Returned:
        async with _disk(folder) as disk:
            return await use(disk)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(opened())


@asynccontextmanager
async def _disk(folder: Path) -> AsyncIterator[Disk]:
    host = open_host(folder / "world", Options(folder / "journal", cache=CACHE))
    try:
        (disk,) = host.disks
        yield disk
        await disk.close()
    finally:
        host.close()
        gc.collect()  # so that the next one finds its memory again; a disk's parts refer to each other


async def read_all(disk: Disk) -> float:
    """Read the whole disk, in order; the seconds that it took."""
    start = time.perf_counter()
    for offset in range(0, disk.size, AT_ONCE * MIB):
        ends = range(offset, min(offset + AT_ONCE * MIB, disk.size), MIB)
        await asyncio.gather(*(disk.read(at, MIB) for at in ends))
    return time.perf_counter() - start


async def write_all(disk: Disk, content: bytes) -> None:
    """Write the whole disk, in order. It is in memory then, and nowhere else."""
    for offset in range(0, disk.size, MIB):
        await disk.write(offset, content[offset : offset + MIB])


async def check(disk: Disk, content: bytes) -> None:
    """Raise :class:`BenchError` unless the whole disk reads as ``content``."""
    for offset in range(0, disk.size, MIB):
        if b"".join(await disk.read(offset, MIB)) != content[offset : offset + MIB]:
            raise BenchError(f"the MiB at offset {offset} of disk {disk.name!r} is not what was written there")


def region_files(folder: Path) -> list[Path]:
    """The region files of the world in ``folder``."""
    return sorted((folder / "world").rglob("r.*.mca"))


def copy_time(files: Sequence[Path], place: Path, *, synced: bool) -> float:
    """Seconds that cp takes to copy files, whose bytes are in the page cache, and to sync each if they are to be."""
    with TemporaryDirectory(dir=place) as folder:
        start = time.perf_counter()
        run("cp", "--reflink=never", *files, folder)
        if synced:
            run("sync", "--data", *(Path(folder) / file.name for file in files))
            run("sync", folder)
        return time.perf_counter() - start
