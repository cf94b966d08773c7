"""GF(2^8) with 0x11D by school arithmetic: slow, and nothing like bbd.disk.integrity."""

from __future__ import annotations


def times(a: int, b: int) -> int:
    """Multiply as polynomials, then divide by x^8 + x^4 + x^3 + x^2 + 1 and keep the remainder."""
    product = 0
    for bit in range(8):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(14, 7, -1):
        if product >> bit & 1:
            product ^= 0x11D << (bit - 8)
    return product


def power(base: int, exponent: int) -> int:
    """Multiply again and again."""
    result = 1
    for _ in range(exponent):
        result = times(result, base)
    return result


def parity_rows(stripes: list[bytes], count: int) -> list[bytes]:
    """P, Q, R: the sums of base^i d_i for the bases 1, 2, 4."""
    rows = []
    for base in (1, 2, 4)[:count]:
        row = bytearray(len(stripes[0]))
        for index, stripe in enumerate(stripes):
            factor = power(base, index)
            for at, value in enumerate(stripe):
                row[at] ^= times(factor, value)
        rows.append(bytes(row))
    return rows


def crc32c_bitwise(data: bytes) -> int:
    """CRC-32C bit by bit, as RFC 3720 (appendix B.4) describes it: reflected polynomial 0x82F63B78."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
