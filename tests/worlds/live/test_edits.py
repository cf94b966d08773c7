"""What others change in the world while the disk is open: seen at once, merged, never silently written over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bbd.disk.disk import Disk
from bbd.disk.sweep import Sweep
from bbd.geometry import registry
from tests.disk.bench_of_disks import put, read_all
from tests.worlds.live.live_bench import LiveBench

CODEC = registry.codec("byte", None)
ORIGIN_X, ORIGIN_Z = -32, 48
"""Where the first column stands: chunk -2,3."""


def place(offset: int) -> tuple[int, int, int]:
    """The block of a byte of the first column."""
    index, byte = divmod(offset, 4096)
    block = byte ^ 7
    return ORIGIN_X + (block & 15), 16 * index + (block >> 8), ORIGIN_Z + (block >> 4 & 15)


def block(byte: int) -> dict[str, Any]:
    return {"name": CODEC.palette[byte].name}


async def eventually(condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110  # pushes come when they come
            await asyncio.sleep(0.01)


async def stands(live: LiveBench, where: tuple[int, int, int], what: dict[str, Any]) -> bool:
    return live.companion.world.block(*where) == what


@pytest.fixture
def accepting(tmp_path: Path) -> Any:
    bench = LiveBench(tmp_path, edits="accept")
    yield bench
    bench.stop()


def test_a_client_reads_an_edit_at_once(accepting: LiveBench) -> None:
    async def play() -> None:
        disk = accepting.open()
        await disk.start()
        data = bytearray(Random(1).randbytes(65536))
        await put(disk, 0, bytes(data))
        await disk.checkpoint()
        assert await read_all(disk, 0, 65536) == data
        data[5000] ^= 0xFF
        accepting.companion.edit(*place(5000), block(data[5000]))
        await eventually(lambda: same(disk, data))
        await disk.close()
        disk = accepting.open()
        assert await read_all(disk, 0, 65536) == data
        disk.release()

    asyncio.run(play())


async def same(disk: Disk, data: bytes | bytearray) -> bool:
    return await read_all(disk, 0, len(data)) == data


def test_edits_and_writes_to_one_section_are_merged(accepting: LiveBench) -> None:
    async def play() -> None:
        disk = accepting.open()
        await disk.start()
        data = bytearray(Random(2).randbytes(65536))
        await put(disk, 0, bytes(data))
        await disk.checkpoint()
        # In the same section: the client writes some bytes, a player changes others, and one of the client's own.
        data[4096 + 100 : 4096 + 200] = bytes(100)
        await put(disk, 4096 + 100, bytes(100))
        for offset in (4096 + 99, 4096 + 150, 4096 + 2000):
            data[offset] ^= 0x55
            accepting.companion.edit(*place(offset), block(data[offset]))
        await eventually(lambda: same(disk, data))
        await disk.close()
        disk = accepting.open()
        assert await read_all(disk, 0, 65536) == data
        disk.release()

    asyncio.run(play())


@pytest.mark.parametrize("whole", [False, True], ids=["part", "whole column"])
@pytest.mark.parametrize("seen", [False, True], ids=["untold", "told"])
def test_edits_and_writes_are_merged_where_no_check_section_tells(tmp_path: Path, seen: bool, whole: bool) -> None:
    nether = LiveBench(tmp_path, dimension="minecraft:the_nether")

    async def play() -> None:
        disk = nether.open()
        await disk.start()
        data = bytearray(Random(10).randbytes(65536))
        await put(disk, 0, bytes(data))
        await disk.checkpoint()
        assert await same(disk, data)
        for index in range(16 if whole else 1):
            at = 4096 * index + 100
            data[at : at + 100] = bytes(100)
            await put(disk, at, bytes(100))
        for offset in (99, 2000):
            data[offset] ^= 0x55
            nether.companion.edit(*place(offset), block(data[offset]), seen=seen)
        await disk.checkpoint()
        disk.changed(None)
        await eventually(lambda: same(disk, data))
        await disk.close()
        disk = nether.open()
        assert await read_all(disk, 0, 65536) == data
        disk.release()

    try:
        asyncio.run(play())
    finally:
        nether.stop()


def test_an_edit_that_no_event_tells_is_merged_when_its_section_is_written(accepting: LiveBench) -> None:
    async def play() -> None:
        disk = accepting.open()
        await disk.start()
        data = bytearray(Random(3).randbytes(65536))
        await put(disk, 0, bytes(data))
        await disk.checkpoint()
        assert await read_all(disk, 0, 65536) == data
        data[7] ^= 1
        accepting.companion.edit(*place(7), block(data[7]), seen=False)
        data[10:20] = b"by clients"
        await put(disk, 10, b"by clients")
        await disk.checkpoint()
        assert await read_all(disk, 0, 65536) == data
        # Every section of the column is dirty: nothing would read it, were it not for the stamp.
        data[9000] ^= 1
        accepting.companion.edit(*place(9000), block(data[9000]), seen=False)
        for index in range(16):
            data[4096 * index] ^= 0x80
            await put(disk, 4096 * index, bytes([data[4096 * index]]))
        await disk.checkpoint()
        assert accepting.companion.counts.conflicts
        assert await read_all(disk, 0, 65536) == data
        await disk.close()

    asyncio.run(play())


@pytest.mark.slow
def test_a_protected_disk_repairs_what_no_event_told(live: LiveBench, caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        disk = live.open()
        await disk.start()
        data = Random(4).randbytes(65536)
        await put(disk, 0, data)
        await disk.close()
        disk = live.open()
        await disk.start()
        x, y, z = place(777)
        live.companion.edit(x, y, z, {"name": "minecraft:lava"}, seen=False)
        live.companion.edit(*place(70), block(data[70] ^ 1), seen=False)
        assert await read_all(disk, 0, 65536) == data
        await eventually(lambda: stands(live, (x, y, z), block(data[777])))
        await disk.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())
    assert "told again from parity" in caplog.text


def test_blocks_beyond_the_palette_are_recognised(accepting: LiveBench) -> None:
    """Copper that lost its wax, a terracotta that was turned around: known by the codec, not in the palette."""

    async def play() -> None:
        disk = accepting.open()
        data = bytearray(Random(5).randbytes(65536))
        await put(disk, 0, bytes(data))
        await disk.close()
        names = [one.name for one in CODEC.palette]
        turned = next(at for at, name in enumerate(names) if "glazed" in name)
        where = 1234
        data[where] = turned
        accepting.companion.edit(*place(where), {"name": names[turned], "properties": {"facing": "west"}})
        accepting.companion.edit(*place(0), {"name": "minecraft:bedrock"})
        disk = accepting.open()
        assert await read_all(disk, 0, 65536) == data
        disk.release()

    asyncio.run(play())


@pytest.mark.parametrize("seed", range(8))
def test_any_mix_of_edits_and_writes(accepting: LiveBench, seed: int) -> None:
    """Clients at even bytes and players at odd ones of the same sections, while connections are lost: nobody's bytes
    are."""
    random = Random(seed)

    async def play() -> None:
        disk = accepting.open()
        await disk.start()
        data = bytearray(random.randbytes(65536))
        await put(disk, 0, bytes(data))
        await disk.checkpoint()
        for _ in range(200):
            offset = random.randrange(len(data))
            kind = random.random()
            if offset % 2:
                data[offset] = random.randrange(256)
                accepting.companion.edit(*place(offset), block(data[offset]), seen=random.random() < 0.7)
            elif kind < 0.5:
                data[offset] = random.randrange(256)
                await put(disk, offset, bytes([data[offset]]))
            elif kind > 0.93:
                await (disk.flush() if kind > 0.96 else disk.checkpoint())
            elif kind > 0.91:
                accepting.companion.cut()
        await disk.close()
        disk = accepting.open()
        await disk.start()
        assert await read_all(disk, 0, len(data)) == data
        disk.release()

    asyncio.run(play())


def test_a_sweep_finds_what_no_event_told_of_cached_sections(accepting: LiveBench) -> None:
    async def play() -> None:
        disk = accepting.open()
        await disk.start()
        data = bytearray(Random(7).randbytes(3 * 65536))
        await put(disk, 0, bytes(data))
        await disk.checkpoint()
        assert await same(disk, data)
        data[3000] ^= 8
        accepting.companion.edit(*place(3000), block(data[3000]), seen=False)
        sweep = Sweep(disk, pause=0.01)
        await eventually(lambda: same(disk, data))
        sweep.stop()
        # What was found is the disk's from now on, also where a client writes beside it.
        data[3001] = 0
        await put(disk, 3001, bytes(1))
        await disk.checkpoint()
        await disk.close()
        disk = accepting.open()
        assert await same(disk, data)
        disk.release()

    asyncio.run(play())


@pytest.mark.slow
def test_what_a_sweep_mends_is_written_while_it_goes_on(live: LiveBench) -> None:
    """To find the same damage again is no reason to wait longer."""

    async def play() -> None:
        disk = live.open()
        await disk.start()
        data = Random(9).randbytes(65536)
        await put(disk, 0, data)
        await disk.close()
        disk = live.open()
        await disk.start()
        live.companion.edit(*place(777), {"name": "minecraft:lava"}, seen=False)
        sweep = Sweep(disk, pause=0.01)
        await eventually(lambda: stands(live, place(777), block(data[777])))
        sweep.stop()
        await disk.close()

    asyncio.run(play())


def test_an_edit_that_another_read_found_is_not_lost_in_the_cache(accepting: LiveBench) -> None:
    async def play() -> None:
        accepting.cache = 64 << 12
        disk = accepting.open()
        await disk.start()
        data = bytearray(Random(8).randbytes(65536))
        await put(disk, 0, bytes(data))
        await disk.close()
        disk = accepting.open()
        assert await read_all(disk, 0, 4096) == data[:4096]
        data[77] ^= 4
        accepting.companion.edit(*place(77), block(data[77]), seen=False)
        await disk.verify([0])
        assert await read_all(disk, 0, 65536) == data
        data[78] ^= 4
        await put(disk, 78, bytes([data[78]]))
        await disk.close()
        disk = accepting.open()
        assert await same(disk, data)
        disk.release()

    asyncio.run(play())
