"""A real file system to copy about."""

from __future__ import annotations

import shutil
import sysconfig
import tempfile
from pathlib import Path

from bench.commands import run
from bench.units import KIB, MIB

_BLOCK = 4 * KIB


def make_image(image: Path, size: int) -> None:
    """An ext4 image of ``size`` bytes, some two thirds full of Python's own library."""
    with tempfile.TemporaryDirectory(dir=image.parent) as folder:
        _copy_library(Path(folder), size * 2 // 3)
        options = ("-q", "-F", "-b", str(_BLOCK), "-O", "^has_journal", "-d", folder)
        run("mkfs.ext4", *options, image, f"{size // MIB}M")


def _copy_library(folder: Path, room: int) -> None:
    library = Path(sysconfig.get_path("stdlib"))
    for file in sorted(library.rglob("*.py")):
        room -= -(-file.stat().st_size // _BLOCK) * _BLOCK
        if room < 0:
            return
        copy = folder / file.relative_to(library)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
