"""Columns of which the place of payloads is known beforehand: what comes is what the other way of reading gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.geometry.geometry import Geometry
from bbd.geometry.layouts.linear import LinearLayout
from bbd.geometry.registry import codec
from bbd.os_files import OsFiles
from bbd.worlds.anvil import alike, coder
from bbd.worlds.anvil.compiled.loading import Loader
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import ColumnUnreadable, ColumnWrite, DataColumn, Reading, Site, StoredColumn
from tests.worlds.memory_files import MemoryFiles

WORLD = Path("/world")
REGION = WORLD / "region" / "r.0.0.mca"
NAMES = ["byte", "nibble", "redstone"]
COLUMNS = range(14)

Shape = tuple[bool, int, int]
"""Whether there is a check section, which data sections (bits) are zeros, and how many parity sections there are."""
SHAPES: Sequence[Shape] = [(True, 0, 2), (True, 0, 0), (True, 1, 3), (True, 1 << 9, 2), (True, 0x7F, 2), (False, 0, 0)]


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    """What is likely is remembered for all sites of a codec, other tests' too."""
    alike._alike_reader.cache_clear()


def site_in(files: MemoryFiles | OsFiles, name: str, world: Path = WORLD) -> Site:
    return AnvilWorld(world, files).site(Geometry(codec(name), LinearLayout(32), (0, 0)), compression="stitched")


def payloads(name: str, shape: Shape, seed: int) -> list[bytes | None]:
    rng, size = random.Random(seed), codec(name).section_size
    checked, zeros, parity = shape
    data: list[bytes | None] = [None if zeros >> y & 1 else rng.randbytes(size) for y in range(16)]
    if seed % 5 == 0:
        data[3] = bytes([0x77]) * size
    above = [rng.randbytes(size) for _ in range(parity)]
    return [*data, rng.randbytes(128) if checked else None, *above, *[None] * (3 - parity)]


def write(site: Site, name: str, shapes: Sequence[Shape]) -> None:
    site.write({column: ColumnWrite(payloads(name, shape, column)) for column, shape in enumerate(shapes)})


def meaning(reading: Reading | DataColumn) -> object:
    """All that both ways of reading tell."""
    if isinstance(reading, ColumnUnreadable):
        return str(reading), reading.raw
    if reading is None:
        return None
    if isinstance(reading, DataColumn):
        size = max(len(payload) for payload in reading.data if payload is not None)
        above = size - len(reading.head)
        data = [None if payload is None else bytes(payload) for payload in reading.data]
        return [*data, reading.head + bytes(above)], {16: bytes(len(reading.head)) + b"\1" * above}
    return [*reading.payloads[:17]], {y: lost for y, lost in reading.lost.items() if y <= 16}


def assert_same(site: Site, columns: Sequence[int] = COLUMNS) -> Sequence[Reading | DataColumn]:
    """How columns were read at last; what payloads that are views were is gone by now."""
    expected = [meaning(reading) for reading in site.read(columns)]
    for _ in range(2):
        readings, found = {}, {}
        for column, reading in site.read_data(columns):
            readings[column], found[column] = reading, meaning(reading)
        assert [found[column] for column in columns] == expected
    return [readings[column] for column in columns]


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(SHAPES), min_size=1, max_size=3).flatmap(
        lambda few: st.lists(st.sampled_from(few), min_size=len(COLUMNS), max_size=len(COLUMNS))
    ),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=6),
    st.sets(st.sampled_from(COLUMNS), max_size=3),
    st.integers(0, 9000),
)
def test_any_mixture_and_any_damage(
    name: str, shapes: list[Shape], flips: list[tuple[float, int]], left_out: set[int], cut: int
) -> None:
    files = MemoryFiles()
    write(site_in(files, name), name, shapes)
    content = files.names[REGION].content
    for place, value in flips:
        content[int(place * len(content))] ^= value
    if cut < 6000:
        del content[len(content) - cut :]
    assert_same(site_in(files, name), [column for column in COLUMNS if column not in left_out])


@pytest.mark.parametrize("name", ["byte", "nibble"])
@pytest.mark.parametrize("shape", SHAPES[:5])
def test_neighbours_that_are_alike_are_read_as_views(tmp_path: Path, name: str, shape: Shape) -> None:
    files = OsFiles()
    write(site_in(files, name, tmp_path), name, [(True, 0, 1)] * 5 + [shape] * 9)
    found = assert_same(site_in(files, name, tmp_path), range(6, 14))
    alike = [reading for column, reading in zip(range(6, 14), found, strict=True) if column != 10]
    assert all(isinstance(reading, DataColumn) for reading in alike)
    for reading in alike:
        assert isinstance(reading, DataColumn)
        views = [payload for payload in reading.data if isinstance(payload, memoryview)]
        assert len(views) == 16 - shape[1].bit_count()


def test_a_chunk_in_the_place_of_another_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Machine code would decode it: whose it is its check section says, to others.
    monkeypatch.setattr(coder, "LOADER", Loader(1 << 30))
    files = MemoryFiles()
    write(site_in(files, "byte"), "byte", [SHAPES[0]] * len(COLUMNS))
    assert all(isinstance(reading, DataColumn) for reading in assert_same(site_in(files, "byte"))[11:])
    content = files.names[REGION].content
    content[4 * 12 : 4 * 13], content[4 * 13 : 4 * 14] = content[4 * 13 : 4 * 14], content[4 * 12 : 4 * 13]
    found = assert_same(site_in(files, "byte"))
    assert [isinstance(reading, StoredColumn) for reading in found[12:]] == [True, True]


@pytest.mark.parametrize("name", ["byte", "nibble"])
def test_every_byte_around_payloads_is_looked_at(name: str) -> None:
    """Whatever differs in the last of some chunks, in a byte that isn't payload, parity, checksum or filling, has it
    read the other way; in payload it is found by the CRC."""
    files = MemoryFiles()
    write(site_in(files, name), name, [SHAPES[0]] * 5)
    clean = bytes(files.names[REGION].content)
    start = int.from_bytes(clean[4 * 4 : 4 * 4 + 3]) * 4096
    length = int.from_bytes(clean[start : start + 4])
    size = codec(name).section_size
    stored = [*payloads(name, SHAPES[0], 4)[:16], *payloads(name, SHAPES[0], 4)[17:19]]
    constant = set(range(start, start + length))
    for payload in stored:
        if payload is not None:
            at = clean.find(payload, start)
            if at >= 0:
                constant -= set(range(at, at + size))
    places = sorted(constant)
    assert len(places) < 6000
    for place in random.Random(name).sample(places, 150):
        content = bytearray(clean)
        content[place] ^= 1 << place % 8
        files.names[REGION].content[:] = content
        assert_same(site_in(files, name), range(5))
