"""``bbd info``: what a world holds, and how its disks are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bbd.cli.arguments import format_size
from bbd.cli.hosting import geometry_of, load_disks
from bbd.disk.allocation import AllocationFile
from bbd.disk.descriptor import Descriptor
from bbd.disk.opening import allocation_path
from bbd.os_files import OsFiles
from bbd.worlds.anvil.level import read_level
from bbd.worlds.anvil.lock import holder


def info(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    *,
    disk: Annotated[str | None, typer.Option(help="Only the disk of this name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show a world and its disks."""
    descriptors = load_disks(world, disk)
    level = read_level(world)
    document = {
        "world": str(world),
        "name": level.name,
        "data_version": level.data_version,
        "open": holder(world),
        "disks": [_disk(world, descriptor) for descriptor in descriptors],
    }
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document)


def _disk(world: Path, descriptor: Descriptor) -> dict[str, Any]:
    geometry = geometry_of(descriptor)
    allocation = AllocationFile(OsFiles(), allocation_path(world, descriptor.name), descriptor.uuid_bytes)
    damaged_pages = allocation.load()
    columns = geometry.columns(descriptor.size)
    rectangles = geometry.rectangles(columns)
    low = [16 * min(rectangle[axis] for rectangle in rectangles) for axis in (0, 1)]
    high = [16 * max(rectangle[axis] + rectangle[axis + 2] for rectangle in rectangles) - 1 for axis in (0, 1)]
    return {
        "name": descriptor.name,
        "id": descriptor.id,
        "size": descriptor.size,
        "allocated": len(allocation.bits) * geometry.column_size,
        "codec": descriptor.codec,
        "layout": descriptor.layout,
        "origin": list(descriptor.origin),
        "dimension": descriptor.dimension,
        "parity": descriptor.parity,
        "edits": descriptor.edits,
        "clean": descriptor.clean,
        "epoch": descriptor.epoch,
        "columns": columns,
        "allocated_columns": len(allocation.bits),
        "damaged_map_pages": damaged_pages,
        "from": [low[0], 0, low[1]],
        "to": [high[0], 16 * (17 + descriptor.parity) - 1 if descriptor.checked else 255, high[1]],
    }


def _print(document: dict[str, Any]) -> None:
    state = f", open {document['open']}" if document["open"] else ""
    typer.echo(f"{document['world']}: world {document['name']!r}, DataVersion {document['data_version']}{state}")
    for disk in document["disks"]:
        layout = " ".join(str(value) for value in disk["layout"].values())
        clean = "stopped cleanly" if disk["clean"] else "not stopped cleanly: its journal waits to be replayed"
        low, high = (" ".join(map(str, disk[corner])) for corner in ("from", "to"))
        typer.echo(
            f"\n{disk['name']}  {format_size(disk['size'])}, {format_size(disk['allocated'])} of it in the world"
        )
        typer.echo(f"  codec {disk['codec']}, layout {layout}, parity {disk['parity']}, edits {disk['edits']}")
        typer.echo(f"  blocks {low} to {high} in {disk['dimension']}")
        typer.echo(f"  {clean}; id {disk['id']}")
