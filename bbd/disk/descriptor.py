"""The descriptor ``<world>/bbd/<disk>.json``: what a disk is, and whether it was left in order."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from bbd.errors import BbdError
from bbd.files import Files, write_atomically

FORMAT: Final = 1
FOLDER: Final = "bbd"
LOW_DIMENSIONS: Final = frozenset({"minecraft:the_nether", "minecraft:the_end"})
"""Dimensions that are 256 blocks high: no check section and no parity."""
_NAME = re.compile(r"[^/\\\x00-\x1f\x7f]{1,100}")
_KNOWN_FEATURES: Final[frozenset[str]] = frozenset()
_COMPRESSIONS: Final = ("stitched", "zlib", "lz4", "none")


@dataclass(frozen=True, slots=True)
class JournalRef:
    """The journal that goes with an unclean disk: its id and the epoch that writes into it."""

    id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A disk's description, format 1 (``docs/format.md``, "Descriptor").

    ``size`` is in bytes; ``origin`` in chunks; ``layout`` a name with its parameters; ``compression`` what chunks are
    written with (in the descriptors of older bbds it is absent, and means zlib); ``epoch`` counts the times that
    the disk was opened for writing, and is the upper part of every sequence number and generation given since.
    """

    name: str
    size: int
    codec: str = "byte"
    palette: str = "palette256"
    layout: dict[str, Any] = field(default_factory=lambda: {"name": "hilbert"})
    origin: tuple[int, int] = (0, 0)
    dimension: str = "minecraft:overworld"
    compression: str = "stitched"
    parity: int = 2
    edits: str = "repair"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    clean: bool = True
    epoch: int = 0
    journal: JournalRef | None = None
    compat: tuple[str, ...] = ()
    ro_compat: tuple[str, ...] = ()
    incompat: tuple[str, ...] = ()

    @property
    def checked(self) -> bool:
        """Whether its columns have a check section: the Nether and the End end at y 255, where the data does."""
        return self.dimension not in LOW_DIMENSIONS

    @property
    def uuid_bytes(self) -> bytes:
        """The disk id as it stands in check sections and journals."""
        return uuid.UUID(self.id).bytes

    def dirty(self, journal_id: str) -> Descriptor:
        """The descriptor of the next epoch, open for writing with that journal."""
        epoch = self.epoch + 1
        return replace(self, clean=False, epoch=epoch, journal=JournalRef(journal_id, epoch))

    def cleaned(self) -> Descriptor:
        """The descriptor after a clean stop: everything is in the world."""
        return replace(self, clean=True, journal=None)

    def to_json(self) -> bytes:
        """Its file's content."""
        document = {"format": FORMAT, **asdict(self)}
        return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def check_name(name: str) -> str:
    """Return a disk's name that can be a file's name and an export's; raise :class:`BbdError` for any other."""
    if not _NAME.fullmatch(name) or name.startswith(".") or name != name.strip():
        raise BbdError(
            f"{name!r} can't be a disk's name: use 1 to 100 characters without slashes, and no dot or space in front"
        )
    return name


def descriptor_path(world: Path, name: str) -> Path:
    """Where the descriptor of disk ``name`` stands."""
    return world / FOLDER / f"{name}.json"


def disk_names(files: Files, world: Path) -> list[str]:
    """Names of the disks in a world, sorted."""
    return [entry[: -len(".json")] for entry in files.list_dir(world / FOLDER) if entry.endswith(".json")]


def load_descriptor(files: Files, path: Path) -> Descriptor:
    """Read a descriptor.

    Raises :class:`BbdError` where it is damaged, or needs a newer bbd. Unknown ``compat`` features are no obstacle.
    """
    return _load(files, path, path.name[: -len(".json")])


def load_copy(files: Files, path: Path) -> Descriptor:
    """Read a copy of a descriptor, kept under another name. Errors: see :func:`load_descriptor`."""
    return _load(files, path, None)


def _load(files: Files, path: Path, name: str | None) -> Descriptor:
    file = files.open(path)
    try:
        raw = file.pread(file.size(), 0)
    finally:
        file.close()
    try:
        document = json.loads(raw)
        return _parse(document, path, name)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BbdError(
            f"{path} is damaged ({error}): put back a copy from a backup, or move it away and find its disk with "
            f"bbd recover {path.parent.parent}"
        ) from None


def save_descriptor(files: Files, path: Path, descriptor: Descriptor) -> None:
    """Write a descriptor atomically and durably. Errors: ``OSError``; the old one then still stands."""
    write_atomically(files, path, descriptor.to_json())


def _parse(document: dict[str, Any], path: Path, name: str | None) -> Descriptor:
    unknown = set(document["incompat"]) - _KNOWN_FEATURES
    if document["format"] > FORMAT or unknown:
        what = f"format {document['format']}" + (f" with {', '.join(sorted(unknown))}" if unknown else "")
        raise BbdError(f"{path} was made by a newer bbd ({what}): use that one, this one knows format {FORMAT}")
    journal = document["journal"]
    descriptor = Descriptor(
        name=check_name(document["name"]),
        size=_whole(document["size"], 1),
        codec=str(document["codec"]),
        palette=str(document["palette"]),
        layout=dict(document["layout"]),
        origin=(int(document["origin"][0]), int(document["origin"][1])),
        dimension=str(document["dimension"]),
        compression=_one_of(document.get("compression", "zlib"), _COMPRESSIONS),
        parity=_whole(document["parity"], 0, 3),
        edits=_one_of(document["edits"], ("accept", "repair")),
        id=str(uuid.UUID(document["id"])),
        clean=document["clean"] is True,
        epoch=_whole(document["epoch"], 0),
        journal=JournalRef(str(journal["id"]), _whole(journal["epoch"], 0)) if journal else None,
        compat=tuple(document["compat"]),
        ro_compat=tuple(document["ro_compat"]),
        incompat=tuple(document["incompat"]),
    )
    if name is not None and descriptor.name != name:
        raise ValueError(f"it names the disk {descriptor.name!r}")
    if descriptor.parity and not descriptor.checked:
        raise ValueError(f"{descriptor.dimension} has no room for parity")
    return descriptor


def needs_read_only(descriptor: Descriptor) -> bool:
    """Whether it has features that this bbd may read but must not write."""
    return bool(set(descriptor.ro_compat) - _KNOWN_FEATURES)


def _whole(value: object, low: int, high: int | None = None) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < low or (high is not None and value > high):
        raise ValueError(f"{value!r} is out of range")
    return value


def _one_of(value: object, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return str(value)
