"""Where the blocks of a chunk lie, if its sections look as those that games save: the lean way through a chunk.

A section (chunk format of 1.18 and later) is here light, biomes of one kind, Y and ``block_states``, in any order.
Patterns step over what has a known length. Where a palette ends is told by its entries: each ends with its ``Name``,
and no other letter N is in it. That is a guess until every entry is recognised, or the palette is read entry by entry.
Whatever looks different is left to the general way, which reads all that is right and says what is wrong.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from bbd.worlds.anvil.entries import MAX_ENTRY, KnownEntries
from bbd.worlds.anvil.nbt_scan import COMPOUND, list_at
from bbd.worlds.anvil.packing import MAX_BITS, MIN_BITS, bits_for, longs_for
from bbd.worlds.anvil.palette import Palette, PaletteCache

_Positions: TypeAlias = npt.NDArray[np.int64]


class NotLean(Exception):
    """The chunk is not, or doesn't look, as expected: read it the general way."""


class Place(NamedTuple):
    """Where a section's blocks lie: ``entries`` from which its palette's ``kinds`` entries are among all of the chunk,
    and the position of its longs, ``None`` where all blocks are the palette's first."""

    y: int
    entries: int
    kinds: int
    longs: int | None


@dataclass(slots=True)
class Outline:
    """The sections with blocks. ``numbers`` are the entries of all their palettes in ``known``; palettes in ``read``,
    by their section's Y, have entries that are not known."""

    places: Sequence[Place]
    numbers: npt.NDArray[np.intp]
    known: KnownEntries
    read: Mapping[int, Palette]


# By bits, how many bytes an array of longs takes: their number, and they.
_LENGTHS = [4 + 8 * longs_for(bits) for bits in range(1, MAX_BITS + 1)]


def _arrays() -> bytes:
    counts = {longs_for(bits) for bits in range(MIN_BITS, MAX_BITS + 1)}
    return b"|".join(re.escape(count.to_bytes(4, "big")) + b".{%d}" % (8 * count) for count in counts)


def _names() -> bytes:
    return b"|".join(re.escape(bytes([length])) + b".{%d}" % length for length in range(11, 41))


_LIGHT = rb"\x07\0(?:\x08Sky|\x0aBlock)Light\0\0\x08\0.{2048}"
_BIOMES = rb"\x0a\0\x06biomes\x09\0\x07palette\x08\0\0\0\x01\0(?:" + _names() + rb")\0"
_REST = rb"(?:" + _LIGHT + rb"|" + _BIOMES + rb")*"
_AROUND = _REST + rb"(?:\x01\0\x01Y(.)" + _REST + rb")?"
_DATA = rb"(?:\x0c\0\x04data(" + _arrays() + rb"))?"
_TO_PALETTE = re.compile(_AROUND + rb"\x0a\0\x0cblock_states" + _DATA + rb"\x09\0\x07palette\x0a(....)", re.DOTALL)
_FROM_PALETTE = re.compile(_DATA + rb"\0" + _AROUND + rb"\0", re.DOTALL)
_NO_BLOCKS = re.compile(_AROUND + rb"\0", re.DOTALL)

# IEEE 754, binary64.
_MANTISSA_BITS = 52
_EXPONENT_BIAS = 1023

_ABSENT = (-1, -1)
_NOTHING = Place(0, 0, 0, None)

# Of an entry's last tag, a string: from the N of its name to its text, and the text's length in the byte before.
_NAME_LENGTH = 5
_NAME_TEXT = 6


