"""Adler-32 of bytes that are put together from parts, from what is known of each part (RFC 1950, section 8.2).

The checksum holds two sums modulo 65521: of the bytes (begun with 1), and of that sum after every byte. Both follow
from those of the parts and from how many bytes come after each, so no byte needs to be looked at twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from isal import isal_zlib

MODULUS = 65521


@dataclass(frozen=True, slots=True)
class Sums:
    """What some bytes add to the checksum of the whole: their sum, the sum of what that is after each of them, and
    how many they are."""

    first: int = 0
    second: int = 0
    size: int = 0

    @classmethod
    def of(cls, data: bytes) -> Sums:
        """The sums of these bytes."""
        value = isal_zlib.adler32(data)
        return cls((value & 0xFFFF) - 1, (value >> 16) - len(data), len(data))

    def __add__(self, other: Sums) -> Sums:
        """The sums of these bytes and of others behind them."""
        second = self.second + other.second + self.first * other.size
        return Sums((self.first + other.first) % MODULUS, second % MODULUS, self.size + other.size)

    def checksum(self) -> int:
        """The Adler-32."""
        return (self.second + self.size) % MODULUS << 16 | (self.first + 1) % MODULUS
