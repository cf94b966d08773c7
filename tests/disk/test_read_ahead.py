"""Who reads in order is kept ahead of; who doesn't costs nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.disk.read_ahead import MOST_WINDOW, ReadAhead

COLUMN = 65536
COLUMNS = 2048
AT_ONCE = 8
SIZES = st.sampled_from([512, 4096, 65536, 131072, 1 << 20])


@dataclass
class Reader:
    """Plays a disk: what was handed out is loaded at once; ``waited`` are the columns that nobody had loaded."""

    ahead: ReadAhead
    memory: set[int] = field(default_factory=set)
    marks: set[int] = field(default_factory=set)
    handed: list[int] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)

    def read(self, offset: int, length: int) -> None:
        touched = set(range(offset // COLUMN, (offset + length - 1) // COLUMN + 1))
        if touched <= self.memory:
            return
        sequential = self.ahead.asked(offset, length)
        self.waited += touched - self.memory - self.marks
        self.memory |= touched if sequential or length >= COLUMN else set()
        self.marks |= touched
        while taken := self.ahead.take(AT_ONCE):
            assert 0 <= taken.start < taken.stop <= COLUMNS
            assert len(taken) <= AT_ONCE
            self.handed += taken
            self.marks.add(taken[0])
            self.memory.update(taken[1:])


def in_order(start: int, size: int, count: int, disorder: int, seed: int) -> list[tuple[int, int]]:
    """Requests that follow one another; each group of ``disorder`` is shuffled."""
    random = Random(seed)
    requests = [(start + at * size, size) for at in range(count)]
    groups = [requests[at : at + disorder] for at in range(0, count, disorder)]
    return [request for group in groups for request in random.sample(group, len(group))]


@settings(deadline=None)
@given(SIZES, st.integers(1, 6), st.integers(1, 6), st.integers(0, 9))
def test_sequential_readers_wait_for_their_first_columns_only(
    size: int, readers: int, disorder: int, seed: int
) -> None:
    reader = Reader(ReadAhead(COLUMN, COLUMNS, 512))
    step = COLUMNS // 6 * COLUMN
    length = step - (MOST_WINDOW + 16) * COLUMN
    plans = [in_order(at * step, size, length // size, disorder, seed + at) for at in range(readers)]
    for together in zip(*plans, strict=True):
        for request in together:
            reader.read(*request)
    started = readers * 4 * disorder * max(size // COLUMN, 1)
    assert len(reader.waited) <= started
    once = set(reader.handed)
    assert len(reader.handed) - len(once) <= started, "until a reader's order is known, it may look like two"
    assert len(once) >= readers * length // COLUMN - started


@given(st.lists(st.tuples(st.integers(0, COLUMNS * 16 - 1), SIZES), max_size=60), st.integers(0, 64))
def test_no_more_is_handed_out_than_there_is_room_for(requests: list[tuple[int, int]], most: int) -> None:
    ahead = ReadAhead(COLUMN, COLUMNS, most)
    for place, size in requests:
        offset = min(place * 4096, COLUMNS * COLUMN - size)
        ahead.asked(offset, size)
        taken = list(iter(lambda: ahead.take(AT_ONCE), range(0)))
        assert sum(map(len, taken)) <= most
        assert all(0 <= part.start < part.stop <= COLUMNS for part in taken)


@given(st.permutations(range(40)), SIZES)
def test_random_readers_make_it_read_nothing(places: list[int], size: int) -> None:
    ahead = ReadAhead(COLUMN, COLUMNS * 16, 512)
    for place in places:
        assert not ahead.asked(place * 700 * COLUMN + place * 4096, size)
        assert not ahead.take(AT_ONCE)


@pytest.mark.parametrize("size", [4096, 65536, 1 << 20])
def test_it_stops_at_once_when_the_reader_leaves(size: int) -> None:
    ahead = ReadAhead(COLUMN, COLUMNS, 512)
    for offset in range(0, 64 * COLUMN, size):
        ahead.asked(offset, size)
    assert ahead.take(AT_ONCE)
    ahead.asked(1500 * COLUMN, size)
    assert not ahead.take(AT_ONCE)
    ahead.asked(64 * COLUMN, size)
    assert ahead.take(AT_ONCE), "who goes on is believed at once"


def test_the_window_grows_with_success_and_not_beyond_its_bound() -> None:
    ahead = ReadAhead(COLUMN, COLUMNS, 4096)
    handed, leads = 0, []
    for offset in range(0, 1024 * COLUMN, COLUMN):
        ahead.asked(offset, COLUMN)
        while taken := ahead.take(AT_ONCE):
            handed = taken.stop
        leads.append(handed - offset // COLUMN - 1)
    assert leads[:2] == [-1, -2]
    assert 0 < leads[2] <= 2
    assert max(leads[:16]) <= 16
    assert max(leads) == MOST_WINDOW


def test_who_reads_the_same_place_again_and_again_is_no_sequential_reader() -> None:
    ahead = ReadAhead(COLUMN, COLUMNS, 512)
    assert not any(ahead.asked(4096, 4096) for _ in range(20))


def test_a_stream_that_nobody_goes_on_with_is_forgotten() -> None:
    ahead = ReadAhead(COLUMN, COLUMNS * 100, 512)
    for offset in range(0, 32 * COLUMN, COLUMN):
        ahead.asked(offset, COLUMN)
    for place in range(100):
        ahead.asked((1000 + 37 * place) * COLUMN, 4096)
    assert not ahead.asked(32 * COLUMN, COLUMN)
