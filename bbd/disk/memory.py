"""What a disk holds in memory: cached sections, dirty sections, and which columns are zeros.

Pure bookkeeping on one thread: no I/O, no waiting. A section's bytes are, in this order: what memory holds; zeros where
the column is not allocated or was cleared; what the world has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from bbd.disk.backlog import Backlog
from bbd.disk.column_map import ColumnMap, common, members
from bbd.disk.held_column import WHOLE_COLUMN
from bbd.disk.holdings import Holdings
from bbd.disk.reconciling import Reconciling
from bbd.disk.snapshots import Snapshots
from bbd.disk.world_columns import WorldColumns
from bbd.disk.zeros import zero_section
from bbd.worlds.world import DATA_SECTIONS, Payload

SECTION_OVERHEAD: Final = 200
"""Bytes that Python spends on a cached section beside its payload: object header, its share of the column's."""
_COLUMN_SHIFT: Final = 4
_IN_COLUMN: Final = DATA_SECTIONS - 1


class Memory:
    """The state of one disk, for reads and writes. Sections are numbered through the disk: ``16 * column + index``.

    ``limit`` bounds the bytes of cached and dirty sections together; dirty ones are never dropped. ``world`` says what
    the world has at all, ``backlog`` what the journal lacks, ``snapshots`` what the world lacks; ``reconciling`` is for
    a world that others change.
    """

    def __init__(self, section_size: int, limit: int, allocated: ColumnMap) -> None:
        self.zero: Final = zero_section(section_size)
        self.world: Final = WorldColumns(allocated)
        self.writes = 0
        self._held = Holdings(max(limit // (section_size + SECTION_OVERHEAD), 4 * DATA_SECTIONS))
        self.backlog: Final = Backlog(self._held)
        self.snapshots: Final = Snapshots(self._held, self.world)
        self.reconciling: Final = Reconciling(self._held)
        self._columns = self._held.columns

    @property
    def capacity(self) -> int:
        """Sections that may be in memory."""
        return self._held.capacity

    @property
    def dirty_sections(self) -> int:
        """Sections that the world lacks."""
        return self._held.dirty_sections

    @property
    def many(self) -> int:
        """So many dirty sections are a reason for a checkpoint."""
        return self._held.many

    @property
    def has_work(self) -> bool:
        """Whether the world lacks anything, or the journal zeros."""
        return self.snapshots.has_work or bool(self.backlog.zero_ranges)

    # -- reading --------------------------------------------------------------------------------------------------

    def lookup(self, section: int) -> Payload | None:
        """A section's bytes, or ``None`` where the world must be asked."""
        number = section >> _COLUMN_SHIFT
        column = self._columns.get(number)
        if column is not None:
            payload = column.section(section & _IN_COLUMN)
            if payload is not None:
                if self._held.crowded:
                    self._held.used(number, column)
                return payload
        return self.zero if self.world.reads_zero(number) else None

    def lookup_many(self, sections: Iterable[int]) -> list[Sequence[Payload]]:
        """The same for many, up to the first where the world must be asked."""
        columns, crowded = self._columns, self._held.crowded
        found: list[Sequence[Payload]] = []
        for section in sections:
            column = columns.get(section >> _COLUMN_SHIFT)
            payload = None if column is None or crowded else column.section(section & _IN_COLUMN)
            if payload is None and (payload := self.lookup(section)) is None:
                break
            found.append((payload,))
        return found

    def lookup_run(self, sections: range) -> list[Payload] | None:
        """The same for many sections at once, in pieces of one or more sections: all of their bytes or ``None``."""
        found: list[Payload] = []
        for span in spans(sections):
            piece = self.piece(span)
            if piece is not None:
                found.append(piece)
            else:
                for section in span:
                    payload = self.lookup(section)
                    if payload is None:
                        return None
                    found.append(payload)
        return found

    def piece(self, sections: range) -> memoryview | None:
        """Sections of one column, where they are in memory in one piece."""
        number = sections.start >> _COLUMN_SHIFT
        column = self._columns.get(number)
        if column is None:
            return None
        first = sections.start & _IN_COLUMN
        if self._held.crowded:
            self._held.used(number, column)
        return column.run(first, first + len(sections))

    def peek(self, sections: range) -> list[Payload | None]:
        """The same for sections of one column, one by one, which don't count as used by that."""
        number = sections.start >> _COLUMN_SHIFT
        rest = self.zero if self.world.reads_zero(number) else None
        column = self._columns.get(number)
        if column is None:
            return [rest] * len(sections)
        found = [column.section(section & _IN_COLUMN) for section in sections]
        return [rest if payload is None else payload for payload in found]

    def holding(self) -> ColumnMap:
        """The columns that may hold something else than zeros."""
        found = self.world.holding()
        for column in self._held.dirty:
            found.add(column)
        return found

    def dirty_of(self, column: int) -> int:
        """Which sections of a column are dirty, as bits."""
        held = self._columns.get(column)
        return held.dirty if held else 0

    def lacks(self, column: int) -> bool:
        """Whether the world must be asked for any section of a column."""
        held = self._columns.get(column)
        return not self.world.reads_zero(column) and (held is None or held.held != WHOLE_COLUMN)

    # -- writing --------------------------------------------------------------------------------------------------

    def put_again(self, section: int, data: memoryview) -> bool:
        """A client writes a whole section: take it where there is next to nothing to note. Its column is dirty already,
        so that all know of it who care, and what is held grows no larger by it."""
        number, held = section >> _COLUMN_SHIFT, self._held
        column = self._columns.get(number)
        if column is None or not column.dirty:
            return False
        index = section & _IN_COLUMN
        bit = 1 << index
        if not column.dirty & bit:
            if not column.clean & bit or held.standing is not None or held.dirty_sections >= held.many:
                return False
            held.note_written(number, column, bit)
        elif not column.unjournaled & bit:
            held.note_unjournaled(number, column, bit)
        column.write(index, data)
        self.writes += 1
        return True

    def put_many_again(self, sections: Iterable[int], payloads: Iterable[memoryview]) -> int:
        """The same with many, up to the first of which more must be noted: how many were taken."""
        columns, count = self._columns, 0
        for section, data in zip(sections, payloads, strict=True):
            column = columns.get(section >> _COLUMN_SHIFT)
            index = section & _IN_COLUMN
            if column is not None and (column.dirty & column.unjournaled) >> index & 1:
                column.write(index, data)
            elif not self.put_again(section, data):
                break
            count += 1
        self.writes += 1
        return count

    def put_run_again(self, first: int, data: memoryview) -> bool:
        """The same with whole sections that are dirty already, of one column."""
        number, index = first >> _COLUMN_SHIFT, first & _IN_COLUMN
        size = len(self.zero)
        mask = (1 << len(data) // size) - 1 << index
        column = self._columns.get(number)
        if column is None or column.dirty & mask != mask:
            return False
        if mask & ~column.unjournaled:
            self._held.note_unjournaled(number, column, mask)
        column.write_run(index, data, size)
        self.writes += 1
        return True

    def write(self, section: int, data: memoryview) -> None:
        """A client writes a whole section."""
        number, index = section >> _COLUMN_SHIFT, section & _IN_COLUMN
        column = self._held.column(number)
        self._held.note_written(number, column, 1 << index)
        column.write(index, data)

    def put_run(self, first: int, data: memoryview, *, owned: bool = False) -> None:
        """A client wrote whole sections, the first of which is ``first``. ``owned``: nobody else
        will change ``data``, or have any of the object that it is a view of for long."""
        size, position = len(self.zero), 0
        for span in spans(range(first, first + len(data) // size)):
            number, index = span.start >> _COLUMN_SHIFT, span.start & _IN_COLUMN
            column = self._held.column(number)
            mask = (1 << len(span)) - 1 << index
            if mask & ~column.unjournaled:
                self._held.note_written(number, column, mask)
            piece = data[position : position + len(span) * size]
            position += len(piece)
            if len(span) < DATA_SECTIONS:
                column.write_run(index, piece, size)
            elif owned:
                column.put_whole(piece, own=True)
            else:
                column.write_whole(piece)

    def keep(self, column: int, payloads: Sequence[Payload | None], wanted: int) -> None:
        """Cache what the world has of a column: the sections whose bits are set in ``wanted``, where they are known and
        memory doesn't know better."""
        if self.world.reads_zero(column):
            return
        held, known = self._held.column(column), 0
        whole = wanted == WHOLE_COLUMN
        for index in members(wanted & ~held.dirty):
            payload = payloads[index]
            if payload is not None:
                # A view would keep all of its column in memory.
                held.put(index, payload if whole or isinstance(payload, bytes) else bytes(payload))
                known |= 1 << index
        self._held.note_clean(column, held, known)
        self._held.forget_empty(column, held)
        self.shrink()

    def keep_whole(self, number: int, frame: memoryview) -> bool:
        """The same for all of a column in one piece, where memory has nothing of it that is newer."""
        if self.world.reads_zero(number):
            return False
        column = self._held.column(number)
        if column.dirty:
            return False
        column.put_whole(frame)
        self._held.note_clean(number, column, WHOLE_COLUMN)
        self.shrink()
        return True

    def shrink(self) -> None:
        """Keep within the limit."""
        self._held.shrink()

    def clear(self, first: int, count: int) -> None:
        """Columns ``first`` … ``first + count - 1`` become zeros."""
        for number in common(range(first, first + count), self._columns):
            column = self._columns[number]
            self._held.drop(number, column, column.held)
        self.world.clear(first, count)
        self.backlog.zero_ranges.append((first, count))

    def restore(self, columns: Mapping[int, Mapping[int, Payload]], cleared: Iterable[int]) -> None:
        """Take over what a journal held: it is dirty, and journaled already."""
        for number in cleared:
            self.world.cleared.add(number)
        for number, sections in columns.items():
            for index, payload in sections.items():
                self._held.put(number, index, payload)
            if sections:
                self._held.note_journaled(number, self._columns[number], WHOLE_COLUMN)


def spans(sections: range) -> Iterator[range]:
    """Sections, column by column."""
    start = sections.start
    while start < sections.stop:
        end = min((start | _IN_COLUMN) + 1, sections.stop)
        yield range(start, end)
        start = end
