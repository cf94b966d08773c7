"""``bbd create``: put a disk into a world, making the world if it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bbd.cli.arguments import format_size, parse_origin, parse_size
from bbd.cli.making import make_disk
from bbd.disk.descriptor import Descriptor
from bbd.errors import BbdError
from bbd.geometry import registry

EDITS = ("accept", "repair")


def create(
    world: Annotated[Path, typer.Argument(help="The world's folder; made, with a void world in it, if absent.")],
    *,
    size: Annotated[str, typer.Option(help="Bytes, or a number with K, M, G, T (powers of 1024).")],
    disk: Annotated[str | None, typer.Option(help="The disk's name. [default: the folder's]")] = None,
    codec: Annotated[str, typer.Option(help=f"One of: {', '.join(registry.codec_names())}.")] = "byte",
    palette: Annotated[
        str | None, typer.Option(help="The codec's blocks; nibble: concrete or wool. [default: the codec's first]")
    ] = None,
    layout: Annotated[str, typer.Option(help=f"One of: {', '.join(registry.layout_names())}.")] = "hilbert",
    origin: Annotated[str, typer.Option(help="The first column's chunk, CX,CZ.")] = "0,0",
    parity: Annotated[int, typer.Option(help="Parity sections a column, 0 to 3.")] = 2,
    edits: Annotated[
        str | None,
        typer.Option(help="What an edit made in the world is: 'accept' (the disk's) or 'repair' (damage)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Even over another disk or existing builds.")] = False,
) -> None:
    """Put a new, empty disk into a world."""
    descriptor = describe(
        name=disk or world.absolute().name,
        size=parse_size(size),
        codec=codec,
        palette=palette,
        layout=layout,
        origin=parse_origin(origin),
        parity=parity,
        edits=edits,
    )
    make_disk(world, descriptor, force=force)
    typer.echo(f"Made disk {descriptor.name!r}, {format_size(descriptor.size)}, in {world}.")
    typer.echo(f"Serve it with: bbd serve --world {world}")


def describe(
    *,
    name: str,
    size: int,
    codec: str,
    layout: str,
    origin: tuple[int, int],
    parity: int,
    edits: str | None,
    palette: str | None = None,
) -> Descriptor:
    """A new disk's descriptor, from what was asked for. Raises :class:`BbdError` for what can't be."""
    if not 0 <= parity <= 3:
        raise BbdError(f"--parity {parity} can't be: 0 to 3 sections of a column can hold parity")
    edits = edits or ("accept" if codec == "redstone" else "repair")
    if edits not in EDITS:
        raise BbdError(f"--edits {edits!r} can't be: choose {' or '.join(EDITS)}")
    if size <= 0:
        raise BbdError(f"a disk of {size} bytes can't be: give it at least 1 with --size")
    column = 16 * registry.codec(codec, palette).section_size
    chosen = registry.layout_for(layout, -(-size // column))
    return Descriptor(
        name=name,
        size=size,
        codec=codec,
        palette=palette or registry.palette_names(codec)[0],
        layout=registry.describe_layout(chosen),
        origin=origin,
        parity=parity,
        edits=edits,
    )
