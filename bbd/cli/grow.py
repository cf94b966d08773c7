"""``bbd grow``: make a disk larger."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bbd.cli.arguments import format_size, parse_size
from bbd.cli.hosting import one_disk
from bbd.cli.making import grow_disk


def grow(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    *,
    size: Annotated[str, typer.Option(help="The new size: bytes, or a number with K, M, G, T (powers of 1024).")],
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Even over another disk or existing builds.")] = False,
) -> None:
    """Make a disk larger; what it holds stays, the new part is zeros. Clients see it when it is served again."""
    old = one_disk(world, disk)
    new = grow_disk(world, old, parse_size(size), force=force)
    typer.echo(f"Disk {new.name!r} grew from {format_size(old.size)} to {format_size(new.size)}.")
