"""Worlds on mounts whose locks can't be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bbd.cli.create import describe
from bbd.cli.hosting import open_host
from bbd.cli.making import grow_disk, make_disk
from bbd.disk.descriptor import Descriptor
from bbd.disk.opening import Options
from bbd.errors import Refused
from bbd.worlds.anvil import mounts
from bbd.worlds.anvil.mounts import check_mount, is_trusted, mount_of

# As proc(5) has it; the optional fields before the hyphen may be any number, none included.
MOUNTINFO = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 0:40 / /home/ann/server rw,nosuid shared:7 master:2 - nfs4 nas:/export rw,vers=4.2
41 27 0:41 / /mnt/c rw,noatime - 9p drvfs rw,dirsync,aname=drvfs;path=C:\;uid=1000
42 27 0:42 / /mnt/my\040world\134s rw - fuse.sshfs ann@far:/ rw
43 27 0:43 / /mnt/share rw - cifs //nas/share rw
44 43 0:44 / /mnt/share/local rw - ext4 /dev/vdb rw
45 27 0:45 / /mnt/twice rw - cifs //nas/twice rw
46 27 0:46 / /mnt/twice rw - xfs /dev/vdc rw
garbage

47 27 0:47
"""

CASES = {
    "/home/ann/w": "ext4",
    "/home/ann/server": "nfs4",
    "/home/ann/server/world": "nfs4",
    "/home/ann/server2/world": "ext4",
    "/mnt/c/Users/ann/saves/w": "9p",
    "/mnt/my world\\s/w": "fuse.sshfs",
    "/mnt/share/w": "cifs",
    "/mnt/share/local/w": "ext4",
    "/mnt/twice/w": "xfs",
    "/": "ext4",
}


@pytest.mark.parametrize("path", CASES)
def test_which_file_system_a_path_is_on(path: str) -> None:
    mount = mount_of(Path(path), MOUNTINFO)
    assert mount is not None
    assert mount.kind == CASES[path]


def test_a_table_that_does_not_tell() -> None:
    assert mount_of(Path("/w"), "") is None
    check_mount(Path("/w"), "")


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "v9fs", "drvfs", "virtiofs", "fuse.sshfs", "fuse.rclone", "fuse"]
)
def test_what_is_not_trusted(kind: str) -> None:
    assert not is_trusted(kind)
    with pytest.raises(Refused, match=f"{kind}, at /.*--force") as refused:
        check_mount(Path("/w"), f"1 0 0:1 / / rw - {kind} somewhere rw")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuseblk", "fuse.ntfs-3g"])
def test_what_is_trusted(kind: str) -> None:
    assert is_trusted(kind)
    check_mount(Path("/w"), f"1 0 0:1 / / rw - {kind} somewhere rw")


def test_this_machine_is_asked(tmp_path: Path) -> None:
    check_mount(tmp_path)
    mount = mount_of(tmp_path.resolve(), mounts.MOUNTINFO.read_text())
    assert mount is not None
    assert tmp_path.resolve().is_relative_to(mount.point)


def descriptor() -> Descriptor:
    return describe(name="d", size=1 << 16, codec="byte", layout="linear", origin=(0, 0), parity=2, edits=None)


def test_making_and_opening_a_disk_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = tmp_path / "mountinfo"
    far.write_text(f"1 0 0:1 / / rw - ext4 /dev/vda rw\n2 1 0:2 / {tmp_path / 'far'} rw - cifs //nas/w rw\n")
    monkeypatch.setattr(mounts, "MOUNTINFO", far)
    world = tmp_path / "far" / "w"
    with pytest.raises(Refused, match="cifs"):
        make_disk(world, descriptor())
    assert not world.exists()
    world.parent.mkdir()
    make_disk(world, descriptor(), force=True)
    options = Options(tmp_path / "journals")
    for read_only in (False, True):
        with pytest.raises(Refused, match="cifs"):
            open_host(world, Options(tmp_path / "journals", read_only=read_only))
    with pytest.raises(Refused, match="cifs"):
        grow_disk(world, descriptor(), 1 << 17)
    looking = open_host(world, Options(options.journals, read_only=True), lock=False)
    looking.disks[0].release()
    looking.close()
    host = open_host(world, Options(options.journals, force=True))
    host.disks[0].release()
    host.close()
    near = tmp_path / "link"
    near.symlink_to(world)
    with pytest.raises(Refused, match="cifs"):
        open_host(near, options)
