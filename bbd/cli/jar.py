"""The game's server as a jar: the one that came with bbd, or, from a clone, one that is built on first use."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Final

from bbd.cli.progress import waiting
from bbd.errors import BbdError

NAME: Final = "bbd-minestom.jar"
CLONE: Final = Path(__file__).parents[2]


def find_jar() -> Path:
    """The jar; from a clone it is built if it is not there, or older than its sources. Raises :class:`BbdError`."""
    packed = Path(str(files("bbd.cli").joinpath(NAME)))
    if packed.is_file():
        return packed
    builder = CLONE / "scripts" / "companion-build"
    if not builder.is_file():
        raise BbdError(
            "this bbd was installed without the game's server: build its wheel where Maven is, or run bbd demo from a "
            "clone"
        )
    with waiting("Building the game's server, on first use: a minute or two"):
        done = subprocess.run(
            [builder, "jar"], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
        )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise BbdError(f"the game's server could not be built: {_reason(said)} (see: scripts/companion-build jar)")
    return Path(done.stdout.strip())


def _reason(said: list[str]) -> str:
    """The line to show of what a build said: Maven's first error, else the last line."""
    errors = (line.removeprefix("[ERROR]").strip() for line in said if line.startswith("[ERROR]"))
    return next(filter(None, errors), said[-1].strip() if said else "it said nothing")
