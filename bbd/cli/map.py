"""``bbd map``: a disk from above."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from bbd.cli.hosting import geometry_of, one_disk
from bbd.cli.progress import progress
from bbd.disk.allocation import AllocationFile
from bbd.disk.descriptor import Descriptor
from bbd.disk.opening import allocation_path
from bbd.errors import BbdError
from bbd.os_files import OsFiles
from bbd.web.picture import MAX_PIXELS, View, draw
from bbd.worlds.anvil.lock import holder
from bbd.worlds.anvil.world import AnvilWorld

logger = logging.getLogger("bbd.cli")

DATA_TOP = 255
_HIGHEST = 319
_SHRINKS = (2, 4, 8, 16)


def draw_map(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture's file; its ending says which kind.")],
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    layer: Annotated[int | None, typer.Option(help="Only the blocks at this y, 0 to 319.")] = None,
    top: Annotated[
        int, typer.Option(help="Look down from this y: 255 is the top of the data, 319 sees check and parity too.")
    ] = DATA_TOP,
    scale: Annotated[str, typer.Option(help="Pixels along a block: 1, 2, 3..., or 1/2, 1/4, 1/8, 1/16.")] = "1",
) -> None:
    """Draw a disk from above, in the colours of the game's maps."""
    grow, shrink = parse_scale(scale)
    view = _view(layer, top)
    if output.suffix.lower() not in Image.registered_extensions():
        raise BbdError(f"{output}: what kind of picture is that? Name it map.png, for instance")
    descriptor = one_disk(world, disk)
    if where := holder(world):
        logger.warning("the world is open %s; what is not in its files yet is not drawn", where)
    elif not descriptor.clean:
        logger.warning("%s was not stopped cleanly; what is in its journal is not drawn", descriptor.name)
    places = _chunks(world, descriptor)
    if not places:
        raise BbdError(f"{descriptor.name} is empty: nothing of it is in the world, so there is nothing to draw")
    bounds = _bounds(places)
    if bounds[2] * bounds[3] * (16 * grow // shrink) ** 2 > MAX_PIXELS:
        raise BbdError(f"the picture would have more than {MAX_PIXELS >> 20} million pixels: take a smaller --scale")
    with AnvilWorld(world, writable=False) as anvil:
        chunk_at = partial(anvil.chunk_at, dimension=descriptor.dimension)
        pixels = draw(chunk_at, progress(places, "drawing", len(places)), bounds, view, shrink)
    picture = Image.fromarray(pixels)
    picture.resize((picture.width * grow, picture.height * grow), Image.Resampling.NEAREST).save(output)
    x, z = bounds[0] * 16, bounds[1] * 16
    typer.echo(f"{output}: {pixels.shape[1] * grow} x {pixels.shape[0] * grow}, its upper left corner is x {x}, z {z}")


def parse_scale(text: str) -> tuple[int, int]:
    """How many pixels a block is and how many blocks a pixel; one of them is 1. Raises :class:`BbdError`."""
    above, _, below = text.strip().partition("/")
    if above.isascii() and above.isdigit() and not below and "/" not in text and 1 <= int(above) <= 64:
        return int(above), 1
    if above == "1" and below in map(str, _SHRINKS):
        return 1, int(below)
    raise BbdError(f"{text!r} is no scale: give 1 to 64, or 1/2, 1/4, 1/8 or 1/16")


def _view(layer: int | None, top: int) -> View:
    height = top if layer is None else layer
    if not 0 <= height <= _HIGHEST:
        raise BbdError(f"y {height} is not the disk's: its blocks are at y 0 to {_HIGHEST}")
    return View(height, layer is not None)


def _chunks(world: Path, descriptor: Descriptor) -> list[tuple[int, int]]:
    """The chunks of all columns that hold bytes, west to east, and north to south within a line."""
    allocation = AllocationFile(OsFiles(), allocation_path(world, descriptor.name), descriptor.uuid_bytes)
    try:
        damaged = allocation.load()
    except FileNotFoundError:
        raise BbdError(f"{descriptor.name} has no allocation map: serve it once, which makes it anew") from None
    if damaged:
        logger.warning("the allocation map is damaged: serve the disk once to mend it; parts are missing here")
    geometry = geometry_of(descriptor)
    return sorted(geometry.chunk_of(column) for column in allocation.bits)


def _bounds(places: Sequence[tuple[int, int]]) -> tuple[int, int, int, int]:
    """First chunk x and z, and the size in chunks."""
    west, east = places[0][0], places[-1][0]
    north, south = min(z for _, z in places), max(z for _, z in places)
    return west, north, east - west + 1, south - north + 1
