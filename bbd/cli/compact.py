"""``bbd compact``: let a disk take less room in its world."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bbd.cli.arguments import format_size
from bbd.cli.hosting import geometry_of, one_disk
from bbd.cli.progress import progress
from bbd.disk.descriptor import Descriptor
from bbd.os_files import OsFiles
from bbd.worlds.anvil.compact import Compacted, compact_region, leftovers
from bbd.worlds.anvil.folders import region_folder
from bbd.worlds.anvil.lock import SessionLock
from bbd.worlds.anvil.regions import region_of
from bbd.worlds.anvil.world import AnvilWorld

logger = logging.getLogger("bbd.cli")


def compact(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    *,
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A summary for scripts.")] = False,
) -> None:
    """Write a disk's region files anew, without gaps and compressed harder. What is not the disk's stays as it is."""
    descriptor = one_disk(world, disk)
    with SessionLock(world):
        done = list(_compact(world, descriptor))
    before, after = (sum(getattr(one, when) for one in done) for when in ("before", "after"))
    if as_json:
        document = {"disk": descriptor.name, "region_files": len(done), "before": before, "after": after}
        typer.echo(json.dumps({**document, "left_alone": sum(bool(one.damaged) for one in done)}))
        return
    won = f"{100 * (before - after) / before:.1f} % won" if before else "nothing to win"
    typer.echo(
        f"{descriptor.name!r}: {len(done)} region files, {format_size(before)} before, {format_size(after)} now, {won}."
    )


def _compact(world: Path, descriptor: Descriptor) -> Iterator[Compacted]:
    files = OsFiles()
    folder = region_folder(files, world, descriptor.dimension)
    for path in leftovers(files, folder):
        files.remove(path)
    regions = _regions(world, descriptor)
    for (x, z), indices in progress(regions.items(), "compacting", total=len(regions)):
        path = folder / f"r.{x}.{z}.mca"
        found = compact_region(files, path, indices, _keep_owner)
        if found.damaged:
            logger.warning("%s is left as it is: a chunk of it can't be read, for %s", path, found.damaged)
        yield found


def _regions(world: Path, descriptor: Descriptor) -> dict[tuple[int, int], set[int]]:
    """The region files in which the disk has columns, and the columns' indices there."""
    geometry = geometry_of(descriptor)
    columns = geometry.columns(descriptor.size)
    found: dict[tuple[int, int], set[int]] = {}
    with AnvilWorld(world, writable=False) as anvil:
        for chunk in anvil.present_chunks(descriptor.dimension):
            column = geometry.column_of(*chunk)
            if column is not None and column < columns:
                region, index = region_of(*chunk)
                found.setdefault(region, set()).add(index)
    return found


def _keep_owner(fresh: Path, path: Path) -> None:
    stat = path.stat()
    shutil.copymode(path, fresh)
    if (stat.st_uid, stat.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(fresh, stat.st_uid, stat.st_gid)
