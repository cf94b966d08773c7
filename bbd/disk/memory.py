"""What a disk holds in memory: cached sections, dirty sections, and what is known of each column.

Pure bookkeeping on one thread: no I/O, no waiting. Payloads are immutable ``bytes``; a new write puts a new object in
the place of the old one. So a reply that waits to be sent, a journal batch and a checkpoint each keep the bytes that
they saw, without a copy and without a lock.

A section's bytes are, in this order: the dirty one; the cached one; zeros where the column is not allocated or was
cleared; what the world has.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bbd.disk.column_map import ColumnMap, members
from bbd.disk.journal_records import DataRecord, Record, ZeroRecord
from bbd.disk.zeros import zero_section
from bbd.worlds.world import DATA_SECTIONS

SECTION_OVERHEAD: Final = 200
"""Bytes that Python spends on a cached section beside its payload: object header, keys, dictionary slots."""
CLEARED_GROUPS: Final = 64
"""Groups of cleared columns that one checkpoint takes, so that clearing a huge disk needs no huge snapshot."""
_COLUMN_SHIFT: Final = 4
_IN_COLUMN: Final = DATA_SECTIONS - 1


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a checkpoint is to write: by column, the dirty sections; ``cleared`` columns begin from zeros.

    ``whole``: nothing that the world lacked at that moment was left out.
    """

    columns: dict[int, dict[int, bytes]]
    cleared: ColumnMap
    whole: bool


@dataclass(slots=True)
class Batch:
    """What a journal commit is to log."""

    zero_ranges: list[tuple[int, int]] = field(default_factory=list)
    sections: dict[int, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.zero_ranges or self.sections)

    def records(self, sequence: int) -> list[Record]:
        """The batch as records: first the zeros, with ``sequence``, then the data, with ``sequence + 1``."""
        records: list[Record] = [ZeroRecord(sequence, first, count) for first, count in self.zero_ranges]
        columns: dict[int, dict[int, bytes]] = {}
        for section, payload in sorted(self.sections.items()):
            columns.setdefault(section >> _COLUMN_SHIFT, {})[section & _IN_COLUMN] = payload
        records.extend(DataRecord(sequence + 1, column, sections) for column, sections in columns.items())
        return records


