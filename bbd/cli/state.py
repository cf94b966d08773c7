"""Where bbd keeps what is neither a world nor a setting."""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path

from bbd.disk.descriptor import Descriptor, load_copy
from bbd.errors import BbdError
from bbd.files import write_atomically
from bbd.os_files import OsFiles

logger = logging.getLogger("bbd.cli")


def journals_folder(given: Path | None) -> Path:
    """The folder of all journals: the one given, else ``bbd/journals`` under the user's state folder (XDG)."""
    if given is not None:
        return given.absolute()
    return state_folder() / "journals"


def state_folder() -> Path:
    """``bbd`` under the user's state folder (XDG Base Directory specification)."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "bbd"


def keep_copy(descriptor: Descriptor) -> None:
    """Keep a copy of a disk's descriptor, by the disk's id, for the day on which the world's own is gone.

    The disk is none the worse without one, so a failure is only told.
    """
    files, path = OsFiles(), _copy_path(descriptor.uuid_bytes)
    try:
        files.make_dir(path.parent)
        write_atomically(files, path, descriptor.to_json())
    except OSError as error:
        logger.warning("no copy of disk %r's descriptor could be kept: %s: %s", descriptor.name, path, error.strerror)


def kept_copy(disk_id: bytes) -> Descriptor | None:
    """The copy of the descriptor of the disk with these 16 bytes of id; ``None`` where there is none that is whole."""
    path = _copy_path(disk_id)
    try:
        return load_copy(OsFiles(), path)
    except FileNotFoundError:
        return None
    except BbdError as error:
        logger.warning("%s", error)
        return None


def _copy_path(disk_id: bytes) -> Path:
    return state_folder() / "descriptors" / f"{uuid.UUID(bytes=disk_id)}.json"
