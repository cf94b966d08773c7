"""Palettes of sections as they lie in chunks, and what their entries mean to a codec.

A palette is an NBT list of compounds {``Name``, ``Properties`` of strings}. The disk's own sections nearly all carry
the same one, so palettes are recognised by their bytes and interpreted once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import Block, Codec
from bbd.worlds.anvil.entries import EntryTable
from bbd.worlds.anvil.nbt_scan import (
    COMPOUND,
    END,
    STRING,
    Malformed,
    list_at,
    scan_compound,
    skip,
    string_at,
)
from bbd.worlds.anvil.packing import MAX_BITS, bits_for

AIR_NAMES = frozenset({"minecraft:air", "minecraft:cave_air", "minecraft:void_air"})

# A palette of more entries is longer than this many bytes, which tell it from nearly all others.
_HINTED_ENTRIES = 16
_HINT_BYTES = 160
_KEPT = 256
_NAME = bytes([STRING]) + b"\0\4Name"


class Palette:
    """A section's palette: ``raw`` is its NBT payload, ``blocks`` what its entries are.

    Raises ``Malformed`` for an entry without a name.
    """

    def __init__(self, raw: bytes, entries: Sequence[bytes]) -> None:
        self.raw = raw
        self.blocks = [_block(entry) for entry in entries]
        self.bits = bits_for(len(entries))
        self._tables: dict[int, tuple[Codec, npt.NDArray[np.int32]]] = {}

    @cached_property
    def air(self) -> npt.NDArray[np.bool_]:
        """For each entry, whether it is air."""
        return np.array([block.name in AIR_NAMES for block in self.blocks])

    def table(self, codec: Codec) -> npt.NDArray[np.int32]:
        """The codec's palette index for each possible entry; -1 for what it doesn't know and for entries that the
        palette doesn't have."""
        kept = self._tables.get(id(codec))
        if kept is None:
            table = np.full(1 << self.bits, -1, np.int32)
            table[: len(self.blocks)] = [_recognise(codec, block) for block in self.blocks]
            kept = self._tables[id(codec)] = (codec, table)
        return kept[1]


class PaletteCache:
    """The palettes seen lately, and the ``table`` of their entries. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_raw: OrderedDict[bytes, Palette] = OrderedDict()
        self._by_hint: OrderedDict[bytes, Palette] = OrderedDict()
        self.table = EntryTable()

    def read(self, data: bytes, position: int) -> tuple[Palette, int]:
        """The palette whose payload begins at ``position``, and the position behind it. Raises ``Malformed``,
        ``IndexError``."""
        count, first = list_at(data, position, COMPOUND)
        if not 1 <= count <= 1 << MAX_BITS:
            raise Malformed(f"a palette has {count} entries")
        hint = data[position : position + _HINT_BYTES] if count > _HINTED_ENTRIES else b""
        if hint and (known := self._by_hint.get(hint)) and data.startswith(known.raw, position):
            return known, position + len(known.raw)
        entries, end = _entries(data, first, count)
        raw = data[position:end]
        palette = self._by_raw.get(raw)
        if palette is None:
            palette = Palette(raw, entries)
            self.table.learn(dict(zip(entries, palette.blocks, strict=True)))
        with self._lock:
            _keep(self._by_raw, raw, palette)
            if hint:
                _keep(self._by_hint, hint, palette)
        return palette, end


def _keep(kept: OrderedDict[bytes, Palette], key: bytes, palette: Palette) -> None:
    kept[key] = palette
    kept.move_to_end(key)
    if len(kept) > _KEPT:
        kept.popitem(last=False)


def _entries(data: bytes, position: int, count: int) -> tuple[list[bytes], int]:
    entries = []
    for _ in range(count):
        start = position
        if data.startswith(_NAME, position):
            position += len(_NAME) + 2
            position += data[position - 2] << 8 | data[position - 1]
        # A name alone, as of most blocks, ends the compound here; anything else is walked through.
        position = position + 1 if position > start and data[position] == END else skip(data, COMPOUND, start)
        entries.append(data[start:position])
    return entries, position


@lru_cache(maxsize=8192)
def _block(entry: bytes) -> Block:
    tags, _ = scan_compound(entry, 0, {})
    found = {tag.name: tag for tag in tags}
    name, properties = found.get(b"Name"), found.get(b"Properties")
    if name is None or name.kind != STRING:
        raise Malformed("a palette entry has no name")
    states: Mapping[str, str] = {}
    if properties is not None and properties.kind == COMPOUND:
        states = _properties(entry, properties.payload)
    return Block(string_at(entry, name.payload)[0], states)


def _properties(data: bytes, position: int) -> dict[str, str]:
    tags, _ = scan_compound(data, position, {})
    return {tag.name.decode("utf-8", "replace"): string_at(data, tag.payload)[0] for tag in tags if tag.kind == STRING}


def _recognise(codec: Codec, block: Block) -> int:
    index = codec.recognise(block.name, block.properties)
    return -1 if index is None else index
