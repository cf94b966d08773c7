"""Replay: what of a journal the world still lacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bbd.disk.column_map import ColumnMap
from bbd.disk.journal_records import DataRecord, Record, SupersededRecord, ZeroRecord


@dataclass(slots=True)
class Replayed:
    """The end of the replay: sections by column, and the columns that are zeros but for those.

    ``claimed`` columns are not allocated, but what stands in their place may be what a checkpoint left of this disk.
    """

    columns: dict[int, dict[int, bytes]] = field(default_factory=dict)
    cleared: ColumnMap = field(default_factory=ColumnMap)
    claimed: ColumnMap = field(default_factory=ColumnMap)


def replay(records: Sequence[Record], allocated: ColumnMap, generation_of: Callable[[int], int]) -> Replayed:
    """Apply records, which are in the order of their numbers, to the world's columns.

    A column includes every record up to its generation (``generation_of``, asked once for each allocated column, or
    the last record that says so); one that is not allocated includes none.
    """
    superseded = {record.column: record.sequence for record in records if isinstance(record, SupersededRecord)}
    known: dict[int, int] = {}

    def lacks(column: int, sequence: int) -> bool:
        if column not in allocated:
            return True
        if column not in known:
            known[column] = max(superseded.get(column, -1), generation_of(column))
        return sequence > known[column]

    end = Replayed()
    for record in records:
        if isinstance(record, ZeroRecord):
            _apply_zeros(record, end, allocated, lacks)
        elif isinstance(record, DataRecord):
            if not record.sections and record.column not in allocated:
                end.claimed.add(record.column)
            elif lacks(record.column, record.sequence):
                end.columns.setdefault(record.column, {}).update(record.sections)
    end.cleared.update(end.claimed)
    return end


def _apply_zeros(record: ZeroRecord, end: Replayed, allocated: ColumnMap, lacks: Callable[[int, int], bool]) -> None:
    span = range(record.first, record.first + record.count)
    for column in [column for column in end.columns if column in span]:
        del end.columns[column]
    for column in allocated.within(record.first, record.count):
        if lacks(column, record.sequence):
            end.cleared.add(column)
