"""The journal's segments: begun, cut, begun again on the same blocks; and what replay finds in them."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import pytest

from bbd.disk import journal as journal_module
from bbd.disk.journal import Journal, JournalFull
from bbd.disk.journal_records import DataRecord, Record, ZeroRecord, whole_length
from bbd.disk.journal_recovery import recover
from bbd.os_files import OsFiles
from tests.torture.faulty_files import Faults, FaultyFiles

DISK = bytes(range(16))
SECTION = 4096
SEGMENT = 64 << 10


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT_SIZE", SEGMENT)


def opened(folder: Path, *, epoch: int = 1, limit: int = 8 * SEGMENT, faults: Faults | None = None) -> Journal:
    journal = Journal(FaultyFiles(OsFiles(), faults or Faults()), folder, DISK, epoch, limit)
    journal.open()
    return journal


def record(sequence: int) -> DataRecord:
    """Of a section of its own."""
    return DataRecord(sequence, sequence // 16, {sequence % 16: os.urandom(SECTION)})


def found(folder: Path) -> list[Record]:
    return recover(OsFiles(), folder, DISK, SECTION).records


def names(folder: Path, suffix: str) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == suffix)


def fill(journal: Journal, first: int) -> None:
    """Append, spares and all, until the journal is full."""
    for number in range(first, first + 1000):
        journal.append([record(number)])
        if journal.wants_spare:
            journal.prepare_spare()


def test_a_cut_segment_comes_back_without_what_it_held(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    old = [record(number) for number in range(1, 11)]
    journal.append(old)
    (first,) = names(tmp_path, ".journal")
    blocks = (tmp_path / first).stat().st_ino
    journal.cut(journal.rotate())
    assert len(names(tmp_path, ".spare")) == 1
    journal.append([record(20)])
    journal.rotate()
    assert not names(tmp_path, ".spare")
    assert (tmp_path / names(tmp_path, ".journal")[-1]).stat().st_ino == blocks
    # Of the same length as the old one, so that the old second one begins where the new one ends.
    fresh = record(21)
    journal.append([fresh])
    assert [one.sequence for one in found(tmp_path)] == [20, 21]
    assert found(tmp_path)[-1] == fresh
    journal.close()


def test_a_spare_is_written_while_others_append(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    assert not journal.wants_spare
    for number in range(1, 10):
        journal.append([record(number)])
    assert journal.wants_spare
    journal.prepare_spare()
    assert not journal.wants_spare
    (spare,) = names(tmp_path, ".spare")
    assert (tmp_path / spare).read_bytes() == bytes(SEGMENT)
    for number in range(10, 20):
        journal.append([record(number)])
    assert not names(tmp_path, ".spare")
    assert [one.sequence for one in found(tmp_path)] == list(range(1, 20))
    journal.close()


@pytest.fixture
def early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment is left early, if at all, when it has two records."""
    monkeypatch.setattr(journal_module, "EARLY", 10_000)


def slow(folder: Path, faults: Faults | None = None) -> Journal:
    """A journal that has been appended to for a while, in a segment that is less than half full."""
    journal = opened(folder, faults=faults)
    assert not journal.wants_spare
    journal.append([record(1)])
    journal.append([record(2)])
    assert journal.wants_spare
    return journal


@pytest.mark.usefixtures("early")
def test_small_batches_move_to_blocks_that_were_written(tmp_path: Path) -> None:
    journal = slow(tmp_path)
    journal.prepare_spare()
    assert not names(tmp_path, ".spare")
    assert len(names(tmp_path, ".journal")) == 2
    journal.append([record(2000)])
    journal.append([record(2001)])
    assert [one.sequence for one in found(tmp_path)] == [1, 2, 2000, 2001]
    assert not journal.wants_spare, "this one is quick"
    journal.cut(journal.rotate())
    assert not found(tmp_path)
    journal.close(empty=True)


