"""Making worlds and disks: every check comes before the first byte is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import atan2, degrees
from pathlib import Path
from typing import Final

from bbd.cli.hosting import geometry_of, lock_world
from bbd.cli.progress import progress
from bbd.cli.state import keep_copy
from bbd.disk.descriptor import (
    Descriptor,
    check_name,
    descriptor_path,
    disk_names,
    load_descriptor,
    needs_read_only,
    save_descriptor,
)
from bbd.disk.opening import create_disk
from bbd.errors import BbdError, Refused
from bbd.files import Files
from bbd.geometry.geometry import MAX_CHUNK, MIN_CHUNK, Geometry
from bbd.os_files import OsFiles
from bbd.worlds.anvil.level import LEVEL, create_world, read_level
from bbd.worlds.anvil.mounts import check_mount
from bbd.worlds.anvil.rewrite import DATA_VERSION, LZ4_DATA_VERSION
from bbd.worlds.anvil.world import AnvilWorld

_ELSEWHERE: Final = "give it another --origin (or --force)"


def make_disk(world: Path, descriptor: Descriptor, *, title: str = "", force: bool = False) -> None:
    """Put a disk into a world; the world is made where its folder holds none. ``title`` is then what
    the game calls it, by default the folder's name.

    Raises :class:`bbd.errors.BbdError` for what can't be, and :class:`Refused` where the disk would lie on another
    one, or on something that is built there (``force`` allows the latter two).
    """
    files = OsFiles()
    check_name(descriptor.name)
    geometry = geometry_of(descriptor)
    geometry.check_size(descriptor.size)
    columns = geometry.columns(descriptor.size)
    if not force:
        check_mount(world)
    if not files.exists(world / LEVEL):
        chunk = spawn_chunk(geometry, columns)
        create_world(
            world,
            spawn_chunk=chunk,
            name=title or world.absolute().name,
            facing=_towards(chunk, geometry.origin),
            data_version=LZ4_DATA_VERSION if descriptor.compression == "lz4" else DATA_VERSION,
            files=files,
        )
    read_level(world, files)
    with lock_world(world, force=force):
        if not force:
            _check_disks(files, world, descriptor, geometry)
            _check_builds(world, descriptor, geometry)
        create_disk(files, world, descriptor)
    keep_copy(descriptor)


def grow_disk(world: Path, descriptor: Descriptor, size: int, *, force: bool = False) -> Descriptor:
    """Make a disk of a world that nobody has open larger; return its new descriptor. The new bytes are zeros.

    Raises :class:`BbdError` for a size that can't be, and :class:`Refused` where the new part would lie on another
    disk, or on something that is built there (``force`` allows the latter two).
    """
    files = OsFiles()
    with lock_world(world, force=force):
        path = descriptor_path(world, descriptor.name)
        old = load_descriptor(files, path)
        if needs_read_only(old):
            raise BbdError(f"disk {old.name!r} can only be read by this bbd: use the newer one that wrote it")
        if size <= old.size:
            raise BbdError(
                f"disk {old.name!r} has {old.size} bytes, and {size} is not more: a disk can grow, but never shrink"
            )
        grown = replace(old, size=size)
        geometry = geometry_of(grown)
        geometry.check_size(size)
        if not force:
            cure = "a smaller --size may do (or --force)"
            _check_disks(files, world, grown, geometry, cure)
            _check_builds(world, grown, geometry, geometry.columns(old.size), cure)
        save_descriptor(files, path, grown)
    keep_copy(grown)
    return grown


def spawn_chunk(geometry: Geometry, columns: int) -> tuple[int, int]:
    """A chunk beside the disk's first, inside the border, that is not the disk's.

    A layout that goes all around its origin leaves none; then it is one beyond the disk's edge, straight from there.
    """
    x, z = geometry.origin
    low_x, low_z, high_x, high_z = _bounds(geometry, columns)
    beside = [(x - 1, z - 1), (x - 1, z), (x, z - 1)]
    beyond = [(x, low_z - 1), (low_x - 1, z), (x, high_z + 1), (high_x + 1, z)]
    far = [(MIN_CHUNK, MAX_CHUNK), (MAX_CHUNK, MIN_CHUNK)]
    return next(chunk for chunk in beside + beyond + far if _inside(chunk) and not _is_disks(geometry, columns, chunk))


def _towards(chunk: tuple[int, int], other: tuple[int, int]) -> float:
    """Where to look from one chunk to see another: the game's yaw."""
    return degrees(atan2(chunk[0] - other[0], other[1] - chunk[1]))


def _bounds(geometry: Geometry, columns: int) -> tuple[int, int, int, int]:
    """The lowest chunk x and z of the disk, and the highest."""
    corners = [(x, z, x + width - 1, z + depth - 1) for x, z, width, depth in geometry.rectangles(columns)]
    low_x, low_z, high_x, high_z = zip(*corners, strict=True)
    return min(low_x), min(low_z), max(high_x), max(high_z)


def _inside(chunk: tuple[int, int]) -> bool:
    return all(MIN_CHUNK <= value <= MAX_CHUNK for value in chunk)


def _is_disks(geometry: Geometry, columns: int, chunk: tuple[int, int]) -> bool:
    column = geometry.column_of(*chunk)
    return column is not None and column < columns


def _check_disks(files: Files, world: Path, descriptor: Descriptor, geometry: Geometry, cure: str = _ELSEWHERE) -> None:
    columns = geometry.columns(descriptor.size)
    for name in disk_names(files, world):
        if name == descriptor.name:
            continue
        other = load_descriptor(files, descriptor_path(world, name))
        theirs = geometry_of(other)
        if other.dimension == descriptor.dimension and geometry.overlaps(theirs, columns, theirs.columns(other.size)):
            raise Refused(
                f"the disk would lie on disk {name!r}, whose origin is chunk {other.origin[0]},{other.origin[1]}: "
                f"{cure}"
            )


def _check_builds(
    world: Path, descriptor: Descriptor, geometry: Geometry, first: int = 0, cure: str = _ELSEWHERE
) -> None:
    """Look where the columns from ``first`` on would lie."""
    columns = geometry.columns(descriptor.size)
    with AnvilWorld(world, writable=False) as anvil:
        present = anvil.present_chunks(descriptor.dimension)
        for chunk in progress(_within(present, geometry, range(first, columns)), "looking for builds"):
            if not anvil.is_blank(*chunk, descriptor.dimension):
                raise Refused(
                    f"something is built where the disk would lie, in chunk {chunk[0]},{chunk[1]} "
                    f"(x {chunk[0] * 16}, z {chunk[1] * 16}): {cure}"
                )


def _within(chunks: Iterable[tuple[int, int]], geometry: Geometry, columns: range) -> Iterator[tuple[int, int]]:
    return (chunk for chunk in chunks if geometry.column_of(*chunk) in columns)
