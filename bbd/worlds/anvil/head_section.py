"""Sections that hold but the first bytes of a payload, as check sections do, with air above.

The codec's blocks and air are one kind more than its own blocks need bits for, so the entries are a bit wider than in
other sections: 9 bits for ``byte``, 5 for ``nibble``. Only the first longs differ from section to section.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import SECTION_BLOCKS, Codec
from bbd.worlds.anvil.packing import bits_for, longs_for
from bbd.worlds.anvil.section import blocks_states

HEAD_BYTES: Final = 128
"""How many payload bytes such a section holds: those of a check section."""


class HeadSection:
    """For a codec whose payload bytes are the longs of its blocks."""

    def __init__(self, codec: Codec) -> None:
        air = len(codec.palette) - 1
        narrow, wide = bits_for(air), bits_for(air + 1)
        blocks = HEAD_BYTES * SECTION_BLOCKS // codec.section_size
        longs = -(-blocks // (64 // wide))
        self.size = 8 * longs
        """Bytes of the longs that differ."""
        # Which bit of the payload each bit of the longs is; a one and a zero stand behind the payload's last.
        one, zero = 8 * HEAD_BYTES, 8 * HEAD_BYTES + 1
        pairs = [(_bit(block, at, wide), _bit(block, at, narrow)) for block in range(blocks) for at in range(narrow)]
        self._source = np.full(8 * self.size, zero)
        self._source[[_bit(block, at, wide) for block in range(blocks, longs * (64 // wide)) for at in _ones(air)]] = (
            one
        )
        there, here = np.array(pairs).T
        self._source[there] = here
        self._place = np.empty(8 * HEAD_BYTES, np.intp)
        self._place[here] = there
        self._constant, self._ones = np.packbits(self._source >= one), np.packbits(self._source == one)
        # The general encoder's words for all that; the compound that they are in ends with one byte.
        states = blocks_states(codec.palette, np.full(SECTION_BLOCKS, air, np.uint16))
        first = len(states) - 1 - 8 * longs_for(wide)
        self.above = bytes(codec.section_size - HEAD_BYTES)
        """What a payload is read as above its head, and (``lost``) which bytes of all of it are not known."""
        self.lost = bytes(HEAD_BYTES) + b"\1" * len(self.above)
        self.opening = states[:first]
        """The ``block_states`` tag up to those longs, and (``rest``) behind them."""
        self.rest = states[first + self.size :]

    def pack(self, payload: bytes) -> bytes:
        """The longs for a payload of :data:`HEAD_BYTES` bytes."""
        return self.pack_many([payload])[0]

    def pack_many(self, payloads: Sequence[bytes]) -> list[bytes]:
        """The same for many."""
        rows = np.frombuffer(b"".join([payload + b"\x80" for payload in payloads]), np.uint8)
        bits = np.unpackbits(rows.reshape(-1, HEAD_BYTES + 1), axis=1)
        return [longs.tobytes() for longs in np.packbits(bits.take(self._source, axis=1), axis=1)]

    def unpack(self, longs: bytes) -> bytes | None:
        """The payload; ``None`` where the blocks are others than :meth:`pack` writes."""
        (payload,) = self.unpack_many(np.frombuffer(longs, np.uint8)[np.newaxis])
        return payload

    def unpack_many(self, longs: npt.NDArray[np.uint8]) -> list[bytes | None]:
        """The same for many such sections, a row each."""
        right = (longs & self._constant == self._ones).all(axis=1).tolist()
        heads = np.packbits(np.unpackbits(longs, axis=1).take(self._place, axis=1), axis=1)
        return [head.tobytes() if whole else None for head, whole in zip(heads, right, strict=True)]


def _bit(block: int, at: int, width: int) -> int:
    """Where bit ``at`` (0 the lowest) of a block's entry stands in big-endian longs, counted from their first bit."""
    long, place = divmod(block, 64 // width)
    return 64 * long + 63 - place * width - at


def _ones(value: int) -> Iterable[int]:
    return (at for at in range(value.bit_length()) if value >> at & 1)
