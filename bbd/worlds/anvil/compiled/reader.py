"""What goes into the compiled code, and what comes out of it."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import numpy as np

from bbd.files import Bytes
from bbd.geometry.codecs.byte import ByteCodec
from bbd.geometry.codecs.nibble import NibbleCodec
from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.compiled.chunks import SMALLEST, read_chunk
from bbd.worlds.anvil.compiled.columns import FILLED, HEAD_SIZE
from bbd.worlds.anvil.compiled.inflating import Decompressor
from bbd.worlds.anvil.compiled.palettes import AIR, LOST, MAX_KINDS
from bbd.worlds.anvil.compiled.payloads import BLOCKS
from bbd.worlds.anvil.compiled.tags import MAX_DEPTH
from bbd.worlds.anvil.compression import ZLIB, AnyChunk
from bbd.worlds.anvil.entries import EntryTable, KnownEntries
from bbd.worlds.world import CHECK_SECTION, DATA_SECTIONS, STORED_SECTIONS, DataColumn, Payload

_WIDTHS: Mapping[type[object], int] = {ByteCodec: 8, NibbleCodec: 4}
"""Bits of a block, for the codecs that are compiled."""
_ROOM = 1 << 20
"""Bytes of a chunk at most: some times as many as the game's have."""


class _Memory(threading.local):
    """Each thread's own."""

    def __init__(self) -> None:
        self.decompressor = Decompressor()
        self.content = np.empty(_ROOM, np.uint8)
        self.words = np.ndarray((_ROOM - 7,), np.dtype("<u8"), self.content.data, 0, (1,))
        self.payloads = np.zeros(STORED_SECTIONS * BLOCKS, np.uint8)
        self.filled = np.zeros(256, np.uint8)
        self.table = np.zeros(MAX_KINDS, np.uint16)
        self.blocks = np.zeros(BLOCKS, np.uint16)
        self.stack = np.zeros(MAX_DEPTH, np.int64)
        self.view = memoryview(self.payloads.data)


_memory = _Memory()


class Known:
    """Known entries as the compiled code takes them, with what they mean to a codec."""

    def __init__(self, entries: KnownEntries, codec: Codec) -> None:
        tables, indices = entries.tables, entries.meaning(codec).indices
        air = len(codec.palette) - 1
        meanings = np.where((indices >= 0) & (indices < air), indices, np.where(indices == air, AIR, LOST))
        more = np.stack([tables.sizes, meanings], axis=1).astype(np.uint64)
        self.entries = entries
        self.rows = np.ascontiguousarray(np.hstack([tables.rows, more]))
        self.factors = np.array(tables.factors)
        self.slots = np.array(tables.slots)


class CompiledReader:
    """For one codec; any thread may call."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._width = _WIDTHS.get(type(codec), 0)
        self._known: Known | None = None

    def inflates(self, raw: AnyChunk) -> bool:
        """Whether :meth:`read` takes a chunk as it lies in its region file."""
        return raw.compression == ZLIB and _memory.decompressor.function != 0

    def read(self, chunk: Bytes, entries: KnownEntries, *, inflated: bool = True) -> DataColumn | None:
        """The column in a chunk, given its NBT, or what that is inflated from; ``None`` where not all of it is as it
        should be, and where an entry of its palettes is not known. The payloads are views of memory that the thread's
        next call uses again."""
        if not self._width:
            return None
        known = self._known
        if known is None or known.entries is not entries:
            known = self._known = Known(entries, self._codec)
        memory = _memory
        found = read_chunk(
            0 if inflated else memory.decompressor.function,
            memory.decompressor.memory,
            np.frombuffer(memoryview(chunk).toreadonly(), np.uint8),
            memory.content,
            memory.words,
            known.rows,
            known.factors,
            known.slots,
            self._width,
            memory.payloads,
            memory.filled,
            memory.table,
            memory.blocks,
            memory.stack,
        )
        return self._column(memory) if found else None

    def _column(self, memory: _Memory) -> DataColumn:
        size = self._codec.section_size
        view, filled = memory.view, memory.filled[:DATA_SECTIONS].tolist()
        data: list[Payload | None] = [
            view[start : start + size] if state == FILLED else None
            for state, start in zip(filled, range(0, DATA_SECTIONS * size, size), strict=True)
        ]
        head = CHECK_SECTION * size
        return DataColumn(data, bytes(view[head : head + HEAD_SIZE]))


def warm_up() -> None:
    """Have the code ready: from the disk, or compiled anew."""
    CompiledReader(ByteCodec()).read(bytes(SMALLEST), EntryTable().known)


def seal() -> None:
    """Have nothing compiled in this process from now on."""
    read_chunk.disable_compile()  # type: ignore[attr-defined]
