"""``bbd recover``: find the disks whose descriptors are gone from the blocks alone, and write their files anew."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from bbd.cli.arguments import format_size, parse_size
from bbd.cli.create import EDITS
from bbd.cli.hosting import lock_world
from bbd.cli.searching import FoundDisk, Search, search
from bbd.cli.state import journals_folder, keep_copy, kept_copy
from bbd.disk.allocation import AllocationFile
from bbd.disk.column_map import ColumnMap
from bbd.disk.descriptor import (
    Descriptor,
    JournalRef,
    check_name,
    descriptor_path,
    disk_names,
    load_descriptor,
    save_descriptor,
)
from bbd.disk.journal_records import HEADER_SIZE, RECORD_HEADER_SIZE, SegmentHeader
from bbd.disk.journal_segments import segment_numbers, segment_path
from bbd.disk.opening import allocation_path
from bbd.errors import BbdError
from bbd.files import Files
from bbd.geometry import registry
from bbd.os_files import OsFiles
from bbd.worlds.anvil.compression import STITCHED
from bbd.worlds.anvil.folders import dimensions
from bbd.worlds.anvil.level import read_level
from bbd.worlds.anvil.world import AnvilWorld

_EPOCH_SHIFT = 40
"""The upper bits of a generation are the epoch (docs/format.md, "Journal")."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for; ``None`` is what the copy of the descriptor says."""

    name: str | None
    size: int | None
    edits: str | None
    journals: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """A disk as it will stand: ``columns`` go into its allocation map; ``damaged`` of them can't be read; ``unknown``
    chunks in its place hold blocks that say nothing of any disk."""

    descriptor: Descriptor
    found: FoundDisk
    columns: ColumnMap
    damaged: int
    unknown: int
    from_copy: bool


