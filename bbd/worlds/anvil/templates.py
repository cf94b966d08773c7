"""The constant parts of stitched chunks: the NBT around payloads, deflated once and kept (docs/format.md, "Stitched
chunks").

A deflate stream (RFC 1951) may point back at the last 32 KiB of what it stands for, so a section's palette is told by
pointing at that of the section below. Between the two lie payload bytes, which nobody knows here: a byte that no
template has stands for them, so nothing can point at them, and only their number matters.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Final, cast

import numpy as np

from bbd.files import Bytes
from bbd.geometry.interfaces import SECTION_BLOCKS, Codec
from bbd.worlds.anvil import nbt_write
from bbd.worlds.anvil.adler import Sums
from bbd.worlds.anvil.head_section import HeadSection
from bbd.worlds.anvil.packing import bits_for, pack
from bbd.worlds.anvil.rewrite import CHUNK_TAIL, chunk_head
from bbd.worlds.anvil.section import VOID_BIOMES, blocks_states, uniform

AIR: Final = -1
FULL: Final = -2
"""Every block is the payload's."""
HEAD: Final = -3
"""A payload's first :data:`~bbd.worlds.anvil.head_section.HEAD_BYTES` bytes, then air."""
END: Final = -4
"""Not a section's kind, but stands behind the last one. A kind from 0 on: nothing but that block of the palette."""

ZLIB_HEAD: Final = b"\x78\x01"
"""RFC 1950: deflate with a window of 32 KiB, and a checksum that fits."""
_STORED: Final = b"\0"
_SYNC_MARK: Final = len(b"\0\0\xff\xff")
_SECTION_END: Final = VOID_BIOMES + nbt_write.END_TAG


@dataclass(frozen=True, slots=True)
class Part:
    """A constant piece of a stream, and the sums of what it stands for. Behind it stands either the next one, or as
    many bytes of payload as it announces."""

    packed: bytes
    sums: Sums


class Templates:
    """The parts for one codec."""

    def __init__(self, codec: Codec) -> None:
        self.head = HeadSection(codec)
        self._blocks = codec.palette
        self._uniform = {self._uniform_text(kind): kind for kind in range(len(codec.palette) - 1)}
        states = blocks_states(codec.palette[:-1], np.zeros(SECTION_BLOCKS, np.uint16))
        self._openings = {FULL: states[: len(states) - 1 - codec.section_size], HEAD: self.head.opening}
        self._closings = {FULL: nbt_write.END_TAG + _SECTION_END, HEAD: self.head.rest + _SECTION_END}
        self.payload_sizes = {FULL: codec.section_size, HEAD: self.head.size}
        """How many bytes of a section aren't constant, by its kind; others have none."""
        self.step = 255 // (len(codec.palette) - 2)
        """A block's number times this is that number over and over: byte 7 is 07 and nibble 7 is 77."""
        self._parts: dict[tuple[int, int, int], Part] = {}

    @cached_property
    def root(self) -> tuple[Part, Part, Part]:
        """What stands before a chunk's x (four bytes), between x and z, and behind z up to the section with Y 0."""
        text = chunk_head(0, 0, uniform(self._blocks[AIR]))
        x, z = text.index(b"xPos") + 4, text.index(b"zPos") + 4
        between = text[x + 4 : z]
        return (
            Part(ZLIB_HEAD + _announcing(_deflated(text[:x]), 8 + len(between)), Sums.of(text[:x])),
            Part(between, Sums.of(between)),
            _deflated_part(text[z + 4 :]),
        )

    def part(self, y: int, kind: int, below: int) -> Part:
        """The part that begins the section at ``y`` and ends the one below it, whose kind is ``below``."""
        key = (y, kind, below if below in self.payload_sizes else AIR)
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = self._part(*key)
        return part

    def kind_at(self, data: Bytes, position: int, y: int, below: int) -> int | None:
        """The kind of the section at ``y`` whose part may begin there; ``None`` for none that there is."""
        for kind in (FULL, AIR, HEAD):
            packed = self.part(y, kind, below).packed
            if data[position : position + len(packed)] == packed:
                return kind
        first = position + len(_STORED)
        size = int.from_bytes(data[first : first + 2], "little")
        text = bytes(data[first + 4 : first + 4 + size])
        return self._uniform.get(text[len(self._closings.get(below, b"")) + len(nbt_write.byte("Y", y)) :])

    def _part(self, y: int, kind: int, below: int) -> Part:
        text = self._closings.get(below, b"") + self._opening(y, kind)
        window = self._window(y - 1, below, text)
        if kind == END:
            return Part(_deflated(text, window, zlib.Z_FINISH), Sums.of(text))
        if kind >= 0:
            return Part(_STORED + _lengths(len(text)) + text, Sums.of(text))
        part = _deflated_part(text, window)
        if kind == AIR:
            return part
        return Part(_announcing(part.packed, self.payload_sizes[kind]), part.sums)

    def _opening(self, y: int, kind: int) -> bytes:
        """The section's bytes up to its payload, or all of them where it has none."""
        if kind == END:
            return CHUNK_TAIL
        if kind in self.payload_sizes:
            return nbt_write.byte("Y", y) + self._openings[kind]
        return nbt_write.byte("Y", y) + self._uniform_text(kind)

    def _uniform_text(self, kind: int) -> bytes:
        """A section of nothing but one kind of block, behind its Y."""
        return uniform(self._blocks[kind]) + _SECTION_END

    def _window(self, y: int, kind: int, text: bytes) -> bytes:
        """What the section below leaves to point back at, for a part of this text."""
        if kind not in self.payload_sizes:
            return b""
        opening = self._opening(y, kind)
        unused = max({*range(256)} - {*opening, *text})
        return opening + bytes([unused]) * self.payload_sizes[kind]


def templates_for(codec: Codec) -> Templates | None:
    """A codec's, always the same; ``None`` where stitching doesn't suit it."""
    return _templates(cast(Hashable, codec))


@cache
def _templates(codec: Codec) -> Templates | None:
    return Templates(codec) if suits(codec) else None


@lru_cache(256)
def repeated(byte: int, size: int) -> bytes:
    """The payload of a section of so many bytes that are all the same."""
    return bytes([byte]) * size


def suits(codec: Codec) -> bool:
    """Whether a codec's payloads can be stitched: their bytes are the longs of their blocks."""
    bits = bits_for(len(codec.palette) - 1)
    if codec.section_size * 8 != SECTION_BLOCKS * bits:
        return False
    probe = (bytes(range(256)) * SECTION_BLOCKS)[: codec.section_size]
    return pack(codec.encode(probe), bits) == probe


def _deflated_part(text: bytes, window: bytes = b"") -> Part:
    return Part(_deflated(text, window), Sums.of(text))


def _deflated(text: bytes, window: bytes = b"", flush: int = zlib.Z_SYNC_FLUSH) -> bytes:
    """Deflate blocks that end on a byte's border, the last of them an empty stored one unless the stream ends."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, window)
    return packer.compress(text) + packer.flush(flush)


def _announcing(packed: bytes, size: int) -> bytes:
    """The same, with that many bytes in the stored block at its end."""
    return packed[:-_SYNC_MARK] + _lengths(size)


def _lengths(size: int) -> bytes:
    """A stored block's length and its complement (RFC 1951, section 3.2.4)."""
    return size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little")
