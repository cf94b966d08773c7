"""``bbd what``: from a block to the byte that it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bbd.cli.looking import Look, full_name, look, show_value
from bbd.worlds.world import CHECK_SECTION, DATA_SECTIONS


def what(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    x: Annotated[int, typer.Argument(help="Block coordinates, as F3 shows them.")],
    y: Annotated[int, typer.Argument()],
    z: Annotated[int, typer.Argument()],
    *,
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show which byte of a disk a block holds (a part of)."""
    seen = look(world, disk, journal)
    name, properties = seen.block((x, y, z))
    found = _describe(seen, (x, y, z))
    document = {"x": x, "y": y, "z": z, "block": name, "properties": dict(properties), **found}
    if as_json:
        typer.echo(json.dumps(document))
        return
    typer.echo(f"{x} {y} {z}  {full_name(name, properties)}")
    if document["role"] == "data":
        typer.echo(f"  offset {document['offset']} of {document['disk']}: {show_value(document['value'])}")
    else:
        typer.echo(f"  {document['role']}")


def _describe(seen: Look, place: tuple[int, int, int]) -> dict[str, Any]:
    geometry = seen.geometry
    inside = geometry.stored_section(*place)
    last = CHECK_SECTION + seen.descriptor.parity if seen.descriptor.checked else DATA_SECTIONS - 1
    if inside is None or inside[0] >= geometry.columns(seen.descriptor.size):
        return {"role": "outside the disk", "disk": None}
    column, section = inside
    known = {"disk": seen.descriptor.name, "column": column, "section": section}
    if section > last:
        return {"role": "above the disk", "disk": None}
    if section >= DATA_SECTIONS:
        return {"role": "check section" if section == CHECK_SECTION else "parity section", **known}
    offset = geometry.offset_of(*place)
    if offset is None or offset >= seen.descriptor.size:
        return {"role": "scaffolding" if offset is None else "past the disk's end", **known}
    return {"role": "data", **known, "offset": offset, "value": seen.value(offset)}
