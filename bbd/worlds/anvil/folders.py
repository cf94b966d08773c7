"""Where a world keeps the region files of its dimensions, in the layout of today's saves and in that of 26.1 on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from bbd.errors import BbdError
from bbd.files import Files

OVERWORLD = "minecraft:overworld"
_MAX_DEPTH = 8
"""How deep in folders a dimension is looked for: far deeper than data packs name any."""

# From 26.1 on every dimension has a folder by its name; before, that held only for those that data packs add.
_OLD: Mapping[str, PurePosixPath] = {
    OVERWORLD: PurePosixPath("region"),
    "minecraft:the_nether": PurePosixPath("DIM-1/region"),
    "minecraft:the_end": PurePosixPath("DIM1/region"),
}


def region_folder(files: Files, world: Path, dimension: str = OVERWORLD) -> Path:
    """The folder of a dimension's region files, which need not exist yet.

    Raises :class:`BbdError` for a dimension's name that is none, and for a world that holds both layouts: nobody can
    know which of them the game would open.
    """
    old, new = _OLD.get(dimension), world / _by_name(dimension)
    if old is None:
        return new
    if not files.exists(world / _by_name(OVERWORLD).parent):
        return world / old
    if files.exists(world / old):
        raise BbdError(
            f"{world} holds {dimension} twice, in {old} and in {_by_name(dimension)}: open it once in the newest game "
            "that saved it, and remove the folder that the game does not use"
        )
    return new


def dimensions(files: Files, world: Path) -> list[str]:
    """The dimensions for which a world has a folder of region files, in either layout, sorted.

    Raises :class:`BbdError` for a world that holds both layouts.
    """
    known = {name for name in _OLD if files.exists(region_folder(files, world, name))}
    return sorted(known | set(_named(files, world / "dimensions", ())))


def _named(files: Files, folder: Path, parts: Sequence[str]) -> Iterator[str]:
    """The dimensions in and below a folder that has the name ``parts`` below ``dimensions``."""
    with suppress(NotADirectoryError):
        for entry in files.list_dir(folder):
            if entry == "region" and len(parts) > 1:
                yield f"{parts[0]}:{'/'.join(parts[1:])}"
            elif _is_name(entry) and len(parts) < _MAX_DEPTH:
                yield from _named(files, folder / entry, (*parts, entry))


def _is_name(part: str) -> bool:
    return part.replace("_", "").replace("-", "").isalnum()


def _by_name(dimension: str) -> PurePosixPath:
    namespace, _, name = dimension.partition(":")
    parts = (namespace, *name.split("/"))
    if not all(map(_is_name, parts)):
        raise BbdError(f"'{dimension}' is no dimension; its name must look like {OVERWORLD}")
    return PurePosixPath("dimensions", *parts, "region")
