"""Which columns memory holds anything of, and how much: the tables and the counts that go with the masks, and what the
world may have where these say that it lacks something."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from bbd.disk.column_map import members
from bbd.disk.held_column import HeldColumn
from bbd.disk.standing import Standing
from bbd.disk.zeros import unshared
from bbd.worlds.world import Payload

DIRTY_SHARE: Final = 2
"""One dirty section in so many that fit into memory are many."""
_ROOMY: Final = 3
"""Quarters of memory that fill before anybody notes which columns are used: noting it costs as much as a look-up."""


class Holdings:
    """The held columns of one disk by number, at best ``capacity`` sections of them; dirty ones are never dropped.

    ``clean`` has those with clean sections, the ones used longest ago first. All changes of a column's masks are made
    here, payloads but those of :meth:`put` are put by the caller. ``standing`` is set where others change the world
    while it is open, and then knows of dirty sections alone.
    """

    def __init__(self, capacity: int) -> None:
        self.columns: Final[dict[int, HeldColumn]] = {}
        self.dirty: Final[dict[int, HeldColumn]] = {}
        self.clean: Final[OrderedDict[int, HeldColumn]] = OrderedDict()
        self.unjournaled: dict[int, HeldColumn] = {}
        self.dirty_sections = 0
        self.clean_sections = 0
        self.unjournaled_sections = 0
        self.standing: Standing | None = None
        self.capacity: Final = capacity
        self.many: Final = capacity // DIRTY_SHARE
        self.crowded = False
        """Whether sections may soon have to go, so that it matters which were used last."""
        self._roomy = capacity * _ROOMY // 4

    def shrink(self) -> None:
        """Drop the clean sections of the columns used longest ago until all that is held, and what is known to stand
        beside it, is within the capacity, or only dirty ones are left."""
        held = self.clean_sections + self.dirty_sections
        if self.standing is not None:
            held += len(self.standing)
        self.crowded = held > self._roomy
        excess = held - self.capacity
        while excess > 0 and self.clean:
            number, column = next(iter(self.clean.items()))
            excess -= column.clean.bit_count()
            self.drop(number, column, column.clean)

    def column(self, number: int) -> HeldColumn:
        """A column to put something into."""
        column = self.columns.get(number)
        if column is None:
            column = self.columns[number] = HeldColumn()
        return column

    def put(self, number: int, index: int, payload: Payload) -> None:
        """A section is this payload, kept as it is, from now on; the journal and the world lack it."""
        column = self.column(number)
        self.note_written(number, column, 1 << index)
        column.put(index, unshared(payload))

    def note_written(self, number: int, column: HeldColumn, mask: int) -> None:
        """These sections, which are about to be replaced, are dirty from now on, and the journal lacks them."""
        fresh = mask & ~column.dirty
        if fresh:
            outdated = column.clean & mask
            if outdated:
                if self.standing is not None:
                    for index, payload in zip(members(outdated), column.some(outdated), strict=True):
                        self.standing.is_now(number, index, payload)
                column.clean &= ~mask
                self.clean_sections -= outdated.bit_count()
                if not column.clean:
                    del self.clean[number]
            column.dirty |= mask
            self.dirty_sections += fresh.bit_count()
            self.dirty[number] = column
        self.note_unjournaled(number, column, mask)

    def note_unjournaled(self, number: int, column: HeldColumn, mask: int) -> None:
        """The journal lacks these dirty sections."""
        fresh = mask & ~column.unjournaled
        if fresh:
            column.unjournaled |= fresh
            self.unjournaled_sections += fresh.bit_count()
            self.unjournaled[number] = column

    def note_journaled(self, number: int, column: HeldColumn, mask: int) -> None:
        """The journal need not have these sections, or has them."""
        logged = column.unjournaled & mask
        if logged:
            column.unjournaled &= ~logged
            self.unjournaled_sections -= logged.bit_count()
            if not column.unjournaled:
                del self.unjournaled[number]

    def take_unjournaled(self) -> dict[int, HeldColumn]:
        """The columns that the journal lacks something of; from now on it lacks nothing, but their masks say still what
        it was, until the caller clears them."""
        taken, self.unjournaled = self.unjournaled, {}
        self.unjournaled_sections = 0
        return taken

    def note_clean(self, number: int, column: HeldColumn, mask: int) -> None:
        """The world has these sections as they are here."""
        settled = column.dirty & mask
        if settled:
            self._note_settled(number, column, settled)
        fresh = mask & ~column.clean
        if fresh:
            column.clean |= fresh
            self.clean_sections += fresh.bit_count()
            self.used(number, column)

    def used(self, number: int, column: HeldColumn) -> None:
        """Its clean sections are to go last."""
        if column.clean:
            self.clean[number] = column
            self.clean.move_to_end(number)

    def drop(self, number: int, column: HeldColumn, mask: int) -> None:
        """Hold sections no more, dirty or not."""
        settled = column.dirty & mask
        if settled:
            self._note_settled(number, column, settled)
        self.clean_sections -= (column.clean & mask).bit_count()
        column.drop(mask)
        if not column.clean:
            self.clean.pop(number, None)
        self.forget_empty(number, column)

    def forget_empty(self, number: int, column: HeldColumn) -> None:
        """Forget a column of which nothing is held."""
        if not column.held:
            del self.columns[number]

    def _note_settled(self, number: int, column: HeldColumn, mask: int) -> None:
        """These dirty sections are dirty no more."""
        self.note_journaled(number, column, mask)
        column.dirty &= ~mask
        self.dirty_sections -= mask.bit_count()
        if not column.dirty:
            del self.dirty[number]
        if self.standing is not None:
            self.standing.forget(number, mask)
