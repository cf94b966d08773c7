"""One column's sections in memory, and what leaves of them for the journal and the world.

Sections lie one by one, or, as long as they are what came in one piece, in a frame of the whole column. Nothing that
others have seen is ever changed: a new write puts a new object in the place of the old one. So a reply that waits to be
sent, a journal batch and a checkpoint each keep the bytes that they saw, without a copy and without a lock.

A frame that nobody else holds anything of is written to in its place, since memory that was not used for long is slow
to come by. That nobody does is told by CPython's reference counts: :class:`Taken` holds the frame, and all that others
get are views of the object that the frame is a view of, which hold that object.

Masks have a bit for each section.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from sys import getrefcount
from typing import Final, TypeAlias, cast

from bbd.blocks import cut, fresh
from bbd.disk.column_map import members
from bbd.worlds.world import DATA_SECTIONS, Payload

WHOLE_COLUMN: Final = (1 << DATA_SECTIONS) - 1
"""All sections of a column, as bits."""

Parts: TypeAlias = list[Payload | None]
_NO_PARTS: Final[Parts] = [None] * DATA_SECTIONS
"""Of all columns that have none; never changed."""


def _holds_gil() -> bool:
    asked: Callable[[], bool] | None = getattr(sys, "_is_gil_enabled", None)
    return asked is None or asked()


COUNTS_ALL: Final = sys.implementation.name == "cpython" and sys.version_info < (3, 14) and _holds_gil()
"""Whether reference counts tell all: CPython 3.14 borrows some references, and threads without a GIL have their own."""
_ALONE: Final = 3
"""References to what a frame is a view of, where nobody else has any: the column's, the view's, and the question's."""


class _Content:
    """Payloads: those of ``framed`` are slices of ``frame``, the others lie in ``parts``. ``own`` is what the frame is
    a view of, where a column may write to it while nobody else has that."""

    __slots__ = ("_shown", "frame", "framed", "own", "parts")

    def __init__(self, parts: Parts, frame: memoryview | None = None, framed: int = 0, own: object = None) -> None:
        self.parts = parts
        self.frame = frame
        self.framed = framed
        self.own = own
        self._shown: memoryview | None = None

    @property
    def shown(self) -> memoryview:
        """The frame as others may have it: in whole, or slices of it."""
        if self._shown is None:
            assert self.frame is not None
            self._shown = self.frame if self.own is None else memoryview(cast(memoryview, self.own))
        return self._shown

    def section(self, index: int) -> Payload | None:
        """A payload, ``None`` where there is none."""
        payload = self.parts[index]
        if payload is None and self.framed >> index & 1:
            frame = self._shown or self.shown
            size = len(frame) // DATA_SECTIONS
            return frame[index * size : (index + 1) * size]
        return payload


class Taken(_Content):
    """Sections of a column at one moment: those of ``mask``."""

    __slots__ = ("mask",)

    def __init__(self, mask: int, content: _Content) -> None:
        super().__init__(content.parts.copy(), content.frame, content.framed, content.own)
        self.mask = mask

    @property
    def whole(self) -> memoryview | None:
        """All of the column's bytes, where they lie in one piece and all of them are meant."""
        return self.shown if self.mask == self.framed == WHOLE_COLUMN else None

    def sections(self) -> dict[int, Payload]:
        """The payloads by their indices, ascending."""
        if (frame := self.whole) is not None:
            return dict(enumerate(sections_of(frame)))
        return cast(dict[int, Payload], {index: self.section(index) for index in members(self.mask)})

    def replace(self, index: int, payload: Payload) -> None:
        """Something else went where this section was to go."""
        self.parts[index] = payload
        self.framed &= ~(1 << index)


