"""``bbd files``: list, read and write files on a disk's FAT file system, without root, kernel or mount."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from bbd.cli.images import appearing_whole
from bbd.cli.reaching import reach
from bbd.errors import BbdError
from bbd.fat.folder import Entry
from bbd.fat.volume import Volume, split


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for, beside the verb."""

    paths: Sequence[str]
    recursive: bool
    as_json: bool


_Verb: TypeAlias = Callable[[Volume, _Wish], None]


def files(
    target: Annotated[str, typer.Argument(metavar="WORLD|URI", help="The world's folder, or a server's NBD URI.")],
    verb: Annotated[str, typer.Argument(help="ls, cat, get, put, rm or mkdir.")],
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="On the disk, from its root on. get: the last one is here; put: all but the last are."),
    ] = None,
    *,
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="rm: folders with all that is in them.")] = False,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="ls: for scripts.")] = False,
) -> None:
    """Work with the files of a disk that has a FAT file system, on all of it or in a partition.

    get and put take folders with all that is in them; with one path only, get copies into the working folder, and put
    to the disk's root. Don't use it on a disk that is mounted: two writers of one file system destroy it.
    """
    if verb not in VERBS:
        raise BbdError(f"{verb!r} is none of: {', '.join(VERBS)}")
    with reach(target, disk, journal, read_only=verb not in _WRITERS) as store:
        VERBS[verb](Volume(store), _Wish(paths or [], recursive, as_json))


def _ls(volume: Volume, wish: _Wish) -> None:
    for path in wish.paths or ["/"]:
        entry = volume.find(path)
        found = volume.entries(path) if entry is None or entry.is_folder else [entry]
        if len(wish.paths) > 1 and not wish.as_json:
            typer.echo(f"{path}:")
        for each in found:
            typer.echo(json.dumps(_document(each), ensure_ascii=False) if wish.as_json else _line(each))


def _document(entry: Entry) -> dict[str, object]:
    kind = "folder" if entry.is_folder else "file"
    return {"name": entry.name, "type": kind, "size": entry.size, "modified": int(entry.modified)}


def _line(entry: Entry) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.modified))
    size = "-" if entry.is_folder else str(entry.size)
    return f"{size:>12}  {when}  {_printable(entry.name)}{'/' if entry.is_folder else ''}"


def _printable(name: str) -> str:
    """A name that can't move the terminal's cursor."""
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


def _cat(volume: Volume, wish: _Wish) -> None:
    for path in _some(wish, "cat"):
        for piece in volume.read(path):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _get(volume: Volume, wish: _Wish) -> None:
    paths = _some(wish, "get")
    *sources, last = paths if len(paths) > 1 else [*paths, "."]
    target = Path(last)
    if len(sources) > 1 and not target.is_dir():
        raise BbdError(f"{target} is no folder, and {len(sources)} paths can't be copied to one file")
    for source in sources:
        names = split(source)
        inside = target.is_dir() and names
        _get_one(volume, source, target / _local_name(names[-1]) if inside else target)


def _get_one(volume: Volume, source: str, target: Path) -> None:
    entry = volume.find(source)
    if entry is None or entry.is_folder:
        target.mkdir(exist_ok=True)
        for child in volume.entries(source):
            _get_one(volume, f"{source}/{child.name}", target / _local_name(child.name))
        return
    with appearing_whole(target) as part:
        with part.open("wb") as file:
            for piece in volume.read(source):
                file.write(piece)
        os.utime(part, (entry.modified, entry.modified))


def _local_name(name: str) -> str:
    """A name from the disk as one of this machine, if it is one: a disk may hold anything."""
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise BbdError(f"the disk has a file called {name!r}, which can't be a file's name here")
    return name


def _put(volume: Volume, wish: _Wish) -> None:
    paths = _some(wish, "put")
    *sources, target = paths if len(paths) > 1 else [*paths, "/"]
    if (len(sources) > 1 or target.endswith("/")) and not volume.is_folder(target):
        raise BbdError(f"{target} is no folder of the disk: make it with mkdir first")
    for source in map(Path, sources):
        inside = volume.is_folder(target)
        _put_one(volume, source, f"{target}/{source.absolute().name}" if inside else target)


def _put_one(volume: Volume, source: Path, target: str) -> None:
    if source.is_dir():
        if not volume.is_folder(target):
            volume.make_folder(target)
        for child in sorted(source.iterdir()):
            _put_one(volume, child, f"{target}/{child.name}")
        return
    with source.open("rb") if source != Path("-") else _stdin() as file:
        volume.write(target, file, source.stat().st_mtime if source != Path("-") else None)


def _stdin() -> io.BufferedReader:
    return io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))


def _rm(volume: Volume, wish: _Wish) -> None:
    for path in _some(wish, "rm"):
        for each in _below(volume, path) if wish.recursive else [path]:
            volume.remove(each)


def _below(volume: Volume, path: str) -> Iterator[str]:
    """Everything at and below a path, the deepest first."""
    if volume.is_folder(path):
        for child in volume.entries(path):
            yield from _below(volume, f"{path}/{child.name}")
    if split(path):
        yield path


def _mkdir(volume: Volume, wish: _Wish) -> None:
    for path in _some(wish, "mkdir"):
        volume.make_folder(path)


def _some(wish: _Wish, verb: str) -> Sequence[str]:
    if not wish.paths:
        raise BbdError(f"bbd files ... {verb} needs a path")
    return wish.paths


VERBS: Final[Mapping[str, _Verb]] = {"ls": _ls, "cat": _cat, "get": _get, "put": _put, "rm": _rm, "mkdir": _mkdir}
_WRITERS: Final = frozenset({"put", "rm", "mkdir"})
