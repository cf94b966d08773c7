"""Palette entries of a whole chunk, recognised at once.

A chunk that the game saved may hold 5,000 entries, in another order in every section. Those that were met before are
told by their bytes, all in a few array operations: a hash of an entry's last bytes finds the one known entry that it
may be, and comparing all its bytes says whether it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import Block, Codec, WholeCodec

MAX_ENTRY = 88
"""Longer entries (blocks with many properties) are never known."""

_WORDS = MAX_ENTRY // 8
_SHORT_WORDS = 7
"""Of most blocks: those without properties."""
_HASHED_WORDS = 3
SLOTS_LOG2 = 16
_MAX_KNOWN = 1024
_TRIES = 8
_BATCH = 2048
"""So many entries are looked at together: their bytes stay in the processor's cache, and in memory that is at hand."""

_AIR = b"\x08\0\x04Name\0\x0dminecraft:air\0"

_Words: TypeAlias = npt.NDArray[np.uint64]
_FACTORS: _Words = np.random.default_rng(1).integers(0, 1 << 64, (_TRIES, 1 + _HASHED_WORDS), np.uint64) | np.uint64(1)
_Positions: TypeAlias = npt.NDArray[np.int64]

# For each size the bytes that count of a window whose last bytes are the entry; none for a size that is no entry's.
_MASKS = np.zeros((MAX_ENTRY + 2, MAX_ENTRY), np.uint8)
for _size in range(1, MAX_ENTRY + 1):
    _MASKS[_size, -_size:] = 255
MASKS: _Words = _MASKS.view(np.uint64)
_MASKS_OF: Mapping[int, _Words] = {words: np.ascontiguousarray(MASKS[:, -words:]) for words in (_SHORT_WORDS, _WORDS)}


@dataclass(slots=True)
class Meaning:
    """What the known entries are to a codec: ``indices`` in its palette (-1: not recognised), and the same in bytes
    with ``whole`` set to 1 where the entry is a byte's index of a block that is not air."""

    codec: Codec
    indices: npt.NDArray[np.int32]
    low: npt.NDArray[np.uint8]
    whole: npt.NDArray[np.uint8]
    decode_whole: Callable[[npt.NDArray[np.uint8]], bytes] | None
    uniform: dict[int, tuple[bytes, bytes | None] | None] = field(default_factory=dict)


class Tables(NamedTuple):
    """How known entries are found: ``slots`` has their numbers by a hash that ``factors`` make, ``rows`` their words
    and ``sizes`` their lengths by their numbers."""

    rows: _Words
    sizes: _Positions
    factors: _Words
    slots: npt.NDArray[np.uint16]


