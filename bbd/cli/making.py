"""Making worlds and disks: every check comes before the first byte is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from bbd.cli.hosting import geometry_of
from bbd.cli.progress import progress
from bbd.disk.descriptor import Descriptor, check_name, descriptor_path, disk_names, load_descriptor
from bbd.disk.opening import create_disk
from bbd.errors import Refused
from bbd.files import Files, OsFiles
from bbd.geometry.geometry import MAX_CHUNK, MIN_CHUNK, Geometry
from bbd.worlds.anvil.level import LEVEL, create_world, read_level
from bbd.worlds.anvil.lock import SessionLock
from bbd.worlds.anvil.world import AnvilWorld


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
    if not files.exists(world / LEVEL):
        create_world(
            world, spawn_chunk=spawn_chunk(geometry, columns), name=title or world.absolute().name, files=files
        )
    read_level(world, files)
    with SessionLock(world):
        if not force:
            _check_disks(files, world, descriptor, geometry)
            _check_builds(world, descriptor, geometry)
        create_disk(files, world, descriptor)


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


def _check_disks(files: Files, world: Path, descriptor: Descriptor, geometry: Geometry) -> None:
    columns = geometry.columns(descriptor.size)
    for name in disk_names(files, world):
        other = load_descriptor(files, descriptor_path(world, name))
        theirs = geometry_of(other)
        if other.dimension == descriptor.dimension and geometry.overlaps(theirs, columns, theirs.columns(other.size)):
            raise Refused(
                f"the disk would lie on disk {name!r}, whose origin is chunk {other.origin[0]},{other.origin[1]}: "
                "give it another --origin (or --force)"
            )


def _check_builds(world: Path, descriptor: Descriptor, geometry: Geometry) -> None:
    columns = geometry.columns(descriptor.size)
    with AnvilWorld(world, writable=False) as anvil:
        present = anvil.present_chunks(descriptor.dimension)
        for chunk in progress(_within(present, geometry, columns), "looking for builds"):
            if not anvil.is_blank(*chunk, descriptor.dimension):
                raise Refused(
                    f"something is built where the disk would lie, in chunk {chunk[0]},{chunk[1]} "
                    f"(x {chunk[0] * 16}, z {chunk[1] * 16}): give it another --origin (or --force)"
                )


def _within(chunks: Iterable[tuple[int, int]], geometry: Geometry, columns: int) -> Iterator[tuple[int, int]]:
    return (chunk for chunk in chunks if _is_disks(geometry, columns, chunk))
