"""Replay: what of a journal the world still lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bbd.disk.column_map import ColumnMap
from bbd.disk.journal_records import DataRecord, Record, SupersededRecord, ZeroRecord
from bbd.worlds.world import Payload


@dataclass(slots=True)
class Replayed:
    """The end of the replay: sections by column, and the columns that are zeros but for those.

    ``claimed`` columns are not allocated, but what stands in their place may be what a checkpoint left of this disk.
    """

    columns: dict[int, dict[int, Payload]] = field(default_factory=dict)
    cleared: ColumnMap = field(default_factory=ColumnMap)
    claimed: ColumnMap = field(default_factory=ColumnMap)


def replay(records: Sequence[Record], allocated: ColumnMap, generation_of: Callable[[int], int | None]) -> Replayed:
    """Apply records, which are in the order of their numbers, to the world's columns.

    A column includes every record up to its generation (``generation_of``, asked once for each allocated column, or
    the last record that says so); one that is not allocated includes none. One that is damaged can't say (``None``): it
    takes what was written, but no zeros, which may be older than what was lost there.
    """
    superseded = {record.column: record.sequence for record in records if isinstance(record, SupersededRecord)}
    included = _Included(allocated, superseded, generation_of)
    end = Replayed()
    for record in records:
        if isinstance(record, ZeroRecord):
            _apply_zeros(record, end, allocated, included)
        elif isinstance(record, DataRecord):
            if not record.sections and record.column not in allocated:
                end.claimed.add(record.column)
            elif included.lacks(record.column, record.sequence):
                end.columns.setdefault(record.column, {}).update(record.sections)
    end.cleared.update(end.claimed)
    return end


class _Included:
    """What the world's columns include of the journal; each is asked once."""

    def __init__(
        self, allocated: ColumnMap, superseded: Mapping[int, int], generation_of: Callable[[int], int | None]
    ) -> None:
        self._allocated = allocated
        self._superseded = superseded
        self._generation_of = generation_of
        self._known: dict[int, int] = {}
        self._damaged: set[int] = set()

    def lacks(self, column: int, sequence: int) -> bool:
        """Whether a column is to take this record, as far as is known."""
        if column not in self._allocated:
            return True
        if column not in self._known:
            generation = self._generation_of(column)
            if generation is None:
                self._damaged.add(column)
            self._known[column] = max(self._superseded.get(column, -1), -1 if generation is None else generation)
        return sequence > self._known[column]

    def lacks_zeros(self, column: int, sequence: int) -> bool:
        """Whether a column is to become zeros by this record."""
        return self.lacks(column, sequence) and column not in self._damaged


def _apply_zeros(record: ZeroRecord, end: Replayed, allocated: ColumnMap, included: _Included) -> None:
    span = range(record.first, record.first + record.count)
    for column in [column for column in end.columns if column in span]:
        del end.columns[column]
    for column in allocated.within(record.first, record.count):
        if included.lacks_zeros(column, record.sequence):
            end.cleared.add(column)
