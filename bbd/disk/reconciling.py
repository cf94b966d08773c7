"""What others change in the world while it is open, and what memory makes of it: their changes and those of clients go
into one, wherever both came to the same section."""

from __future__ import annotations

from collections.abc import Iterable

from bbd.disk.column_map import members
from bbd.disk.held_column import Taken
from bbd.disk.holdings import Holdings
from bbd.disk.standing import Standing
from bbd.disk.zeros import merge, unshared
from bbd.worlds.world import Payload


class Reconciling:
    """Reconciles what is held of one disk with others' changes, once they are to be expected."""

    def __init__(self, held: Holdings) -> None:
        self._held = held

    def begin(self) -> None:
        """Others change the world while it is open. Comes before all else."""
        self._held.standing = Standing()

    @property
    def begun(self) -> bool:
        """Whether others change the world while it is open."""
        return self._held.standing is not None

    def forget(self, columns: Iterable[int] | None) -> bool:
        """Others have changed these columns, or any: drop what is cached of them. Whether some are dirty too."""
        held = self._held
        numbers = list(held.columns) if columns is None else [number for number in columns if number in held.columns]
        for number in numbers:
            column = held.columns[number]
            held.drop(number, column, column.clean)
        return any(number in held.dirty for number in numbers)

    def standing(self, column: int, mask: int) -> dict[int, tuple[Payload, ...]]:
        """What the world may have of these sections, as far as that is known."""
        standing = self._held.standing
        return {} if standing is None else standing.of(column, members(mask))

    def doubt(self, number: int, taken: Taken) -> None:
        """These were sent into the world, and nobody knows whether they are there."""
        standing, column = self._held.standing, self._held.columns.get(number)
        if standing is not None and column is not None:
            dirty = column.dirty
            standing.may_be(number, {at: payload for at, payload in taken.sections().items() if dirty >> at & 1})

    def revise(self, number: int, index: int, payload: Payload) -> None:
        """The world has ``payload``, with others' changes in it: what was written to the section since it was read
        goes on top."""
        column, standing = self._held.columns.get(number), self._held.standing
        if column is None:
            return
        self._held.drop(number, column, column.clean & 1 << index)
        known = self.standing(number, 1 << index)
        if column.dirty >> index & 1 and known and standing is not None:
            [ours] = column.some(1 << index)
            self._held.put(number, index, merge(known[index][0], ours, payload))
            standing.is_now(number, index, payload)

    def adopt(self, number: int, index: int, taken: Taken, merged: Payload) -> None:
        """``merged`` went into the world where what was ``taken`` was to go: others' changes are in it. What was
        written to the section since goes on top."""
        column = self._held.columns.get(number)
        sent = taken.sections()[index]
        merged = unshared(merged)
        same = column is not None and column.unchanged(taken) >> index & 1
        taken.replace(index, merged)
        if column is not None and column.dirty >> index & 1:
            [ours] = column.some(1 << index)
            self._held.put(number, index, merged if same else merge(sent, ours, merged))