class KnownEntries:
    """The ``blocks`` that entries (payloads of NBT compounds, of at most :data:`MAX_ENTRY` bytes) are. Never changes.
    An entry's number is its place in there."""

    def __init__(self, blocks: Mapping[bytes, Block]) -> None:
        self.blocks = blocks
        self._meanings: dict[int, Meaning] = {}

    @cached_property
    def tables(self) -> Tables:
        """See there. They are made when somebody looks: a chunk's palettes are learned one by one."""
        padded = b"".join(entry.rjust(MAX_ENTRY, b"\0") for entry in self.blocks)
        rows = np.frombuffer(padded, np.uint64).reshape(-1, _WORDS)
        sizes = np.array([len(entry) for entry in self.blocks], np.int64)
        return Tables(rows, sizes, *_hash_table(rows, sizes))

    @cached_property
    def _rows(self) -> Mapping[int, _Words]:
        """The last words of each row, by how many they are."""
        return {words: np.ascontiguousarray(self.tables.rows[:, -words:]) for words in _MASKS_OF}

    def find(self, data: bytes, ends: _Positions, sizes: _Positions) -> npt.NDArray[np.intp]:
        """The number of each entry, by where it ends in ``data`` and by its size; -1 where it is not known. No entry
        may end before :data:`MAX_ENTRY`."""
        sizes = np.where((sizes > 0) & (sizes <= MAX_ENTRY), sizes, 0)
        numbers = np.empty(len(ends), np.intp)
        for start in range(0, len(ends), _BATCH):
            batch = slice(start, start + _BATCH)
            numbers[batch] = self._find_some(data, ends[batch], sizes[batch])
        return numbers

    def _find_some(self, data: bytes, ends: _Positions, sizes: _Positions) -> npt.NDArray[np.intp]:
        long = sizes > 8 * _SHORT_WORDS
        if not long.any():
            return self._look_up(data, ends, sizes, _SHORT_WORDS)
        numbers = np.empty(len(ends), np.intp)
        for chosen, words in ((~long, _SHORT_WORDS), (long, _WORDS)):
            numbers[chosen] = self._look_up(data, ends[chosen], sizes[chosen], words)
        return numbers

    def _look_up(self, data: bytes, ends: _Positions, sizes: _Positions, words: int) -> npt.NDArray[np.intp]:
        width = 8 * words
        windows = np.ndarray((len(data) - width + 1,), f"V{width}", data, 0, (1,))
        rows = windows[ends - width].view(np.uint64).reshape(-1, words)
        rows &= _MASKS_OF[words].take(sizes, axis=0)
        tables = self.tables
        numbers = tables.slots.take(_hashes(rows, sizes, tables.factors)).astype(np.intp)
        same_size = sizes == tables.sizes.take(numbers)
        same = rows == self._rows[words].take(numbers, axis=0)
        if same.all() and same_size.all():
            return numbers
        return np.where(same.all(axis=1) & same_size, numbers, -1)

    def meaning(self, codec: Codec) -> Meaning:
        """What the entries are to a codec."""
        kept = self._meanings.get(id(codec))
        if kept is None:
            found = [codec.recognise(block.name, block.properties) for block in self.blocks.values()]
            indices = np.array([-1 if index is None else index for index in found], np.int32)
            whole = (indices >= 0) & (indices < min(256, len(codec.palette) - 1))
            decode_whole = codec.decode_whole if isinstance(codec, WholeCodec) else None
            kept = Meaning(codec, indices, indices.astype(np.uint8), whole.view(np.uint8), decode_whole)
            self._meanings[id(codec)] = kept
        return kept


class EntryTable:
    """The entries met lately. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.known = KnownEntries({_AIR: Block("minecraft:air")})

    def learn(self, entries: Mapping[bytes, Block]) -> None:
        """Know these entries from now on, except those that are too long. Where they become too many, those that were
        known before are forgotten."""
        with self._lock:
            before = self.known.blocks
            fresh = {
                entry: block for entry, block in entries.items() if len(entry) <= MAX_ENTRY and entry not in before
            }
            if fresh:
                both = {**before, **fresh} if len(before) + len(fresh) <= _MAX_KNOWN else fresh
                self.known = KnownEntries(dict(islice(both.items(), _MAX_KNOWN)))


def _hashes(rows: _Words, sizes: _Positions, factors: _Words) -> npt.NDArray[np.intp]:
    mixed: _Words = sizes.astype(np.uint64) * factors[0]
    for word in range(_HASHED_WORDS):
        mixed += rows[:, -1 - word] * factors[1 + word]
    return (mixed >> np.uint64(64 - SLOTS_LOG2)).astype(np.intp)


def _hash_table(rows: _Words, sizes: _Positions) -> tuple[_Words, npt.NDArray[np.uint16]]:
    """Factors that keep most entries apart, and the entries' numbers by hash. Where two meet, one stays unknown."""
    factors = max(_FACTORS, key=lambda tried: len(np.unique(_hashes(rows, sizes, tried))))
    slots = np.zeros(1 << SLOTS_LOG2, np.uint16)
    slots[_hashes(rows, sizes, factors)] = np.arange(len(rows), dtype=np.uint16)
    return factors, slots