class Memory:
    """The state of one disk. Sections are numbered through the disk: ``16 * column + index``.

    ``limit`` bounds the bytes of cached and dirty sections together; dirty ones are never dropped.
    """

    def __init__(self, section_size: int, limit: int, allocated: ColumnMap) -> None:
        self.zero: Final = zero_section(section_size)
        self.dirty: dict[int, bytes] = {}
        self.clean: OrderedDict[int, bytes] = OrderedDict()
        self.allocated = allocated
        self.cleared = ColumnMap()
        self.clearing = ColumnMap()
        self.in_flight = ColumnMap()
        self.refreshing: set[int] = set()
        self.writes = 0
        self._unjournaled: dict[int, None] = {}
        self._zero_ranges: list[tuple[int, int]] = []
        self._dirty_columns: dict[int, int] = {}
        self._unit = section_size + SECTION_OVERHEAD
        self._capacity = max(limit // self._unit, 4 * DATA_SECTIONS)

    @property
    def capacity(self) -> int:
        """Sections that may be in memory."""
        return self._capacity

    def lookup(self, section: int) -> bytes | None:
        """A section's bytes, or ``None`` where the world must be asked."""
        payload = self.dirty.get(section)
        if payload is not None:
            return payload
        payload = self.clean.get(section)
        if payload is not None:
            self.clean.move_to_end(section)
            return payload
        return self.zero if self.reads_zero(section >> _COLUMN_SHIFT) else None

    def reads_zero(self, column: int) -> bool:
        """Whether sections of this column that are not in memory are zeros."""
        return column not in self.allocated or column in self.cleared or column in self.clearing

    def holding(self) -> ColumnMap:
        """The columns that may hold something else than zeros."""
        found = self.allocated.copy()
        found.difference_update(self.cleared)
        found.difference_update(self.clearing)
        for column in self._dirty_columns:
            found.add(column)
        return found

    def put(self, section: int, payload: bytes) -> None:
        """A client wrote a whole section."""
        if payload == self.zero:
            payload = self.zero
        if section not in self.dirty:
            self.clean.pop(section, None)
            column = section >> _COLUMN_SHIFT
            self._dirty_columns[column] = self._dirty_columns.get(column, 0) | 1 << (section & _IN_COLUMN)
        self.dirty[section] = payload
        self._unjournaled[section] = None

    def keep(self, section: int, payload: bytes) -> None:
        """Cache what the world has."""
        if section not in self.dirty:
            self.clean[section] = payload
            self.shrink()

    def shrink(self) -> None:
        """Drop the sections used longest ago until memory is within its limit, or only dirty ones are left."""
        clean = self.clean
        excess = len(clean) + len(self.dirty) - self._capacity
        while excess > 0 and clean:
            clean.popitem(last=False)
            excess -= 1

    def clear(self, first: int, count: int) -> None:
        """Columns ``first`` … ``first + count - 1`` become zeros."""
        for column in self._dirty_within(first, count):
            for index in members(self._dirty_columns.pop(column)):
                section = column << _COLUMN_SHIFT | index
                del self.dirty[section]
                self._unjournaled.pop(section, None)
        self._forget_clean(first, count)
        self.cleared.update(self.allocated.within(first, count))
        self.cleared.update(self.in_flight.within(first, count))
        self._zero_ranges.append((first, count))

    def restore(self, columns: Mapping[int, Mapping[int, bytes]], cleared: Iterable[int]) -> None:
        """Take over what a journal held: it is dirty, and journaled already."""
        for column in cleared:
            self.cleared.add(column)
        for column, sections in columns.items():
            for index, payload in sections.items():
                section = column << _COLUMN_SHIFT | index
                self.put(section, payload)
                self._unjournaled.pop(section)

    def refresh(self, column: int) -> None:
        """Have the next checkpoint write a column anew, as it reads: with what was mended, or edited in the world."""
        if not self.reads_zero(column):
            self.refreshing.add(column)

    # -- journal --------------------------------------------------------------------------------------------------

    @property
    def unjournaled(self) -> int:
        """How many things a flush has to log."""
        return len(self._unjournaled) + len(self._zero_ranges)

    @property
    def unjournaled_sections(self) -> int:
        """How many sections a flush has to log."""
        return len(self._unjournaled)

    def take_batch(self, *, only_zeros: bool = False) -> Batch:
        """What is not in the journal yet; from now on it counts as journaled."""
        batch = Batch(self._zero_ranges)
        self._zero_ranges = []
        if not only_zeros:
            dirty = self.dirty
            batch.sections = {section: dirty[section] for section in self._unjournaled}
            self._unjournaled = {}
        return batch

    def give_back(self, batch: Batch) -> None:
        """The journal could not take the batch."""
        self._zero_ranges = batch.zero_ranges + self._zero_ranges
        for section, payload in batch.sections.items():
            if self.dirty.get(section) is payload:
                self._unjournaled[section] = None

    # -- checkpoint -----------------------------------------------------------------------------------------------

    @property
    def has_work(self) -> bool:
        """Whether the world lacks anything."""
        return bool(self.dirty or self.cleared or self.clearing or self._zero_ranges or self.refreshing)

    def snapshot(self) -> Snapshot:
        """Begin a checkpoint of what the world lacks: all dirty sections, and cleared columns up to a bound."""
        columns = {
            column: {index: self.dirty[column << _COLUMN_SHIFT | index] for index in members(mask)}
            for column, mask in self._dirty_columns.items()
        }
        for column in self.refreshing:
            columns.setdefault(column, {})
        self.clearing = self._take_cleared(columns)
        for column in self.clearing:
            columns.setdefault(column, {})
        # They begin from zeros anyway; but should this checkpoint break off, what it left of them must be taken away.
        self.clearing.update(ColumnMap.of(column for column in columns if column not in self.allocated))
        self.in_flight = ColumnMap()
        for column in columns:
            self.in_flight.add(column)
        return Snapshot(columns, self.clearing.copy(), whole=not self.cleared)

    def settle(self, columns: Mapping[int, Mapping[int, bytes]], vacant: set[int]) -> None:
        """These columns of the snapshot are in the world now, durably; ``vacant`` ones by not being there."""
        for column, sections in columns.items():
            self.clearing.discard(column)
            self.in_flight.discard(column)
            self.refreshing.discard(column)
            if column in vacant:
                self.allocated.discard(column)
            else:
                self.allocated.add(column)
            for index, payload in sections.items():
                self._settle_section(column, index, payload)
        self.shrink()

    def abandon(self) -> None:
        """The checkpoint is over; what it did not settle is left to the next one."""
        self.cleared.update(self.clearing)
        self.clearing = ColumnMap()
        self.in_flight = ColumnMap()

    def _settle_section(self, column: int, index: int, payload: bytes) -> None:
        section = column << _COLUMN_SHIFT | index
        if self.dirty.get(section) is not payload:
            return
        del self.dirty[section]
        self._unjournaled.pop(section, None)
        mask = self._dirty_columns[column] & ~(1 << index)
        if mask:
            self._dirty_columns[column] = mask
        else:
            del self._dirty_columns[column]
        if column not in self.cleared:
            self.clean[section] = payload

    def _take_cleared(self, dirty: Iterable[int]) -> ColumnMap:
        """Move cleared columns out of ``cleared``: those with dirty sections, and groups up to a bound."""
        taken = ColumnMap()
        for column in dirty:
            if column in self.cleared:
                taken.add(column)
        for group in list(self.cleared.groups)[:CLEARED_GROUPS]:
            taken.groups[group] = self.cleared.groups[group]
        self.cleared.difference_update(taken)
        return taken

    # -- helpers --------------------------------------------------------------------------------------------------

    def _dirty_within(self, first: int, count: int) -> list[int]:
        span = range(first, first + count)
        if count < len(self._dirty_columns):
            return [column for column in span if column in self._dirty_columns]
        return [column for column in self._dirty_columns if column in span]

    def _forget_clean(self, first: int, count: int) -> None:
        span = range(first << _COLUMN_SHIFT, (first + count) << _COLUMN_SHIFT)
        clean = self.clean
        stale = span if len(span) < len(clean) else [section for section in clean if section in span]
        for section in stale:
            clean.pop(section, None)
