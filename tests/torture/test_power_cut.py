"""A power cut after every single file call of a scripted load: the disk opens, and all that was flushed is there."""

from __future__ import annotations

import asyncio
import errno
import os
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeAlias
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import pytest

from bbd.cli.hosting import geometry_of, identity_of
from bbd.disk import committer, journal
from bbd.disk.descriptor import Descriptor, descriptor_path, load_descriptor
from bbd.disk.disk import Disk
from bbd.disk.journal import Journal
from bbd.disk.opening import Options, Place, create_disk, open_disk
from bbd.geometry import registry
from bbd.worlds.anvil.world import AnvilWorld
from tests.torture.simulated_files import SimulatedFiles

pytestmark = pytest.mark.torture

COLUMN = 16 * 4096
SIZE = 5 * COLUMN + 1000
CODEC = "byte"
OVERWORLD, NETHER = "minecraft:overworld", "minecraft:the_nether"
WORLD = Path("/world")
JOURNALS = Path("/state")
SEEDS = int(os.environ.get("BBD_POWER_CUT_SEEDS", "12"))
Image: TypeAlias = npt.NDArray[np.uint8]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments that are soon full and come back as spares, and flushes that write single columns into the world."""
    monkeypatch.setattr(journal, "SEGMENT_SIZE", 256 << 10)
    monkeypatch.setattr(committer, "LEAST_BYTES", 1)
    monkeypatch.setattr(committer, "BURST_SHARE", 0)


@dataclass
class Load:
    """What a client did, and how far the log had come at each step."""

    files: SimulatedFiles
    states: list[Image] = field(default_factory=lambda: [np.zeros(SIZE, np.uint8)])
    begun: list[int] = field(default_factory=lambda: [0])
    flushes: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    """(length of the log when a flush returned, the state that it made safe)"""

    def change(self, offset: int, data: bytes) -> None:
        fresh = self.states[-1].copy()
        fresh[offset : offset + len(data)] = np.frombuffer(data, np.uint8)
        self.begun.append(len(self.files.calls))
        self.states.append(fresh)

    def flushed(self, state: int) -> None:
        self.flushes.append((len(self.files.calls), state))

    def allowed(self, calls: int) -> Sequence[Image]:
        """States that bytes may be in when the power went after so many calls."""
        safe = max(state for at, state in self.flushes if at <= calls)
        latest = bisect_right(self.begun, calls) - 1
        return self.states[safe : max(latest, safe) + 1]


def open_on(files: SimulatedFiles, cache: int = 200 << 10) -> Disk:
    descriptor = load_descriptor(files, descriptor_path(WORLD, "disk"))
    geometry = geometry_of(descriptor)
    site = AnvilWorld(WORLD, files).site(geometry, descriptor.dimension)
    place = Place(files, WORLD, descriptor, site, identity_of(descriptor, geometry))
    return open_disk(place, Options(JOURNALS, cache=cache))


def fresh_world(parity: int, dimension: str) -> SimulatedFiles:
    files = SimulatedFiles()
    files.make_dir(WORLD)
    palette = registry.palette_names(CODEC)[0]
    descriptor = Descriptor(name="disk", size=SIZE, codec=CODEC, palette=palette, parity=parity, dimension=dimension)
    create_disk(files, WORLD, descriptor)
    files.mark()
    return files


async def put(disk: Disk, offset: int, data: bytes) -> None:
    if not disk.try_write(offset, memoryview(data)):
        await disk.write(offset, data)


async def record(seed: int, dimension: str) -> Load:
    """Writes, flushes, trims, zeros, checkpoints, evictions, stops: by ``seed``."""
    random = Random(seed)
    load = Load(fresh_world(seed % 3 if dimension == OVERWORLD else 0, dimension))
    disk = open_on(load.files)
    for _ in range(28):
        match random.choices(
            ["write", "fill", "zero", "flush", "checkpoint", "uncut", "background", "stop"], [8, 2, 3, 6, 2, 2, 3, 1]
        )[0]:
            case "write":
                offset = random.randrange(SIZE)
                data = random.randbytes(min(random.choice([1, 700, 4096, 30000]), SIZE - offset))
                load.change(offset, data)
                await put(disk, offset, data)
            case "fill":
                column = random.randrange(5)
                data = random.choice([bytes(COLUMN), random.randbytes(COLUMN)])
                load.change(column * COLUMN, data)
                await put(disk, column * COLUMN, data)
            case "zero":
                offset = random.randrange(6) * COLUMN
                length = min(random.choice([4096, COLUMN, 3 * COLUMN]), SIZE - offset)
                load.change(offset, bytes(length))
                await disk.zero(offset, length, may_punch=True)
            case "flush":
                state = len(load.states) - 1
                await disk.flush()
                load.flushed(state)
            case "checkpoint":
                await disk.checkpoint()
            case "uncut":
                # All is in the world, but the journal stays as it is: what it holds is out of date.
                with patch.object(Journal, "cut", side_effect=OSError(errno.EIO, "injected")), suppress(OSError):
                    await disk.checkpoint()
            case "background":
                task = asyncio.create_task(disk.checkpoint())
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
                await asyncio.sleep(random.choice([0, 0.001, 0.01]))
            case "stop":
                await disk.close()
                load.flushed(len(load.states) - 1)
                disk = open_on(load.files)
    await disk.close()
    load.flushed(len(load.states) - 1)
    return load


async def record_regular(seed: int, dimension: str) -> Load:
    """A client that flushes after every two sections, which is foreseen, but for a flush that doesn't come."""
    random = Random(seed)
    load = Load(fresh_world(0, dimension))
    disk = open_on(load.files)
    ahead = 0
    for turn in range(10):
        for _ in range(2):
            offset = random.randrange(SIZE // 4096) * 4096
            data = random.randbytes(4096)
            load.change(offset, data)
            await put(disk, offset, data)
            calls = len(load.files.calls)
            disk.flush_ahead()
            ahead += len(load.files.calls) > calls
        if turn != 6:
            state = len(load.states) - 1
            if not disk.try_flush():
                await disk.flush()
            load.flushed(state)
    assert ahead > 3
    await disk.close()
    load.flushed(len(load.states) - 1)
    return load


async def read_whole(disk: Disk) -> bytes:
    return b"".join(await disk.read(0, SIZE))


def check(found: bytes, allowed: Sequence[Image], where: str) -> None:
    image = np.frombuffer(found, np.uint8)
    possible = np.zeros(SIZE, bool)
    for state in allowed:
        possible |= image == state
    bad = int(np.argmin(possible))
    assert possible.all(), (
        f"{where}: byte {bad} (section {bad // 4096}) holds {image[bad]}, never written after the flush"
    )


async def open_and_check(load: Load, calls: int, seed: int) -> None:
    random = Random(f"{seed} {calls}")
    where = f"seed {seed}, power cut after call {calls} of {len(load.files.calls)}"
    left = load.files.after_power_cut(load.files.calls[:calls], random)
    disk = open_on(left)
    found = await read_whole(disk)
    check(found, load.allowed(calls), where)
    if random.random() < 0.3:
        await go_on(disk, left, bytearray(found), random)
    else:
        disk.release()


async def go_on(disk: Disk, files: SimulatedFiles, expected: bytearray, random: Random) -> None:
    """After the power came back the disk is as good as any: it can be written, flushed, crash again, and stop."""
    offset = random.randrange(SIZE - 5000)
    data = random.randbytes(5000)
    await put(disk, offset, data)
    expected[offset : offset + 5000] = data
    await disk.flush()
    if random.random() < 0.5:
        await disk.checkpoint()
    disk.release()
    files.mark()
    again = open_on(files.after_power_cut([], random))
    assert await read_whole(again) == bytes(expected)
    await again.close()


@pytest.mark.parametrize(
    ("dimension", "seed"), [(OVERWORLD, seed) for seed in range(SEEDS)] + [(NETHER, seed) for seed in range(SEEDS // 2)]
)
def test_every_prefix_of_a_load(dimension: str, seed: int) -> None:
    """In the Nether nothing in the world says what a column includes, or whose it is: map and journal must."""
    load = asyncio.run(record(seed, dimension))
    assert len(load.files.calls) > 20

    async def all_prefixes() -> None:
        for calls in range(len(load.files.calls) + 1):
            await open_and_check(load, calls, seed)

    asyncio.run(all_prefixes())


@pytest.mark.parametrize("dimension", [OVERWORLD, NETHER])
def test_every_prefix_of_a_load_whose_flushes_are_foreseen(dimension: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "QUICK_SECONDS", 1e9)
    load = asyncio.run(record_regular(3, dimension))

    async def all_prefixes() -> None:
        for calls in range(len(load.files.calls) + 1):
            await open_and_check(load, calls, 3)

    asyncio.run(all_prefixes())


@pytest.mark.parametrize("dimension", [OVERWORLD, NETHER])
@pytest.mark.parametrize("seed", range(SEEDS // 3))
def test_a_kill_then_a_clean_stop_then_a_power_cut(dimension: str, seed: int) -> None:
    """What a killed process left unsynced, its successor sees; before that drops the journal, it must be safe."""
    load = asyncio.run(record(seed, dimension))

    async def sampled_prefixes() -> None:
        for calls in range(seed % 3, len(load.files.calls) + 1, 3):
            killed = load.files.after_kill(load.files.calls[:calls])
            disk = open_on(killed)
            found = await read_whole(disk)
            check(found, load.allowed(calls), f"seed {seed}, killed after call {calls}")
            await disk.close()
            random = Random(f"{seed} {calls}")
            again = open_on(killed.after_power_cut(killed.calls, random))
            assert await read_whole(again) == found, f"seed {seed}, killed after call {calls}, stopped, power cut"
            again.release()

    asyncio.run(sampled_prefixes())


@pytest.mark.parametrize("codec", ["nibble", "redstone"])
def test_every_prefix_of_a_load_with_another_codec(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    column = 16 * registry.codec(codec).section_size
    shape = {"CODEC": codec, "COLUMN": column, "SIZE": 5 * column + 1000}
    for name, value in shape.items():
        monkeypatch.setitem(globals(), name, value)
    test_every_prefix_of_a_load(OVERWORLD, seed=5)
