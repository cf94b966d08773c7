"""Where compiled code is kept on the disk: a folder for each version of what it was made from.

What lies there is run, so nobody else may be able to put anything there. Who compiles, loads or removes code waits for
his turn: so nothing goes that somebody else is about to load.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

_UNUSED: Final = 30 * 24 * 3600
"""Seconds after which the code of another version goes: whoever changes between two finds that of both."""
_NAME: Final = re.compile("compiled-[0-9a-f]{16}")


def cache_folder() -> Path:
    """The user's folder for the code of these sources, made if need be; to ask for it counts as using it. Raises
    ``OSError`` where there is none that is the user's alone to write to."""
    folder = _own_cache() / f"compiled-{_version()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    _require_own(folder)
    os.utime(folder)
    return folder


@contextmanager
def turn() -> Iterator[int]:
    """Wait until nobody else has the turn; it lasts until the file descriptor is closed, in this process and in those
    that inherited it. Raises ``OSError`` where there is no turn to be had."""
    path = _own_cache() / "compiled.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def remove_unused() -> None:
    """Remove the code that nobody has used for a month, as far as that goes. To be called in one's turn, after asking
    for one's own."""
    own = cache_folder()
    for folder in own.parent.iterdir():
        if folder != own and _NAME.fullmatch(folder.name):
            with suppress(OSError):
                _remove_if_unused(folder)


def _remove_if_unused(folder: Path) -> None:
    if _is_own(folder) and folder.lstat().st_mtime < time.time() - _UNUSED:
        shutil.rmtree(folder)


def _own_cache() -> Path:
    folder = _user_cache() / "bbd"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_own(folder)
    return folder


def _user_cache() -> Path:
    """As the XDG base directory specification has it: a path that is not absolute counts as none."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if Path(given).is_absolute() else Path.home() / ".cache"


def _version() -> str:
    """Changes with the package's sources, with those of the constants in it, and with what compiles them."""
    digest = hashlib.sha256(f"numba {version('numba')}, numpy {version('numpy')}".encode())
    package = Path(__file__).parent
    constants = [package.parent / "entries.py", package.parents[1] / "world.py"]
    for source in [*sorted(package.glob("*.py")), *constants]:
        digest.update(f"\n{source.name} {source.stat().st_size}\n".encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def _require_own(folder: Path) -> None:
    if not _is_own(folder):
        raise PermissionError(f"{folder} is not a folder that nobody else may write to")


def _is_own(folder: Path) -> bool:
    status = folder.lstat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
