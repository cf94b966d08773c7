"""Chunks that are too large for their region file, each in a file of its own (``c.X.Z.mcc``)."""

from __future__ import annotations

import errno
import random
import struct
from pathlib import Path

import pytest

from bbd.worlds.anvil import external as external_module
from bbd.worlds.anvil import region as region_module
from bbd.worlds.anvil.compression import RawChunk, compress, decompress
from bbd.worlds.anvil.region import RegionFile
from bbd.worlds.world import ColumnUnreadable
from tests.worlds.memory_files import MemoryFiles, PowerCut
from tests.worlds.region_model import PATH, SECTOR, assert_sound, locations, raw, region_bytes

LARGE = raw(255 * SECTOR - 4, 1)
INDEX = 3 + 32 * 5
MCC = PATH.with_name("c.3.5.mcc")
STUB = struct.pack(">IB", 1, 2 | 0x80)


def content(files: MemoryFiles, path: Path = PATH) -> bytes:
    return bytes(files.names[path].content)


def put(files: MemoryFiles, path: Path, data: bytes) -> None:
    files.open(path, write=True, create=True).pwrite([data], 0)


def test_a_chunk_of_255_sectors_lies_in_the_region_file() -> None:
    files = MemoryFiles()
    chunk = raw(255 * SECTOR - 5, 1)
    RegionFile(files, PATH).write({INDEX: chunk})
    assert list(files.names) == [PATH]
    assert RegionFile(files, PATH).read_chunk(INDEX) == chunk


@pytest.mark.parametrize(
    ("region", "index", "name"),
    [("r.0.0.mca", INDEX, "c.3.5.mcc"), ("r.-1.2.mca", 31, "c.-1.64.mcc"), ("r.-3.-1.mca", 32, "c.-96.-31.mcc")],
)
def test_a_chunk_of_256_sectors_has_a_file_of_its_own(region: str, index: int, name: str) -> None:
    files = MemoryFiles()
    path = PATH.with_name(region)
    RegionFile(files, path).write({index: LARGE, 99: raw(10, 0)})
    assert set(files.names) == {path, path.with_name(name)}
    assert content(files, path.with_name(name)) == LARGE.data
    sector, count = locations(content(files, path))[index]
    assert count == 1
    assert content(files, path)[sector * SECTOR :][: len(STUB)] == STUB
    assert_sound(content(files, path))
    fresh = RegionFile(files, path)
    assert fresh.read_chunk(index) == LARGE
    assert fresh.read_raw(index) == RawChunk(0x82, b"")
    assert fresh.read_chunk(99) == raw(10, 0)


def test_what_another_writer_put_beside_its_region_file() -> None:
    files = MemoryFiles()
    put(files, PATH, bytes(region_bytes({INDEX: (2, struct.pack(">IB", 1, 3 | 0x80))})))
    put(files, MCC, b"any bytes")
    assert RegionFile(files, PATH).read_chunk(INDEX) == RawChunk(3, b"any bytes")


def test_a_stub_without_its_file() -> None:
    files = MemoryFiles()
    put(files, PATH, bytes(region_bytes({INDEX: (2, STUB)})))
    region = RegionFile(files, PATH)
    with pytest.raises(ColumnUnreadable, match=r"c\.3\.5\.mcc, which is not there") as caught:
        region.read_chunk(INDEX)
    assert caught.value.raw == STUB
    region.write({INDEX: raw(10, 7)})
    assert region.read_chunk(INDEX) == raw(10, 7)


def test_a_file_that_would_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_module, "MAX_CHUNK", 100)
    files = MemoryFiles()
    put(files, PATH, bytes(region_bytes({INDEX: (2, STUB)})))
    put(files, MCC, bytes(101))
    with pytest.raises(ColumnUnreadable, match="larger than any chunk"):
        RegionFile(files, PATH).read_chunk(INDEX)


def test_a_chunk_that_is_too_large_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_module, "MAX_CHUNK", len(LARGE.data) - 1)
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({INDEX: raw(10, 0)})
    with pytest.raises(OSError, match="too large for its world") as caught:
        region.write({INDEX: LARGE})
    assert caught.value.errno == errno.EFBIG
    assert region.read_chunk(INDEX) == raw(10, 0)
    assert MCC not in files.names


@pytest.mark.parametrize("write", [{INDEX: raw(10, 2)}, {}], ids=["smaller", "removed"])
def test_the_file_goes_when_nothing_needs_it(write: dict[int, RawChunk]) -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({INDEX: LARGE})
    region.write(write, [INDEX])
    assert MCC not in files.names
    assert region.read_chunk(INDEX) == write.get(INDEX)


def test_a_file_that_can_not_be_removed_means_nothing() -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({INDEX: LARGE})
    calls = MemoryFiles()
    sample = RegionFile(calls, PATH)
    sample.write({INDEX: LARGE})
    before = calls.calls
    sample.write({INDEX: raw(10, 2)})
    files.failures = {files.calls + calls.calls - before - 1: errno.EACCES}
    region.write({INDEX: raw(10, 2)})
    assert MCC in files.names
    assert RegionFile(files, PATH).read_chunk(INDEX) == raw(10, 2)
    region.write({INDEX: raw(255 * SECTOR, 9)})
    assert RegionFile(files, PATH).read_chunk(INDEX) == raw(255 * SECTOR, 9)


def test_a_reader_that_comes_too_late_for_the_old_file() -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({INDEX: LARGE})

    def make_it_small() -> None:
        files.before_read = lambda: None
        region.write({INDEX: raw(10, 2)})

    files.before_read = make_it_small
    assert region.read_chunk(INDEX) == raw(10, 2)


@pytest.mark.parametrize("old", [1, 2, 3, 4])
@pytest.mark.parametrize("new", [2, 3, 4])
def test_a_power_cut_at_every_call_while_the_compression_changes(
    monkeypatch: pytest.MonkeyPatch, old: int, new: int
) -> None:
    monkeypatch.setattr(region_module, "MAX_SECTORS", 1)
    rng = random.Random(0)
    before, after = (rng.randbytes(9000) for _ in range(2))
    whole = written(old, before)
    calls = whole.calls
    RegionFile(whole, PATH).write({INDEX: compress(after, new)})
    assert found(whole) == after
    for cut_at in range(calls, whole.calls):
        files = written(old, before)
        files.cut_at = cut_at
        with pytest.raises(PowerCut):
            RegionFile(files, PATH).write({INDEX: compress(after, new)})
        for number in range(20):
            assert found(files.after_power_cut(random.Random(f"{cut_at} {number}"))) in (before, after)


def written(compression: int, data: bytes) -> MemoryFiles:
    files = MemoryFiles()
    RegionFile(files, PATH).write({INDEX: compress(data, compression)})
    assert MCC in files.names
    return files


def found(files: MemoryFiles) -> bytes:
    chunk = RegionFile(files, PATH).read_chunk(INDEX)
    assert chunk is not None
    return decompress(chunk)
