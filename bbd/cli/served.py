"""Which disks this user's bbd serves right now, and where: one small file a disk in the state folder.

A server leaves ``served/<disk id>.json`` when it listens and takes it away when it ends. A file that a crash left
behind is known by its process, which is gone, or by its world, which nobody has open.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bbd.cli.mounting import tcp_uri, unix_uri
from bbd.cli.state import state_folder
from bbd.disk.descriptor import Descriptor
from bbd.errors import BbdError, WorldLocked
from bbd.files import write_atomically
from bbd.os_files import OsFiles
from bbd.worlds.anvil.lock import holder

logger = logging.getLogger("bbd.cli")

_PATIENCE: Final = 2.0
"""Seconds in which a server that has just opened a world says where it listens."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # these are addresses to recognise, not to bind


@dataclass(frozen=True, slots=True)
class Served:
    """A disk that is being served: ``uris`` are the ways to it, the first the nearest; ``world`` is absolute."""

    disk: str
    id: str
    world: str
    pid: int
    size: int
    read_only: bool
    uris: tuple[str, ...]


def uris_of(name: str, unix: Path | None, tcp: tuple[str, int] | None) -> tuple[str, ...]:
    """The URIs of an export, from where its server listens."""
    found = [unix_uri(unix, name)] if unix else []
    if tcp:
        found.append(tcp_uri(_EVERYWHERE.get(tcp[0], tcp[0]), tcp[1], name))
    return tuple(found)


@contextlib.contextmanager
def announced(entries: Sequence[Served]) -> Iterator[None]:
    """Tell of served disks as long as the context lasts. Serving goes on where the state folder takes no files."""
    files, folder = OsFiles(), _folder()
    paths = [folder / f"{entry.id}.json" for entry in entries]
    try:
        try:
            files.make_dir(folder)
            for path, entry in zip(paths, entries, strict=True):
                write_atomically(files, path, json.dumps(asdict(entry), indent=2, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            logger.warning("other commands won't find this server: %s: %s", folder, error.strerror)
        yield
    finally:
        for path in paths:
            if (left := _load(path)) is not None and left.pid == os.getpid():
                files.remove(path)


def find_server(world: Path, descriptor: Descriptor) -> Served | None:
    """The server that has the disk's world open, ``None`` where nobody has.

    Raises :class:`WorldLocked` where the game has it, or a bbd that tells nobody of a way to this disk.
    """
    deadline = time.monotonic() + _PATIENCE
    while (where := holder(world)) is not None:
        entry = _load(_folder() / f"{descriptor.id}.json")
        if entry is not None and _lives(entry.pid) and Path(entry.world) == world.resolve():
            return entry
        if "bbd" not in where or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    if where is None:
        return None
    raise WorldLocked(
        f"the world {world} is open {where}, without a way in for disk {descriptor.name!r}: close it there first"
    )


def describe_served(world: Path, descriptor: Descriptor, uris: tuple[str, ...], *, read_only: bool) -> Served:
    """The entry for a disk that this process serves."""
    return Served(
        disk=descriptor.name,
        id=descriptor.id,
        world=str(world.resolve()),
        pid=os.getpid(),
        size=descriptor.size,
        read_only=read_only,
        uris=uris,
    )


def uri_of(entry: Served) -> str:
    """The nearest way to a served disk."""
    if not entry.uris:
        raise BbdError(f"the server of {entry.disk!r} (process {entry.pid}) tells no address: stop it first")
    return entry.uris[0]


def _folder() -> Path:
    return state_folder() / "served"


def _load(path: Path) -> Served | None:
    try:
        document = json.loads(path.read_bytes())
        return Served(**{**document, "uris": tuple(document["uris"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _lives(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
