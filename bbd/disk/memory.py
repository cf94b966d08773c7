"""What a disk holds in memory: cached sections, dirty sections, and what is known of each column.

Pure bookkeeping on one thread: no I/O, no waiting. Payloads are immutable ``bytes``; a new write puts a new object in
the place of the old one. So a reply that waits to be sent, a journal batch and a checkpoint each keep the bytes that
they saw, without a copy and without a lock.

A section's bytes are, in this order: the dirty one; the cached one; zeros where the column is not allocated or was
cleared; what the world has.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import repeat
from operator import is_
from typing import Final

from bbd.disk.batches import Batch, Snapshot
from bbd.disk.column_map import ColumnMap, members
from bbd.disk.zeros import merge, zero_section
from bbd.worlds.world import DATA_SECTIONS, Payload

SECTION_OVERHEAD: Final = 200
"""Bytes that Python spends on a cached section beside its payload: object header, keys, dictionary slots."""
CLEARED_GROUPS: Final = 64
"""Groups of cleared columns that one checkpoint takes, so that clearing a huge disk needs no huge snapshot."""
_ROOMY: Final = 3
"""Quarters of memory that fill before anybody notes which sections are used: noting it costs as much as a look-up."""
_COLUMN_SHIFT: Final = 4
_IN_COLUMN: Final = DATA_SECTIONS - 1


class Memory:
    """The state of one disk. Sections are numbered through the disk: ``16 * column + index``.

    ``limit`` bounds the bytes of cached and dirty sections together; dirty ones are never dropped.
    """

    def __init__(self, section_size: int, limit: int, allocated: ColumnMap) -> None:
        self.zero: Final = zero_section(section_size)
        self.dirty: dict[int, bytes] = {}
        self.clean: OrderedDict[int, Payload] = OrderedDict()
        self.allocated = allocated
        self.cleared = ColumnMap()
        self.clearing = ColumnMap()
        self.in_flight: set[int] = set()
        self.refreshing: set[int] = set()
        self.writes = 0
        self.standing: dict[int, tuple[bytes, ...]] | None = None
        """Where others change the world while it is open: what the world may have of dirty sections, if that is known,
        the last written last. It is what tells their changes from ours."""
        self._unjournaled: dict[int, None] = {}
        self._logged_meanwhile: set[int] = set()
        self._zero_ranges: list[tuple[int, int]] = []
        self._dirty_columns: dict[int, int] = {}
        self._unit = section_size + SECTION_OVERHEAD
        self._capacity = max(limit // self._unit, 4 * DATA_SECTIONS)
        self._roomy = self._capacity * _ROOMY // 4
        self._crowded = False
        """Whether sections may soon have to go, so that it matters which were used last."""

    @property
    def capacity(self) -> int:
        """Sections that may be in memory."""
        return self._capacity

    def lookup(self, section: int) -> Payload | None:
        """A section's bytes, or ``None`` where the world must be asked."""
        payload: Payload | None = self.dirty.get(section)
        if payload is not None:
            return payload
        payload = self.clean.get(section)
        if payload is not None:
            if self._crowded:
                self.clean.move_to_end(section)
            return payload
        return self.zero if self.reads_zero(section >> _COLUMN_SHIFT) else None

    def lookup_run(self, sections: range) -> list[Payload] | None:
        """The same for many sections at once: all of their bytes or ``None``."""
        held: Mapping[int, Payload] = self.dirty if sections[0] in self.dirty else self.clean
        if all(map(held.__contains__, sections)):
            if held is self.clean and self._crowded:
                deque(map(self.clean.move_to_end, sections), maxlen=0)
            return [*map(held.__getitem__, sections)]
        found: list[Payload] = []
        for section in sections:
            payload = self.lookup(section)
            if payload is None:
                return None
            found.append(payload)
        return found

    def peek(self, sections: range) -> list[Payload | None]:
        """The same for sections of one column, which don't count as used by that."""
        column = sections.start >> _COLUMN_SHIFT
        rest = self.zero if self.reads_zero(column) else None
        found = [*map(self.clean.get, sections, repeat(rest))]
        if column in self._dirty_columns:
            found = [*map(self.dirty.get, sections, found)]
        return found

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

    def put_again(self, section: int, payload: bytes) -> None:
        """A client wrote a whole section that is dirty already: as :meth:`put`, with nothing else to note."""
        self.dirty[section] = self.zero if payload == self.zero else payload
        self._unjournaled[section] = None
        self.writes += 1

    def put(self, section: int, payload: bytes) -> None:
        """A client wrote a whole section."""
        if payload == self.zero:
            payload = self.zero
        if section not in self.dirty:
            self._outdate(section, None)
            column = section >> _COLUMN_SHIFT
            self._dirty_columns[column] = self._dirty_columns.get(column, 0) | 1 << (section & _IN_COLUMN)
        self.dirty[section] = payload
        self._unjournaled[section] = None

    def put_run(self, first: int, payloads: Sequence[bytes]) -> None:
        """A client wrote whole sections, the first of which is ``first``: as :meth:`put`, all at once."""
        zero = self.zero
        if zero in payloads:
            payloads = [zero if payload == zero else payload for payload in payloads]
        sections = range(first, first + len(payloads))
        for column in range(first >> _COLUMN_SHIFT, (sections[-1] >> _COLUMN_SHIFT) + 1):
            self._mark_dirty(column, sections)
        self.dirty.update(zip(sections, payloads, strict=True))
        self._unjournaled.update(zip(sections, repeat(None)))

    def keep(self, column: int, payloads: Sequence[Payload | None], wanted: int) -> None:
        """Cache what the world has of a column: the sections whose bits are set in ``wanted``, where they are known and
        memory doesn't know better."""
        wanted &= ~self._dirty_columns.get(column, 0)
        if self.reads_zero(column):
            return
        known = zip(range(column << _COLUMN_SHIFT, column + 1 << _COLUMN_SHIFT), payloads, strict=True)
        self.clean.update(
            {section: payload for section, payload in known if payload and wanted >> (section & _IN_COLUMN) & 1}
        )
        self.shrink()

    def lacks(self, column: int) -> bool:
        """Whether the world must be asked for any section of a column."""
        if self.reads_zero(column):
            return False
        dirty, clean = self.dirty, self.clean
        first = column << _COLUMN_SHIFT
        return any(section not in clean and section not in dirty for section in range(first, first + DATA_SECTIONS))

    def shrink(self) -> None:
        """Drop the sections used longest ago until memory is within its limit, or only dirty ones are left."""
        clean = self.clean
        held = len(clean) + len(self.dirty) + len(self.standing or ())
        self._crowded = held > self._roomy
        excess = held - self._capacity
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
                if self.standing:
                    self.standing.pop(section, None)
        self._forget_clean(first, count)
        self.cleared.update(self.allocated.within(first, count))
        self.cleared.update(ColumnMap.of(_common(range(first, first + count), self.in_flight)))
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

    def refresh(self, column: int) -> bool:
        """Have the next checkpoint write a column anew, as it reads: with what was mended, or edited in the world.
        Whether it was not going to."""
        if self.reads_zero(column) or column in self.refreshing:
            return False
        self.refreshing.add(column)
        return True

    # -- what others change in the world ----------------------------------------------------------------------------

    def forget(self, columns: Iterable[int] | None) -> bool:
        """Others have changed these columns, or any: drop what is cached of them. Whether some are dirty too."""
        if columns is None:
            self.clean.clear()
            return bool(self._dirty_columns)
        for column in columns:
            self._forget_clean(column, 1)
        return any(column in self._dirty_columns for column in columns)

    def standing_of(self, column: int, indices: Iterable[int]) -> dict[int, tuple[bytes, ...]]:
        """What the world may have of these sections, as far as that is known."""
        known = self.standing or {}
        first = column << _COLUMN_SHIFT
        return {index: known[first | index] for index in indices if first | index in known}

    def doubt(self, column: int, sections: Mapping[int, bytes]) -> None:
        """These were sent into the world, and nobody knows whether they are there."""
        if self.standing is not None:
            for index, payload in sections.items():
                section = column << _COLUMN_SHIFT | index
                if section in self.dirty:
                    self.standing[section] = (*self.standing.get(section, ()), payload)

    def revise(self, section: int, payload: bytes) -> None:
        """The world has ``payload``, with others' changes in it: what was written to the section since it was read
        goes on top."""
        self.clean.pop(section, None)
        written, known = self.dirty.get(section), (self.standing or {}).get(section)
        if written is not None and known is not None and self.standing is not None:
            self.put(section, merge(known[0], written, payload))
            self.standing[section] = (payload,)

    def adopt(self, section: int, sent: bytes, merged: bytes) -> None:
        """``merged`` went into the world where ``sent`` was to go: others' changes are in it. What was written to the
        section since goes on top."""
        written = self.dirty.get(section)
        if written is not None:
            self.put(section, merged if written is sent else merge(sent, written, merged))

    # -- journal --------------------------------------------------------------------------------------------------

    @property
    def unjournaled(self) -> int:
        """How many things a flush has to log."""
        return len(self._unjournaled) + len(self._zero_ranges)

    @property
    def unjournaled_sections(self) -> int:
        """How many sections a flush has to log."""
        return len(self._unjournaled)

    def mostly_unjournaled(self, least: int) -> list[int]:
        """The columns of which a flush has to log ``least`` sections or more."""
        counts = Counter(section >> _COLUMN_SHIFT for section in self._unjournaled)
        return [column for column, count in counts.items() if count >= least]

    def take_batch(self, *, only_zeros: bool = False) -> Batch:
        """What is not in the journal yet; from now on it counts as journaled."""
        batch = Batch(self._zero_ranges)
        self._zero_ranges = []
        if not only_zeros:
            dirty = self.dirty
            batch.sections = {section: dirty[section] for section in self._unjournaled}
            if self.in_flight:
                self._logged_meanwhile.update(s for s in batch.sections if s >> _COLUMN_SHIFT in self.in_flight)
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

    def snapshot(self, only: Collection[int] | None = None) -> Snapshot:
        """Begin to bring into the world what it lacks: all dirty sections, and cleared columns up to a bound; or just
        what the columns ``only`` have. One snapshot at a time, until :meth:`abandon`."""
        if only is None:
            masks = dict.fromkeys(self.refreshing, 0) | self._dirty_columns
            sections = self.dirty.copy()
            self.clearing = self._take_cleared(masks, CLEARED_GROUPS)
            masks = dict.fromkeys(self.clearing, 0) | masks
        else:
            masks = {column: self._dirty_columns[column] for column in only}
            sections = {
                section: self.dirty[section]
                for column, mask in masks.items()
                for section in (column << _COLUMN_SHIFT | index for index in members(mask))
            }
            self.clearing = self._take_cleared(masks, 0)
        # They begin from zeros anyway; but should this be broken off, what it left of them must be taken away.
        self.clearing.update(ColumnMap.of(column for column in masks if column not in self.allocated))
        self.in_flight = set(masks)
        return Snapshot(masks, sections, self.clearing.copy(), whole=only is None and not self.cleared)

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
            if len(sections) < DATA_SECTIONS or not self._settle_whole(column, list(sections.values())):
                for index, payload in sections.items():
                    self._settle_section(column, index, payload)
        self.shrink()

    def abandon(self, gone: Iterable[int] = ()) -> None:
        """The snapshot is done with; what of it was not settled is left to the next one. ``gone`` columns left the
        world for being zeros, but the map could not be told."""
        self.cleared.update(ColumnMap.of(gone))
        self.cleared.update(self.clearing)
        self.clearing = ColumnMap()
        self.in_flight = set()
        self._logged_meanwhile.clear()

    def _settle_whole(self, column: int, payloads: Sequence[bytes]) -> bool:
        """Settle all sections of a column that were not written meanwhile; else change nothing."""
        first = column << _COLUMN_SHIFT
        span = range(first, first + DATA_SECTIONS)
        dirty = self.dirty
        if not all(map(is_, map(dirty.get, span), payloads)):
            return False
        if not self._logged_meanwhile.isdisjoint(span):
            return False
        for section in span:
            del dirty[section]
        if self.standing:
            for section in span:
                self.standing.pop(section, None)
        if self._unjournaled:
            for section in span:
                self._unjournaled.pop(section, None)
        del self._dirty_columns[column]
        if column not in self.cleared:
            self.clean.update(zip(span, payloads, strict=True))
        return True

    def _settle_section(self, column: int, index: int, payload: bytes) -> None:
        section = column << _COLUMN_SHIFT | index
        if self.standing is not None:
            self.standing.pop(section, None)
        # Zeros are one object. Where the journal has got other bytes since the snapshot, these zeros came after them.
        again = section in self._logged_meanwhile and section in self._unjournaled
        if again or self.dirty.get(section) is not payload:
            if self.standing is not None and section in self.dirty:
                self.standing[section] = (payload,)
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

    def _take_cleared(self, dirty: Iterable[int], groups: int) -> ColumnMap:
        """Move cleared columns out of ``cleared``: those with dirty sections, and so many groups."""
        taken = ColumnMap()
        for column in dirty:
            if column in self.cleared:
                taken.add(column)
        for group in list(self.cleared.groups)[:groups]:
            taken.groups[group] = self.cleared.groups[group]
        self.cleared.difference_update(taken)
        return taken

    # -- helpers --------------------------------------------------------------------------------------------------

    def _mark_dirty(self, column: int, sections: range) -> None:
        """Note that those of ``sections`` that are in this column are dirty from now on."""
        base = column << _COLUMN_SHIFT
        low, high = max(sections.start - base, 0), min(sections.stop - base, DATA_SECTIONS)
        before = self._dirty_columns.get(column, 0)
        after = before | (1 << high) - (1 << low)
        if after != before:
            self._dirty_columns[column] = after
            drop = self.clean.pop if self.standing is None else self._outdate
            for section in range(base + low, base + high):
                drop(section, None)

    def _outdate(self, section: int, default: None) -> None:
        """A section is written that was clean, if it was known at all."""
        was = self.clean.pop(section, default)
        if was is not None and self.standing is not None:
            self.standing[section] = (bytes(was),)

    def _dirty_within(self, first: int, count: int) -> list[int]:
        return _common(range(first, first + count), self._dirty_columns)

    def _forget_clean(self, first: int, count: int) -> None:
        span = range(first << _COLUMN_SHIFT, (first + count) << _COLUMN_SHIFT)
        clean = self.clean
        stale = span if len(span) < len(clean) else [section for section in clean if section in span]
        for section in stale:
            clean.pop(section, None)


def _common(span: range, columns: Collection[int]) -> list[int]:
    """The columns that lie in ``span``, at the cost of the smaller of the two; ``columns`` is a set or a mapping."""
    if len(span) < len(columns):
        return [column for column in span if column in columns]
    return [column for column in columns if column in span]
