"""Layout ``linear``: columns in rows along x, one row after the other along z."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

MIN_WIDTH = 32
# The widest row that stays inside the world border from an origin at 0, and the one up to which rows grow with size.
WIDTH_LIMIT = 2**20
MAX_WIDTH = 2**21
MAX_ROWS = 2**17


@dataclass(frozen=True, slots=True)
class LinearLayout:
    """Rows of ``width`` chunks. See :class:`bbd.geometry.interfaces.Layout`.

    ``width`` is a power of two from 32 to 2**21, fixed when the disk is created, so that the disk can grow by rows.
    Raises ``ValueError`` for another width.
    """

    name = "linear"
    number = 2
    origin_multiple = 1

    width: int = MIN_WIDTH

    def __post_init__(self) -> None:
        if not MIN_WIDTH <= self.width <= MAX_WIDTH or self.width & (self.width - 1):
            raise ValueError(f"width must be a power of two from {MIN_WIDTH} to {MAX_WIDTH} chunks, not {self.width}")

    @property
    def width_log2(self) -> int:
        """5 for a width of 32 chunks."""
        return self.width.bit_length() - 1

    def parameters(self) -> Mapping[str, int]:
        """The width in chunks."""
        return {"width": self.width}

    @classmethod
    def for_size(cls, columns: int) -> Self:
        """The narrowest width that needs at most 2**17 rows, but none that would not fit beside an origin at 0."""
        width = MIN_WIDTH
        while width < WIDTH_LIMIT and columns > width * MAX_ROWS:
            width *= 2
        return cls(width)

    @classmethod
    def from_width_log2(cls, width_log2: int) -> Self:
        """The layout with rows of ``2**width_log2`` chunks. Raises ``ValueError`` as the constructor does."""
        return cls(1 << width_log2)

    def chunk(self, column: int) -> tuple[int, int]:
        """``(column % width, column // width)``."""
        if column < 0:
            raise ValueError(f"column {column} is negative")
        return column & (self.width - 1), column >> self.width_log2

    def column(self, x: int, z: int) -> int | None:
        """``z * width + x``; ``None`` beside the rows."""
        if not 0 <= x < self.width or z < 0:
            return None
        return z * self.width + x

    def rectangles(self, columns: int) -> Iterator[tuple[int, int, int, int]]:
        """The whole rows, and the row that is not."""
        rows, rest = divmod(columns, self.width)
        if rows > 0:
            yield 0, 0, self.width, rows
        if rest and rows >= 0:
            yield 0, rows, rest, 1
