"""Making disks in a running server's world, through its companion."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

from bbd.cli.companion import Companion
from bbd.cli.hosting import geometry_of
from bbd.cli.state import keep_copy
from bbd.disk.descriptor import FOLDER, Descriptor, check_name
from bbd.disk.opening import create_disk
from bbd.errors import BbdError
from bbd.os_files import OsFiles
from bbd.worlds.live.codes import BridgeError, Code


def make_live_disk(companion: Companion, descriptor: Descriptor) -> None:
    """Have the companion put a disk into its server's world.

    Raises :class:`BbdError` for what can't be, and where the server's operator doesn't allow it, or not yet.
    """
    check_name(descriptor.name)
    geometry_of(descriptor).check_size(descriptor.size)
    bridge = companion.bridge()
    try:
        if "create" not in bridge.hello().get("capabilities", ()):
            raise BbdError(
                f"the companion at {companion.access.url} makes no disks: its operator must allow that in its "
                "configuration, or make the disk with bbd create while the server is down"
            )
        bridge.ask("create", disk=descriptor.name, files=_files(descriptor))
    except BridgeError as error:
        raise BbdError(_words(companion, descriptor, error)) from None
    finally:
        bridge.stop()
    keep_copy(descriptor)


def _files(descriptor: Descriptor) -> dict[str, str]:
    """The files of a new disk, in base64."""
    with tempfile.TemporaryDirectory() as folder:
        create_disk(OsFiles(), Path(folder), descriptor)
        made = sorted((Path(folder) / FOLDER).iterdir())
        return {path.name: base64.b64encode(path.read_bytes()).decode() for path in made}


def _words(companion: Companion, descriptor: Descriptor, error: BridgeError) -> str:
    place = f"the companion at {companion.access.url}"
    if error.code == Code.APPROVAL_NEEDED:
        return (
            f"{place} waits for its operator: type /bbd approve {descriptor.name} in the game or on the console, "
            "then give this command again"
        )
    if error.code == Code.EXISTS:
        return f"{place} has no room for it there ({error.message}): choose another --disk name or --origin"
    return f"{place} can't make disk {descriptor.name!r}: {error.strerror}"
