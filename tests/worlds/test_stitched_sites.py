"""Disks whose columns are stitched: what rewriting, removing and compacting makes of them, and reading many at once."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from nbt import nbt

from bbd.geometry.geometry import Geometry
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.registry import codec
from bbd.os_files import OsFiles
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.compact import compact_region
from bbd.worlds.anvil.compression import CHOICES, RawChunk, compress
from bbd.worlds.anvil.dimension import Dimension
from bbd.worlds.anvil.region import RegionFile
from bbd.worlds.anvil.regions import Regions
from bbd.worlds.anvil.stitched import Stitched
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnUnreadable, ColumnWrite, SectionWrite, Site, StoredColumn, read_column
from tests.worlds.chunks_by_hand import block_states, chunk, section
from tests.worlds.memory_files import MemoryFiles
from tests.worlds.region_model import locations, raw

WORLD = Path("/world")
NAMES = ["byte", "nibble", "redstone"]


def site_in(files: MemoryFiles, name: str = "byte", compression: str = "stitched") -> Site:
    return AnvilWorld(WORLD, files).site(geometry(name), compression=compression)


def geometry(name: str) -> Geometry:
    return Geometry(codec(name), HilbertLayout(), (0, 0))


def full(name: str, seed: int) -> list[bytes | None]:
    rng, size = random.Random(seed), codec(name).section_size
    data = [rng.randbytes(size) for _ in range(18)]
    return [*data[:16], rng.randbytes(128), *data[16:], None]


def read(site: Site, number: int = 0) -> StoredColumn:
    stored = read_column(site, number)
    assert stored is not None
    return stored


def held(site: Site, number: int = 0) -> list[bytes | None]:
    """The payloads, of the check section its own bytes alone."""
    found = list(read(site, number).payloads)
    check = found[16]
    return [*found[:16], check and check[:128], *found[17:]]


def is_stitched(site: Site, number: int = 0) -> bool:
    return isinstance(read(site, number).base, Stitched)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stitched(name: str) -> None:
    files = MemoryFiles()
    site = site_in(files, name)
    payloads = full(name, 1)
    site.write({0: ColumnWrite(payloads)})
    assert is_stitched(site) == (name != "redstone")
    assert held(site) == payloads
    for other in CHOICES:
        assert held(site_in(files, name, other)) == payloads


@pytest.mark.parametrize("other", [choice for choice in CHOICES if choice != "stitched"])
@pytest.mark.parametrize("with_base", [True, False])
def test_a_disk_that_changes_its_compression_and_back(other: str, *, with_base: bool) -> None:
    files = MemoryFiles()
    expected = full("byte", 1)
    site_in(files).write({0: ColumnWrite(expected)})
    for step, choice in enumerate([other, "stitched", other, "stitched"]):
        site = site_in(files, compression=choice)
        fresh: list[SectionWrite] = [KEEP] * 20
        fresh[step] = expected[step] = random.Random(step).randbytes(4096)
        site.write({0: ColumnWrite(fresh, read(site).base if with_base else None)})
        assert held(site) == expected
        assert is_stitched(site) == (choice == "stitched")


def test_a_section_of_a_size_that_can_not_be_stitched() -> None:
    site = site_in(MemoryFiles())
    payloads = full("byte", 1)
    site.write({0: ColumnWrite(payloads)})
    site.write({0: ColumnWrite([b"short", *[KEEP] * 19])})
    stored = read(site)
    assert not is_stitched(site)
    assert stored.lost[0] == bytes(5) + b"\1" * 4091
    site.write({0: ColumnWrite([KEEP, b"x" * 4096, *[KEEP] * 18])})
    assert not is_stitched(site)
    site.write({0: ColumnWrite([payloads[0], *[KEEP] * 19])})
    assert is_stitched(site)
    assert held(site) == [payloads[0], b"x" * 4096, *payloads[2:]]


def test_what_is_anybody_elses_is_not_stitched_away() -> None:
    files = MemoryFiles()
    sign = chunk([section(-1, block_states([("minecraft:oak_planks", {})]))], somebody=nbt.TAG_String("here"))
    with Regions(files, WORLD / "region", writable=True, open_limit=1).region_to_write((0, 0)) as region:
        region.write({0: compress(sign)})
    site = site_in(files)
    payloads = full("byte", 2)
    for _ in range(2):
        site.write({0: ColumnWrite(payloads)})
        base = read(site).base
        assert isinstance(base, Chunk)
        assert b"somebody" in base.data
        assert held(site) == payloads
    assert AnvilWorld(WORLD, files).block_at(3, -16, 3) == ("minecraft:oak_planks", {})


def test_columns_go_without_being_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    files = MemoryFiles()
    site = site_in(files)
    site.write({number: ColumnWrite(full("byte", number)) for number in range(70)})

    def parsed(*_: object) -> None:
        raise AssertionError("a stitched chunk was parsed")

    monkeypatch.setattr(Dimension, "parse", parsed)
    keep: list[SectionWrite] = [*[None] * 19, KEEP]
    site.write({number: ColumnWrite(keep) for number in range(70)})
    assert locations(bytes(files.names[WORLD / "region/r.0.0.mca"].content)) == {}
    assert site.read(range(70)) == [None] * 70


def test_compacted_columns_are_read_and_stitched_again(tmp_path: Path) -> None:
    (tmp_path / "region").mkdir()
    text = b"the quick brown fox jumps over the lazy dog, and ".ljust(4096, b".")
    payloads: list[bytes | None] = [*(bytes([y]) + text[1:] for y in range(16)), b"c" * 128, None, None, None]
    with AnvilWorld(tmp_path) as world:
        world.site(geometry("byte")).write({number: ColumnWrite(payloads) for number in range(9)})
    path = tmp_path / "region/r.0.0.mca"
    done = compact_region(OsFiles(), path, range(1024))
    assert done.after < done.before // 3
    with AnvilWorld(tmp_path) as world:
        site = world.site(geometry("byte"))
        assert [held(site, number) for number in range(9)] == [payloads] * 9
        assert not is_stitched(site)
        site.write({4: ColumnWrite([text, *[KEEP] * 19], read(site, 4).base)})
        assert is_stitched(site, 4)
        assert held(site, 4) == [text, *payloads[1:]]


def test_many_columns_wherever_they_lie() -> None:
    files = MemoryFiles()
    site = site_in(files)
    rng = random.Random(7)
    expected: dict[int, list[bytes | None]] = {}
    for step in range(12):
        batch = {number: full("byte", 100 * step + number) for number in rng.sample(range(60), 9)}
        batch[rng.randrange(1024, 1100)] = full("byte", step)
        site.write({number: ColumnWrite(payloads) for number, payloads in batch.items()})
        expected |= batch
    asked = [*range(60), *range(1020, 1110)]
    rng.shuffle(asked)
    found = site.read(asked)
    for number, reading in zip(asked, found, strict=True):
        assert (reading is not None) == (number in expected)
        if isinstance(reading, StoredColumn):
            assert list(reading.payloads[:16]) == expected[number][:16]


def test_a_damaged_column_costs_its_neighbours_nothing() -> None:
    files = MemoryFiles()
    site = site_in(files)
    site.write({number: ColumnWrite(full("byte", number)) for number in range(8)})
    inode = files.names[WORLD / "region/r.0.0.mca"]
    index = geometry("byte").chunk_of(3)
    first, _ = locations(bytes(inode.content))[index[0] + 32 * index[1]]
    inode.content[first * 4096 + 40] ^= 1
    found = site.read(range(8))
    assert isinstance(found[3], ColumnUnreadable)
    assert str(found[3].strerror).startswith(site.describe(3))
    assert len(found[3].raw) > 70_000
    for number in (0, 1, 2, 4, 5, 6, 7):
        reading = found[number]
        assert isinstance(reading, StoredColumn)
        assert list(reading.payloads[:16]) == full("byte", number)[:16]


@pytest.mark.parametrize("checked", [True, False])
def test_a_changed_payload_is_left_to_the_crcs_where_there_are_any(*, checked: bool) -> None:
    files = MemoryFiles()
    site = site_in(files)
    payloads = full("byte", 1) if checked else [*full("byte", 1)[:16], None, None, None, None]
    site.write({0: ColumnWrite(payloads)})
    inode = files.names[WORLD / "region/r.0.0.mca"]
    place = bytes(inode.content).index(payloads[9] or b"")
    inode.content[place + 5] ^= 1
    (found,) = site.read([0])
    if checked:
        assert isinstance(found, StoredColumn)
        assert [y for y in range(20) if y != 16 and found.payloads[y] != payloads[y]] == [9]
    else:
        assert isinstance(found, ColumnUnreadable)


def test_runs_are_read_while_others_write(tmp_path: Path) -> None:
    region = RegionFile(OsFiles(), tmp_path / "r.0.0.mca")
    indices = range(40)
    region.write({index: raw(8000, 0) for index in indices})
    written = [dict.fromkeys(indices, raw(8000, seed)) for seed in range(60)]
    known = {bytes(batch[0].data) for batch in written}
    done = threading.Event()
    wrong: list[object] = []

    def reader() -> None:
        try:
            while not done.is_set():
                for index, found in region.read_chunks(indices):
                    if not isinstance(found, RawChunk) or bytes(found.data) not in known:
                        wrong.append((index, found))
        except OSError as error:
            wrong.append(error)

    threads = [threading.Thread(target=reader) for _ in range(3)]
    for thread in threads:
        thread.start()
    for batch in written:
        region.write(batch)
    done.set()
    for thread in threads:
        thread.join(60)
    region.close()
    assert wrong == []


def test_a_run_whose_place_is_taken_while_it_is_read() -> None:
    files = MemoryFiles()
    files.folders.add(WORLD / "region")
    region = RegionFile(files, WORLD / "region/r.0.0.mca")
    region.write({index: raw(3000, 1) for index in range(5)})

    def move_it_and_use_its_place() -> None:
        files.before_read = lambda: None
        region.write({index: raw(3000, 2) for index in range(5)})
        region.write({9: raw(20000, 3)})

    files.before_read = move_it_and_use_its_place
    assert {
        index: bytes(found.data) for index, found in region.read_chunks(range(5)) if isinstance(found, RawChunk)
    } == {index: bytes(raw(3000, 2).data) for index in range(5)}
