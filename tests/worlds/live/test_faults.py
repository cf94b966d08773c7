"""The bridge cut, slow and hanging, the server killed, its disk full: clients wait, get an error, or never notice."""

from __future__ import annotations

import asyncio
import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from bbd.disk.disk import Disk
from bbd.errors import BbdError
from bbd.worlds.live.codes import Code
from bbd.worlds.live.messages import Push
from tests.disk.bench_of_disks import put, read_all
from tests.waiting import wait_until
from tests.worlds.live.live_bench import LiveBench

SIZE = 8 << 16


class Saboteur:
    """Does something to a companion, again and again, on a thread of its own."""

    def __init__(self, live: LiveBench, *, kill: bool, pause: float = 0.15) -> None:
        self._live = live
        self._kill = kill
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.times = 0

    def __enter__(self) -> Saboteur:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            if self._kill:
                self._live.companion.kill()
                self._live.companion.start()
            else:
                self._live.companion.cut()
            self.times += 1


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[LiveBench]:
    bench = LiveBench(tmp_path, timeout=0.5)
    yield bench
    bench.companion.manners.mute = False
    bench.companion.manners.confirm = True
    bench.stop()


@pytest.mark.slow
@pytest.mark.parametrize("kill", [False, True], ids=["cut", "killed"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_load_goes_on_through_lost_connections(live: LiveBench, kill: bool, seed: int) -> None:
    random = Random(seed)
    data = bytearray(SIZE)

    async def play() -> None:
        disk = live.open()
        await disk.start()
        with Saboteur(live, kill=kill) as saboteur:
            while saboteur.times < 6:
                offset = random.randrange(SIZE - 9000)
                piece = random.randbytes(random.choice([10, 512, 4096, 9000]))
                await put(disk, offset, piece)
                data[offset : offset + len(piece)] = piece
                if random.random() < 0.1:
                    await disk.flush()
                if random.random() < 0.1:
                    await disk.checkpoint()
                at = random.randrange(SIZE - 5000)
                assert await read_all(disk, at, 5000) == data[at : at + 5000]
        await disk.close()
        disk = live.open()
        assert await read_all(disk) == data
        disk.release()

    asyncio.run(play())


def test_what_the_server_had_not_saved_is_written_again(live: LiveBench) -> None:
    async def play() -> None:
        disk = live.open()
        data = Random(3).randbytes(SIZE)
        await put(disk, 0, data)
        await disk.flush()
        live.companion.manners.confirm = False
        checkpoint = asyncio.create_task(disk.checkpoint())
        while not live.companion.world.chunks:  # noqa: ASYNC110  # the companion is on a thread of its own
            await asyncio.sleep(0.01)
        live.companion.kill()
        assert not live.companion.world.chunks
        live.companion.start()
        live.companion.manners.confirm = True
        await checkpoint
        assert live.companion.world.saved
        await disk.close()
        disk = live.open()
        assert await read_all(disk) == data
        disk.release()

    asyncio.run(play())


def test_nothing_flushed_is_lost_when_both_sides_die(live: LiveBench) -> None:
    async def play() -> None:
        disk = live.open()
        first, second = Random(4).randbytes(SIZE // 2), Random(5).randbytes(SIZE // 2)
        await put(disk, 0, first)
        await disk.checkpoint()
        live.companion.manners.confirm = False
        await put(disk, SIZE // 2, second)
        await disk.flush()
        checkpoint = asyncio.create_task(disk.checkpoint())
        await asyncio.sleep(0.1)
        live.companion.kill()
        assert live.host is not None
        live.host.bridge.stop()
        with pytest.raises(OSError, match="bridge"):
            await checkpoint
        disk.release()
        live.companion.start()
        live.companion.manners.confirm = True
        disk = live.open()
        assert await read_all(disk) == first + second
        await disk.close()

    asyncio.run(play())


def test_what_a_killed_bbd_left_in_memory_is_saved_before_it_is_believed(live: LiveBench) -> None:
    async def play() -> None:
        disk = live.open()
        data = Random(6).randbytes(SIZE)
        await put(disk, 0, data)
        await disk.flush()
        live.companion.manners.confirm_error = Code.NO_SPACE
        with pytest.raises(OSError, match="no space"):
            await disk.checkpoint()
        disk.release()
        live.companion.cut()
        with pytest.raises(BbdError, match="full, make room there"):
            live.open()
        live.companion.manners.confirm_error = None
        disk = live.open()
        assert await read_all(disk) == data
        await disk.close()
        live.companion.kill()
        live.companion.start()
        disk = live.open()
        assert await read_all(disk) == data
        disk.release()

    asyncio.run(play())


def test_a_bridge_that_ends_while_it_comes_back_leaves_no_connection(live: LiveBench) -> None:
    live.open().release()
    live.companion.manners.mute = True
    hellos = live.companion.counts.hellos
    live.companion.cut()
    wait_until(lambda: live.companion.counts.hellos > hellos, 20)
    live.let_go()
    wait_until(lambda: not live.companion.connections, 20)


@pytest.mark.slow
def test_a_hanging_server_is_an_error_in_time_and_then_all_goes_on(impatient: LiveBench) -> None:
    async def play() -> None:
        disk = impatient.open()
        data = Random(6).randbytes(SIZE)
        await put(disk, 0, data)
        await disk.close()
        disk = impatient.open()
        impatient.companion.manners.mute = True
        with pytest.raises(OSError, match="gave no answer") as error:
            await read_all(disk, 0, 100)
        assert error.value.errno == errno.EIO
        impatient.companion.manners.mute = False
        assert await read_all(disk) == data
        await disk.close()

    asyncio.run(play())


@pytest.mark.slow
def test_who_hurries_waits_once_for_a_hanging_server(live: LiveBench) -> None:
    """Not once for each request: a stop makes many."""
    live.timeout = 2

    async def play() -> None:
        disk = live.open()
        data = Random(15).randbytes(SIZE)
        await put(disk, 0, data)
        assert live.host is not None
        live.host.hurry()
        # A server that answers has all the time that it needs.
        await asyncio.sleep(2.1)
        await disk.checkpoint()
        disk.changed(None)
        live.companion.manners.mute = True
        async with asyncio.timeout(20):
            for column in [*range(SIZE >> 16)] * 3:
                with pytest.raises(OSError, match="gave no answer"):
                    await read_all(disk, column << 16, 100)
        live.companion.manners.mute = False
        live.companion.cut()
        await eventually_reads(disk, data)
        await disk.close()

    asyncio.run(play())


async def eventually_reads(disk: Disk, data: bytes) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            assert await read_all(disk) == data
        except OSError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        else:
            return


@pytest.mark.slow
def test_a_server_that_is_gone_is_an_error_in_time(impatient: LiveBench) -> None:
    async def play() -> None:
        disk = impatient.open()
        data = Random(7).randbytes(SIZE)
        await put(disk, 0, data)
        await disk.checkpoint()
        disk.changed(None)
        impatient.companion.kill()
        with pytest.raises(OSError, match="down"):
            await read_all(disk, 0, 100)
        impatient.companion.start()
        await eventually_reads(disk, data)
        await disk.close()

    asyncio.run(play())


@pytest.mark.parametrize(("code", "number"), [(Code.NO_SPACE, errno.ENOSPC), (Code.IO, errno.EIO)])
def test_what_is_not_confirmed_does_not_count(live: LiveBench, code: Code, number: int) -> None:
    async def play() -> None:
        disk = live.open()
        data = Random(8).randbytes(SIZE)
        await put(disk, 0, data)
        live.companion.manners.confirm_error = code
        with pytest.raises(OSError, match="the server's file system") as error:
            await disk.checkpoint()
        assert error.value.errno == number
        assert await read_all(disk) == data
        await disk.flush()
        live.companion.manners.confirm_error = None
        await disk.checkpoint()
        await disk.close()
        disk = live.open()
        assert await read_all(disk) == data
        disk.release()

    asyncio.run(play())


@pytest.mark.parametrize("garbage", ["{", '{"id": 999999, "ok": {}}', '{"push": "changed", "disk": 2}', b"\x81", b""])
def test_nonsense_costs_a_connection_and_nothing_else(live: LiveBench, garbage: str | bytes) -> None:
    async def play() -> None:
        disk = live.open()
        data = Random(9).randbytes(SIZE)
        await put(disk, 0, data)
        await disk.checkpoint()
        disk.changed(None)
        hellos = live.companion.counts.hellos
        live.companion.manners.garbage = garbage
        assert await read_all(disk) == data
        assert live.companion.counts.hellos == hellos + 1
        await disk.close()

    asyncio.run(play())


def test_answers_out_of_order_and_unknown_pushes(live: LiveBench) -> None:
    async def play() -> None:
        disk = live.open()
        data = Random(10).randbytes(SIZE)
        await put(disk, 0, data)
        await disk.close()
        live.companion.manners.backwards = True
        disk = live.open()
        live.companion.push(Push("weather", {"rain": True}))
        parts = await asyncio.gather(*(read_all(disk, at, 4096) for at in range(0, SIZE, 4096)))
        assert b"".join(parts) == data
        await disk.close()

    asyncio.run(play())


def test_a_chunk_that_cannot_be_read_goes_into_quarantine(live: LiveBench) -> None:
    async def play() -> None:
        disk = live.open()
        data = bytearray(Random(11).randbytes(SIZE))
        await put(disk, 0, bytes(data))
        await disk.close()
        world = live.companion.world
        raw = Random(12).randbytes(700 << 10)
        world.unreadable[-1, 3] = raw
        del world.chunks[-1, 3]
        disk = live.open()
        with pytest.raises(OSError, match="broken"):
            await read_all(disk, 1 << 16, 100)
        fresh = Random(13).randbytes(4096)
        await put(disk, 1 << 16, fresh)
        await disk.checkpoint()
        assert await read_all(disk, 1 << 16, 4096) == fresh
        with pytest.raises(OSError, match="lost before"):
            await read_all(disk, (1 << 16) + 4096, 1)
        (kept,) = [content for name, content in world.files.items() if name.startswith("quarantine/")]
        assert bytes(kept) == raw
        await disk.close()

    asyncio.run(play())


def test_files_that_are_gone_are_built_anew(live: LiveBench) -> None:
    async def play() -> None:
        disk = live.open()
        data = Random(14).randbytes(SIZE)
        await put(disk, 0, data)
        await disk.close()
        del live.companion.world.files["disk.columns"]
        disk = live.open()
        assert await read_all(disk) == data
        await disk.close()
        assert "disk.columns" in live.companion.world.files

    asyncio.run(play())
