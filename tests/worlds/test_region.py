"""Region files under random writes, against a model; threads; free space; timestamps."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.os_files import OsFiles
from bbd.worlds.anvil.compression import RawChunk
from bbd.worlds.anvil.region import RegionFile
from tests.worlds.memory_files import MemoryFiles
from tests.worlds.region_model import PATH, SECTOR, assert_sound, chunks, locations, raw, timestamps

# A few indices, so that writes hit the same chunks again; sizes around whole sectors (5 bytes are the chunk's prefix).
INDICES = st.sampled_from([0, 1, 2, 31, 32, 500, 1023])
SIZES = st.one_of(st.integers(1, 3 * SECTOR), st.sampled_from([SECTOR - 6, SECTOR - 5, SECTOR - 4, 255 * SECTOR - 5]))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.dictionaries(INDICES, SIZES, min_size=1, max_size=5), st.sets(INDICES)),
        st.tuples(st.just("reopen"), st.just({}), st.just(set())),
    ),
    max_size=14,
)


@settings(deadline=None, max_examples=150)
@given(STEPS)
def test_random_writes_against_a_model(steps: list[tuple[str, dict[int, int], set[int]]]) -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    model: dict[int, RawChunk] = {}
    for seed, (step, sizes, removals) in enumerate(steps):
        if step == "reopen":
            region.close()
            region = RegionFile(files, PATH)
        else:
            before = _content(files)
            batch = {index: raw(size, seed) for index, size in sizes.items()}
            region.write(batch, removals)
            _assert_others_untouched(before, _content(files), {*sizes, *removals})
            model = {index: chunk for index, chunk in model.items() if index not in removals} | batch
            assert_sound(_content(files))
            assert chunks(_content(files)) == model
        assert region.present_bitmap == sum(1 << index for index in model)
        assert {index: region.read_raw(index) for index in model} == model
        assert region.read_raw(7) is None


def _content(files: MemoryFiles) -> bytes:
    return bytes(files.names[PATH].content) if PATH in files.names else bytes(2 * SECTOR)


def _assert_others_untouched(before: bytes, after: bytes, written: set[int]) -> None:
    for index, (sector, count) in locations(before).items():
        if index not in written:
            assert locations(after)[index] == (sector, count)
            area = slice(sector * SECTOR, (sector + count) * SECTOR)
            assert after[area] == before[area]
            assert timestamps(after)[index] == timestamps(before)[index]


def test_a_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "r.0.0.mca"
    region = RegionFile(OsFiles(), path)
    for seed in range(40):
        region.write({index: raw(26 * SECTOR - 100 + seed, seed * 64 + index) for index in range(16)})
    region.close()
    # Two generations of 16 chunks with 26 or 27 sectors each, whatever the number of rewrites.
    assert path.stat().st_size <= (2 + 2 * 16 * 27) * SECTOR
    assert_sound(path.read_bytes())


def test_freed_space_is_reused_lowest_first() -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({index: raw(SECTOR, index) for index in range(4)})
    region.write({}, [0, 2])
    region.write({9: raw(100, 9)})
    region.write({10: raw(SECTOR, 10)})
    found = locations(_content(files))
    assert found[9] == (2, 1)
    assert found[10] == (6, 2)


def test_timestamps_are_of_now() -> None:
    files = MemoryFiles()
    before = int(time.time())
    RegionFile(files, PATH).write({5: raw(10, 1)})
    stamps = timestamps(_content(files))
    assert stamps.keys() == {5}
    assert before <= stamps[5] <= time.time()


def test_removing_what_is_not_there_makes_no_file() -> None:
    files = MemoryFiles()
    RegionFile(files, PATH).write({}, [1, 2, 3])
    assert PATH not in files.names


def test_a_region_opened_for_reading_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "r.0.0.mca"
    RegionFile(OsFiles(), path).write({0: raw(10, 0)})
    path.chmod(0o444)
    region = RegionFile(OsFiles(), path, writable=False)
    assert region.read_raw(0) == raw(10, 0)
    with pytest.raises(OSError, match="for reading only"):
        region.write({0: raw(10, 1)})
    region.close()


def test_a_read_whose_sectors_are_freed_and_written_over_meanwhile() -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({0: raw(3000, 0), 1: raw(3000, 1)})

    def move_it_and_use_its_place() -> None:
        files.before_read = lambda: None
        region.write({0: raw(3000, 2)})
        region.write({5: raw(3000, 3)})
        assert locations(_content(files))[5] == (2, 1)

    files.before_read = move_it_and_use_its_place
    assert region.read_raw(0) == raw(3000, 2)


def test_reads_from_threads_while_a_batch_is_written(tmp_path: Path) -> None:
    region = RegionFile(OsFiles(), tmp_path / "r.0.0.mca")
    indices = range(6)
    region.write({index: raw(2 * SECTOR, 0) for index in indices})
    written = [raw(2 * SECTOR, seed) for seed in range(200)]
    done = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        known = set(written)
        try:
            while not done.is_set():
                wrong.extend(chunk for index in indices if (chunk := region.read_raw(index)) not in known)
        except OSError as error:
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for chunk in written:
        region.write(dict.fromkeys(indices, chunk))
    done.set()
    for reader in readers:
        reader.join(60)
    region.close()
    assert wrong == []
