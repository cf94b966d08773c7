"""``bbd where``: from an offset to the blocks that hold it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bbd.cli.arguments import parse_size
from bbd.cli.looking import check_offset, full_name, look, show_value


def where(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    offset: Annotated[str, typer.Argument(help="A byte of the disk; 0x… and K, M, G, T are understood.")],
    *,
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show which blocks hold a byte, most significant bits first."""
    seen = look(world, disk, journal)
    at = int(offset, 16) if offset.lower().startswith("0x") else parse_size(offset)
    check_offset(at, seen.descriptor.size)
    value = seen.value(at)
    blocks = [(place, *seen.block(place)) for place in seen.geometry.locate(at)]
    if as_json:
        listed = [
            {"x": x, "y": y, "z": z, "block": name, "properties": dict(properties)}
            for (x, y, z), name, properties in blocks
        ]
        typer.echo(json.dumps({"disk": seen.descriptor.name, "offset": at, "value": value, "blocks": listed}))
        return
    typer.echo(f"offset {at} of {seen.descriptor.name}: {show_value(value)}")
    for (x, y, z), name, properties in blocks:
        typer.echo(f"  {x} {y} {z}  {full_name(name, properties)}")
