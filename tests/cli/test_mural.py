"""The demo's ``/mural.bmp``: a picture in a viewer, and a wall in the world."""

from __future__ import annotations

import asyncio
import io
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from nbt import nbt
from PIL import Image

from bbd.cli import demo_template
from bbd.cli.demo_world import make_demo
from bbd.disk.opening import Options
from bbd.geometry import registry
from bbd.geometry.palettes.map_colors import load_map_colors
from bbd.worlds.anvil.world import AnvilWorld

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SIDE = 64
WEST, BOTTOM, NORTH = 16, 32, 80
"""Where the wall begins: its lowest block in the west, on its north side."""


@pytest.fixture(scope="module")
def drawing() -> npt.NDArray[np.uint8]:
    """What the script draws, top row first."""
    pixels: npt.NDArray[np.uint8] = script("mural")["drawing"]()
    return pixels


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mural")
    asyncio.run(make_demo(folder / "demo", Options(folder / "journals")))
    return folder / "demo"


def script(name: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))


def wall(world: Path) -> list[list[str]]:
    """Names of the blocks of the wall's north side, as somebody sees them who looks south: west is on the right."""
    with AnvilWorld(world, writable=False) as anvil:
        found = [
            [anvil.block_at(x, y, NORTH) or ("no chunk", {}) for x in range(WEST + SIDE - 1, WEST - 1, -1)]
            for y in range(BOTTOM + SIDE - 1, BOTTOM - 1, -1)
        ]
    return [[name for name, _ in row] for row in found]


def test_the_wall_is_the_drawing(demo: Path, drawing: npt.NDArray[np.uint8]) -> None:
    names = [block.name for block in registry.codec("byte").palette]
    assert wall(demo) == [[names[value] for value in row] for row in drawing.tolist()]
    assert len(np.unique(drawing)) > 5, "a wall of one colour is no picture"


def test_nothing_stands_between_the_wall_and_the_platform(demo: Path) -> None:
    """A line from a player's eyes to each corner and to many places in between meets no block but air."""
    eyes = np.array([-7.5, 65.62, -7.5])
    with AnvilWorld(demo, writable=False) as anvil:
        for across in range(0, SIDE, 9):
            for up in range(0, SIDE, 9):
                target = np.array([WEST + across + 0.5, BOTTOM + up + 0.5, NORTH - 0.01])
                for part in np.linspace(0, 1, 200):
                    x, y, z = (math.floor(value) for value in eyes + (target - eyes) * part)
                    block = anvil.block_at(x, y, z)
                    assert block is None or block[0] == "minecraft:air", f"{block} at {x} {y} {z}"


def test_players_arrive_with_the_wall_before_their_eyes(demo: Path) -> None:
    level = nbt.NBTFile(str(demo / "level.dat"))["Data"]
    yaw = math.radians(level["SpawnAngle"].value)
    ahead = np.array([-math.sin(yaw), math.cos(yaw)])
    for across in (0, SIDE):
        towards = np.array([WEST + across + 7.5, NORTH + 7.5])
        angle = math.degrees(math.acos(ahead @ towards / np.linalg.norm(towards)))
        assert angle < 45, "outside of a view of 90 degrees"


def file_in_the_demo(demo: Path) -> bytes:
    """``/mural.bmp`` by the file allocation table, read from the demo's pages."""
    image = bytearray(demo_template.SIZE)
    for offset, page in demo_template.pages():
        image[offset : offset + len(page)] = page
    entry = image.index(b"MURAL   BMP")
    cluster, size = (
        int.from_bytes(image[entry + at : entry + at + length], "little") for at, length in ((26, 2), (28, 4))
    )
    found = b""
    while cluster < 0xFFF8:
        found += image[0x15000 + (cluster - 2) * 4096 :][:4096]
        cluster = int.from_bytes(image[0x1000 + 2 * cluster :][:2], "little")
    return found[:size]


def test_viewers_open_the_file_and_see_the_drawing_in_the_same_colours(
    demo: Path, drawing: npt.NDArray[np.uint8]
) -> None:
    content = file_in_the_demo(demo)
    picture = Image.open(io.BytesIO(content))
    picture.load()
    assert (picture.format, picture.size, picture.mode) == ("BMP", (256, 256), "P")
    pixels = np.asarray(picture.convert("RGB"))
    names = [block.name for block in registry.codec("byte").palette]
    colors = np.array([load_map_colors()[name] or (0xDD, 0xEE, 0xFF) for name in names[:256]], np.uint8)
    inner = pixels[24 : 24 + 3 * SIDE, 40 : 40 + 3 * SIDE]
    assert (inner == colors[drawing].repeat(3, axis=0).repeat(3, axis=1)).all()
    assert (colors[np.asarray(picture)] == pixels).all(), "a byte's colour in the file is that of its block"


def test_the_picture_in_the_docs_is_the_view_of_the_world() -> None:
    rendered = script("make_mural_picture")["render"](240, 120, 1).astype(float)
    shown = Image.open(ROOT / "docs" / "mural.png").convert("RGB")
    assert shown.size == (960, 480)
    assert (ROOT / "docs" / "mural.png").stat().st_size < 80_000
    small = np.asarray(shown.reduce(4)).astype(float)
    difference = np.abs(rendered - small).mean(axis=2)
    assert difference.mean() < 5, "run .venv/bin/python scripts/make_mural_picture.py"
    assert (difference > 40).mean() < 0.05, "run .venv/bin/python scripts/make_mural_picture.py"
