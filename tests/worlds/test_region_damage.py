"""Region files that something else has damaged: some chunks can't be read, the others go on."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from bbd.os_files import OsFiles
from bbd.worlds.anvil.region import RegionFile
from bbd.worlds.world import ColumnUnreadable
from tests.worlds.region_model import SECTOR, assert_sound, chunks, locations, raw, region_bytes, stored

GOOD, BAD = 40, 7
CHUNK = raw(SECTOR + 100, 1)


def located(index: int, sector: int, count: int) -> Callable[[bytearray], None]:
    def damage(content: bytearray) -> None:
        struct.pack_into(">I", content, index * 4, sector << 8 | count)

    return damage


def length(value: int) -> Callable[[bytearray], None]:
    def damage(content: bytearray) -> None:
        struct.pack_into(">I", content, 5 * SECTOR, value)

    return damage


def cut(size: int) -> Callable[[bytearray], None]:
    def damage(content: bytearray) -> None:
        del content[size:]

    return damage


DAMAGE = {
    "in the header": (located(BAD, 1, 2), "in the header, at sector 1"),
    "at sector 0": (located(BAD, 0, 9), "in the header, at sector 0"),
    "no sectors": (located(BAD, 5, 0), "no sectors"),
    "past the end": (located(BAD, 5000, 2), "ends before its sector 5000"),
    "no length": (length(0), "no length"),
    "a length beyond its sectors": (length(2 * SECTOR + 1), "more than its 2 sectors hold"),
    "an enormous length": (length(0xFFFFFFFF), "more than its 2 sectors hold"),
    "cut off": (cut(6 * SECTOR), "ends in the middle of it"),
    "cut off within its prefix": (cut(5 * SECTOR + 3), "no length"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "r.-1.0.mca"


def damaged(path: Path, damage: Callable[[bytearray], None]) -> bytes:
    content = region_bytes({GOOD: (2, stored(CHUNK)), BAD: (5, stored(CHUNK))})
    damage(content)
    path.write_bytes(content)
    return bytes(content)


@pytest.mark.parametrize("kind", DAMAGE)
def test_one_damaged_chunk(path: Path, kind: str) -> None:
    damage, why = DAMAGE[kind]
    before = damaged(path, damage)
    region = RegionFile(OsFiles(), path)
    assert region.present_bitmap == 1 << GOOD | 1 << BAD
    with pytest.raises(ColumnUnreadable, match=why) as caught:
        region.read_raw(BAD)
    assert caught.value.errno == errno.EIO
    sector, count = locations(before)[BAD]
    assert caught.value.raw == before[sector * SECTOR : (sector + count) * SECTOR]
    assert region.read_raw(GOOD) == CHUNK
    _assert_its_sectors_are_kept_until_it_is_written(region, path)


def _assert_its_sectors_are_kept_until_it_is_written(region: RegionFile, path: Path) -> None:
    sector, count = locations(path.read_bytes())[BAD]
    named = {*range(sector, sector + count)}
    for seed in range(6):
        region.write({index: raw(3000, seed) for index in range(100, 110)})
        found = locations(path.read_bytes())
        assert found[BAD] == (sector, count)
        assert not any(named & {*range(at, at + n)} for index, (at, n) in found.items() if index >= 100)
        assert region.read_raw(GOOD) == CHUNK
    region.write({BAD: raw(20, 99)})
    assert region.read_raw(BAD) == raw(20, 99)
    assert_sound(path.read_bytes())
    assert chunks(path.read_bytes())[BAD] == raw(20, 99)


def test_overlapping_chunks_are_both_unreadable_until_one_is_written(path: Path) -> None:
    damaged(path, located(BAD, 3, 2))
    region = RegionFile(OsFiles(), path)
    for index in (GOOD, BAD):
        with pytest.raises(ColumnUnreadable, match="over another chunk"):
            region.read_raw(index)
    region.write({BAD: raw(20, 5)})
    assert region.read_raw(GOOD) == CHUNK
    region.write({99: raw(3 * SECTOR, 6)})
    assert region.read_raw(GOOD) == CHUNK
    assert_sound(path.read_bytes())


@pytest.mark.parametrize("over", [1, 4])
def test_a_length_that_is_overstated_by_a_few_bytes(path: Path, over: int) -> None:
    full = raw(2 * SECTOR - 5, 3)
    damaged(path, lambda content: content.__setitem__(slice(5 * SECTOR, 7 * SECTOR), stored(full)))
    with path.open("r+b") as file:
        file.seek(5 * SECTOR)
        file.write(struct.pack(">I", len(full.data) + 1 + over))
    assert RegionFile(OsFiles(), path).read_raw(BAD) == full


@pytest.mark.parametrize("size", [0, 1, SECTOR + 17, 2 * SECTOR])
def test_a_file_without_anything_in_it_is_an_empty_region(path: Path, size: int) -> None:
    path.write_bytes(bytes(size))
    region = RegionFile(OsFiles(), path)
    assert region.present_bitmap == 0
    assert region.read_raw(0) is None
    region.write({0: CHUNK})
    assert chunks(path.read_bytes()) == {0: CHUNK}
    assert_sound(path.read_bytes())


def test_a_broken_header_is_kept_aside_when_the_region_is_written(path: Path) -> None:
    broken = b"\0" * 100 + b"x" + b"\0" * 4000
    path.write_bytes(broken)
    path.with_name("r.-1.0.mca.broken-1").write_bytes(b"an earlier one")
    region = RegionFile(OsFiles(), path)
    assert region.present_bitmap == (1 << 1024) - 1
    with pytest.raises(ColumnUnreadable, match=r"r\.-1\.0\.mca has a broken header") as caught:
        region.read_raw(3)
    assert caught.value.raw == broken
    region.write({3: CHUNK})
    assert region.read_raw(3) == CHUNK
    assert region.present_bitmap == 1 << 3
    assert path.with_name("r.-1.0.mca.broken-1").read_bytes() == b"an earlier one"
    assert path.with_name("r.-1.0.mca.broken-2").read_bytes() == broken


def test_a_file_whose_last_chunk_is_not_padded(path: Path) -> None:
    damaged(path, cut(5 * SECTOR + len(stored(CHUNK))))
    region = RegionFile(OsFiles(), path)
    assert region.read_raw(BAD) == CHUNK
    region.write({99: raw(9 * SECTOR, 6)})
    assert region.read_raw(BAD) == CHUNK
    assert_sound(path.read_bytes())
