"""The geometry of a disk: offset to coordinates and back (docs/format.md, "From an offset to a block").

Offsets are bytes of the disk. Chunk and block coordinates are the world's own; a chunk is 16 x 16 blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bbd.errors import BbdError
from bbd.geometry.interfaces import Codec, Layout

DATA_SECTIONS = 16
STORED_SECTIONS = 20
SECTION_HEIGHT = 16
COLUMNS_PER_GROUP = 1024

# The border lets blocks from -29,999,984 to 29,999,983 be, in x and z (the game's own default).
BORDER = 29_999_984
MIN_CHUNK = -BORDER // 16
MAX_CHUNK = BORDER // 16 - 1

Rectangle: TypeAlias = tuple[int, int, int, int]


def check_origin(layout: Layout, origin: tuple[int, int]) -> None:
    """Raise :class:`BbdError` unless a disk of ``layout`` may begin at chunk ``origin``."""
    for axis, value in zip("xz", origin, strict=True):
        if value % layout.origin_multiple:
            below = value - value % layout.origin_multiple
            raise BbdError(
                f"the origin's chunk {axis} must be a multiple of {layout.origin_multiple} with layout "
                f"'{layout.name}', and {value} is not; {below} is the nearest below"
            )
        if not MIN_CHUNK <= value <= MAX_CHUNK:
            raise BbdError(
                f"the origin's chunk {axis} {value} is beyond the world border; choose one from {MIN_CHUNK} "
                f"to {MAX_CHUNK}"
            )


def rectangles_meet(one: Rectangle, other: Rectangle) -> bool:
    """Whether two rectangles (x, z, width, depth) have a chunk in common."""
    return (
        one[0] < other[0] + other[2]
        and other[0] < one[0] + one[2]
        and one[1] < other[1] + other[3]
        and other[1] < one[1] + one[3]
    )


@dataclass(frozen=True, slots=True)
class Geometry:
    """A codec, a layout and an origin (chunk x, z). Raises :class:`BbdError` for an origin that can't be.

    Nothing here knows the disk's size: places beyond its last column are told as if the disk were as large as the
    world.
    """

    codec: Codec
    layout: Layout
    origin: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        check_origin(self.layout, self.origin)

    @property
    def column_size(self) -> int:
        """Bytes of a column."""
        return DATA_SECTIONS * self.codec.section_size

    def columns(self, size: int) -> int:
        """How many columns a disk of ``size`` bytes takes; the last one may be used in part."""
        return -(-size // self.column_size)

    def chunk_of(self, column: int) -> tuple[int, int]:
        """Chunk x and z of a column."""
        x, z = self.layout.chunk(column)
        return self.origin[0] + x, self.origin[1] + z

    def column_of(self, cx: int, cz: int) -> int | None:
        """The column at a chunk, ``None`` where no column of this geometry can be."""
        return self.layout.column(cx - self.origin[0], cz - self.origin[1])

    def locate(self, offset: int) -> list[tuple[int, int, int]]:
        """The blocks (x, y, z) that hold the byte at ``offset``, most significant bits first."""
        column, within = divmod(offset, self.column_size)
        section, byte = divmod(within, self.codec.section_size)
        cx, cz = self.chunk_of(column)
        return [
            (cx * 16 + (block & 15), section * SECTION_HEIGHT + (block >> 8), cz * 16 + (block >> 4 & 15))
            for block in self.codec.blocks_of(byte)
        ]

    def stored_section(self, x: int, y: int, z: int) -> tuple[int, int] | None:
        """Column and section (0 to 15 data, 16 check, 17 to 19 parity) that a block belongs to, ``None`` outside.

        A disk with less than three parity sections has nothing in the last of them.
        """
        column = self.column_of(x >> 4, z >> 4)
        if column is None or not 0 <= y < STORED_SECTIONS * SECTION_HEIGHT:
            return None
        return column, y // SECTION_HEIGHT

    def offset_of(self, x: int, y: int, z: int) -> int | None:
        """The offset of the byte that a block holds a part of; ``None`` for a block that is no part of the data."""
        place = self.stored_section(x, y, z)
        if place is None or place[1] >= DATA_SECTIONS:
            return None
        byte = self.codec.byte_at((y & 15) << 8 | (z & 15) << 4 | x & 15)
        if byte is None:
            return None
        return place[0] * self.column_size + place[1] * self.codec.section_size + byte

    def rectangles(self, columns: int) -> list[Rectangle]:
        """The chunks of the first columns as disjoint rectangles (chunk x, chunk z, width, depth)."""
        ox, oz = self.origin
        return [(ox + x, oz + z, width, depth) for x, z, width, depth in self.layout.rectangles(columns)]

    def overlaps(self, other: Geometry, columns: int, other_columns: int) -> bool:
        """Whether ``columns`` of this and ``other_columns`` of the other share a chunk, in the same world."""
        theirs = other.rectangles(other_columns)
        return any(rectangles_meet(one, two) for one in self.rectangles(columns) for two in theirs)

    def max_columns(self) -> int:
        """The most columns that all lie inside the world border."""
        fits, too_many = 1, (MAX_CHUNK - MIN_CHUNK + 1) ** 2 + 1
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if self._inside(middle):
                fits = middle
            else:
                too_many = middle
        return fits

    def max_size(self) -> int:
        """The size in bytes of the largest disk that lies inside the world border."""
        return self.max_columns() * self.column_size

    def check_size(self, size: int) -> None:
        """Raise :class:`BbdError` unless a disk of ``size`` bytes can be here."""
        if size <= 0:
            raise BbdError(f"a disk of {size} bytes can't be; give it at least 1")
        if not self._inside(self.columns(size)):
            raise BbdError(
                f"a disk of {size} bytes would cross the world border; from this origin, with codec "
                f"'{self.codec.name}' and layout '{self.layout.name}', {self.max_size()} bytes are the most"
            )

    def _inside(self, columns: int) -> bool:
        return all(
            x >= MIN_CHUNK and x + width - 1 <= MAX_CHUNK and z >= MIN_CHUNK and z + depth - 1 <= MAX_CHUNK
            for x, z, width, depth in self.rectangles(columns)
        )
