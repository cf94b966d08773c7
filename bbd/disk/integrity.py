"""CRCs and parity of columns (docs/format.md, "Parity").

A column has 17 stripes: its 16 data sections and its check section, padded with zeros to the size of a section. The
parity sections are P = sum of d_i, Q = sum of 2^i d_i and R = sum of 4^i d_i, byte by byte over GF(2^8) with the
polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11D): the sums of H. Peter Anvin, "The mathematics of RAID-6", and their next
row. Any two stripes can be told again from any two of the rows, any three from all three.

Arrays are uint8. Much is done a 64-bit word at a time, so a section's size must be a multiple of 8 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from crc32c import crc32c

from bbd.disk.check import DATA_SECTIONS

STRIPES = DATA_SECTIONS + 1
MAX_PARITY = 3
POLYNOMIAL = 0x11D

ByteArray: TypeAlias = npt.NDArray[np.uint8]
_Words: TypeAlias = npt.NDArray[np.uint64]

_TOP_BIT = np.uint8(0x80)


def section_crc(payload: bytes | bytearray | memoryview) -> int:
    """CRC-32C (Castagnoli; RFC 3720, appendix B.4) of a data section's payload."""
    return crc32c(payload)


def section_crcs(payloads: Iterable[bytes | memoryview]) -> Iterator[int]:
    """The same of many."""
    return map(crc32c, payloads)


@cache
def zero_crc(section_size: int) -> int:
    """The CRC of a data section that is zero all over."""
    return crc32c(bytes(section_size))


