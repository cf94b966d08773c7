"""Disks in a world of Anvil files: against a model, beside each other, over what others built, and in trouble."""

from __future__ import annotations

import errno
import random
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbt import nbt

from bbd.geometry.geometry import Geometry
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.layouts.linear import LinearLayout
from bbd.geometry.registry import codec
from bbd.worlds.anvil.compression import RawChunk, compress
from bbd.worlds.anvil.level import create_world
from bbd.worlds.anvil.region import Piece, RegionFile
from bbd.worlds.anvil.regions import Regions
from bbd.worlds.anvil.site import AnvilSite
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnUnreadable, ColumnWrite, SectionWrite, Site, StoredColumn, read_column
from tests.worlds.chunks_by_hand import block_states, chunk, listing, placed, section
from tests.worlds.memory_files import MemoryFiles
from tests.worlds.region_model import chunks, locations, stored

BYTE = codec("byte")
WORLD = Path("/world")
HILBERT = Geometry(BYTE, HilbertLayout(), (0, 0))
ALL_VACANT = (1 << 1024) - 1
STONE = ("minecraft:granite_wall_of_nowhere", {"up": "true"})

Column = list[bytes | None]


def site_in(files: MemoryFiles, geometry: Geometry = HILBERT) -> AnvilSite:
    return AnvilWorld(WORLD, files).site(geometry)


def column(**sections: bytes) -> ColumnWrite:
    """A write of all sections: air but for those named like ``s3``."""
    return ColumnWrite([sections.get(f"s{y}") for y in range(20)])


def payloads(stored_column: StoredColumn | None) -> Column:
    """What a column holds up to the last byte that is not lost."""
    if stored_column is None:
        return [None] * 20
    found: Column = []
    for index, payload in enumerate(stored_column.payloads):
        if payload is None:
            assert index not in stored_column.lost
            found.append(None)
            continue
        known = stored_column.lost[index].index(1) if index in stored_column.lost else 4096
        assert stored_column.lost.get(index) in (None, bytes(known) + b"\1" * (4096 - known))
        assert not any(payload[known:])
        found.append(payload[:known])
    return found


def put(files: MemoryFiles, at: tuple[int, int], placed_chunks: dict[int, RawChunk]) -> None:
    regions = Regions(files, WORLD / "region", writable=True, open_limit=1)
    with regions.region_to_write(at) as region:
        region.write(placed_chunks)
    regions.close()


def content(files: MemoryFiles, name: str = "r.0.0.mca") -> bytes:
    return bytes(files.names[WORLD / "region" / name].content)


