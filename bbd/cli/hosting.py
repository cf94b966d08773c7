"""Putting worlds and disks together: from a folder and a descriptor to a disk that can be served."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from bbd.disk.descriptor import Descriptor, descriptor_path, disk_names, load_descriptor
from bbd.disk.disk import Disk
from bbd.disk.identity import Identity
from bbd.disk.journal_lock import JournalLock
from bbd.disk.opening import Options, Place, open_disk
from bbd.errors import BbdError
from bbd.files import Files
from bbd.geometry import registry
from bbd.geometry.geometry import Geometry
from bbd.os_files import OsFiles
from bbd.worlds.anvil.level import read_level
from bbd.worlds.anvil.lock import SessionLock
from bbd.worlds.anvil.mounts import check_mount
from bbd.worlds.anvil.world import AnvilWorld


def geometry_of(descriptor: Descriptor) -> Geometry:
    """A disk's geometry. Raises :class:`BbdError` for a codec, palette or layout that isn't installed."""
    codec = registry.codec(descriptor.codec, descriptor.palette)
    return Geometry(codec, registry.layout(descriptor.layout), descriptor.origin)


def identity_of(descriptor: Descriptor, geometry: Geometry) -> Identity:
    """What the disk's check sections have in common."""
    return Identity(
        disk_id=descriptor.uuid_bytes,
        codec=geometry.codec.number,
        layout=geometry.layout.number,
        width_log2=geometry.layout.width_log2,
        parity=descriptor.parity,
        section_size=geometry.codec.section_size,
        accept_edits=descriptor.edits == "accept",
        checked=descriptor.checked,
    )


def load_disks(world: Path, only: str | None = None, files: Files | None = None) -> list[Descriptor]:
    """The descriptors of a world's disks, or of the one called ``only``.

    Raises :class:`BbdError` for a folder that is no world, one without a disk, and a name that no disk has.
    """
    files = files or OsFiles()
    read_level(world)
    names = disk_names(files, world)
    if not names:
        raise BbdError(f"{world} is a world without a disk: put one into it with: bbd create {world} --size 64M")
    if only is not None and only not in names:
        raise BbdError(f"{world} has no disk {only!r}; it has {', '.join(names)}")
    return [load_descriptor(files, descriptor_path(world, name)) for name in names if only in {None, name}]


def one_disk(world: Path, name: str | None) -> Descriptor:
    """The disk that a command means. Raises :class:`BbdError` where a world has several and none was named."""
    disks = load_disks(world, name)
    if len(disks) > 1:
        raise BbdError(f"{world} has several disks: say which with --disk ({', '.join(d.name for d in disks)})")
    return disks[0]


@dataclass
class Host:
    """A world that is open, with its disks. ``close`` lets go of it; closing the disks comes first."""

    path: Path
    world: AnvilWorld
    disks: list[Disk] = field(default_factory=list)
    descriptors: list[Descriptor] = field(default_factory=list)
    _locks: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def close(self) -> None:
        """Close the region files, then let others have the world."""
        self.world.close()
        self._locks.close()


def lock_world(world: Path, *, force: bool) -> SessionLock:
    """Keep the game, and other bbds, out of a world. Raises :class:`bbd.errors.WorldLocked` where one has it open, and
    (unless ``force``) :class:`bbd.errors.Refused` where the lock would be worth nothing."""
    if not force:
        check_mount(world)
    return SessionLock(world)


def open_host(
    world: Path, options: Options, *, only: str | None = None, lock: bool = True, compression: str | None = None
) -> Host:
    """Lock a world and open its disks. Blocks while journals are replayed.

    Without ``lock`` nobody is kept out: for looking only. ``compression`` is what chunks are written with, by default
    what each disk's descriptor says. Raises :class:`BbdError` where something is in the way.
    """
    files = OsFiles()
    with contextlib.ExitStack() as undo:
        if lock:
            undo.callback(lock_world(world, force=options.force).release)
        descriptors = load_disks(world, only, files)
        anvil = AnvilWorld(world, files, writable=not options.read_only)
        undo.callback(anvil.close)
        host = Host(world, anvil, descriptors=descriptors)
        for descriptor in descriptors:
            if lock and not options.read_only:
                undo.callback(JournalLock(options.journals / descriptor.id).release)
            disk = open_disk(make_place(files, host, descriptor, compression), options)
            undo.callback(disk.release)
            host.disks.append(disk)
        host._locks = undo.pop_all()
        return host


def make_place(files: Files, host: Host, descriptor: Descriptor, compression: str | None = None) -> Place:
    """A disk's place in an open world."""
    geometry = geometry_of(descriptor)
    site = host.world.site(geometry, descriptor.dimension, compression or descriptor.compression)
    return Place(files, host.path, descriptor, site, identity_of(descriptor, geometry))
