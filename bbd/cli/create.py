"""``bbd create``: put a disk into a world, making the world if it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bbd.cli.arguments import format_size, parse_origin, parse_size
from bbd.cli.companion import CaFile, Insecure, LiveUrl, TokenFile, find_companion
from bbd.cli.making import make_disk
from bbd.disk.descriptor import LOW_DIMENSIONS, Descriptor
from bbd.errors import BbdError
from bbd.geometry import registry
from bbd.worlds.anvil.compression import CHOICES, STITCHED, type_of
from bbd.worlds.anvil.folders import OVERWORLD

EDITS = ("accept", "repair")
DEFAULT_PARITY = 2


def create(
    world: Annotated[
        Path | None, typer.Argument(help="The world's folder; made, with a void world in it, if absent.")
    ] = None,
    *,
    size: Annotated[str, typer.Option(help="Bytes, or a number with K, M, G, T (powers of 1024).")],
    disk: Annotated[str | None, typer.Option(help="The disk's name. [default: the folder's]")] = None,
    codec: Annotated[str, typer.Option(help=f"One of: {', '.join(registry.codec_names())}.")] = "byte",
    palette: Annotated[
        str | None, typer.Option(help="The codec's blocks; nibble: concrete or wool. [default: the codec's first]")
    ] = None,
    layout: Annotated[str, typer.Option(help=f"One of: {', '.join(registry.layout_names())}.")] = "hilbert",
    origin: Annotated[str, typer.Option(help="The first column's chunk, CX,CZ.")] = "0,0",
    dimension: Annotated[
        str, typer.Option(help="overworld, the_nether or the_end; the latter two have no room for CRCs and parity.")
    ] = "overworld",
    parity: Annotated[
        int | None, typer.Option(help="Parity sections a column, 0 to 3. [default: 2; in Nether and End 0]")
    ] = None,
    compression: Annotated[
        str, typer.Option(help=f"Of chunks: {', '.join(CHOICES)}; lz4 needs Minecraft 1.20.5 or later.")
    ] = STITCHED,
    edits: Annotated[
        str | None,
        typer.Option(help="What an edit made in the world is: 'accept' (the disk's) or 'repair' (damage)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Even over another disk or existing builds.")] = False,
    live: LiveUrl = None,
    token_file: TokenFile = None,
    insecure: Insecure = False,
    ca: CaFile = None,
) -> None:
    """Put a new, empty disk into a world: a folder, or with --live that of a running server."""
    companion = find_companion(live, token_file, insecure=insecure, ca=ca)
    if (world is None) == (companion is None):
        raise BbdError("say where the disk is to be: a world's folder, or a running server with --live")
    if world is None and disk is None:
        raise BbdError("--live needs a name for the disk: --disk NAME")
    descriptor = describe(
        name=disk or (world or Path()).absolute().name,
        size=parse_size(size),
        codec=codec,
        palette=palette,
        layout=layout,
        origin=parse_origin(origin),
        dimension=full_dimension(dimension),
        parity=parity,
        compression=compression,
        edits=edits,
    )
    if companion is not None:
        from bbd.cli.live_making import make_live_disk  # noqa: PLC0415  # offline commands start faster without it

        make_live_disk(companion, descriptor)
        typer.echo(f"Made disk {descriptor.name!r}, {format_size(descriptor.size)}, at {companion.access.url}.")
        typer.echo(f"Serve it with: bbd serve --live {live} --token-file {token_file} --disk {descriptor.name}")
        return
    assert world is not None
    make_disk(world, descriptor, force=force)
    typer.echo(f"Made disk {descriptor.name!r}, {format_size(descriptor.size)}, in {world}.")
    if compression == "lz4":
        typer.echo("Its chunks will be written with LZ4: from now on the world needs Minecraft 1.20.5 or later.")
    if not descriptor.checked:
        typer.echo(f"In {descriptor.dimension} nothing tells a changed block from a written one: keep others away.")
    typer.echo(f"Serve it with: bbd serve --world {world}")


def full_dimension(name: str) -> str:
    """A dimension's full name. Raises :class:`BbdError` for one that no disk can be in."""
    full = name if ":" in name else f"minecraft:{name}"
    if full not in {OVERWORLD, *LOW_DIMENSIONS}:
        raise BbdError(f"--dimension {name!r} can't be: choose overworld, the_nether or the_end")
    return full


def check_parity(parity: int | None, dimension: str) -> int:
    """How many parity sections a column gets. Raises :class:`BbdError` for more than there is room for."""
    if dimension in LOW_DIMENSIONS:
        if parity:
            raise BbdError(f"--parity {parity} can't be: {dimension} ends at y 255, and has no room for parity")
        return 0
    if parity is None:
        return DEFAULT_PARITY
    if not 0 <= parity <= 3:
        raise BbdError(f"--parity {parity} can't be: 0 to 3 sections of a column can hold parity")
    return parity


def describe(
    *,
    name: str,
    size: int,
    codec: str,
    layout: str,
    origin: tuple[int, int],
    parity: int | None,
    edits: str | None,
    palette: str | None = None,
    compression: str = STITCHED,
    dimension: str = OVERWORLD,
) -> Descriptor:
    """A new disk's descriptor, from what was asked for. Raises :class:`BbdError` for what can't be."""
    parity = check_parity(parity, dimension)
    edits = edits or ("accept" if codec == "redstone" else "repair")
    if edits not in EDITS:
        raise BbdError(f"--edits {edits!r} can't be: choose {' or '.join(EDITS)}")
    type_of(compression)
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
        dimension=dimension,
        compression=compression,
        parity=parity,
        edits=edits,
    )
