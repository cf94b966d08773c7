"""What of a disk's memory the world lacks: it is taken as a snapshot, brought there, and settled column by column."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from bbd.disk.batches import Snapshot
from bbd.disk.column_map import members
from bbd.disk.held_column import HeldColumn, Taken
from bbd.disk.holdings import Holdings
from bbd.disk.world_columns import WorldColumns

CLEARED_GROUPS: Final = 64
"""Groups of cleared columns that one checkpoint takes, so that clearing a huge disk needs no huge snapshot."""


class Snapshots:
    """The snapshots of one disk, one at a time: from :meth:`take` to :meth:`end`."""

    def __init__(self, held: Holdings, world: WorldColumns) -> None:
        self._held = held
        self._world = world
        self._refreshing: set[int] = set()

    @property
    def has_work(self) -> bool:
        """Whether there is anything to take, or under way."""
        return bool(self._held.dirty or self._world.cleared or self._world.clearing or self._refreshing)

    def refresh(self, column: int) -> bool:
        """Have the next checkpoint write a column anew, as it reads: with what was mended, or edited in the world.
        Whether it was not going to."""
        if self._world.reads_zero(column) or column in self._refreshing:
            return False
        self._refreshing.add(column)
        return True

    def take(self, only: Collection[int] | None = None) -> Snapshot:
        """Begin to bring into the world what it lacks: all dirty sections, and cleared columns up to a bound; or just
        what the columns ``only`` have."""
        held, world = self._held, self._world
        dirty = held.dirty if only is None else {number: held.dirty[number] for number in only}
        columns = {number: column.take(column.dirty) for number, column in dirty.items()}
        world.begin_clearing(columns, CLEARED_GROUPS if only is None else 0)
        if only is None:
            for number in (*world.clearing, *self._refreshing):
                if number not in columns:
                    columns[number] = HeldColumn().take(0)
        world.sent(columns)
        return Snapshot(columns, world.clearing.copy(), whole=only is None and not world.cleared)

    def settle(self, columns: Mapping[int, Taken], vacant: Collection[int]) -> None:
        """These columns of the snapshot are in the world now, durably; ``vacant`` ones by not being there."""
        for number, taken in columns.items():
            self._world.settle(number, vacant=number in vacant)
            self._refreshing.discard(number)
            column = self._held.columns.get(number)
            if column is not None:
                self._settle(number, column, taken)
        self._held.shrink()

    def end(self, gone: Iterable[int] = ()) -> None:
        """The snapshot is done with; what of it was not settled is left to the next one. ``gone`` columns left the
        world for being zeros, but the map could not be told."""
        self._world.end(gone)

    def _settle(self, number: int, column: HeldColumn, taken: Taken) -> None:
        same = column.unchanged(taken) & column.dirty
        self._note_standing(number, taken, column.dirty & ~same)
        if self._world.reads_zero(number):
            self._held.drop(number, column, same)
        else:
            self._held.note_clean(number, column, same)

    def _note_standing(self, number: int, taken: Taken, rewritten: int) -> None:
        """The world has what was taken of sections that were written again meanwhile."""
        standing, rewritten = self._held.standing, rewritten & taken.mask
        if standing is not None and rewritten:
            sent = taken.sections()
            for index in members(rewritten):
                standing.is_now(number, index, sent[index])
