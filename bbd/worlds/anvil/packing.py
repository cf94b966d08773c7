"""Block indices in the longs of a section's ``data`` (chunk format of 1.16 and later).

4096 entries of equal width in bits, ``64 // bits`` to a long, the first in the lowest bits, none across two longs;
longs are big-endian. ``bits`` is what the largest palette index needs, at least 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ENTRIES = 4096
MIN_BITS = 4
MAX_BITS = 16
"""Wider than any palette that 4096 blocks can need, and as wide as an index is here."""


def bits_for(palette_size: int) -> int:
    """Bits of an entry for a palette of that many blocks."""
    return max(MIN_BITS, (palette_size - 1).bit_length())


def longs_for(bits: int) -> int:
    """How many longs hold a section's entries."""
    return -(-ENTRIES // (64 // bits))


def unpack(data: bytes, position: int, bits: int) -> npt.NDArray[np.uint16]:
    """The 4096 entries that begin at ``position``; ``data`` must hold all their longs."""
    return unpack_many(data, [position], bits).reshape(-1).astype(np.uint16)


def unpack_many(data: bytes, positions: Sequence[int], bits: int) -> npt.NDArray[np.uint8 | np.uint16]:
    """The entries of sections of equal width, of shape (sections, 4096), in bytes where ``bits`` is at most 8."""
    length = 8 * longs_for(bits)
    packed = b"".join([data[position : position + length] for position in positions])
    longs = np.frombuffer(packed, ">u8").astype("<u8")
    if bits == 8:
        return longs.view(np.uint8).reshape(-1, ENTRIES)
    if bits == 4:
        pairs = longs.view(np.uint8).astype("<u2")
        pairs |= pairs << np.uint16(4)
        pairs &= np.uint16(0x0F0F)
        return pairs.view(np.uint8).reshape(-1, ENTRIES)
    entries = np.empty((len(longs), 64 // bits), np.uint8 if bits <= 8 else np.uint16)
    for place in range(64 // bits):
        entries[:, place] = longs >> np.uint64(place * bits)
    entries &= entries.dtype.type((1 << bits) - 1)
    return entries.reshape(len(positions), -1)[:, :ENTRIES]


def pack(entries: npt.NDArray[np.uint16], bits: int) -> bytes:
    """The longs of 4096 entries, all below ``2 ** bits``."""
    if bits == 8:
        return entries.astype(np.uint8).reshape(-1, 8)[:, ::-1].tobytes()
    padded = np.zeros(longs_for(bits) * (64 // bits), np.uint64)
    padded[:ENTRIES] = entries
    longs: npt.NDArray[np.uint64] = np.bitwise_or.reduce(padded.reshape(-1, 64 // bits) << _shifts(bits), axis=1)
    return longs.astype(">u8").tobytes()


def _shifts(bits: int) -> npt.NDArray[np.uint64]:
    return np.arange(64 // bits, dtype=np.uint64) * np.uint64(bits)
