"""Where compiled code is kept on the disk: a folder for each version of what it was made from.

What lies there is run, so nobody else may be able to put anything there.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import numba
import numpy as np


def cache_folder() -> Path:
    """The user's folder for the code of these sources, made if need be. Raises ``OSError`` where there is none that is
    the user's alone to write to."""
    folder = _user_cache() / "bbd" / f"compiled-{_version()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in (folder.parent, folder):
        _require_own(one)
    return folder


def _user_cache() -> Path:
    """As the XDG base directory specification has it: a path that is not absolute counts as none."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".cache"


def _version() -> str:
    """Changes with the package's sources, with those of the constants in it, and with what compiles them."""
    digest = hashlib.sha256(f"numba {numba.__version__}, numpy {np.__version__}".encode())
    package = Path(__file__).parent
    constants = [package.parent / "entries.py", package.parents[1] / "world.py"]
    for source in [*sorted(package.glob("*.py")), *constants]:
        digest.update(f"\n{source.name} {source.stat().st_size}\n".encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def _require_own(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{folder} is not a folder that nobody else may write to")
