"""Which columns the world has, and which of these are zeros by now: what reading and clearing a huge disk ask of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bbd.disk.column_map import ColumnMap, common


class WorldColumns:
    """The columns of one disk that are ``allocated`` in the world.

    Of these, ``cleared`` ones became zeros, and the world is still to hear of it; ``clearing`` ones are those that the
    snapshot under way tells it of. ``in_flight`` are all columns of that snapshot that are not settled yet.
    """

    def __init__(self, allocated: ColumnMap) -> None:
        self.allocated = allocated
        self.cleared = ColumnMap()
        self.clearing = ColumnMap()
        self.in_flight: set[int] = set()

    def reads_zero(self, column: int) -> bool:
        """Whether what memory lacks of a column is zeros."""
        if column not in self.allocated:
            return True
        return bool(self.cleared or self.clearing) and (column in self.cleared or column in self.clearing)

    def holding(self) -> ColumnMap:
        """The columns that may have something else than zeros in the world."""
        found = self.allocated.copy()
        found.difference_update(self.cleared)
        found.difference_update(self.clearing)
        return found

    def clear(self, first: int, count: int) -> None:
        """Columns ``first`` … ``first + count - 1`` become zeros."""
        self.cleared.update(self.allocated.within(first, count))
        self.cleared.update(ColumnMap.of(common(range(first, first + count), self.in_flight)))

    def begin_clearing(self, dirty: Iterable[int], groups: int) -> None:
        """Of the cleared columns, a snapshot takes those with dirty sections, and so many groups."""
        taken = ColumnMap.of(column for column in dirty if column in self.cleared)
        for group in list(self.cleared.groups)[:groups]:
            taken.groups[group] = self.cleared.groups[group]
        self.clearing = taken
        self.cleared.difference_update(taken)

    def sent(self, columns: Collection[int]) -> None:
        """These are all columns of the snapshot."""
        # They begin from zeros anyway; but should this be broken off, what it left of them must be taken away.
        self.clearing.update(ColumnMap.of(column for column in columns if column not in self.allocated))
        self.in_flight = set(columns)

    def settle(self, column: int, *, vacant: bool) -> None:
        """A column of the snapshot is in the world now; a ``vacant`` one by not being there."""
        self.clearing.discard(column)
        self.in_flight.discard(column)
        if vacant:
            self.allocated.discard(column)
        else:
            self.allocated.add(column)

    def end(self, gone: Iterable[int]) -> None:
        """The snapshot is done with, and what it did not clear is left to the next one. ``gone`` columns left the
        world for being zeros, but the map could not be told."""
        self.cleared.update(ColumnMap.of(gone))
        self.cleared.update(self.clearing)
        self.clearing = ColumnMap()
        self.in_flight = set()