def recover(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    *,
    disk: Annotated[str | None, typer.Option(help="The disk's name. [default: as it was, else the folder's]")] = None,
    size: Annotated[str | None, typer.Option(help="Its size, where bbd keeps no copy of its descriptor.")] = None,
    edits: Annotated[str | None, typer.Option(help="Its policy for edits: 'accept' or 'repair'.")] = None,
    disk_id: Annotated[str | None, typer.Option("--id", help="Which lost disk, by its id or the beginning.")] = None,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals. [default: user's state]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Even where the world's lock can't be trusted.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Find disks whose descriptors are gone from a world, by their check sections, and write descriptor and map anew.

    A disk whose descriptor stands is not touched.
    """
    if edits is not None and edits not in EDITS:
        raise BbdError(f"--edits {edits!r} can't be: choose {' or '.join(EDITS)}")
    wishes = Wishes(disk, None if size is None else parse_size(size), edits, journals_folder(journal))
    read_level(world)
    files = OsFiles()
    with lock_world(world, force=force):
        with AnvilWorld(world, files, writable=False) as anvil:
            found = search(anvil, dimensions(files, world))
        plans = _plans(files, world, found, wishes, disk_id)
        for plan in plans:
            _write(files, world, plan)
    if as_json:
        document = {"world": str(world), "disks": [_describe(plan) for plan in plans]}
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for plan in plans:
        _print(plan)


def _plans(files: Files, world: Path, found: Search, wishes: Wishes, disk_id: str | None) -> list[Plan]:
    """What to write, all of it settled before the first byte. Raises :class:`BbdError`."""
    standing = _standing(files, world)
    lost = [one for one in found.disks if one.disk_id not in standing]
    if not lost:
        known = f"; it has {', '.join(standing.values())}" if standing else ""
        raise BbdError(f"{world} holds no check section of a disk whose descriptor is gone{known}")
    if disk_id is not None:
        lost = [one for one in lost if _id(one).startswith(disk_id.lower())]
        if not lost:
            raise BbdError(f"{world} holds no lost disk whose id begins with {disk_id!r}")
    if len(lost) > 1 and (wishes.name or wishes.size is not None):
        raise BbdError(f"{world} holds several lost disks: say which with --id ({', '.join(map(_id, lost))})")
    plans = [_plan(files, world, one, found, wishes) for one in lost]
    names = [*standing.values(), *(plan.descriptor.name for plan in plans)]
    for plan in plans:
        if names.count(plan.descriptor.name) > 1:
            raise BbdError(
                f"disk {plan.descriptor.id} can't be called {plan.descriptor.name!r}, as another disk is: choose a "
                "name with --disk and --id"
            )
    return plans


def _standing(files: Files, world: Path) -> dict[bytes, str]:
    """The names of the disks whose descriptors stand, by id."""
    names = {}
    for name in disk_names(files, world):
        descriptor = load_descriptor(files, descriptor_path(world, name))
        names[descriptor.uuid_bytes] = name
    return names


def _plan(files: Files, world: Path, found: FoundDisk, search: Search, wishes: Wishes) -> Plan:
    copy = kept_copy(found.disk_id)
    placement, geometry = found.placement, found.placement.geometry
    least = max(found.columns) * geometry.column_size + 1
    size = wishes.size or (copy.size if copy else 0)
    if size < least:
        why = f"{format_size(size)} can't be its size" if size else "bbd keeps no copy of its descriptor"
        raise BbdError(
            f"disk {_id(found)} (codec {placement.codec}, origin {placement.origin[0]},{placement.origin[1]}) has "
            f"{max(found.columns) + 1} columns of {format_size(geometry.column_size)} or more, and {why}: say its "
            "exact size with --size"
        )
    geometry.check_size(size)
    descriptor = Descriptor(
        name=check_name(wishes.name or (copy.name if copy else world.absolute().name)),
        size=size,
        codec=placement.codec,
        palette=placement.palette,
        layout=registry.describe_layout(geometry.layout),
        origin=placement.origin,
        dimension=placement.dimension,
        compression=copy.compression if copy else STITCHED,
        parity=placement.parity,
        edits=wishes.edits or (copy.edits if copy else "repair"),
        id=_id(found),
    )
    columns, damaged, unknown = _columns(found, search, geometry.columns(size))
    left = _journal_left(files, wishes.journals / descriptor.id, found.disk_id)
    return Plan(_in_order(descriptor, found, copy, left), found, columns, damaged, unknown, copy is not None)


def _columns(found: FoundDisk, search: Search, count: int) -> tuple[ColumnMap, int, int]:
    """The disk's columns; of those how many are known to be damaged; and how many chunks in its place hold blocks that
    say nothing of any disk.

    What can't be read in its place, or still tells its id, is taken for one of its columns: better an error than zeros.
    """
    columns, geometry = found.columns.copy(), found.placement.geometry
    damaged = unknown = 0
    for doubt in search.doubtful:
        column = geometry.column_of(*doubt.chunk) if doubt.dimension == found.placement.dimension else None
        if column is None or column >= count:
            continue
        if doubt.readable and not doubt.is_of(found.disk_id):
            unknown += 1
            continue
        columns.add(column)
        damaged += 1
    return columns, damaged, unknown


def _in_order(descriptor: Descriptor, found: FoundDisk, copy: Descriptor | None, left: JournalRef | None) -> Descriptor:
    """The descriptor with the epoch that the world is of, and not clean where a journal is to be replayed, or is
    missing for sure: the world was written after the clean stop that the copy tells of."""
    stopped = copy.epoch if copy and copy.clean else 0
    written = found.generation >> _EPOCH_SHIFT
    if left is not None and left.epoch >= written and left.epoch > stopped:
        return replace(descriptor, epoch=left.epoch, clean=False, journal=left)
    epoch = max(stopped, written)
    if copy is not None and written > stopped:
        missed = copy.journal or left or JournalRef(str(uuid.UUID(int=0)), epoch)
        return replace(descriptor, epoch=epoch, clean=False, journal=replace(missed, epoch=epoch))
    return replace(descriptor, epoch=epoch)


def _journal_left(files: Files, folder: Path, disk_id: bytes) -> JournalRef | None:
    """The newest journal of the disk that holds records."""
    newest = None
    for number in segment_numbers(files, folder):
        file = files.open(segment_path(folder, number))
        try:
            header = SegmentHeader.unpack(file.pread(HEADER_SIZE, 0))
            holds = file.pread(RECORD_HEADER_SIZE, HEADER_SIZE)
        finally:
            file.close()
        if header is not None and header.disk_id == disk_id and any(holds):
            found = JournalRef(str(uuid.UUID(bytes=header.journal_id)), header.epoch)
            newest = found if newest is None or found.epoch >= newest.epoch else newest
    return newest


def _write(files: Files, world: Path, plan: Plan) -> None:
    """Map first, descriptor last: without that there is no disk."""
    descriptor = plan.descriptor
    path = descriptor_path(world, descriptor.name)
    files.make_dir(path.parent)
    files.sync_dir(world)
    allocation = AllocationFile(files, allocation_path(world, descriptor.name), descriptor.uuid_bytes)
    try:
        damaged = allocation.load()
    except (FileNotFoundError, BbdError):
        allocation.create()
        damaged = []
    if damaged:
        allocation.rewrite(damaged, plan.columns)
    allocation.update(plan.columns, ())
    allocation.close()
    save_descriptor(files, path, descriptor)
    keep_copy(descriptor)


def _id(found: FoundDisk) -> str:
    return str(uuid.UUID(bytes=found.disk_id))


def _describe(plan: Plan) -> dict[str, Any]:
    descriptor = plan.descriptor
    return {
        "name": descriptor.name,
        "id": descriptor.id,
        "size": descriptor.size,
        "codec": descriptor.codec,
        "palette": descriptor.palette,
        "layout": descriptor.layout,
        "origin": list(descriptor.origin),
        "dimension": descriptor.dimension,
        "parity": descriptor.parity,
        "edits": descriptor.edits,
        "clean": descriptor.clean,
        "columns": len(plan.columns),
        "damaged": plan.damaged,
        "unknown": plan.unknown,
        "strays": plan.found.strays,
        "from_copy": plan.from_copy,
    }


def _print(plan: Plan) -> None:
    descriptor = plan.descriptor
    source = "the copy that bbd keeps of its descriptor" if plan.from_copy else "what was asked for"
    layout = " ".join(str(value) for value in descriptor.layout.values())
    typer.echo(
        f"{descriptor.name}  {format_size(descriptor.size)}, {len(plan.columns)} columns of it in the world; "
        f"id {descriptor.id}"
    )
    typer.echo(
        f"  codec {descriptor.codec}, layout {layout}, origin {descriptor.origin[0]},{descriptor.origin[1]} in "
        f"{descriptor.dimension}, parity {descriptor.parity}; size and name from {source}"
    )
    if plan.damaged:
        typer.echo(f"  {plan.damaged} of the columns are damaged: reading them is an error")
    if plan.unknown:
        typer.echo(
            f"  {plan.unknown} chunks in its place hold blocks that say nothing of a disk: they are zeros, unless a "
            "map that still stood says otherwise"
        )
    if plan.found.strays:
        typer.echo(f"  {plan.found.strays} columns of it stand where they don't belong, and were left alone")
    if not descriptor.clean:
        typer.echo("  it was not stopped cleanly: bbd serve replays its journal, or says what it misses")
