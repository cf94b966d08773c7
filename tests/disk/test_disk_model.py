"""The disk against a bytearray, under any sequence of calls, clean stops and crashes."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from random import Random
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.disk.disk import Disk
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all

SIZE = 5 * COLUMN + 12345
Image: TypeAlias = npt.NDArray[np.uint8]
Step: TypeAlias = tuple[str, int, int, int]


def plans(size: int, section: int, most: int = 25) -> st.SearchStrategy[list[Step]]:
    """What to do to a disk of ``size`` bytes with sections of ``section`` bytes."""
    column = 16 * section
    edges = [0, section - 1, section, column - 1, column, 2 * column, 5 * column, size - 1]
    offsets = st.one_of(st.integers(0, size - 1), st.sampled_from(edges))
    lengths = st.one_of(st.integers(1, section + 1000), st.sampled_from([1, 512, section, column, 2 * column, size]))
    return st.lists(
        st.one_of(
            st.tuples(st.just("write"), offsets, lengths, st.integers(0, 255)),
            st.tuples(st.sampled_from(["zero", "trim", "read"]), offsets, lengths, st.just(0)),
            st.tuples(
                st.sampled_from(["flush", "flush", "checkpoint", "start checkpoint", "stop", "crash"]),
                st.just(0),
                st.just(0),
                st.just(0),
            ),
        ),
        max_size=most,
    )


class Openable(Protocol):
    """Opens its disk of ``size`` bytes anew, after the last one was closed or released."""

    size: int

    def open(self) -> Disk: ...


class Model:
    """What the disk must read as; ``since_flush`` holds every state that a crash may leave a byte in."""

    def __init__(self, size: int) -> None:
        self.now: Image = np.zeros(size, dtype=np.uint8)
        self.since_flush: list[Image] = [self.now.copy()]

    def change(self, offset: int, data: bytes) -> None:
        self.now[offset : offset + len(data)] = np.frombuffer(data, dtype=np.uint8)
        self.since_flush.append(self.now.copy())

    def flushed(self) -> None:
        self.since_flush = [self.now.copy()]

    def crashed(self, found: bytes) -> None:
        image = np.frombuffer(found, dtype=np.uint8)
        possible = np.zeros(len(image), dtype=bool)
        for state in self.since_flush:
            possible |= image == state
        assert possible.all(), f"byte {int(np.argmin(possible))} holds what was never written there"
        self.now = image.copy()
        self.flushed()


@settings(max_examples=60, deadline=None)
@given(plans(SIZE, 4096))
def test_a_disk_without_check_sections_is_a_bytearray(plan: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(
            play(plan, Bench(Path(folder), size=SIZE, cache=300 << 10, parity=0, dimension="minecraft:the_nether"))
        )


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(plans(SIZE, 4096))
def test_the_disk_is_a_bytearray(plan: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(plan, Bench(Path(folder), size=SIZE, cache=300 << 10)))


async def play(plan: list[Step], bench: Openable) -> None:
    """Go through a plan, and expect of the disk what the model says."""
    model = Model(bench.size)
    disk = bench.open()
    for what, offset, length, seed in plan:
        length = min(length, bench.size - offset)  # noqa: PLW2901
        if what == "write":
            data = bytes(length) if seed == 0 else Random(seed).randbytes(length)
            await put(disk, offset, data)
            model.change(offset, data)
        elif what in {"zero", "trim"}:
            await (disk.trim(offset, length) if what == "trim" else disk.zero(offset, length, may_punch=False))
            model.change(offset, bytes(length))
        elif what == "read":
            assert await read_all(disk, offset, length) == model.now[offset : offset + length].tobytes()
        elif what == "flush":
            await disk.flush()
            model.flushed()
        elif what == "checkpoint":
            await disk.checkpoint()
        elif what == "start checkpoint":
            running = asyncio.create_task(disk.checkpoint())
            running.add_done_callback(lambda task: task.cancelled() or task.exception())
            await asyncio.sleep(seed / 10000)
        elif what == "stop":
            await disk.close()
            model.flushed()
            disk = bench.open()
        else:
            disk.release()
            disk = bench.open()
            model.crashed(await read_all(disk))
    assert await read_all(disk) == model.now.tobytes()
    await disk.close()
    disk = bench.open()
    assert await read_all(disk) == model.now.tobytes()
    disk.release()
