"""Ways to mount an export on this machine: which there are, and the commands that each would run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from bbd.cli.mounting import find_program, kernel_has_nbd
from bbd.errors import BbdError
from bbd.nbd.client import DEFAULT_PORT

EXT_MAGIC_AT: Final = 1080
EXT_MAGIC: Final = b"\x53\xef"
"""Where an ext2, ext3 or ext4 file system says what it is (kernel documentation, "ext4 Data Structures")."""


@dataclass(frozen=True, slots=True)
class Export:
    """What is to be mounted: where it is served, how it begins (2048 bytes), and whether it may be written."""

    uri: str
    head: bytes
    read_only: bool = False

    @property
    def is_ext(self) -> bool:
        """Whether it begins as an ext2, ext3 or ext4 file system does."""
        return self.head[EXT_MAGIC_AT : EXT_MAGIC_AT + 2] == EXT_MAGIC


@dataclass(frozen=True, slots=True)
class Machine:
    """What this machine has: programs by name, root's rights, and what its kernel can do."""

    programs: frozenset[str]
    root: bool
    nbd: bool
    fuse: bool
    loop: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A command, and the one that undoes it. Where ``makes`` is given, the command goes on in the background, and has
    done its part when that file is there."""

    do: Sequence[str]
    undo: Sequence[str] = ()
    makes: Path | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way to mount: ``missing`` tells what a machine lacks for an export ("" for nothing), ``steps`` what to run to
    have an export in a folder, given an empty working folder; the last step is the mount itself."""

    name: str
    words: str
    missing: Callable[[Machine, Export], str]
    steps: Callable[[Machine, Export, Path, Path], Sequence[Step]]


def this_machine() -> Machine:
    """Look at what there is."""
    names = ("nbd-client", "nbdfuse", "fuse2fs", "mount", "umount", "modprobe", "fusermount3", "fusermount")
    root = os.geteuid() == 0
    return Machine(
        programs=frozenset(name for name in names if find_program(name)),
        root=root,
        nbd=kernel_has_nbd(),
        fuse=os.access("/dev/fuse", os.R_OK | os.W_OK),
        loop=Path("/dev/loop-control").exists(),
    )


def choose(machine: Machine, export: Export, wanted: str | None = None) -> Way:
    """The first way that works, or the one wanted. Raises :class:`BbdError` that says what each lacks."""
    ways = [way for way in WAYS if wanted in (None, way.name)]
    if not ways:
        raise BbdError(f"--with {wanted!r} is none of: {', '.join(way.name for way in WAYS)}")
    for way in ways:
        if not way.missing(machine, export):
            return way
    why = "; ".join(f"{way.name} needs {way.missing(machine, export)}" for way in ways)
    raise BbdError(f"this disk can't be mounted here ({why}). A FAT file system needs no mount: bbd files WORLD ls")


# -- the kernel's own client --------------------------------------------------------------------------------------


def _nbd_missing(machine: Machine, export: Export) -> str:
    del export
    return (
        _lacks(machine, "nbd-client", "mount")
        or _unless(machine.root, "root")
        or _unless(machine.nbd, "the nbd module")
    )


def _nbd_steps(machine: Machine, export: Export, folder: Path, work: Path) -> list[Step]:
    del work
    device = str(free_device(Path("/sys/block"), Path("/dev")))
    parts = urlsplit(export.uri)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme == "nbd+unix":
        where = ["-unix", parse_qs(parts.query)["socket"][0]]
    else:
        where = [parts.hostname or "127.0.0.1", str(parts.port or DEFAULT_PORT)]
    load = [] if Path("/sys/block/nbd0").exists() else [Step(["modprobe", "nbd"])]
    attach = ["nbd-client", "-N", name, *where, device, *(["-readonly"] if export.read_only else [])]
    mode = ["-o", "ro"] if export.read_only else []
    return [
        *load,
        Step(attach, ["nbd-client", "-d", device]),
        Step(["mount", *mode, device, str(folder)], ["umount", str(folder)]),
    ]


def free_device(blocks: Path, devices: Path) -> Path:
    """The first nbd device that nobody uses: one with a ``pid`` in sysfs is in use."""
    number = 0
    while (blocks / f"nbd{number}" / "pid").exists():
        number += 1
    return devices / f"nbd{number}"


# -- nbdfuse, and on its file either the kernel's loop device or fuse2fs ------------------------------------------


def _loop_missing(machine: Machine, export: Export) -> str:
    del export
    return (
        _lacks(machine, "nbdfuse", "mount")
        or _unless(machine.root, "root")
        or _unless(machine.fuse, "/dev/fuse")
        or _unless(machine.loop, "loop devices")
    )


def _loop_steps(machine: Machine, export: Export, folder: Path, work: Path) -> list[Step]:
    options = "loop,ro" if export.read_only else "loop"
    mounting = ["mount", "-o", options, str(work / "disk"), str(folder)]
    return [_nbdfuse(machine, export, work), Step(mounting, ["umount", str(folder)])]


def _fuse2fs_missing(machine: Machine, export: Export) -> str:
    return (
        _lacks(machine, "nbdfuse", "fuse2fs")
        or _unless(machine.fuse, "/dev/fuse")
        or _unless(
            machine.root or bool(machine.programs & {"fusermount3", "fusermount"}), "fusermount3 (package fuse3)"
        )
        or _unless(export.is_ext, "an ext4 file system on all of the disk")
    )


def _fuse2fs_steps(machine: Machine, export: Export, folder: Path, work: Path) -> list[Step]:
    options = "ro" if export.read_only else "rw" if machine.root else "rw,fakeroot"
    mounting = ["fuse2fs", "-o", options, str(work / "disk"), str(folder)]
    return [_nbdfuse(machine, export, work), Step(mounting, _unmount_fuse(machine, folder))]


def _nbdfuse(machine: Machine, export: Export, work: Path) -> Step:
    mode = ["-r"] if export.read_only else []
    file = work / "disk"
    return Step(["nbdfuse", *mode, str(file), export.uri], _unmount_fuse(machine, work), file)


def _unmount_fuse(machine: Machine, folder: Path) -> list[str]:
    for program in ("fusermount3", "fusermount"):
        if program in machine.programs:
            return [program, "-u", str(folder)]
    return ["umount", str(folder)]


def _lacks(machine: Machine, *names: str) -> str:
    return " and ".join(name for name in names if name not in machine.programs)


def _unless(there: bool, what: str) -> str:
    return "" if there else what


WAYS: Final[Sequence[Way]] = (
    Way("nbd", "the kernel's nbd client", _nbd_missing, _nbd_steps),
    Way("loop", "nbdfuse and a loop device", _loop_missing, _loop_steps),
    Way("fuse2fs", "nbdfuse and fuse2fs", _fuse2fs_missing, _fuse2fs_steps),
)
"""The ways, the best first."""


def located(command: Sequence[str]) -> list[str]:
    """A command with its program's path; the folders of the administrator's programs are looked into as well."""
    path = os.environ.get("PATH", os.defpath) + os.pathsep + os.pathsep.join(("/usr/sbin", "/sbin"))
    return [shutil.which(command[0], path=path) or command[0], *command[1:]]
