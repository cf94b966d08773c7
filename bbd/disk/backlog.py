"""What of a disk's memory the journal lacks: sections, and ranges of columns that became zeros."""

from __future__ import annotations

from bbd.disk.batches import Batch, scattered, zero_records
from bbd.disk.holdings import Holdings
from bbd.disk.journal_records import Record


class Backlog:
    """What is still to be logged of one disk; its length is how many things that are. ``zero_ranges`` are the ranges,
    each with a first column and how many, in the order in which they became zeros."""

    def __init__(self, held: Holdings) -> None:
        self._held = held
        self.zero_ranges: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return self._held.unjournaled_sections + len(self.zero_ranges)

    @property
    def sections(self) -> int:
        """How many sections are to be logged."""
        return self._held.unjournaled_sections

    def mostly(self, least: int) -> list[int]:
        """The columns of which ``least`` sections or more are to be logged."""
        return [number for number, column in self._held.unjournaled.items() if column.unjournaled.bit_count() >= least]

    def take(self, *, only_zeros: bool = False) -> Batch:
        """All of it; from now on it counts as journaled."""
        batch = Batch(self.zero_ranges)
        self.zero_ranges = []
        if not only_zeros:
            batch.sections = self._held.unjournaled_sections
            for number, column in self._held.take_unjournaled().items():
                batch.columns[number] = column.take(column.unjournaled)
                column.unjournaled = 0
        return batch

    def give_back(self, batch: Batch) -> None:
        """The journal could not take the batch."""
        self.zero_ranges = batch.zero_ranges + self.zero_ranges
        for number, taken in batch.columns.items():
            column = self._held.columns.get(number)
            if column is not None:
                self._held.note_unjournaled(number, column, column.unchanged(taken) & column.dirty)

    def records(self, sequence: int) -> list[Record]:
        """All of it, for who logs it before anything else happens, and says so with :meth:`logged`: first the zeros,
        with ``sequence``, then the data, with ``sequence + 1``."""
        records = zero_records(self.zero_ranges, sequence)
        if self._held.unjournaled:
            records.append(scattered(self._held.unjournaled, sequence + 1))
        return records

    def logged(self) -> None:
        """The journal has all that is in memory."""
        self.zero_ranges = []
        for column in self._held.take_unjournaled().values():
            column.unjournaled = 0