SECTION = st.one_of(
    st.none(),
    st.just(KEEP),
    st.tuples(st.sampled_from([1, 2, 16, 17, 60, 256]), st.sampled_from([4096, 4096, 100, 1, 4095])),
)
WRITES = st.lists(
    st.tuples(
        st.dictionaries(st.integers(0, 5), st.lists(SECTION, min_size=20, max_size=20), min_size=1, max_size=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=40)
@given(WRITES, st.integers(0, 2**32), st.sampled_from(["hilbert", "linear"]))
def test_random_writes_against_a_model(writes: list[tuple[dict[int, list[Any]], bool]], seed: int, layout: str) -> None:
    rng = random.Random(seed)
    geometry = HILBERT if layout == "hilbert" else Geometry(BYTE, LinearLayout(), (-35, 29))
    files = MemoryFiles()
    site: Site = site_in(files, geometry)
    model: dict[int, Column] = {}
    for columns, with_base in writes:
        batch = {}
        for number, kinds in columns.items():
            fresh: list[SectionWrite] = [_payload(kind, rng) for kind in kinds]
            read = read_column(site, number)
            batch[number] = ColumnWrite(fresh, read.base if with_base and read else None)
            old = model.get(number, [None] * 20)
            model[number] = [old[y] if item is KEEP else _model(item) for y, item in enumerate(fresh)]
        site.write(batch)
        standing = {number for number, sections in model.items() if any(sections)}
        for number, sections in model.items():
            assert payloads(read_column(site, number)) == sections
            assert (read_column(site, number) is not None) == (number in standing)
        for group in (0, 1):
            vacant = ALL_VACANT & ~sum(1 << number for number in standing if group == 0)
            assert site.vacancies(group) == vacant
        assert sorted(site.present()) == sorted(standing)
    assert set(AnvilWorld(WORLD, files).present_chunks()) == {geometry.chunk_of(number) for number in standing}


def _payload(kind: Any, rng: random.Random) -> SectionWrite:
    if isinstance(kind, tuple):
        alphabet = rng.sample(range(256), kind[0])
        return bytes(rng.choices(alphabet, k=kind[1]))
    return kind if kind is KEEP else None


def _model(item: SectionWrite) -> bytes | None:
    assert item is not KEEP
    assert item is None or isinstance(item, bytes)
    return item


def test_vacancies_follow_what_is_written() -> None:
    files = MemoryFiles()
    site_in(files).write({5: column(s0=b"x"), 1024: column(s0=b"y")})
    site = site_in(files)
    assert site.vacancies(1) == ALL_VACANT & ~1
    assert site.vacancies(2) == ALL_VACANT
    site.write({2047: column(s0=b"z"), 1024: column(), 2048: column(s0=b"a")})
    assert site.vacancies(1) == ALL_VACANT & ~(1 << 1023)
    assert site.vacancies(2) == ALL_VACANT & ~1


def test_chunks_beside_the_disk_are_not_present() -> None:
    files = MemoryFiles()
    site_in(files, Geometry(BYTE, LinearLayout(), (-40, -40))).write({0: column(s0=b"x")})
    site = site_in(files)
    site.write({70: column(s0=b"y")})
    assert list(site.present()) == [70]


def test_a_group_that_lies_in_many_regions() -> None:
    geometry = Geometry(BYTE, LinearLayout(2048), (-7, 3))
    files = MemoryFiles()
    site = site_in(files, geometry)
    written = [0, 6, 7, 500, 1023, 1024, 2047, 2048]
    site.write({number: column(s1=bytes([number % 256])) for number in written})
    for group in range(3):
        expected = ALL_VACANT & ~sum(1 << number - group * 1024 for number in written if number // 1024 == group)
        assert site_in(files, geometry).vacancies(group) == expected


def test_where_columns_stand() -> None:
    site = site_in(MemoryFiles(), Geometry(BYTE, LinearLayout(), (3, -1)))
    assert site.describe(0) == "chunk 3,-1 (x 48..63, z -16..-1)"


def test_a_column_without_any_block_is_removed() -> None:
    files = MemoryFiles()
    site = site_in(files)
    site.write({0: column(s0=b"a"), 1: column(s19=b"b")})
    site.write({0: column(), 1: ColumnWrite([KEEP] * 19 + [b""]), 2: column()})
    assert locations(content(files)) == {}
    assert read_column(site, 0) is None


def test_a_write_that_keeps_everything_changes_nothing() -> None:
    files = MemoryFiles()
    site = site_in(files)
    site.write({0: column(s0=b"a")})
    before = content(files)
    site.write({0: ColumnWrite([KEEP] * 20), 1: ColumnWrite([KEEP] * 20)})
    assert content(files) == before


def test_what_others_have_in_the_chunk_stays() -> None:
    files = MemoryFiles()
    built = chunk([section(-1, block_states([STONE]))], block_entities=listing(nbt.TAG_Compound, [placed(-9)]))
    put(files, (0, 0), {0: compress(built)})
    site = site_in(files)
    assert payloads(read_column(site, 0)) == [None] * 20
    for write in (column(s4=b"mine"), column()):
        site.write({0: write})
        assert payloads(read_column(site, 0))[4] == write.sections[4]
        world = AnvilWorld(WORLD, files)
        assert world.block_at(5, -16, 5) == STONE
        base = read_column(world.site(HILBERT), 0)
        assert base is not None
        assert b"minecraft:sign" in base.base.data


def test_a_strangers_block_is_a_lost_byte() -> None:
    files = MemoryFiles()
    palette = [(BYTE.palette[7].name, {}), STONE, ("minecraft:air", {})]
    entries = [0] * 4096
    entries[8], entries[4095] = 1, 2
    put(files, (0, 0), {0: compress(chunk([section(2, block_states(palette, entries))]))})
    read = read_column(site_in(files), 0)
    assert read is not None
    lost = {byte for byte in range(4096) if read.lost[2][byte]}
    assert lost == {8 ^ 7, 4095 ^ 7}
    assert read.payloads[2] == bytes(0 if byte in lost else 7 for byte in range(4096))


def test_a_chunk_that_can_not_be_read() -> None:
    files = MemoryFiles()
    damaged = RawChunk(2, b"no zlib at all")
    put(files, (0, 0), {0: damaged, 1: compress(chunk([section(2, block_states([STONE]))]))})
    site = site_in(files)
    with pytest.raises(
        ColumnUnreadable, match=r"chunk 0,0 .x 0\.\.15, z 0\.\.15. can't be read: .*decompressed"
    ) as caught:
        read_column(site, 0)
    assert caught.value.errno == errno.EIO
    assert caught.value.raw == stored(damaged)
    world = AnvilWorld(WORLD, files)
    assert not world.is_blank(0, 0)
    assert not world.is_blank(1, 0)
    assert set(world.present_chunks()) == {(0, 0), (1, 0)}
    assert site.vacancies(0) & 1 == 0
    site.write({0: ColumnWrite([b"new", *[KEEP] * 19])})
    assert payloads(read_column(site, 0)) == [b"new", *[None] * 19]


def test_chunks_that_are_not_the_disks_stay_byte_for_byte() -> None:
    files = MemoryFiles()
    others = {index: RawChunk(9, random.Random(index).randbytes(5000 + index)) for index in range(3, 1024, 50)}
    put(files, (0, 0), others)
    site = site_in(files)
    mine = [number for number in range(40) if (number_at(number)) not in others]
    for step in range(3):
        site.write({number: column(s0=random.Random(step).randbytes(4096 - number)) for number in mine})
    found = chunks(content(files))
    assert {index: found[index] for index in others} == others
    assert len(found) == len(others) + len(mine)


def number_at(number: int) -> int:
    x, z = HILBERT.chunk_of(number)
    return x + 32 * z


def test_two_disks_in_one_region() -> None:
    files = MemoryFiles()
    world = AnvilWorld(WORLD, files)
    sites = [world.site(Geometry(BYTE, LinearLayout(), origin)) for origin in ((0, 0), (0, 16))]
    for step in range(3):
        for which, site in enumerate(sites):
            site.write({number: column(s0=bytes([which, step, number])) for number in range(40)})
    for which, site in enumerate(sites):
        assert [payloads(read_column(site, number))[0] for number in range(40)] == [
            bytes([which, 2, n]) for n in range(40)
        ]
        assert site.vacancies(0) & (1 << 40) - 1 == 0


def test_dimensions_are_apart() -> None:
    files = MemoryFiles()
    world = AnvilWorld(WORLD, files)
    world.site(HILBERT, "minecraft:the_nether").write({0: column(s0=b"hot")})
    assert read_column(world.site(HILBERT), 0) is None
    assert list(files.names) == [WORLD / "DIM-1/region/r.0.0.mca"]
    assert world.block_at(7, 0, 0, "minecraft:the_nether") == (BYTE.palette[ord("h")].name, {})
    assert world.is_blank(0, 0)
    assert not world.is_blank(0, 0, "minecraft:the_nether")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_failing_call_leaves_old_or_new_columns_and_can_be_tried_again(number: int) -> None:
    old = {column_number: column(s0=b"old", s3=b"%d" % column_number) for column_number in (0, 1, 1030)}
    new = {column_number: column(s0=b"new") for column_number in (0, 1, 2, 1030)}
    for failing in range(100):
        files = MemoryFiles()
        site = site_in(files)
        site.write(old)
        files.failures = {files.calls + failing: number}
        try:
            site.write(new)
        except OSError as error:
            for column_number in new:
                found = payloads(read_column(site, column_number))
                allowed = [list(batch[column_number].sections) for batch in (old, new) if column_number in batch]
                assert found in [*allowed, *([[None] * 20] if column_number == 2 else [])]
            assert error.errno == number  # noqa: PT017
            site.write(new)
        else:
            assert failing > 4
            return
        assert all(payloads(read_column(site, at)) == list(write.sections) for at, write in new.items())


def test_many_regions_with_few_of_them_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bbd.worlds.anvil.world as world_module

    monkeypatch.setattr(world_module, "OPEN_REGIONS", 2)
    create_world(tmp_path / "w", spawn_chunk=(-1, -1), name="w")
    wide = Geometry(BYTE, LinearLayout(1024), (0, 0))
    with AnvilWorld(tmp_path / "w") as world:
        site = world.site(wide)
        site.write({number: column(s0=b"%d" % number) for number in range(0, 1024, 32)})
        before = _open_files(tmp_path)
        assert before <= 2
        assert [payloads(read_column(site, number))[0] for number in range(0, 1024, 32)] == [
            b"%d" % number for number in range(0, 1024, 32)
        ]
        assert _open_files(tmp_path) <= 2
    assert _open_files(tmp_path) == 0
    assert len(list((tmp_path / "w/region").glob("r.*.mca"))) == 33


def _open_files(folder: Path) -> int:
    opened = [link.resolve() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(path.is_relative_to(folder.resolve()) for path in opened)


def test_other_files_in_the_region_folder_do_not_matter() -> None:
    files = MemoryFiles()
    site_in(files).write({0: column(s0=b"a")})
    for name in ("r.0.0.mca.broken-1", "c.1.1.mcc", "r.01.0.mca", "r.1.0.mcr", "r.x.0.mca"):
        files.open(WORLD / "region" / name, write=True, create=True).pwrite([b"junk"], 0)
    assert list(AnvilWorld(WORLD, files).present_chunks()) == [(0, 0)]


def test_a_world_for_reading_only(tmp_path: Path) -> None:
    path = tmp_path / "w"
    create_world(path, spawn_chunk=(-1, -1), name="w")
    with AnvilWorld(path) as world:
        world.site(HILBERT).write({0: column(s0=b"a")})
    kept = tmp_path / "kept"
    shutil.copytree(path, kept)
    with AnvilWorld(path, writable=False) as world:
        assert payloads(read_column(world.site(HILBERT), 0))[0] == b"a"
        for number in (0, 5000):
            with pytest.raises(OSError, match="for reading only"):
                world.site(HILBERT).write({number: column(s0=b"b")})
    assert [file.name for file in sorted((path / "region").iterdir())] == ["r.-1.-1.mca", "r.0.0.mca"]
    assert (path / "region/r.0.0.mca").read_bytes() == (kept / "region/r.0.0.mca").read_bytes()


def test_a_large_write_goes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    import bbd.worlds.anvil.site as site_module

    monkeypatch.setattr(site_module, "_TOGETHER", 20)
    counts: list[int] = []
    write = RegionFile.write_pieces

    def counted(region: RegionFile, pieces: Iterable[Piece]) -> None:
        def seen() -> Iterator[Piece]:
            for piece in pieces:
                counts.append(len(piece))
                yield piece

        write(region, seen())

    monkeypatch.setattr(RegionFile, "write_pieces", counted)
    site = site_in(MemoryFiles())
    batch = {number: column(s0=random.Random(number).randbytes(4096)) for number in range(50)}
    site.write(batch)
    assert counts == [20, 20, 10]
    assert all(payloads(read_column(site, number)) == list(batch[number].sections) for number in batch)
