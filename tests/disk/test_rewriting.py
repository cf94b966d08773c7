"""Sections that are written again: in the place of the old ones as long as nobody else has those."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bbd.blocks import fresh
from bbd.disk.column_map import ColumnMap
from bbd.disk.held_column import COUNTS_ALL, HeldColumn, Taken
from bbd.disk.memory import Memory
from bbd.worlds.world import DATA_SECTIONS

SIZE = 4096
OLD, NEW = bytes([1]) * SIZE, memoryview(bytes([2]) * SIZE)


def column_in_one_piece() -> HeldColumn:
    column = HeldColumn()
    piece = fresh(DATA_SECTIONS * SIZE)
    piece[:] = OLD * DATA_SECTIONS
    column.put_whole(piece, own=True)
    return column


def is_in_place(column: HeldColumn, index: int) -> bool:
    """Write a section; whether it went where the old one was. Either way it must be read as written."""
    column.write(index, NEW)
    assert column.section(index) == NEW
    return bool(column.framed >> index & 1)


@pytest.mark.skipif(not COUNTS_ALL, reason="this interpreter does not tell who else has a section")
def test_a_section_that_nobody_else_has_is_written_to_in_its_place() -> None:
    column = column_in_one_piece()
    assert is_in_place(column, 0)
    assert is_in_place(column, 15), "what was read and let go of is nobody's"
    assert bytes(column.run(0, DATA_SECTIONS) or b"") == bytes(NEW) + 14 * OLD + bytes(NEW)
    frame = id(column.frame)
    column.write_whole(memoryview(bytes(DATA_SECTIONS * SIZE)))
    assert id(column.frame) == frame
    assert bytes(column.run(0, DATA_SECTIONS) or b"") == bytes(DATA_SECTIONS * SIZE)


HOLDERS: dict[str, Callable[[HeldColumn], object]] = {
    "a section": lambda column: column.section(3),
    "a run": lambda column: column.run(2, 5),
    "all of it": lambda column: column.run(0, DATA_SECTIONS),
    "a slice of a slice": lambda column: memoryview(column.section(3) or b"")[5:9],
    "what was taken": lambda column: column.take(1 << 3),
    "a section of what was taken": lambda column: column.take(1 << 3).section(3),
    "all of what was taken": lambda column: column.take(0xFFFF).whole,
    "sections of what was taken": lambda column: column.take(0xFFFF).sections(),
    "the taken section alone": lambda column: column.take(1 << 3).sections()[3],
}


def content(held: object) -> bytes:
    if isinstance(held, Taken):
        held = held.sections()
    if isinstance(held, dict):
        return b"".join(held.values())
    assert isinstance(held, memoryview)
    return bytes(held)


def write_third(column: HeldColumn) -> None:
    column.write(3, NEW)


def write_whole(column: HeldColumn) -> None:
    column.write_whole(memoryview(bytes(NEW) * DATA_SECTIONS))


@pytest.mark.parametrize("write", [write_third, write_whole])
@pytest.mark.parametrize("take", HOLDERS.values(), ids=HOLDERS)
def test_what_others_have_never_changes(
    take: Callable[[HeldColumn], object], write: Callable[[HeldColumn], None]
) -> None:
    column = column_in_one_piece()
    held = take(column)
    before = content(held)
    write(column)
    write(column)
    assert content(held) == before
    assert set(before) == set(OLD)
    assert column.section(3) == NEW
    del held
    assert is_in_place(column, 4) == COUNTS_ALL, "others have let go"


@pytest.mark.parametrize("own", [False, True])
def test_a_part_of_something_larger_never_changes(*, own: bool) -> None:
    two = fresh(2 * DATA_SECTIONS * SIZE)
    two[:] = 2 * DATA_SECTIONS * OLD
    column = HeldColumn()
    column.put_whole(two[: DATA_SECTIONS * SIZE], own=own)
    assert not is_in_place(column, 3)
    assert bytes(two[3 * SIZE : 4 * SIZE]) == OLD


def memory_with_a_clean_column(*, limit: int = 1 << 20) -> Memory:
    memory = Memory(SIZE, limit, ColumnMap())
    memory.put_run(0, memoryview(OLD * DATA_SECTIONS))
    memory.backlog.take()
    snapshot = memory.snapshots.take()
    memory.snapshots.settle(snapshot.columns, ())
    memory.snapshots.end()
    assert not memory.dirty_sections
    return memory


def test_a_clean_section_of_a_dirty_column_is_taken_with_little_ado() -> None:
    memory = memory_with_a_clean_column()
    assert not memory.put_again(0, NEW), "nobody knows yet that the column is dirty"
    memory.write(0, NEW)
    assert memory.put_again(1, NEW)
    assert memory.put_again(1, NEW)
    assert (memory.dirty_sections, memory.backlog.sections) == (2, 2)
    assert memory.dirty_of(0) == 0b11
    assert [bytes(memory.lookup(section) or b"") for section in range(3)] == [bytes(NEW), bytes(NEW), OLD]
    memory.backlog.take()
    assert memory.put_again(1, NEW)
    assert memory.backlog.sections == 1, "the journal has the one before"


def test_a_section_that_makes_many_dirty_ones_is_left_to_who_begins_checkpoints() -> None:
    memory = memory_with_a_clean_column(limit=0)  # which has room for four columns
    memory.write(0, NEW)
    for section in range(DATA_SECTIONS, DATA_SECTIONS + memory.many - 1):
        assert not memory.put_again(section, NEW), "it makes more to hold"
        memory.write(section, NEW)
    assert memory.dirty_sections == memory.many
    assert not memory.put_again(1, NEW)
    assert memory.put_again(0, NEW), "it is dirty as it is"
