"""Pictures from above, of chunks that are made of arrays."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from bbd.errors import BbdError
from bbd.geometry.interfaces import Block
from bbd.web.picture import AIR, DAMAGED, STRANGE, UNALLOCATED, Blocks, View, color_of, draw
from bbd.worlds.world import ColumnUnreadable

KINDS = [
    Block(f"minecraft:{name}")
    for name in ("air", "red_concrete", "blue_concrete", "glass", "lever", "white_stained_glass", "spawner")
]
NOTHING, RED, BLUE, GLASS, LEVER, STAINED, SPAWNER = range(len(KINDS))
COLORS = [color_of(kind) for kind in KINDS]


@dataclass
class Built:
    """A chunk of the blocks that were put into it."""

    sections: dict[int, npt.NDArray[np.uint16]] = field(default_factory=dict)

    def put(self, x: int, y: int, z: int, kind: int) -> Built:
        self.sections.setdefault(y >> 4, np.zeros((16, 16, 16), np.uint16))[y & 15, z, x] = kind
        return self

    def floor(self, y: int, kind: int) -> Built:
        self.sections.setdefault(y >> 4, np.zeros((16, 16, 16), np.uint16))[y & 15] = kind
        return self

    def section_blocks(self, y: int) -> tuple[Sequence[Block], npt.NDArray[np.uint16]] | None:
        return (KINDS, self.sections[y].reshape(-1)) if y in self.sections else None


def picture(
    chunks: Mapping[tuple[int, int], Built | None], view: View | None = None, shrink: int = 1, margin: int = 0
) -> npt.NDArray[np.uint8]:
    places = sorted(chunks)
    west, north = min(x for x, _ in places) - margin, min(z for _, z in places) - margin
    width = max(x for x, _ in places) - west + 1 + margin
    depth = max(z for _, z in places) - north + 1 + margin

    def chunk_at(cx: int, cz: int) -> Blocks | None:
        return chunks[cx, cz]

    return draw(chunk_at, places, (west, north, width, depth), view or View(), shrink)


def test_the_highest_block_that_is_not_looked_through_is_seen() -> None:
    chunk = Built().floor(3, RED).put(0, 200, 0, BLUE).put(5, 40, 9, GLASS).put(6, 40, 9, LEVER).put(7, 40, 9, STAINED)
    seen = View().see(chunk)
    expected = np.full((16, 16), 3)
    expected[0, 0], expected[9, 7] = 200, 40
    assert (seen[1] == expected).all()
    assert tuple(seen[0][0, 0]) == COLORS[BLUE]
    assert tuple(seen[0][9, 5]) == tuple(seen[0][9, 6]) == tuple(seen[0][15, 15]) == COLORS[RED]
    assert tuple(seen[0][9, 7]) == COLORS[STAINED] == (255, 255, 255)


def test_x_goes_right_and_z_goes_down() -> None:
    pixels = picture({(0, 0): Built().put(2, 7, 11, RED), (1, 0): Built(), (0, 1): Built().put(15, 0, 15, BLUE)})
    assert pixels.shape == (32, 32, 3)
    assert tuple(pixels[11, 2]) == COLORS[RED]
    assert tuple(pixels[31, 15]) == COLORS[BLUE]
    assert (pixels[:16, 16:] == AIR).all()
    assert (pixels[16:, 16:] == UNALLOCATED).all(), "no column is there"
    assert AIR != UNALLOCATED


def test_a_layer_is_what_is_at_that_height() -> None:
    chunk = Built().floor(3, RED).floor(20, BLUE).put(1, 19, 1, RED).put(2, 19, 1, GLASS)
    pixels = picture({(0, 0): chunk}, View(19, layer=True))
    assert tuple(pixels[1, 1]) == COLORS[RED]
    pixels[1, 1] = AIR
    assert (pixels == AIR).all()


def test_top_is_where_the_view_begins() -> None:
    chunk = Built().floor(3, RED).floor(20, BLUE)
    assert (picture({(0, 0): chunk}, View(20)) == COLORS[BLUE]).all()
    assert (picture({(0, 0): chunk}, View(19)) == COLORS[RED]).all()
    assert (picture({(0, 0): chunk}, View(2)) == AIR).all()


def test_slopes_are_told_by_light_as_on_the_games_maps() -> None:
    step = Built().floor(10, RED)
    step.sections[0][11, 8] = RED
    pixels = picture({(0, 0): step}).astype(float)
    flat = np.array(COLORS[RED])
    assert (pixels[7] == flat).all()
    assert (pixels[8] == flat * 255 // 220).all(), "a step up, seen from the north"
    assert (pixels[9] == flat * 180 // 220).all(), "a step down"
    assert (pixels[10] == flat).all()


def test_slopes_cross_the_borders_of_chunks() -> None:
    pixels = picture({(0, 0): Built().floor(10, RED), (0, 1): Built().floor(9, RED), (1, 1): Built().floor(9, RED)})
    flat = np.array(COLORS[RED])
    assert (pixels[16, :16] == flat * 180 // 220).all()
    assert (pixels[16, 16:] == flat).all(), "nothing stands north of it"


def test_a_column_that_is_gone_or_cant_be_read_is_marked() -> None:
    class Broken(Built):
        def section_blocks(self, y: int) -> tuple[Sequence[Block], npt.NDArray[np.uint16]] | None:
            raise ColumnUnreadable(errno.EIO, "broken")

    pixels = picture({(0, 0): None, (1, 0): Broken(), (2, 0): Built().floor(0, RED)})
    assert (pixels[:, :16] == pixels[:, 16:32]).all()
    assert {tuple(pixel) for pixel in pixels[:, :32].reshape(-1, 3)} == set(DAMAGED)
    assert (pixels[:, 32:] == COLORS[RED]).all()


def test_shrinking_takes_the_mean() -> None:
    chunk = Built().floor(0, RED)
    chunk.sections[0][0, :, 8:] = BLUE
    flat = np.array([COLORS[RED], COLORS[BLUE]])
    assert (picture({(0, 0): chunk}, shrink=8)[:, 0] == flat[0]).all()
    assert (picture({(0, 0): chunk}, shrink=8)[:, 1] == flat[1]).all()
    assert (picture({(0, 0): chunk}, shrink=16) == flat.mean(axis=0).astype(np.uint8)).all()


def test_blocks_of_no_codec_look_like_stone_and_lit_lamps_shine() -> None:
    assert COLORS[SPAWNER] == STRANGE
    dark, lit = (Block("minecraft:redstone_lamp", {"lit": state}) for state in ("false", "true"))
    assert sum(color_of(lit) or ()) > sum(color_of(dark) or ())


def test_a_picture_of_half_the_world_is_refused() -> None:
    with pytest.raises(BbdError, match="--scale"):
        draw(lambda _x, _z: None, [], (0, 0, 100_000, 100_000), View())
