"""Pictures of a world from above, in the colours that the game's own maps give to blocks.

North is up, a pixel is a block. As on the game's maps, a block is lighter than its colour where it stands higher than
the one north of it, and darker where it stands lower: base shades 255, 220 and 180 of 255, of which the middle one is
taken as the colour itself here, so that flat ground has the colours of ``map_colors.json``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from bbd.errors import BbdError
from bbd.geometry.interfaces import Block
from bbd.geometry.palettes.map_colors import load_map_colors
from bbd.worlds.world import ColumnUnreadable

AIR: Final = (34, 38, 48)
"""Air in a column of the disk."""
UNALLOCATED: Final = (26, 29, 37)
"""Columns of zeros, which are not in the world, and all that is not the disk's."""
DAMAGED: Final = ((248, 0, 248), (0, 0, 0))
"""Two colours in squares of four, for a column that should be there and can't be read."""
STRANGE: Final = (112, 112, 112)
"""Blocks that no codec writes: the colour of stone."""
MAX_PIXELS: Final = 1 << 28

_NOWHERE: Final = -1
_CHUNK: Final = 16
_HIGHER, _LOWER = 255 / 220, 180 / 220
_AIR_NAMES: Final = frozenset({"minecraft:air", "minecraft:cave_air", "minecraft:void_air"})

Colors: TypeAlias = npt.NDArray[np.uint8]
Heights: TypeAlias = npt.NDArray[np.int16]


class Blocks(Protocol):
    """A chunk, as ``bbd.worlds.anvil.chunk.Chunk`` is."""

    def section_blocks(self, y: int) -> tuple[Sequence[Block], npt.NDArray[np.uint16]] | None:
        """Kinds of blocks, and 4096 indices into them in block order; ``None`` for a section without blocks."""


class Chunks(Protocol):
    """Where chunks come from."""

    def __call__(self, cx: int, cz: int) -> Blocks | None:
        """The chunk, ``None`` where none stands. Raises :class:`~bbd.worlds.world.ColumnUnreadable`."""


@dataclass(frozen=True)
class View:
    """What of a chunk is seen: downwards from height ``top``, or with ``layer`` only the blocks of that height."""

    top: int = 255
    layer: bool = False

    def see(self, chunk: Blocks) -> tuple[Colors, Heights]:
        """A colour and a height for each block of ground, [z, x]; height -1 where nothing but air is seen."""
        colors = np.empty((_CHUNK, _CHUNK, 3), np.uint8)
        colors[:] = AIR
        heights = np.full((_CHUNK, _CHUNK), _NOWHERE, np.int16)
        lowest = self.top >> 4 if self.layer else 0
        for y in range(self.top >> 4, lowest - 1, -1):
            section = chunk.section_blocks(y)
            if section is not None:
                self._see_section(y, *section, colors, heights)
                if (heights != _NOWHERE).all():
                    break
        return colors, heights

    def _see_section(
        self, y: int, kinds: Sequence[Block], indices: npt.NDArray[np.uint16], colors: Colors, heights: Heights
    ) -> None:
        table, solid = _tables(kinds)
        upper = min(self.top - 16 * y, 15)
        lower = upper if self.layer else 0
        cube = indices.reshape(16, _CHUNK, _CHUNK)[lower : upper + 1][::-1]
        opaque = solid[cube]
        depth = opaque.argmax(axis=0)
        new = opaque.any(axis=0) & (heights == _NOWHERE)
        colors[new] = table[np.take_along_axis(cube, depth[np.newaxis], axis=0)[0]][new]
        heights[new] = (16 * y + upper - depth)[new]


def draw(
    chunks: Chunks, places: Iterable[tuple[int, int]], bounds: tuple[int, int, int, int], view: View, shrink: int = 1
) -> Colors:
    """The picture of the chunks at ``places``, [row, column, channel], north up.

    ``bounds`` is the picture's first chunk x and z and its size in chunks; ``places`` must come west to east and,
    within a line, north to south (else slopes across chunks are not seen), all inside the bounds. ``shrink`` (1, 2, 4,
    8 or 16) blocks are one pixel. Raises :class:`BbdError` where the picture would be larger than ``MAX_PIXELS``.
    """
    west, north, width, depth = bounds
    side = _CHUNK // shrink
    if width * depth * side * side > MAX_PIXELS:
        raise BbdError(f"the picture would be {width * side} x {depth * side} pixels: take a smaller --scale (1/16)")
    picture = np.empty((depth * side, width * side, 3), np.uint8)
    picture[:] = UNALLOCATED
    edge: tuple[tuple[int, int], Heights | None] = ((0, 0), None)
    for cx, cz in places:
        tile, southern = _tile(chunks, cx, cz, view, edge[1] if edge[0] == (cx, cz - 1) else None)
        edge = ((cx, cz), southern)
        top, left = (cz - north) * side, (cx - west) * side
        picture[top : top + side, left : left + side] = _shrunk(tile, shrink)
    return picture


def _tile(chunks: Chunks, cx: int, cz: int, view: View, northern: Heights | None) -> tuple[Colors, Heights | None]:
    """A chunk's picture, and the heights of its southern edge."""
    try:
        chunk = chunks(cx, cz)
        if chunk is None:
            return _damaged(), None
        colors, heights = view.see(chunk)
    except ColumnUnreadable:
        return _damaged(), None
    return _shaded(colors, heights, northern), heights[-1]


def _shaded(colors: Colors, heights: Heights, northern: Heights | None) -> Colors:
    above = np.concatenate([heights[:1] if northern is None else northern[np.newaxis], heights[:-1]])
    seen = (heights != _NOWHERE) & (above != _NOWHERE)
    light = np.ones(heights.shape)
    light[seen & (heights > above)] = _HIGHER
    light[seen & (heights < above)] = _LOWER
    return np.minimum(colors * light[..., np.newaxis], 255).astype(np.uint8)


def _shrunk(tile: Colors, shrink: int) -> Colors:
    side = _CHUNK // shrink
    blocks = tile.reshape(side, shrink, side, shrink, 3)
    means: npt.NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return means.astype(np.uint8)


def _damaged() -> Colors:
    squares = np.add.outer(np.arange(_CHUNK) // 4, np.arange(_CHUNK) // 4)
    colors: Colors = np.array(DAMAGED, np.uint8)[squares % 2]
    return colors


def _tables(kinds: Sequence[Block]) -> tuple[Colors, npt.NDArray[np.bool_]]:
    """For each kind of block its colour, and whether it is seen at all."""
    known = [color_of(block) for block in kinds]
    colors = np.array([color or (0, 0, 0) for color in known], np.uint8)
    return colors, np.array([color is not None for color in known])


def color_of(block: Block) -> tuple[int, int, int] | None:
    """Red, green and blue of a block; ``None`` for air and what maps look through. A lit lamp is lighter."""
    if block.name in _AIR_NAMES:
        return None
    color = load_map_colors().get(block.name, STRANGE)
    if color is not None and block.properties.get("lit") == "true":
        return (color[0] + 255) // 2, (color[1] + 255) // 2, (color[2] + 255) // 2
    return color
