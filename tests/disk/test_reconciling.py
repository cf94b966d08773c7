"""Others' changes in the world and those of clients go into one; what the world may have is known as long as that
matters."""

from __future__ import annotations

from bbd.disk.column_map import ColumnMap
from bbd.disk.memory import Memory
from bbd.worlds.world import DATA_SECTIONS

SIZE = 4096
OLD = b"\1" * SIZE
NEW = OLD[1:] + b"\2"
THEIRS = b"\3" + OLD[1:]
"""What others made of ``OLD``."""


def test_what_stood_is_known_until_the_section_is_dirty_no_more() -> None:
    memory = memory_of_a_shared_world()
    memory.write(0, memoryview(NEW))
    memory.write(1, memoryview(NEW))
    assert memory.reconciling.standing(0, 0b111) == {0: (OLD,), 1: (OLD,)}
    settle(memory)
    assert memory.reconciling.standing(0, 0b111) == {}
    memory.write(0, memoryview(NEW))
    memory.clear(0, 1)
    assert memory.reconciling.standing(0, 0b111) == {}


def test_what_was_sent_stands_where_it_was_written_again_meanwhile() -> None:
    memory = memory_of_a_shared_world()
    memory.write(0, memoryview(NEW))
    snapshot = memory.snapshots.take()
    memory.write(0, memoryview(OLD))
    memory.snapshots.settle(snapshot.columns, ())
    memory.snapshots.end()
    assert memory.reconciling.standing(0, 0b1) == {0: (NEW,)}


def test_what_was_sent_may_stand_where_nobody_knows() -> None:
    memory = memory_of_a_shared_world()
    memory.write(0, memoryview(NEW))
    memory.reconciling.doubt(0, memory.snapshots.take().columns[0])
    memory.snapshots.end()
    assert memory.reconciling.standing(0, 0b1) == {0: (OLD, NEW)}


def test_what_was_written_goes_on_top_of_what_others_changed() -> None:
    memory = memory_of_a_shared_world()
    memory.write(0, memoryview(NEW))
    memory.reconciling.revise(0, 0, THEIRS)
    assert memory.lookup(0) == THEIRS[:1] + NEW[1:]
    assert memory.dirty_of(0) == 0b1
    assert memory.reconciling.standing(0, 0b1) == {0: (THEIRS,)}


def test_what_went_into_the_world_with_others_changes_is_held() -> None:
    memory = memory_of_a_shared_world()
    memory.write(0, memoryview(NEW))
    snapshot = memory.snapshots.take()
    sent = snapshot.columns[0]
    memory.reconciling.adopt(0, 0, sent, THEIRS)
    memory.snapshots.settle(snapshot.columns, ())
    memory.snapshots.end()
    assert memory.lookup(0) == THEIRS
    assert memory.dirty_of(0) == 0, "it is what was sent"


def test_what_others_changed_is_forgotten_unless_it_is_dirty() -> None:
    memory = memory_of_a_shared_world()
    assert not memory.reconciling.forget([0, 1])
    assert memory.lookup(0) is None
    memory.write(1, memoryview(NEW))
    assert memory.reconciling.forget(None)
    assert memory.lookup(1) == NEW


def memory_of_a_shared_world() -> Memory:
    """Its first column is in the world, and clean."""
    memory = Memory(SIZE, 1 << 20, ColumnMap())
    memory.reconciling.begin()
    memory.put_run(0, memoryview(OLD * DATA_SECTIONS))
    settle(memory)
    return memory


def settle(memory: Memory) -> None:
    """Bring all of it into the world."""
    snapshot = memory.snapshots.take()
    memory.snapshots.settle(snapshot.columns, ())
    memory.snapshots.end()
