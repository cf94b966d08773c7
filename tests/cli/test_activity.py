"""What clients ask of a disk is counted, however the server asks for it."""

from __future__ import annotations

import asyncio

from bbd.cli.activity import Activity, CountedDevice
from tests.nbd.memory_device import SECTION, MemoryDevice


def test_every_way_to_read_and_write_is_counted() -> None:
    device = MemoryDevice(64 * SECTION, missing={7 * SECTION})
    counted = CountedDevice(device)
    block = memoryview(bytes(SECTION))

    async def run() -> None:
        counted.try_read(0, 10)
        counted.try_write(0, block)
        counted.try_write_pieces(0, [memoryview(bytes(4 * SECTION)), block])
        counted.try_reads([0, SECTION, 7 * SECTION, 0], SECTION)
        counted.try_writes([0, SECTION, 2 * SECTION, 7 * SECTION], [block] * 4)
        assert counted.take() == Activity(3, 5, 2 * SECTION + 10, 9 * SECTION)
        await counted.read(7 * SECTION, SECTION)
        await counted.write(7 * SECTION, b"x" * SECTION)
        assert counted.take() == Activity(1, 1, SECTION, SECTION)

    asyncio.run(run())


def test_what_takes_time_is_counted_once() -> None:
    counted = CountedDevice(MemoryDevice(64 * SECTION, miss=True))
    assert counted.try_read(0, 10) is None
    assert not counted.try_write(0, memoryview(b"x"))
    assert not counted.try_reads([0, 10], 10)
    assert not counted.try_writes([0], [memoryview(b"x")])
    assert counted.take() == Activity()
