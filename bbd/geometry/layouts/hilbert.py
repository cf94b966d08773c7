"""Layout ``hilbert``: columns along a Hilbert curve, so that neighbours on the disk are neighbours in the world.

The curve is the one of Hilbert's "Ueber die stetige Abbildung einer Linie auf ein Flaechenstueck" (Mathematische
Annalen 38, 1891), taken at even orders only: there the curve of order n + 2 begins with the curve of order n in the
same orientation. It therefore has no end and depends on no size: it fills the quadrant x >= 0, z >= 0. Columns
``1024 k`` to ``1024 k + 1023`` fill one square of 32 x 32 chunks, which with an origin at a multiple of 32 is exactly
one region file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bbd.geometry.layouts.widthless import Widthless


@dataclass(frozen=True, slots=True)
class HilbertLayout(Widthless):
    """The endless Hilbert curve. See :class:`bbd.geometry.interfaces.Layout`."""

    name = "hilbert"
    number = 1
    origin_multiple = 32

    def chunk(self, column: int) -> tuple[int, int]:
        """Two bits of ``column`` a level, lowest first; levels are done in pairs, which keeps the order even."""
        if column < 0:
            raise ValueError(f"column {column} is negative")
        x = z = 0
        side = 1
        while column:
            for _ in range(2):
                right = column >> 1 & 1
                far = (column ^ right) & 1
                if not far:
                    if right:
                        x, z = side - 1 - x, side - 1 - z
                    x, z = z, x
                x += side * right
                z += side * far
                column >>= 2
                side *= 2
        return x, z

    def column(self, x: int, z: int) -> int | None:
        """The way back, highest level first; ``None`` only for negative coordinates."""
        if x < 0 or z < 0:
            return None
        levels = max(x, z).bit_length()
        levels += levels & 1
        column = 0
        for level in range(levels - 1, -1, -1):
            side = 1 << level
            right, far = x >> level & 1, z >> level & 1
            column = column << 2 | (3 * right ^ far)
            x &= side - 1
            z &= side - 1
            if not far:
                if right:
                    x, z = side - 1 - x, side - 1 - z
                x, z = z, x
        return column

    def rectangles(self, columns: int) -> Iterator[tuple[int, int, int, int]]:
        """The aligned squares that make up the curve's beginning: at most three of each size."""
        start = 0
        for level in range(max(columns, 0).bit_length() // 2, -1, -1):
            side = 1 << level
            while columns - start >= side * side:
                x, z = self.chunk(start)
                yield x & -side, z & -side, side, side
                start += side * side
