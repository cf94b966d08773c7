"""One column's sections in memory, and what leaves of them for the journal and the world.

Sections lie one by one, or, as long as they are what came in one piece, in a frame of the whole column. Nothing that
was put in is ever changed: a new write puts a new object in the place of the old one. So a reply that waits to be sent,
a journal batch and a checkpoint each keep the bytes that they saw, without a copy and without a lock.

Masks have a bit for each section.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from bbd.disk.column_map import members
from bbd.worlds.world import DATA_SECTIONS, Payload

WHOLE_COLUMN: Final = (1 << DATA_SECTIONS) - 1
"""All sections of a column, as bits."""

Parts: TypeAlias = list[Payload | None]
_NO_PARTS: Final[Parts] = [None] * DATA_SECTIONS
"""Of all columns that have none; never changed."""


class Taken:
    """Sections of a column at one moment: those of ``mask``."""

    __slots__ = ("_frame", "_framed", "_parts", "mask")

    def __init__(self, mask: int, parts: Parts, frame: memoryview | None, framed: int) -> None:
        self.mask = mask
        self._parts = parts
        self._frame = frame
        self._framed = framed

    @classmethod
    def of(cls, sections: Mapping[int, Payload]) -> Taken:
        """These sections, by their indices."""
        parts: Parts = [None] * DATA_SECTIONS
        for index, payload in sections.items():
            parts[index] = payload
        return cls(sum(1 << index for index in sections), parts, None, 0)

    @property
    def whole(self) -> memoryview | None:
        """All of the column's bytes, where they lie in one piece and all of them are meant."""
        return self._frame if self.mask == self._framed == WHOLE_COLUMN else None

    def sections(self) -> dict[int, Payload]:
        """The payloads by their indices, ascending."""
        if (frame := self.whole) is not None:
            return dict(enumerate(_cut(frame)))
        parts = self._parts
        if self.mask == WHOLE_COLUMN and not self._framed:
            return dict(enumerate(parts))  # type: ignore[arg-type]
        return {index: self._section(index) for index in members(self.mask)}

    def replace(self, index: int, payload: Payload) -> None:
        """Something else went where this section was to go."""
        self._parts[index] = payload
        self._framed &= ~(1 << index)

    def unchanged(self, parts: Sequence[Payload | None], frame: memoryview | None, framed: int) -> int:
        """Which of the sections are still the same objects there."""
        same = self._framed & framed if frame is self._frame else 0
        for index in members(self.mask & ~(self._framed | framed)):
            if parts[index] is self._parts[index]:
                same |= 1 << index
        return same & self.mask

    def _section(self, index: int) -> Payload:
        payload = self._parts[index]
        return _slice(self._frame, index) if payload is None else payload


class HeldColumn:
    """``dirty`` sections are newer than the world, ``clean`` ones the same; ``unjournaled`` are those of the dirty ones
    that the journal lacks. A section without a bit in either of the first two is not held."""

    __slots__ = ("_frame", "_framed", "_parts", "clean", "dirty", "unjournaled")

    def __init__(self) -> None:
        self.dirty = 0
        self.clean = 0
        self.unjournaled = 0
        self._parts = _NO_PARTS
        self._frame: memoryview | None = None
        self._framed = 0

    @property
    def held(self) -> int:
        """The sections that are in memory."""
        return self.dirty | self.clean

    def section(self, index: int) -> Payload | None:
        """A payload, ``None`` where it is not held."""
        payload = self._parts[index]
        if payload is None and self._framed >> index & 1:
            return _slice(self._frame, index)
        return payload

    def run(self, first: int, end: int) -> memoryview | None:
        """Sections ``first`` … ``end - 1`` in one piece, where they lie so."""
        wanted = (1 << end) - (1 << first)
        frame = self._frame
        if frame is None or self._framed & wanted != wanted:
            return None
        if wanted == WHOLE_COLUMN:
            return frame
        size = len(frame) // DATA_SECTIONS
        return frame[first * size : end * size]

    def put(self, index: int, payload: Payload) -> None:
        """Hold a payload from now on."""
        if self._parts is _NO_PARTS:
            self._parts = _NO_PARTS.copy()
        self._parts[index] = payload
        if self._framed:
            self._unframe(1 << index)

    def put_again(self, index: int, payload: bytes) -> bool:
        """Hold a payload in the place of a dirty one. Whether the journal lacked that already."""
        if self._framed or self._parts is _NO_PARTS:
            self.put(index, payload)
        else:
            self._parts[index] = payload
        return self.unjournaled >> index & 1 == 1

    def put_whole(self, frame: memoryview) -> None:
        """Hold all of the column, in one piece that nobody will change."""
        self._parts = _NO_PARTS
        self._framed = WHOLE_COLUMN
        self._frame = frame

    def drop(self, mask: int) -> None:
        """Hold these sections no more."""
        self.dirty &= ~mask
        self.clean &= ~mask
        self.unjournaled &= ~mask
        for index in members(mask & ~self._framed):
            self._parts[index] = None
        self._unframe(mask)

    def take(self, mask: int) -> Taken:
        """Held sections, as they are now."""
        return Taken(mask, self._parts.copy(), self._frame, self._framed)

    def unchanged(self, taken: Taken) -> int:
        """Which of the sections that were taken are still the same."""
        return taken.unchanged(self._parts, self._frame, self._framed)

    def _unframe(self, mask: int) -> None:
        self._framed &= ~mask
        if not self._framed:
            self._frame = None


def _slice(frame: memoryview | None, index: int) -> memoryview:
    assert frame is not None
    size = len(frame) // DATA_SECTIONS
    return frame[index * size : (index + 1) * size]


def _cut(frame: memoryview) -> list[memoryview]:
    size = len(frame) // DATA_SECTIONS
    return [frame[start : start + size] for start in range(0, len(frame), size)]
