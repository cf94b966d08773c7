"""What the journal's tail writes, in whole blocks and from where columns are, is what replay finds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.blocks import BLOCK, fresh
from bbd.disk import journal_tail
from bbd.disk.column_map import members
from bbd.disk.journal_records import (
    HEADER_SIZE,
    DataRecord,
    Record,
    ScatteredRecords,
    SegmentHeader,
    SupersededRecord,
    WholeColumnRecord,
    ZeroRecord,
    decode,
    whole_length,
)
from bbd.disk.journal_tail import Tail, most_size
from bbd.files import File
from bbd.os_files import OsFiles
from bbd.worlds.world import Payload

SECTION = 512
COLUMN = 16 * SECTION
HEADER = SegmentHeader(bytes(16), bytes(16), 1, 7)


def frame(seed: int, *, shifted: bool) -> memoryview:
    """A column's bytes, at a block in memory or not."""
    room = fresh(COLUMN + BLOCK)
    start = 24 if shifted else 0
    room[start : start + COLUMN] = bytes(seed + index & 255 for index in range(256)) * (COLUMN // 256)
    return room[start : start + COLUMN]


numbers = st.integers(0, 2**40)
sections = st.dictionaries(st.integers(0, 15), st.binary(min_size=SECTION, max_size=SECTION))
data = st.builds(lambda n, found: DataRecord(1, n, dict(sorted(found.items()))), numbers, sections)
wholes = st.builds(lambda n, s, b: WholeColumnRecord(2, n, frame(s, shifted=b)), numbers, numbers, st.booleans())
zeros = st.builds(ZeroRecord, numbers, numbers, st.integers(1, 9))
scattered = st.lists(st.tuples(numbers, sections.map(lambda found: dict(sorted(found.items()))))).map(
    lambda columns: ScatteredRecords(
        3, [(number, sum(1 << index for index in found), list(found.values())) for number, found in columns]
    )
)
superseded = st.builds(SupersededRecord, numbers, numbers)
batches = st.lists(st.lists(st.one_of(data, wholes, scattered, zeros, superseded)), max_size=6)


def as_read(record: Record) -> list[Record]:
    match record:
        case WholeColumnRecord():
            cut: dict[int, Payload] = {i: bytes(record.frame[i * SECTION : (i + 1) * SECTION]) for i in range(16)}
            return [DataRecord(record.sequence, record.column, cut)]
        case ScatteredRecords():
            return [
                DataRecord(record.sequence, number, dict(zip(members(mask), payloads, strict=True)))
                for number, mask, payloads in record.columns
            ]
        case _:
            return [record]


def all_as_read(records: Sequence[Record]) -> list[Record]:
    return [found for record in records for found in as_read(record)]


@contextmanager
def segment(size: int = 1 << 20) -> Iterator[tuple[Path, File]]:
    """A segment's file, full of what may have been there before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segment"
        path.write_bytes(HEADER.pack() + b"\xff" * size)
        file = OsFiles().open(path, write=True)
        yield path, file
        file.close()


@settings(deadline=None)  # it syncs, which takes as long as the disk wants
@given(batches)
def test_every_batch_is_found_when_it_is_safe(groups: Sequence[Sequence[Record]]) -> None:
    tail = Tail()
    with segment() as (path, file):
        tail.begin(file, HEADER_SIZE, HEADER.salt)
        expected: list[Record] = []
        for group in groups:
            before = tail.position
            for record in group:
                tail.put(record, most_size(record))
            tail.make_safe()
            assert tail.position - before <= sum(map(most_size, group))
            expected += all_as_read(group)
            content = path.read_bytes()
            assert list(decode(content, SECTION)) == expected
            assert whole_length(content) == tail.position


@pytest.mark.parametrize("shifted", [False, True])
def test_more_than_is_put_together_at_once(monkeypatch: pytest.MonkeyPatch, *, shifted: bool) -> None:
    monkeypatch.setattr(journal_tail, "CAPACITY", 5 * BLOCK)
    monkeypatch.setattr(journal_tail, "AT_ONCE", 3 * BLOCK)
    records: list[Record] = [DataRecord(1, 5, {3: bytes(SECTION)}), ZeroRecord(1, 0, 1)]
    records += [WholeColumnRecord(2, column, frame(column, shifted=shifted)) for column in range(20)]
    tail = Tail()
    with segment() as (path, file):
        tail.begin(file, HEADER_SIZE, HEADER.salt)
        for record in records:
            tail.put(record, most_size(record))
        tail.make_safe()
        assert list(decode(path.read_bytes(), SECTION)) == all_as_read(records)


def test_a_column_on_a_block_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[memoryview] = []
    column, other = frame(1, shifted=False), frame(2, shifted=True)
    tail = Tail()
    with segment() as (_, file):
        monkeypatch.setattr(file, "pwrite_safely", lambda parts, offset: written.extend(parts))
        tail.begin(file, HEADER_SIZE, HEADER.salt)
        tail.put(WholeColumnRecord(1, 1, other), 3 * BLOCK)
        tail.put(WholeColumnRecord(1, 2, column), 3 * BLOCK)
        tail.make_safe()
    assert any(part is column for part in written)
    assert not any(part is other for part in written)
    assert all(len(part) % BLOCK == 0 for part in written)