class HeldColumn(_Content):
    """``dirty`` sections are newer than the world, ``clean`` ones the same; ``unjournaled`` are those of the dirty ones
    that the journal lacks. A section without a bit in either of the first two is not held."""

    __slots__ = ("clean", "dirty", "unjournaled")

    def __init__(self) -> None:
        super().__init__(_NO_PARTS)
        self.dirty = 0
        self.clean = 0
        self.unjournaled = 0

    @property
    def held(self) -> int:
        """The sections that are in memory."""
        return self.dirty | self.clean

    def some(self, mask: int) -> list[Payload]:
        """The payloads of some held sections, in order."""
        indices = members(mask) if mask & mask - 1 else (mask.bit_length() - 1,)
        return [cast(Payload, self.section(index)) for index in indices]

    def run(self, first: int, end: int) -> memoryview | None:
        """Sections ``first`` … ``end - 1`` in one piece, where they lie so."""
        wanted = (1 << end) - (1 << first)
        if self.framed & wanted != wanted:
            return None
        frame = self._shown or self.shown
        if wanted == WHOLE_COLUMN:
            return frame
        size = len(frame) // DATA_SECTIONS
        return frame[first * size : end * size]

    def put(self, index: int, payload: Payload) -> None:
        """Hold a payload from now on."""
        if self.parts is _NO_PARTS:
            self.parts = _NO_PARTS.copy()
        self.parts[index] = payload
        if self.framed:
            self._unframe(1 << index)

    def write(self, index: int, data: memoryview) -> None:
        """Hold a copy of ``data``, all of a section, from now on."""
        # Most small writes get here: what is asked of others' hold on the frame is asked without a call.
        self._shown = None
        frame = self.frame
        if self.framed >> index & 1 and frame is not None and self.own is not None and getrefcount(self.own) == _ALONE:
            start = index * len(data)
            frame[start : start + len(data)] = data
        else:
            self.put(index, bytes(data))

    def write_run(self, index: int, data: memoryview, size: int) -> None:
        """The same with sections of ``size`` bytes that follow one another."""
        mask = (1 << len(data) // size) - 1 << index
        if self.framed & mask == mask and (frame := self._changeable) is not None:
            frame[index * size : index * size + len(data)] = data
        else:
            for at, payload in enumerate(cut(data, size), index):
                self.put(at, payload)

    def write_whole(self, data: memoryview) -> None:
        """Hold a copy of ``data``, all of the column, from now on."""
        if self.framed == WHOLE_COLUMN and (frame := self._changeable) is not None:
            frame[:] = data
        else:
            frame = fresh(len(data))
            frame[:] = data
            self.put_whole(frame, own=True)

    @property
    def _changeable(self) -> memoryview | None:
        """The frame, if nobody else has any of it now."""
        self._shown = None
        return self.frame if self.own is not None and getrefcount(self.own) == _ALONE else None

    def put_whole(self, frame: memoryview, *, own: bool = False) -> None:
        """Hold all of the column, in one piece that nobody else will change. ``own``: the column may, if it is all of
        the object that it is a view of; nobody else will have any of that for long."""
        self.parts = _NO_PARTS
        self.framed = WHOLE_COLUMN
        self._shown = self.own = None
        whole = memoryview(frame.obj) if own else frame
        if own and whole.nbytes == frame.nbytes:
            self.frame = whole
            self.own = frame.obj if COUNTS_ALL else None
        else:
            self.frame = frame.toreadonly()

    def drop(self, mask: int) -> None:
        """Hold these sections no more."""
        self.dirty &= ~mask
        self.clean &= ~mask
        self.unjournaled &= ~mask
        for index in members(mask & ~self.framed):
            self.parts[index] = None
        self._unframe(mask)

    def take(self, mask: int) -> Taken:
        """Held sections, as they are now."""
        return Taken(mask, self)

    def unchanged(self, taken: Taken) -> int:
        """Which of the sections that were taken are still the same objects."""
        same = taken.framed & self.framed if taken.frame is self.frame else 0
        for index in members(taken.mask & ~(taken.framed | self.framed)):
            if taken.parts[index] is self.parts[index]:
                same |= 1 << index
        return same & taken.mask

    def _unframe(self, mask: int) -> None:
        self.framed &= ~mask
        if not self.framed:
            self.frame = self.own = self._shown = None


def sections_of(frame: memoryview) -> list[memoryview]:
    """The 16 payloads of a column in one piece."""
    size = len(frame) // DATA_SECTIONS
    return [frame[start : start + size] for start in range(0, len(frame), size)]
