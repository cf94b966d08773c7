"""ENOSPC and EIO from every single file call of a scripted load, once and from then on.

Whatever fails, the client hears of it, no read brings wrong bytes, nothing that was flushed is lost, and when the
fault ends all goes on by itself.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

from bbd.cli.hosting import geometry_of, identity_of
from bbd.disk import journal
from bbd.disk.descriptor import Descriptor, descriptor_path, load_descriptor
from bbd.disk.disk import Disk
from bbd.disk.opening import Options, Place, create_disk, open_disk
from bbd.files import Files
from bbd.worlds.anvil.world import AnvilWorld
from tests.torture.faulty_files import Faults, FaultyFiles
from tests.torture.simulated_files import SimulatedFiles

pytestmark = pytest.mark.torture

COLUMN = 16 * 4096
SIZE = 5 * COLUMN + 1000
WORLD = Path("/world")
JOURNALS = Path("/state")

Step = tuple[str, int, int]
SCRIPT: tuple[Step, ...] = (
    ("write", 100, 5000),
    ("flush", 0, 0),
    ("write", COLUMN, COLUMN),
    ("write", COLUMN - 10, 20),
    ("checkpoint", 0, 0),
    ("write", 2 * COLUMN + 4096, 9000),
    ("flush", 0, 0),
    ("write", 5 * COLUMN, 1000),
    ("zero", COLUMN, COLUMN),
    ("flush", 0, 0),
    ("checkpoint", 0, 0),
    ("write", 3 * COLUMN, 2 * COLUMN),  # more than may be dirty at once
    ("write", 0, 30000),
    ("read", 2 * COLUMN, 40000),
    ("flush", 0, 0),
    ("zero", 4 * COLUMN + 4096, 8192),
    ("stop", 0, 0),
    ("write", COLUMN + 5000, 6000),
    ("flush", 0, 0),
    ("write", 0, 4096),
    ("stop", 0, 0),
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Small journal segments, and no log of the thousands of errors that this is about."""
    monkeypatch.setattr(journal, "SEGMENT_SIZE", 512 << 10)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Client:
    """Plays the script against a disk on failing files, and knows what the disk may hold."""

    def __init__(self, faults: Faults) -> None:
        self.inner = SimulatedFiles()
        self.inner.make_dir(WORLD)
        create_disk(self.inner, WORLD, Descriptor(name="disk", size=SIZE, parity=1))
        self.inner.mark()
        self.faults = faults
        self.current = bytearray(SIZE)
        self.since_flush = [bytes(SIZE)]
        """Every state since the one that the last good flush made safe, that one included."""
        self.refused = 0
        self.disk: Disk = self.opened(self.inner)

    def opened(self, files: Files) -> Disk:
        """The disk, opened while nothing fails, on files that may fail from then on."""
        faulty = FaultyFiles(files, self.faults)
        with self.faults.paused():
            descriptor = load_descriptor(faulty, descriptor_path(WORLD, "disk"))
            geometry = geometry_of(descriptor)
            site = AnvilWorld(WORLD, faulty).site(geometry)
            place = Place(faulty, WORLD, descriptor, site, identity_of(descriptor, geometry))
            return open_disk(place, Options(JOURNALS, cache=200 << 10))

    async def play(self) -> None:
        random = Random(1)
        for kind, offset, length in SCRIPT:
            data = random.randbytes(length) if kind == "write" else bytes(length)
            try:
                await self.step(kind, offset, data)
            except OSError as error:
                if error.errno != self.faults.error:
                    raise
                self.refused += 1
                await self.settle(kind, offset, data)

    async def step(self, kind: str, offset: int, data: bytes) -> None:
        match kind:
            case "write":
                if not self.disk.try_write(offset, memoryview(data)):
                    await self.disk.write(offset, data)
                self.changed(offset, data)
            case "zero":
                await self.disk.zero(offset, len(data), may_punch=True)
                self.changed(offset, data)
            case "read":
                found = b"".join(await self.disk.read(offset, len(data)))
                assert found == self.current[offset : offset + len(data)]
            case "flush":
                await self.disk.flush()
                self.flushed()
            case "checkpoint":
                await self.disk.checkpoint()
            case "stop":
                await self.disk.close()
                self.flushed()
                self.disk = self.opened(self.inner)

    def changed(self, offset: int, data: bytes) -> None:
        self.current[offset : offset + len(data)] = data
        self.since_flush.append(bytes(self.current))

    def flushed(self) -> None:
        self.since_flush = [bytes(self.current)]

    async def settle(self, kind: str, offset: int, data: bytes) -> None:
        """After a refusal: a change is there, or not, byte by byte; a disk that could not be stopped opens again."""
        if kind == "stop":
            self.disk = self.opened(self.inner)
            found = await self.whole(self.disk)
            self.possible(found, "after a stop that failed")
            self.current[:] = found
        elif kind in {"write", "zero"}:
            self.since_flush.append(bytes(self.current[:offset] + data + self.current[offset + len(data) :]))
            found = await self.whole(self.disk)
            end = offset + len(data)
            assert found[:offset] == self.current[:offset]
            assert found[end:] == self.current[end:]
            old, new, now = self.current[offset:end], data, found[offset:end]
            assert all(byte in pair for byte, *pair in zip(now, old, new, strict=True))
            self.current[:] = found
            self.since_flush.append(found)

    async def whole(self, disk: Disk) -> bytes:
        with self.faults.paused():
            return b"".join(await disk.read(0, SIZE))

    def possible(self, found: bytes, when: str) -> None:
        image = np.frombuffer(found, np.uint8)
        allowed = np.zeros(SIZE, bool)
        for state in self.since_flush:
            allowed |= image == np.frombuffer(state, np.uint8)
        assert allowed.all(), f"{when}: byte {int(np.argmin(allowed))} was never written after the flush"

    async def power_cut(self, random: Random) -> None:
        """Were the power to go now: the disk opens, and all that was flushed is there."""
        left = self.inner.after_power_cut(list(self.inner.calls), random)
        calm = Client.__new__(Client)
        calm.faults = Faults()
        disk = calm.opened(left)
        self.possible(b"".join(await disk.read(0, SIZE)), "after a power cut")
        disk.release()

    async def go_on(self) -> None:
        """The fault has ended: everything works, at once and without help."""
        self.faults.end()
        assert await self.whole(self.disk) == self.current
        await self.step("write", 777, b"the fault has ended")
        await self.step("flush", 0, b"")
        await self.power_cut(Random(0))
        await self.step("checkpoint", 0, b"")
        await self.step("stop", 0, b"")
        assert await self.whole(self.disk) == self.current
        await self.disk.close()


def calls_of_the_script() -> Faults:
    faults = Faults()

    async def run() -> None:
        client = Client(faults)
        await client.play()
        await client.disk.close()
        assert client.refused == 0

    asyncio.run(run())
    return faults


async def one_run(first: int, count: int | None, error: int) -> Faults:
    client = Client(Faults(first, count, error))
    try:
        await client.play()
        await client.power_cut(Random(first))
        await client.go_on()
    finally:
        client.disk.release()
    return client.faults


@pytest.mark.parametrize("count", [1, None], ids=["once", "until it ends"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["ENOSPC", "EIO"])
def test_every_file_call_fails(error: int, count: int | None) -> None:
    script = calls_of_the_script()
    assert script.calls > 50
    hit = set[str]()
    for first in range(script.calls):
        try:
            hit |= asyncio.run(one_run(first, count, error)).hit.keys()
        except BaseException as failure:
            failure.add_note(f"with {errno.errorcode[error]} from call {first} of {script.calls} on, {count or 'all'}")
            raise
    assert hit >= {"open", "pread", "pwrite", "sync", "reserve", "replace", "remove", "sync_dir", "make_dir"}
