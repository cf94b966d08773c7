"""Draws docs/mural.png: what a player sees who arrives in the demo world, in the colours of the game's maps.

Every pixel is a ray from the player's eyes that goes from block to block until one is not air (Amanatides and Woo, "A
Fast Voxel Traversal Algorithm for Ray Tracing", Eurographics 1987), all rays at once. The blocks are read from a
demo world that is made for it.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from math import radians, tan
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from bbd.cli.demo_world import make_demo
from bbd.disk.opening import Options
from bbd.web.picture import color_of
from bbd.worlds.anvil.world import AnvilWorld

TARGET: Final = Path(__file__).parents[1] / "docs" / "mural.png"
WIDTH, HEIGHT = 960, 480
FINER: Final = 2
CHUNKS: Final = range(-1, 6)
"""Chunks of the scene, in x and z: the platform's, and all in which the demo has something."""
TALL: Final = 256
EYES: Final = (-7.5, 65.62, -7.5)
"""Of a player who stands on the middle of the platform."""
YAW, PITCH = -32.0, 2.0
VIEW: Final = 86.0
"""Degrees from the left edge to the right."""
LIGHT: Final = (0.72, 1.0, 0.86)
"""Of sides that look west or east, up or down, north or south."""
ZENITH, HORIZON = (95, 151, 234), (206, 227, 252)
EDGE: Final = 0.035
"""How wide the darker rim of a block's side is, in blocks."""

Floats: TypeAlias = npt.NDArray[np.float64]
Bytes: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """Indices into ``colors`` for each block, [x, y, z] from ``start``; 0 is air."""

    blocks: npt.NDArray[np.uint16]
    colors: Floats
    start: tuple[int, int, int]


def load(world: Path) -> Scene:
    """The blocks around the platform."""
    side = 16 * len(CHUNKS)
    blocks = np.zeros((side, TALL, side), np.uint16)
    colors: list[tuple[int, int, int]] = [(0, 0, 0)]
    with AnvilWorld(world, writable=False) as anvil:
        for cx in CHUNKS:
            for cz in CHUNKS:
                chunk = anvil.chunk_at(cx, cz)
                for y in range(TALL // 16):
                    if chunk is None or (section := chunk.section_blocks(y)) is None:
                        continue
                    table = np.zeros(len(section[0]), np.uint16)
                    for index, kind in enumerate(section[0]):
                        if (color := color_of(kind)) is not None:
                            table[index] = len(colors)
                            colors.append(color)
                    x, z = 16 * (cx - CHUNKS.start), 16 * (cz - CHUNKS.start)
                    cube = table[section[1]].reshape(16, 16, 16)
                    blocks[x : x + 16, 16 * y : 16 * y + 16, z : z + 16] = cube.transpose(2, 0, 1)
    return Scene(blocks, np.array(colors, np.float64), (16 * CHUNKS.start, 0, 16 * CHUNKS.start))


def rays(width: int, height: int) -> Floats:
    """Directions through the pixels of a picture, [row, column, x y z]."""
    half = tan(radians(VIEW / 2))
    right = (np.arange(width) + 0.5) / width * 2 * half - half
    up = (height / 2 - np.arange(height) - 0.5) / width * 2 * half - tan(radians(PITCH))
    yaw = radians(YAW)
    ahead = np.array([-np.sin(yaw), 0, np.cos(yaw)])
    aside = np.array([-np.cos(yaw), 0, -np.sin(yaw)])
    found: Floats = (
        ahead + right[np.newaxis, :, np.newaxis] * aside + up[:, np.newaxis, np.newaxis] * np.array([0, 1, 0])
    )
    return found


def sky(directions: Floats) -> Floats:
    """Blue above, pale towards the horizon and beneath it."""
    height = np.clip(directions[:, 1] / np.linalg.norm(directions, axis=1) * 1.8, 0, 1)[:, np.newaxis]
    found: Floats = np.array(HORIZON) * (1 - height) + np.array(ZENITH) * height
    return found


def trace(scene: Scene, directions: Floats) -> Floats:
    """The colour that each ray, [ray, x y z], comes to."""
    directions = np.where(directions == 0, 1e-9, directions)
    picture = sky(directions)
    origin = np.array(EYES) - np.array(scene.start)
    cell = np.tile(np.floor(origin).astype(np.int64), (len(directions), 1))
    step = np.sign(directions).astype(np.int64)
    pace = 1 / np.abs(directions)
    ahead = (cell + (step > 0) - origin) / directions
    alive = np.arange(len(directions))
    while len(alive):
        axis = ahead.argmin(axis=1)
        row = np.arange(len(alive))
        distance = ahead[row, axis]
        cell[row, axis] += step[row, axis]
        ahead[row, axis] += pace[row, axis]
        inside = ((cell >= 0) & (cell < scene.blocks.shape)).all(axis=1)
        found = np.zeros(len(alive), np.uint16)
        found[inside] = scene.blocks[tuple(cell[inside].T)]
        hit = found > 0
        points = origin + directions[alive[hit]] * distance[hit, np.newaxis]
        picture[alive[hit]] = _lit(scene.colors[found[hit]], points - cell[hit], axis[hit], distance[hit])
        kept = inside & ~hit
        alive, cell, step, pace, ahead = alive[kept], cell[kept], step[kept], pace[kept], ahead[kept]
    return picture


def _lit(colors: Floats, inside: Floats, axis: npt.NDArray[np.intp], distance: Floats) -> Floats:
    """What a side looks like: ``inside`` is the place on the block, 0 to 1 along each axis."""
    light = np.array(LIGHT)[axis]
    rim = np.minimum(inside, 1 - inside)
    rim[np.arange(len(rim)), axis] = 1
    light = light * np.where(rim.min(axis=1) < EDGE, 0.88, 1.0)
    haze = np.clip(distance / 600, 0, 0.3)[:, np.newaxis]
    found: Floats = colors * light[:, np.newaxis] * (1 - haze) + np.array(HORIZON) * haze
    return found


def render(width: int = WIDTH, height: int = HEIGHT, finer: int = FINER) -> Bytes:
    """The picture, [row, column, channel]; ``finer`` rays along a pixel's side."""
    with tempfile.TemporaryDirectory() as folder:
        world = Path(folder) / "demo"
        asyncio.run(make_demo(world, Options(Path(folder) / "journals")))
        scene = load(world)
    directions = rays(width * finer, height * finer).reshape(-1, 3)
    pixels = trace(scene, directions).reshape(height, finer, width, finer, 3)
    return np.asarray(np.rint(pixels.mean(axis=(1, 3))), np.uint8)


def main() -> None:
    """Read the command line, and draw."""
    parser = argparse.ArgumentParser(description="Draw docs/mural.png.")
    parser.add_argument("--output", type=Path, default=TARGET)
    target: Path = parser.parse_args().output
    Image.fromarray(render()).quantize(128).save(target, optimize=True)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
