"""Making a disk, and opening one: read its map, replay its journal, or refuse in words."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bbd.disk.admission import Admission
from bbd.disk.allocation import AllocationFile, columns_of_page
from bbd.disk.column_map import ColumnMap
from bbd.disk.column_reader import ColumnReader
from bbd.disk.column_writer import ColumnWriter
from bbd.disk.descriptor import FOLDER, Descriptor, descriptor_path, needs_read_only, save_descriptor
from bbd.disk.disk import Disk
from bbd.disk.housekeeper import AGE_SECONDS
from bbd.disk.identity import Identity
from bbd.disk.journal_recovery import records_to_replay, recover, set_aside
from bbd.disk.memory import Memory
from bbd.disk.parts import Parts
from bbd.disk.records import Records
from bbd.disk.replay import Replayed, replay
from bbd.disk.watch import Watch
from bbd.errors import BbdError, Refused
from bbd.files import Files, sync_all
from bbd.worlds.world import Site

logger = logging.getLogger("bbd.disk")

DEFAULT_CACHE: Final = 256 << 20
LEAST_JOURNAL: Final = 128 << 20
MOST_JOURNAL: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Options:
    """How a disk is opened: cache in bytes, the folder of all journals, and what is allowed. ``age``: the seconds after
    which what clients write goes into the world while they write on."""

    journals: Path
    cache: int = DEFAULT_CACHE
    read_only: bool = False
    force: bool = False
    age: float = AGE_SECONDS


@dataclass(frozen=True, slots=True)
class Place:
    """A disk and where it is: the world's folder, the descriptor that stands in it, and the disk's site."""

    files: Files
    world: Path
    descriptor: Descriptor
    site: Site
    identity: Identity

    @property
    def allocation(self) -> AllocationFile:
        """The disk's allocation map, not loaded yet."""
        path = allocation_path(self.world, self.descriptor.name)
        return AllocationFile(self.files, path, self.descriptor.uuid_bytes)


def journal_limit(size: int) -> int:
    """Bytes that the journal of a disk of ``size`` bytes may take.

    A long one lets sections that are written again and again reach the world once, and keeps checkpoints out of bursts.
    """
    return min(max(LEAST_JOURNAL, 8 * size), MOST_JOURNAL)


def allocation_path(world: Path, name: str) -> Path:
    """Where the allocation map of disk ``name`` stands."""
    return world / FOLDER / f"{name}.columns"


def create_disk(files: Files, world: Path, descriptor: Descriptor) -> None:
    """Put a new, empty disk into a world. Its descriptor comes last: without it there is no disk.

    Raises :class:`BbdError` where one of that name is there already; ``OSError``.
    """
    path = descriptor_path(world, descriptor.name)
    if files.exists(path):
        raise BbdError(f"{world} has a disk {descriptor.name!r} already: choose another name with --disk")
    files.make_dir(path.parent)
    files.sync_dir(world)
    AllocationFile(files, allocation_path(world, descriptor.name), descriptor.uuid_bytes).create()
    save_descriptor(files, path, descriptor)


def open_disk(place: Place, options: Options) -> Disk:
    """Open a disk of a world that the caller has locked. Blocks while a journal is replayed.

    Nothing is written, except that a missing or damaged allocation map is built anew where the disk may be written.
    Raises :class:`BbdError` where it can't be opened, :class:`bbd.errors.Refused` where only ``force`` opens it.
    """
    files, descriptor = place.files, place.descriptor
    read_only = options.read_only or _only_readable(descriptor)
    reader = ColumnReader(place.site, place.identity)
    if not (descriptor.clean or read_only):
        _make_safe(place)
    allocation = _load_allocation(place, reader, write=not read_only, force=options.force)
    folder = options.journals / descriptor.id
    replayed = _replay(place, folder, allocation.bits, reader, options)
    memory = Memory(place.identity.section_size, options.cache, allocation.bits.copy())
    memory.restore(replayed.columns, replayed.cleared)
    path = descriptor_path(place.world, descriptor.name)
    parts = Parts(
        memory=memory,
        site=place.site,
        reader=reader,
        writer=ColumnWriter(place.site, place.identity, reader, files, place.world / FOLDER / "quarantine"),
        records=Records(files, descriptor, path, allocation, folder, journal_limit(descriptor.size)),
        watch=Watch(files, path.with_suffix(".regions"), place.site, allocation.bits),
    )
    admission = Admission(place.site, reader, memory.world.allocated, replayed.claimed, force=options.force)
    return Disk(parts, admission, name=descriptor.name, size=descriptor.size, read_only=read_only, age=options.age)


def _make_safe(place: Place) -> None:
    """Sync what a killed process left: replay believes what it reads there, and then the journal goes."""
    folder = place.world / FOLDER
    own = [folder / name for name in place.files.list_dir(folder) if name.startswith(f"{place.descriptor.name}.")]
    place.site.make_safe()
    sync_all(place.files, own)


def _only_readable(descriptor: Descriptor) -> bool:
    if needs_read_only(descriptor):
        logger.warning("disk %r has features that only a newer bbd may write; it is served read-only", descriptor.name)
        return True
    return False


def _replay(place: Place, folder: Path, allocated: ColumnMap, reader: ColumnReader, options: Options) -> Replayed:
    descriptor = place.descriptor
    found = recover(place.files, folder, descriptor.uuid_bytes, place.identity.section_size)
    records = records_to_replay(found, descriptor, folder, force=options.force)
    if not records:
        if found.records and not options.read_only and options.force:
            set_aside(place.files, folder)
        return Replayed()
    logger.warning("disk %r was not stopped cleanly; replaying %d journal records", descriptor.name, len(records))
    if not place.identity.checked:
        return replay(records, allocated, lambda _column: -1)
    return replay(records, allocated, lambda column: reader.load(column).generation)


def _load_allocation(place: Place, reader: ColumnReader, *, write: bool, force: bool) -> AllocationFile:
    allocation = place.allocation
    refusing = not place.identity.checked and not force
    try:
        damaged = allocation.load()
    except FileNotFoundError:
        if refusing:
            raise _cannot_identify(place, "is gone") from None
        logger.error("disk %r has no allocation map; building it anew from the world", place.descriptor.name)
        found = _columns_found(place.site, reader, None)
        if write:
            allocation.create()
            allocation.update(found, ())
        else:
            allocation.bits = found
        return allocation
    if damaged:
        if refusing:
            raise _cannot_identify(place, "is damaged")
        logger.error("allocation map of %r: building damaged pages %s anew", place.descriptor.name, damaged)
        found = _columns_found(place.site, reader, damaged)
        if write:
            allocation.rewrite(damaged, found)
        else:
            allocation.bits.update(found)
    return allocation


def _cannot_identify(place: Place, what: str) -> Refused:
    path = allocation_path(place.world, place.descriptor.name)
    return Refused(
        f"the allocation map {path} {what}, and in {place.descriptor.dimension} columns can't say whose they are: put "
        "back the map from a backup, or take every chunk in the disk's place that holds blocks for the disk's own with "
        "--force"
    )


def _columns_found(site: Site, reader: ColumnReader, pages: list[int] | None) -> ColumnMap:
    """Columns that stand in the world as this disk's own, or can't be told: better EIO than zeros."""
    spans = None if pages is None else [columns_of_page(page) for page in pages]
    found = ColumnMap()
    for column in site.present():
        if (spans is None or any(column in span for span in spans)) and reader.may_be_ours(column):
            found.add(column)
    return found
