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
    if bits < 8:
        return _narrow(longs, bits).reshape(len(positions), -1)[:, :ENTRIES]
    entries = np.empty((len(longs), 64 // bits), np.uint16)
    for place in range(64 // bits):
        entries[:, place] = longs >> np.uint64(place * bits)
    entries &= np.uint16((1 << bits) - 1)
    return entries.reshape(len(positions), -1)[:, :ENTRIES]


def _narrow(longs: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.uint8]:
    """A byte for each entry of 5 to 7 bits, in order. ``longs`` are overwritten."""
    layout = _LAYOUTS[bits]
    entries = np.empty(len(longs), layout)
    high = longs >> np.uint64(8 * bits)
    entries["high"] = _spread(high.astype(layout["high"]), bits)
    entries["low"] = _spread(longs, bits)
    return entries.view(np.uint8)


def _spread(words: npt.NDArray[np.unsignedinteger], bits: int) -> npt.NDArray[np.unsignedinteger]:
    """Move the entries in each word's lowest bits apart, in place, until each has a byte: halves, then their halves."""
    moved = np.empty_like(words)
    for stay, move, far in _STEPS[bits, words.itemsize]:
        np.bitwise_and(words, move, out=moved)
        np.left_shift(moved, far, out=moved)
        np.bitwise_and(words, stay, out=words)
        np.bitwise_or(words, moved, out=words)
    return words


def _steps(bits: int, lanes: int) -> list[tuple[np.unsignedinteger, np.unsignedinteger, np.unsignedinteger]]:
    """The masks of what stays and of what moves, and by how many bits, for words of so many bytes."""
    word = np.dtype(f"u{lanes}").type
    steps = []
    half = lanes // 2
    while half:
        stay = sum(((1 << half * bits) - 1) << 8 * first for first in range(0, lanes, 2 * half))
        steps.append((word(stay), word(stay << half * bits), word(half * (8 - bits))))
        half //= 2
    return steps or [(word((1 << bits) - 1), word(0), word(0))]


# A long's first eight entries, and its others.
_LAYOUTS = {bits: np.dtype([("low", "<u8"), ("high", f"<u{64 // bits - 8}")]) for bits in (5, 6, 7)}
_STEPS = {(bits, lanes): _steps(bits, lanes) for bits in _LAYOUTS for lanes in (8, 64 // bits - 8)}


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
