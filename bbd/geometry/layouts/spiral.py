"""Layout ``spiral``: columns in a square spiral around the origin, so that a disk lies around the place where it began.

Unlike the other layouts it has negative coordinates: every chunk is some column's, the one at (-1, -1) is column 6. It
is the spiral of Stanislaw Ulam (M. L. Stein, S. M. Ulam, M. B. Wells, "A visual display of some properties of the
distribution of primes", American Mathematical Monthly 71, 1964), begun eastwards and turning to the right as seen from
above. Column 0 is ring 0; ring r has the 8r columns from (2r - 1)^2 on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

from bbd.geometry.layouts.widthless import Widthless


@dataclass(frozen=True, slots=True)
class SpiralLayout(Widthless):
    """The square spiral. See :class:`bbd.geometry.interfaces.Layout`; chunks may have negative coordinates."""

    name = "spiral"
    number = 3
    origin_multiple = 1

    def chunk(self, column: int) -> tuple[int, int]:
        """The ring by a square root, then the side of the ring, then the step along the side."""
        if column < 0:
            raise ValueError(f"column {column} is negative")
        if column == 0:
            return 0, 0
        ring = _ring(column)
        side, step = divmod(column - _ring_start(ring), 2 * ring)
        return _turned(ring, step + 1 - ring, side)

    def column(self, x: int, z: int) -> int | None:
        """The way back; never ``None``."""
        ring = max(abs(x), abs(z))
        if ring == 0:
            return 0
        # A corner ends the side that runs into it.
        sides = ((x, z), (z, -x), (-x, -z), (-z, x))
        side, along = next((side, v) for side, (u, v) in enumerate(sides) if u == ring and v > -ring)
        return _ring_start(ring) + 2 * ring * side + along + ring - 1

    def rectangles(self, columns: int) -> Iterator[tuple[int, int, int, int]]:
        """The square of the whole rings, and up to four sides of the next."""
        if columns <= 0:
            return
        ring = _ring(columns)
        yield 1 - ring, 1 - ring, 2 * ring - 1, 2 * ring - 1
        rest = columns - _ring_start(ring)
        for side in range(4):
            steps = min(rest - 2 * ring * side, 2 * ring)
            if steps > 0:
                (x, z), (to_x, to_z) = _turned(ring, 1 - ring, side), _turned(ring, steps - ring, side)
                yield min(x, to_x), min(z, to_z), abs(to_x - x) + 1, abs(to_z - z) + 1


def _ring(column: int) -> int:
    """The ring that a column is in, from 1 on."""
    return (isqrt(column) + 1) // 2


def _ring_start(ring: int) -> int:
    """The first column of a ring, from 1 on."""
    return (2 * ring - 1) ** 2


def _turned(u: int, v: int, quarters: int) -> tuple[int, int]:
    """The point (u, v) of the eastern side, turned to the right around the origin."""
    for _ in range(quarters):
        u, v = -v, u
    return u, v