class Outliner:
    """Reads a chunk's ``sections``. Raises :class:`NotLean`, ``Malformed``, ``IndexError``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._places: list[Place] = []
        self._firsts: list[int] = []
        self._hits: list[int] = []
        self._heights: set[bytes] = set()

    def read(self, data: bytes, position: int) -> int:
        """The position behind the list of sections whose payload begins at ``position``."""
        count, position = list_at(data, position, COMPOUND)
        content = np.frombuffer(data, np.uint8)
        names = _positions(content, ord("N"))
        self._ends: _Positions = names + content.take(names + _NAME_LENGTH, mode="clip") + (_NAME_TEXT + 1)
        self._names = array("q", names.tobytes())
        for _ in range(count):
            start = _TO_PALETTE.match(data, position)
            position = self._without_blocks(position) if start is None else self._with_blocks(start)
        return position

    def _without_blocks(self, position: int) -> int:
        match = _NO_BLOCKS.match(self._data, position)
        if match is None:
            raise NotLean
        self._note_height(match[1])
        return match.end()

    def _with_blocks(self, start: re.Match[bytes]) -> int:
        first, kinds = start.end(), int.from_bytes(start[3], "big")
        before = self._places[-1] if self._places else _NOTHING
        name = bisect_left(self._names, first, self._hits[-1] if self._hits else 0)
        if not 1 <= kinds <= 1 << MAX_BITS or name + kinds > len(self._names):
            raise NotLean
        end = _FROM_PALETTE.match(self._data, int(self._ends[name + kinds - 1]))
        if end is None:
            raise NotLean
        y = self._note_height(start[1] or end[2])
        self._places.append(Place(y, before.entries + before.kinds, kinds, _longs(start, end, kinds)))
        self._firsts.append(first)
        self._hits.append(name)
        return end.end()

    def _note_height(self, y: bytes | None) -> int:
        if y is None or y in self._heights:
            raise NotLean
        self._heights.add(y)
        return y[0] - (y[0] >> 7 << 8)

    def recognised(self, palettes: PaletteCache) -> Outline:
        """What was read, once it is certain that each palette ends where it seemed to."""
        counts = np.array([place.kinds for place in self._places], np.int64)
        entries = np.array([place.entries for place in self._places], np.int64)
        total = int(counts.sum())
        ends = self._ends[np.repeat(np.array(self._hits, np.int64) - entries, counts) + np.arange(total)]
        if not total or int(ends.min()) < MAX_ENTRY:
            raise NotLean
        starts = np.empty_like(ends)
        starts[1:] = ends[:-1]
        starts[entries] = self._firsts
        known = palettes.table.known
        numbers = known.find(self._data, ends, ends - starts)
        read = self._read_unknown(palettes, numbers, ends) if int(numbers.min()) < 0 else {}
        return Outline(self._places, numbers, known, read)

    def _read_unknown(
        self, palettes: PaletteCache, numbers: npt.NDArray[np.intp], ends: _Positions
    ) -> dict[int, Palette]:
        read = {}
        for place, first in zip(self._places, self._firsts, strict=True):
            behind = place.entries + place.kinds
            if int(numbers[place.entries : behind].min()) < 0:
                # The list's type and length come before its first entry.
                palette, end = palettes.read(self._data, first - 5)
                if end != int(ends[behind - 1]):
                    raise NotLean
                read[place.y] = palette
        return read


def _positions(content: npt.NDArray[np.uint8], byte: int) -> _Positions:
    """Where a byte is, but for the last few positions; of two in the same eight bytes the latter."""
    # Hits are so dense among words that numpy looks for them without branches; among bytes it mispredicts one a hit.
    words = (content == byte)[: len(content) & ~7].view(np.dtype("<u8"))
    found = np.flatnonzero(words.astype(np.bool_))
    # A float's exponent tells the highest byte of a word that is set.
    places = words.take(found).astype(np.float64).view(np.int64)
    places >>= _MANTISSA_BITS + 3
    places -= _EXPONENT_BIAS >> 3
    found <<= 3
    found += places
    return found


def _longs(start: re.Match[bytes], end: re.Match[bytes], kinds: int) -> int | None:
    """The position of a section's longs, which must be as many as its palette needs."""
    before, behind = start.span(2), end.span(1)
    if _ABSENT not in (before, behind):
        raise NotLean
    if kinds == 1:
        return None
    begin, stop = max(before, behind)
    if stop - begin != _LENGTHS[bits_for(kinds) - 1]:
        raise NotLean
    return begin + 4