@pytest.mark.usefixtures("early")
def test_moving_that_fails_harms_nothing(tmp_path: Path) -> None:
    for failing in range(40):
        folder = tmp_path / str(failing)
        faults = Faults(error=errno.EIO)
        journal = slow(folder, faults)
        faults.first = faults.calls + failing
        with contextlib.suppress(OSError):
            journal.prepare_spare()
        failed = faults.hit.total()
        faults.end()
        journal.append([record(2000)])
        assert [one.sequence for one in found(folder)] == [1, 2, 2000]
        journal.close()
        if not failed:
            return
    pytest.fail("it never went well")


def test_segments_and_spares_stay_within_the_limit(tmp_path: Path) -> None:
    journal = opened(tmp_path, limit=6 * SEGMENT)
    for turn in range(5):
        with pytest.raises(JournalFull):
            fill(journal, turn * 1000)
        assert len(list(tmp_path.iterdir())) <= 6
        journal.cut(journal.rotate())
        assert len(list(tmp_path.iterdir())) <= 6
    journal.close(empty=True)
    assert not list(tmp_path.iterdir())


def test_a_segment_that_could_not_be_synced_is_not_used_again(tmp_path: Path) -> None:
    faults = Faults(error=errno.EIO)
    journal = opened(tmp_path, faults=faults)
    journal.append([record(1)])
    faults.first, faults.count = faults.calls, None
    with pytest.raises(OSError, match="Input/output"):
        journal.append([record(2)])
    faults.end()
    journal.append([record(2)])
    journal.cut(journal.rotate())
    assert len(names(tmp_path, ".spare")) == 1
    journal.close()


def test_a_cut_that_failed_half_way_goes_on(tmp_path: Path) -> None:
    for failing in range(6):
        folder = tmp_path / str(failing)
        faults = Faults(error=errno.EIO)
        journal = opened(folder, faults=faults)
        for number in range(1, 40):
            journal.append([record(number)])
        mark = journal.rotate()
        faults.first = faults.calls + failing
        with pytest.raises(OSError, match="Input/output"):
            journal.cut(mark)
        sequences = [one.sequence for one in found(folder)]
        assert sequences == list(range(40 - len(sequences), 40))
        journal.cut(mark)
        assert not found(folder)
        journal.append([record(40)])
        assert [one.sequence for one in found(folder)] == [40]
        journal.close()


def test_spares_of_a_crash_are_not_used(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append([record(1)])
    journal.cut(journal.rotate())
    journal.close()
    assert names(tmp_path, ".spare")
    again = opened(tmp_path, epoch=2)
    assert not names(tmp_path, ".spare")
    again.close()


def test_what_a_crash_left_is_written_anew_as_far_as_it_counts(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append([record(number) for number in range(1, 11)])
    journal.cut(journal.rotate())
    journal.rotate()
    kept: list[Record] = [ZeroRecord(20, 5, 7), record(21)]
    journal.append(kept)
    journal.rotate()
    last: list[Record] = [record(22)]
    journal.append(last)
    journal.close()
    assert found(tmp_path) == [*kept, *last]
    again = opened(tmp_path, epoch=2)
    assert found(tmp_path) == [*kept, *last]
    for name in names(tmp_path, ".journal")[:-1]:
        content = (tmp_path / name).read_bytes()
        assert len(content) == whole_length(content)
    again.close()


def test_of_a_section_only_the_newest_bytes_are_kept(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    newest = os.urandom(SECTION)
    journal.append([DataRecord(1, 5, {0: os.urandom(SECTION), 3: newest})])
    journal.append([DataRecord(2, 5, {0: os.urandom(SECTION)}), DataRecord(2, 6, {0: newest})])
    journal.append([ZeroRecord(3, 6, 1), DataRecord(4, 5, {0: newest}), DataRecord(4, 7, {})])
    assert found(tmp_path) == [
        DataRecord(1, 5, {3: newest}),
        DataRecord(2, 6, {0: newest}),
        ZeroRecord(3, 6, 1),
        DataRecord(4, 7, {}),
        DataRecord(4, 5, {0: newest}),
    ]
    journal.close()
