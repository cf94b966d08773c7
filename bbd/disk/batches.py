"""What leaves a disk's memory: the batch that goes into the journal, and the snapshot that goes into the world.

Both hold the payloads that memory had at one moment; what is written meanwhile is new objects, so they change no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from bbd.disk.column_map import ColumnMap
from bbd.disk.held_column import HeldColumn, Taken
from bbd.disk.journal_records import DataRecord, Record, ScatteredRecords, WholeColumnRecord, ZeroRecord
from bbd.worlds.world import Payload


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is to be written into the world: the dirty sections of ``columns``, which may be none. ``cleared`` columns
    begin from zeros.

    ``whole``: nothing that the world lacked at that moment was left out.
    """

    columns: dict[int, Taken]
    cleared: ColumnMap
    whole: bool

    def batches(self, count: int) -> Iterator[dict[int, Taken]]:
        """The dirty sections of ``count`` columns at a time, in order. What was yielded leaves the snapshot, or it
        would keep payloads in memory that the cache has dropped."""
        numbers = iter(sorted(self.columns))
        while batch := list(islice(numbers, count)):
            yield {number: self.columns.pop(number) for number in batch}


@dataclass(slots=True)
class Batch:
    """What a journal commit is to log; ``sections`` is how many."""

    zero_ranges: list[tuple[int, int]] = field(default_factory=list)
    columns: dict[int, Taken] = field(default_factory=dict)
    sections: int = 0

    def __bool__(self) -> bool:
        return bool(self.zero_ranges or self.columns)

    def records(self, sequence: int) -> list[Record]:
        """The batch as records: first the zeros, with ``sequence``, then the data, with ``sequence + 1``."""
        records = zero_records(self.zero_ranges, sequence)
        for number, taken in sorted(self.columns.items()):
            if (frame := taken.whole) is not None:
                records.append(WholeColumnRecord(sequence + 1, number, frame))
            else:
                records.append(DataRecord(sequence + 1, number, taken.sections()))
        return records


def zero_records(ranges: Sequence[tuple[int, int]], sequence: int) -> list[Record]:
    """Records of columns that became zeros, each range with a first column and how many."""
    return [ZeroRecord(sequence, first, count) for first, count in ranges]


def scattered(unjournaled: Mapping[int, HeldColumn], sequence: int) -> ScatteredRecords:
    """What the journal lacks of some columns, of each little."""
    columns: list[tuple[int, int, Sequence[Payload]]] = []
    for number, column in sorted(unjournaled.items()):
        mask = column.unjournaled
        columns.append((number, mask, column.some(mask)))
    return ScatteredRecords(sequence, columns)