def parity(stripes: ByteArray, count: int) -> ByteArray:
    """P, Q and R, as many as ``count`` (0 to 3) says.

    ``stripes`` has shape (columns, 17, section_size), the result (columns, count, section_size). Some columns a call
    are much faster than many calls, the more so where the same stripe of all of them lies together (:func:`together`).
    """
    _check_count(count)
    columns, _, size = _shape(stripes)
    words = _words(stripes).swapaxes(0, 1)
    rows = np.empty((count, columns, size // 8), dtype=np.uint64)
    if count > 0:
        np.bitwise_xor.reduce(words, axis=0, out=rows[0])
    for total, doublings in zip(rows[1:], range(1, count), strict=True):
        _weigh(words, doublings, total)
    return rows.view(np.uint8).swapaxes(0, 1)


def together(columns: int, section_size: int) -> ByteArray:
    """Stripes of zeros, shaped for :func:`parity`, that lie in memory as it likes them best."""
    return np.zeros((STRIPES, columns, section_size), np.uint8).swapaxes(0, 1)


def update_parity(old: ByteArray, index: int, delta: ByteArray) -> ByteArray:
    """The parity after stripe ``index`` (16: the check section) has changed by ``delta`` (old XOR new).

    ``old`` has shape (..., count, section_size), ``delta`` (..., section_size) or shorter in its last axis: bytes it
    lacks have not changed. Returns a new array.
    """
    if not 0 <= index < STRIPES:
        raise ValueError(f"a column has stripes 0 to {STRIPES - 1}, not {index}")
    rows = old.copy()
    for row in range(_check_count(old.shape[-2])):
        rows[..., row, : delta.shape[-1]] ^= _times(delta, power_of_two(row * index))
    return rows


def rebuild(
    stripes: ByteArray, parity_rows: ByteArray, erased: Sequence[int], rows: Sequence[int] | None = None
) -> ByteArray:
    """The stripes with the ``erased`` ones told again from the others and from parity.

    ``stripes`` has shape (columns, 17, section_size); what it holds at ``erased`` doesn't matter. ``parity_rows`` has
    shape (columns, count, section_size), P first; ``rows`` says which of them may be believed (default: all, and the
    first ones are used). The result is a new array; it is only as true as what it was made from: check its CRCs.
    Raises ``ValueError`` for more erased stripes than rows.
    """
    _shape(stripes)
    missing = sorted(set(erased))
    if missing and not 0 <= missing[0] <= missing[-1] < STRIPES:
        raise ValueError(f"a column has stripes 0 to {STRIPES - 1}, not {missing}")
    usable = range(_check_count(parity_rows.shape[1])) if rows is None else sorted(set(rows))
    if len(missing) > len(usable):
        raise ValueError(f"{len(missing)} erased stripes can't be told from {len(usable)} parity sections")
    used = list(usable)[: len(missing)]
    whole = stripes.copy()
    whole[:, missing] = 0
    if not missing:
        return whole
    syndromes = parity_rows[:, used] ^ parity(whole, max(used) + 1)[:, used]
    matrix = _inverse([[power_of_two(row * index) for index in missing] for row in used])
    for index, factors in zip(missing, matrix, strict=True):
        for position, factor in enumerate(factors):
            whole[:, index] ^= _times(syndromes[:, position], factor)
    return whole


def multiply(a: int, b: int) -> int:
    """The product of two bytes in the field."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= POLYNOMIAL
        b >>= 1
    return product


@cache
def power_of_two(exponent: int) -> int:
    """2 to the ``exponent`` in the field, whose multiplicative group has 255 elements."""
    power = 1
    for _ in range(exponent % 255):
        power = multiply(power, 2)
    return power


def _check_count(count: int) -> int:
    if not 0 <= count <= MAX_PARITY:
        raise ValueError(f"a column has 0 to {MAX_PARITY} parity sections, not {count}")
    return count


def _shape(stripes: ByteArray) -> tuple[int, int, int]:
    if stripes.ndim != 3 or stripes.shape[1] != STRIPES or stripes.shape[2] % 8:
        raise ValueError(f"stripes have the shape (columns, {STRIPES}, a multiple of 8), not {stripes.shape}")
    columns, count, size = stripes.shape
    return columns, count, size


def _words(array: ByteArray) -> _Words:
    """The same memory by words, or a copy where their bytes don't lie side by side."""
    return (array if array.strides[-1] == 1 else np.ascontiguousarray(array)).view(np.uint64)


def _weigh(words: _Words, doublings: int, total: _Words) -> None:
    """Sum of (2^doublings)^i d_i into ``total`` by Horner's rule, from the last stripe down."""
    total[...] = words[-1]
    scratch = np.empty_like(total)
    for stripe in words[-2::-1]:
        for _ in range(doublings):
            _double(total, scratch)
        np.bitwise_xor(total, stripe, out=total)


def _double(total: _Words, scratch: _Words) -> None:
    """Multiply each byte by 2 in place: shift it, and reduce it where its top bit was set.

    What is left of a byte but its top bit is 0 or 0x80, of which 0 or 0x1D is the lesser; every step is one pass of
    numpy's vector code, and that for shifts of bytes is three times as slow.
    """
    doubled, top = total.view(np.uint8), scratch.view(np.uint8)
    np.bitwise_and(doubled, _TOP_BIT, out=top)
    np.minimum(top, _reductions(top.shape), out=top)  # with a scalar numpy takes six times as long
    np.add(doubled, doubled, out=doubled)
    np.bitwise_xor(total, scratch, out=total)


@lru_cache(16)
def _reductions(shape: tuple[int, ...]) -> ByteArray:
    return np.full(shape, POLYNOMIAL & 0xFF, np.uint8)


@cache
def _table(factor: int) -> bytes:
    return bytes(multiply(factor, value) for value in range(256))


def _times(array: ByteArray, factor: int) -> ByteArray:
    if factor == 1:
        return array
    return np.frombuffer(array.tobytes().translate(_table(factor)), dtype=np.uint8).reshape(array.shape)


def _inverse(matrix: list[list[int]]) -> list[list[int]]:
    """Gauss and Jordan over the field. The matrices of :func:`rebuild` always have an inverse."""
    size = len(matrix)
    work = [[*row, *(int(i == j) for j in range(size))] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(row for row in range(column, size) if work[row][column])
        work[column], work[pivot] = work[pivot], work[column]
        scale = _reciprocal(work[column][column])
        work[column] = [multiply(scale, value) for value in work[column]]
        for row in range(size):
            factor = work[row][column]
            if row != column and factor:
                work[row] = [a ^ multiply(factor, b) for a, b in zip(work[row], work[column], strict=True)]
    return [row[size:] for row in work]


def _reciprocal(value: int) -> int:
    """``value ** 254``: the group has 255 elements."""
    result = 1
    for _ in range(254):
        result = multiply(result, value)
    return result
