"""Balls of air in a real world: what a creeper, or something larger, leaves of a column."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.cli.create import describe
from bbd.cli.hosting import open_host
from bbd.cli.making import make_disk
from bbd.disk.opening import Options
from bbd.geometry.interfaces import Codec
from bbd.geometry.registry import codec
from bbd.os_files import OsFiles
from bbd.worlds.anvil.compression import compress
from bbd.worlds.anvil.dimension import Dimension
from bbd.worlds.anvil.regions import Regions, region_of
from bbd.worlds.anvil.rewrite import rewritten
from bbd.worlds.anvil.section import blocks_states
from tests.disk.bench_of_disks import put, read_all

CHUNK = (32, 64)


def ball(height: int, centre: Sequence[float], radius: float) -> npt.NDArray[np.bool_]:
    """The blocks of a column (y, z, x) that lie in a ball."""
    y, z, x = np.ogrid[:height, :16, :16]
    inside = (y - centre[0]) ** 2 + (z - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2
    return np.asarray(inside)


def blow_up(world: Path, blocks: Codec, hole: npt.NDArray[np.bool_]) -> None:
    """Make air of blocks of the column, as a game would save it."""
    regions = Regions(OsFiles(), world / "region", writable=True, open_limit=1)
    dimension = Dimension(regions)
    chunk = dimension.read(*CHUNK)
    assert chunk is not None
    states = {}
    payloads, lost = chunk.stored_sections(blocks)
    for index, payload in enumerate(payloads[: hole.shape[0] // 16]):
        gone = hole[16 * index : 16 * index + 16].reshape(4096)
        if payload is not None and gone.any():
            indices = block_indices(blocks, payload, lost.get(index, b""))
            indices[gone] = len(blocks.palette) - 1
            states[index] = blocks_states(blocks.palette, indices)
    at, place = region_of(*CHUNK)
    dimension.write(at, [{place: compress(rewritten(chunk, states))}])
    regions.close()


def block_indices(blocks: Codec, payload: bytes, lost: bytes) -> npt.NDArray[np.uint16]:
    indices = blocks.encode(payload).copy()
    for byte, flag in enumerate(lost):
        if flag:
            indices[list(blocks.blocks_of(byte))] = len(blocks.palette) - 1
    return indices


async def survive(root: Path, name: str, parity: int, holes: list[tuple[Sequence[float], float]]) -> None:
    world, blocks = root / "world", codec(name)
    data = Random(1).randbytes(16 * blocks.section_size)
    make_disk(
        world,
        describe(name="d", size=len(data), codec=name, layout="hilbert", origin=CHUNK, parity=parity, edits="repair"),
    )
    options = Options(root / "journals", cache=1 << 20)
    host = open_host(world, options)
    await put(host.disks[0], 0, data)
    await host.disks[0].close()
    host.close()
    for centre, radius in holes:
        blow_up(world, blocks, ball(16 * (17 + parity), centre, radius))
        host = open_host(world, options)
        assert await read_all(host.disks[0]) == data, f"ball of {radius} around {centre}"
        await host.disks[0].close()
        host.close()


def holes(parity: int) -> st.SearchStrategy[list[tuple[Sequence[float], float]]]:
    """Balls less than 16 blocks high for each row of parity."""
    centre = st.tuples(st.integers(0, 16 * (17 + parity)), st.integers(-2, 17), st.integers(-2, 17))
    return st.lists(st.tuples(centre, st.floats(1, 8 * parity - 0.01)), min_size=1, max_size=3)


@pytest.mark.parametrize("name", ["byte", "nibble"])
@pytest.mark.parametrize("parity", [1, 2])
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_an_explosion_loses_nothing(name: str, parity: int, data: st.DataObject) -> None:
    """Less than 16 blocks high it costs at most one byte of a code word, less than 32 two (docs/format.md)."""
    drawn = data.draw(holes(parity))
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(survive(Path(folder), name, parity, drawn))
