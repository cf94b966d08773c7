"""Several writes of one region file on their way at once: their sectors, their syncs, their failures."""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bbd.os_files import OsFiles
from bbd.worlds.anvil.region import Piece, RegionFile
from tests.worlds.memory_files import MemoryFiles
from tests.worlds.region_model import PATH, assert_sound, chunks, raw

BEFORE = {0: raw(3000, 0)}


def region_with_a_chunk() -> tuple[MemoryFiles, RegionFile]:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write(BEFORE)
    return files, region


def content(files: MemoryFiles) -> bytes:
    return bytes(files.names[PATH].content)


def test_a_write_within_another_takes_other_sectors() -> None:
    files, region = region_with_a_chunk()

    def pieces() -> Iterator[Piece]:
        yield {1: raw(3000, 1), 0: None}
        region.write({2: raw(5000, 2)})
        assert chunks(content(files)) == {**BEFORE, 2: raw(5000, 2)}
        yield {3: raw(3000, 3)}

    region.write_pieces(pieces())
    assert chunks(content(files)) == {1: raw(3000, 1), 2: raw(5000, 2), 3: raw(3000, 3)}
    assert_sound(content(files))
    assert content(files) == files.names[PATH].safe


@pytest.mark.parametrize("call", [1, 3], ids=["chunks", "header"])
def test_a_failed_sync_fails_every_write_that_it_may_have_covered(call: int) -> None:
    files, region = region_with_a_chunk()

    def pieces() -> Iterator[Piece]:
        yield {1: raw(3000, 1)}
        files.failures = {files.calls + call: errno.ENOSPC}
        with pytest.raises(OSError, match="told to fail"):
            region.write({2: raw(3000, 2)})
        yield {3: raw(3000, 3)}

    with pytest.raises(OSError, match="told to fail") as raised:
        region.write_pieces(pieces())
    assert raised.value.errno == errno.ENOSPC
    assert region.present_bitmap == 1
    for seed in range(20):
        found = chunks(content(files.after_power_cut(random.Random(seed))))
        assert {index: chunk for index, chunk in found.items() if index != 2} == BEFORE
    region.write({1: raw(3000, 4)})
    assert chunks(content(files)) == {**BEFORE, 1: raw(3000, 4)}
    assert content(files) == files.names[PATH].safe


def test_an_error_while_the_pieces_are_made_leaves_all_as_it_was() -> None:
    files, region = region_with_a_chunk()

    def pieces() -> Iterator[Piece]:
        yield {0: None, 1: raw(3000, 1)}
        raise OSError(errno.EIO, "no more")

    for _ in range(20):
        with pytest.raises(OSError, match="no more"):
            region.write_pieces(pieces())
        assert chunks(content(files)) == BEFORE
    region.write({1: raw(3000, 2)})
    assert chunks(content(files)) == {**BEFORE, 1: raw(3000, 2)}
    assert len(content(files)) <= 8 * 4096


def test_writes_from_threads(tmp_path: Path) -> None:
    path = tmp_path / "r.0.0.mca"
    region = RegionFile(OsFiles(), path)
    failed: list[OSError] = []

    def write(first: int) -> None:
        try:
            for seed in range(20):
                region.write_pieces([{first + at: raw(3000 * at + 10, seed)} for at in range(4)])
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=[first]) for first in range(0, 16, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    region.close()
    assert failed == []
    assert_sound(path.read_bytes())
    assert chunks(path.read_bytes()) == {
        first + at: raw(3000 * at + 10, 19) for first in range(0, 16, 4) for at in range(4)
    }
