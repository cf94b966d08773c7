"""What leaves a disk's memory: the batch that goes into the journal, and the snapshot that goes into the world.

Both hold the payloads that memory had at one moment; what is written meanwhile is new objects, so they change no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from bbd.disk.column_map import ColumnMap, members
from bbd.disk.journal_records import DataRecord, Record, ZeroRecord
from bbd.worlds.world import DATA_SECTIONS

WHOLE_COLUMN: Final = (1 << DATA_SECTIONS) - 1
"""All sections of a column, as bits."""
_COLUMN_SHIFT: Final = 4
_IN_COLUMN: Final = DATA_SECTIONS - 1
_ALL: Final = range(DATA_SECTIONS)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is to be written into the world: ``masks`` says by column which sections are dirty, ``sections`` holds
    these. ``cleared`` columns begin from zeros.

    ``whole``: nothing that the world lacked at that moment was left out.
    """

    masks: dict[int, int]
    sections: dict[int, bytes]
    cleared: ColumnMap
    whole: bool

    def batches(self, count: int) -> Iterator[dict[int, dict[int, bytes]]]:
        """The dirty sections of ``count`` columns at a time, in order. What was yielded leaves the snapshot, or it
        would keep payloads in memory that the cache has dropped."""
        columns = iter(sorted(self.masks))
        while batch := list(islice(columns, count)):
            yield {column: self._take(column) for column in batch}

    def _take(self, column: int) -> dict[int, bytes]:
        indices = _ALL if self.masks[column] == WHOLE_COLUMN else list(members(self.masks[column]))
        first, pop = column << _COLUMN_SHIFT, self.sections.pop
        return {index: pop(first | index) for index in indices}


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
