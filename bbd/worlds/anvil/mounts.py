"""Which file system a world lies on, and whether its locks can be trusted.

The lock on ``session.lock`` keeps the game and bbd apart only where the kernel that grants it knows of everybody who
asks. On a network or Windows mount the game may run on the other side, where nobody hears of the lock.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from bbd.errors import Refused

MOUNTINFO = Path("/proc/self/mountinfo")

_UNTRUSTED: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "v9fs", "drvfs", "virtiofs", "vboxsf", "prl_fs", "afs", "ncpfs"}
    | {"ceph", "glusterfs", "lustre", "ocfs2", "gfs2", "davfs", "ftpfs", "fuse"}
)
"""File system types, as the kernel names them. WSL shows Windows' drives as drvfs, or as 9p; ``fuse`` alone says
nothing of what is behind it."""
_LOCAL_FUSE: Final = frozenset(
    {"ntfs", "ntfs-3g", "exfat", "ext2", "ext4", "fuse-ext2", "fuseblk", "mergerfs", "overlayfs", "fuse-overlayfs"}
    | {"bindfs", "encfs", "gocryptfs", "cryfs", "apfs-fuse", "squashfuse", "unionfs", "lxcfs"}
)
"""What ``fuse.`` may have behind it that lies on this machine: all others are elsewhere (sshfs, rclone, s3fs...)."""


class Mount(NamedTuple):
    """A mounted file system: where, and its type."""

    point: PurePosixPath
    kind: str


def mount_of(path: Path, mountinfo: str) -> Mount | None:
    """The file system on which ``path`` (resolved, it need not exist) lies, by the text of ``/proc/self/mountinfo``
    (proc(5)); ``None`` where that doesn't tell."""
    found: Mount | None = None
    for line in mountinfo.splitlines():
        mount = _parse(line)
        if mount is None or not path.is_relative_to(mount.point):
            continue
        # Of two on the same place the later one hides the earlier.
        if found is None or len(mount.point.parts) >= len(found.point.parts):
            found = mount
    return found


def is_trusted(kind: str) -> bool:
    """Whether locks on a file system of that type are seen by everybody who could open a world there."""
    if kind.startswith("fuse."):
        return kind.removeprefix("fuse.") in _LOCAL_FUSE
    return kind not in _UNTRUSTED


def check_mount(world: Path, mountinfo: str | None = None) -> None:
    """Raise :class:`Refused` where nobody can know whether a game has the world open.

    ``mountinfo`` is by default this machine's; a system without one (macOS) is not asked.
    """
    if mountinfo is None:
        try:
            mountinfo = MOUNTINFO.read_text(errors="surrogateescape")
        except OSError:
            return
    mount = mount_of(world.resolve(), mountinfo)
    if mount is not None and not is_trusted(mount.kind):
        raise Refused(
            f"{world} is on a network or Windows mount ({mount.kind}, at {mount.point}), where a game may have it open "
            "without bbd's knowing: copy the world to a disk of this machine, or, if no game can reach it, --force"
        )


def _parse(line: str) -> Mount | None:
    fields, _, rest = line.partition(" - ")
    columns, kind = fields.split(" "), rest.split(" ")[0]
    if len(columns) < 5 or not kind:
        return None
    point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), columns[4])
    return Mount(PurePosixPath(point), kind)
