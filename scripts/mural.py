"""Draws ``/mural.bmp`` of the demo disk: a picture in an image viewer, and a wall of blocks in the world.

A row of the picture is 256 bytes long, which is one floor of a section (``docs/format.md``, codec ``byte``), and 16
rows are a section. The first 16 bytes of a row lie on the section's north side. So the leftmost 16 pixels, cut into 16
tiles of 16 rows, are what a visitor sees; the script puts each tile's cluster where the wall needs it. The other
pixels lie inside the wall, and hold the same drawing three times as large for people who open the file.

BMP: "Bitmap Storage" and ``BITMAPINFOHEADER`` in Microsoft's Win32 reference; 8 bits a pixel, rows from the bottom.
The palette gives each byte value the colour of its block on the game's maps.
"""

from __future__ import annotations

import struct
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from bbd.geometry import registry
from bbd.geometry.palettes.map_colors import load_map_colors

SIDE: Final = 64
"""Blocks along an edge of the wall."""
CHUNKS: Final = ((1, 5), (2, 5), (3, 5), (4, 5))
"""Where the wall stands, west to east."""
SECTIONS: Final = (2, 3, 4, 5)
"""Which sections of a column it takes: eye level is in the middle."""
PAGE: Final = 4096
FLOOR: Final = 256
GLASS: Final = (0xDD, 0xEE, 0xFF)
"""In the file's palette, for the blocks that maps look through."""

WHITE, LIGHT_BLUE, LIME, GRAY, LIGHT_GRAY, CYAN, BLUE = 0x00, 0x03, 0x05, 0x07, 0x08, 0x09, 0x0B
GREEN, RED, BLACK, ORANGE = 0x0D, 0x0E, 0x0F, 0x01
_LETTERS: Final = {
    "b": ("#...", "#...", "###.", "#..#", "#..#", "#..#", "###."),
    "d": ("...#", "...#", ".###", "#..#", "#..#", "#..#", ".###"),
}

Pixels: TypeAlias = npt.NDArray[np.uint8]


def drawing() -> Pixels:
    """The wall as a visitor sees it: ``SIDE`` x ``SIDE`` byte values, top row and left column first."""
    disk = np.full((SIDE, SIDE), BLUE, np.uint8)
    disk[0, :] = disk[-1, :] = disk[:, 0] = disk[:, -1] = BLACK
    for row in range(6):
        disk[row, SIDE - 6 + row :] = LIGHT_BLUE
        disk[row, SIDE - 7 + row : SIDE - 5 + row] = BLACK
    disk[1:21, 13:49] = BLACK
    disk[1:20, 17:48] = LIGHT_GRAY
    disk[4:17, 36:43] = BLUE
    disk[1:20, 14:16] = GRAY
    disk[27:63, 7:57] = BLACK
    disk[28:62, 8:56] = WHITE
    disk[28:32, 8:56] = ORANGE
    for letter, left, color in zip("bbd", (11, 26, 41), (RED, GREEN, BLUE), strict=True):
        _draw(disk, letter, 34, left, color)
    disk[57, 10:54] = disk[60, 10:54] = LIGHT_GRAY
    disk[55:59, 2:5] = disk[55:59, 59:62] = BLACK
    return disk


def _draw(pixels: Pixels, letter: str, top: int, left: int, color: int) -> None:
    shape = np.array([[mark == "#" for mark in row] for row in _LETTERS[letter]])
    rows, columns = np.nonzero(np.kron(shape, np.ones((3, 3), np.bool_)))
    pixels[top + rows, left + columns] = color


def scene() -> Pixels:
    """The pixels beside the tiles, 256 x 240: the drawing on a meadow."""
    pixels = np.full((256, 240), LIGHT_BLUE, np.uint8)
    pixels[208:] = GREEN
    pixels[206:210, ::6] = pixels[208:210, 1::6] = GREEN
    pixels[206:208, 3::6] = LIME
    rows = slice(24, 24 + 3 * SIDE)
    pixels[rows, 24 : 24 + 3 * SIDE] = np.kron(drawing(), np.ones((3, 3), np.uint8))
    return pixels


def tiles() -> list[Pixels]:
    """The 16 x 16 pieces of the wall in the order of the file, each bottom row first, as bytes lie on a north side."""
    wall = drawing()[::-1]
    found = []
    for west in range(0, SIDE, 16):
        for place in range(len(SECTIONS)):
            left = SIDE - 16 - west
            tile = wall[16 * place : 16 * place + 16, left : left + 16]
            found.append(np.roll(tile, 8, axis=1))  # bytes 0 to 7 are x 7 to 0, and 8 to 15 are x 15 to 8
    return found


def bmp() -> bytes:
    """The file: a page of header and palette, then a page for each tile."""
    rows = np.concatenate([np.concatenate(tiles()), scene()[::-1]], axis=1)
    height, width = rows.shape
    palette = b"".join(bytes(_color(value)[::-1]) + b"\0" for value in range(256))
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, rows.size, 2835, 2835, 256, 0)
    head = struct.pack("<2sIHHI", b"BM", PAGE + rows.size, 0, 0, PAGE) + info + palette
    return head.ljust(PAGE, bytes([GRAY])) + rows.tobytes()


def _color(value: int) -> tuple[int, int, int]:
    return load_map_colors()[registry.codec("byte").palette[value].name] or GLASS


def pages() -> list[int]:
    """Which pages of the disk the tiles are for, in the order of the file."""
    layout = registry.layout({"name": "hilbert"})
    found = []
    for chunk in CHUNKS:
        column = layout.column(*chunk)
        if column is None:
            raise SystemExit(f"chunk {chunk} is not the disk's")
        found += [16 * column + section for section in SECTIONS]
    return found
