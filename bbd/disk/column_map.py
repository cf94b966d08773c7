"""A set of column numbers that costs what it holds, not what it spans."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Final

GROUP_SHIFT: Final = 10
GROUP_COLUMNS: Final = 1 << GROUP_SHIFT
_IN_GROUP: Final = GROUP_COLUMNS - 1
FULL_GROUP: Final = (1 << GROUP_COLUMNS) - 1


class ColumnMap:
    """Column numbers, kept as one 1024-bit integer for each group that has any.

    Big integers make set algebra on a thousand columns one operation, and being immutable they make snapshots cheap.
    """

    __slots__ = ("groups",)

    def __init__(self, groups: dict[int, int] | None = None) -> None:
        self.groups: dict[int, int] = {} if groups is None else groups

    @classmethod
    def of(cls, columns: Iterable[int]) -> ColumnMap:
        """A map of these columns."""
        made = cls()
        for column in columns:
            made.add(column)
        return made

    def __contains__(self, column: int) -> bool:
        return self.groups.get(column >> GROUP_SHIFT, 0) >> (column & _IN_GROUP) & 1 == 1

    def __bool__(self) -> bool:
        return bool(self.groups)

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self.groups.values())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ColumnMap) and self.groups == other.groups

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[int]:
        for group in sorted(self.groups):
            first = group << GROUP_SHIFT
            for bit in members(self.groups[group]):
                yield first + bit

    def copy(self) -> ColumnMap:
        return ColumnMap(dict(self.groups))

    def add(self, column: int) -> None:
        group = column >> GROUP_SHIFT
        self.groups[group] = self.groups.get(group, 0) | 1 << (column & _IN_GROUP)

    def discard(self, column: int) -> None:
        self._set(column >> GROUP_SHIFT, self.groups.get(column >> GROUP_SHIFT, 0) & ~(1 << (column & _IN_GROUP)))

    def update(self, other: ColumnMap) -> None:
        for group, bits in other.groups.items():
            self.groups[group] = self.groups.get(group, 0) | bits

    def difference_update(self, other: ColumnMap) -> None:
        for group, bits in other.groups.items():
            if group in self.groups:
                self._set(group, self.groups[group] & ~bits)

    def within(self, first: int, count: int) -> ColumnMap:
        """The members among columns ``first`` … ``first + count - 1``."""
        end = first + count
        low, high = first >> GROUP_SHIFT, (end - 1) >> GROUP_SHIFT
        span = range(low, high + 1)
        candidates = span if len(span) < len(self.groups) else [group for group in self.groups if group in span]
        found = {}
        for group in candidates:
            if bits := self.groups.get(group, 0) & _window(group, first, end):
                found[group] = bits
        return ColumnMap(found)

    def _set(self, group: int, bits: int) -> None:
        if bits:
            self.groups[group] = bits
        else:
            self.groups.pop(group, None)


def members(bits: int) -> Iterator[int]:
    """Positions of the bits that are set, lowest first."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def common(span: range, columns: Collection[int]) -> list[int]:
    """The columns that lie in ``span``, at the cost of the smaller of the two; ``columns`` is a set or a mapping."""
    if len(span) < len(columns):
        return [column for column in span if column in columns]
    return [column for column in columns if column in span]


def _window(group: int, first: int, end: int) -> int:
    """The bits of ``group`` that lie in columns ``first`` … ``end - 1``."""
    start = group << GROUP_SHIFT
    low = max(first - start, 0)
    high = min(end - start, GROUP_COLUMNS)
    return (1 << high) - (1 << low) if high > low else 0
