"""Image files: which format one has, and how to come from it to raw bytes and back.

Raw images are read and written here; for all others there is qemu-img (``qemu-img(1)``), by way of a raw file that
has holes where the image has none of its bytes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bbd.errors import BbdError
from bbd.files import File
from bbd.os_files import OsFiles

RAW: Final = "raw"
PIECE: Final = 1 << 20
"""Bytes that are read or written at a time."""
GRAIN: Final = 1 << 16
"""Bytes that become a hole if all of them are zeros."""
_ZEROS: Final = bytes(GRAIN)

_SUFFIXES: Final = {
    ".qcow2": "qcow2",
    ".qcow": "qcow",
    ".vmdk": "vmdk",
    ".vdi": "vdi",
    ".vhdx": "vhdx",
    ".vhd": "vpc",
    ".qed": "qed",
}
# How images of these formats begin (QEMU's docs/interop/qcow2.txt; the others' own specifications).
_BEGINNINGS: Final = {b"QFI\xfb": "qcow2", b"KDMV": "vmdk", b"vhdxfile": "vhdx", b"conectix": "vpc", b"QED\0": "qed"}


def format_to_write(path: Path, given: str | None) -> str:
    """The format of a new image: the one given, else by the file's suffix, else raw."""
    return given or _SUFFIXES.get(path.suffix.lower(), RAW)


def format_to_read(path: Path, given: str | None) -> str:
    """The format of an image that is there: the one given, else by its suffix, else raw.

    The bytes of a raw image are its guest's, which may have made them look like another format's that names files of
    this machine; so nothing but raw is guessed, and where the bytes look like it, this raises :class:`BbdError`.
    """
    if not path.is_file():
        raise BbdError(f"{path} is no image: " + ("it is no file" if path.exists() else "there is no such file"))
    if given:
        return given
    with path.open("rb") as file:
        head = file.read(8)
    if (known := _SUFFIXES.get(path.suffix.lower())) is not None:
        return known
    for beginning, name in _BEGINNINGS.items():
        if head.startswith(beginning):
            raise BbdError(
                f"{path} begins like a {name} image: say --format {name}, or --format raw to take its bytes as they are"
            )
    return RAW


@contextlib.contextmanager
def opened_raw(path: Path, kind: str, folder: Path) -> Iterator[File]:
    """An image as a raw file with holes; other formats are unpacked into ``folder``, for as long as this lasts."""
    with contextlib.ExitStack() as stack:
        if kind != RAW:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".bbd-", dir=folder)))
            raw = work / "raw"
            qemu_img("convert", "-f", kind, "-O", RAW, f"file:{path.absolute()}", str(raw))
            path = raw
        file = OsFiles().open(path)
        stack.callback(file.close)
        yield file


def pack(raw: Path, image: Path, kind: str) -> None:
    """Make an image of another format from a raw one."""
    qemu_img("convert", "-f", RAW, "-O", kind, str(raw.absolute()), f"file:{image.absolute()}")


def qemu_img(*arguments: str) -> None:
    """Run qemu-img. Raises :class:`BbdError` with its own words where it can't, or isn't there."""
    program = shutil.which("qemu-img")
    if program is None:
        raise BbdError("only raw images go without qemu-img: install it (package qemu-utils), or use --format raw")
    done = subprocess.run(
        [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, errors="replace"
    )
    if done.returncode:
        words = (done.stderr.strip() or f"it ended with status {done.returncode}").splitlines()[-1]
        raise BbdError(words if words.startswith("qemu-img") else f"qemu-img: {words}")


def grains(data: bytes) -> Iterator[tuple[int, bytes | None]]:
    """Yield (start, bytes) of pieces that hold something, and (start, ``None``) of grains of zeros, in order."""
    for start in range(0, len(data), GRAIN):
        grain = data[start : start + GRAIN]
        yield start, None if grain == _ZEROS[: len(grain)] else grain


@contextlib.contextmanager
def appearing_whole(path: Path) -> Iterator[Path]:
    """A file to write instead of ``path``, in whose place it is put, synced, if the context ends without an error."""
    if path.exists() and not path.is_file():
        raise BbdError(f"{path} is no file that could be replaced: name an image file")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
        OsFiles().sync_dir(path.absolute().parent)
    finally:
        part.unlink(missing_ok=True)
