"""libguestfs: an appliance of its own partitions the disk, makes file systems on it and fills them.

The appliance is built of the host's packages by supermin, with the test kernel, in this repository's cache.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.system.vm import unpacked_kernel

SECTOR = 512
SPLIT = (2048, 65536)
"""First sectors of the two partitions."""
_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "libguestfs"

_MAKE = """
add parted protocol:nbd server:unix:{socket} format:raw
run
list-devices
part-init /dev/sda gpt
part-add /dev/sda primary 2048 65535
part-add /dev/sda primary 65536 -2048
part-set-name /dev/sda 1 little
mkfs vfat /dev/sda1 label:BLOCKS
mkfs ext4 /dev/sda2
mount /dev/sda2 /
mkdir /boot
mount /dev/sda1 /boot
mkdir-p /deep/er/still
upload {noise} /deep/er/still/noise
write /boot/welcome "Hello Andrew\\n"
umount-all
fsck ext4 /dev/sda2
list-filesystems
"""


@pytest.fixture
def environment() -> dict[str, str]:
    kernel = unpacked_kernel()
    (vmlinuz,) = (kernel / "boot").glob("vmlinuz-*")
    (modules,) = (kernel / "lib" / "modules").iterdir()
    _CACHE.mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
        "LC_ALL": "C",
        "LIBGUESTFS_BACKEND": "direct",
        "LIBGUESTFS_BACKEND_SETTINGS": "force_tcg",
        "LIBGUESTFS_CACHEDIR": str(_CACHE),
        "SUPERMIN_KERNEL": str(vmlinuz),
        "SUPERMIN_MODULES": str(modules),
    }


def run(environment: dict[str, str], *command: str | Path, script: str = "") -> str:
    done = subprocess.run(
        command, input=script, capture_output=True, text=True, check=False, timeout=300, env=environment
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def test_a_partition_table_a_vfat_and_an_ext4(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, environment: dict[str, str]
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "64M", "--disk", "parted")
    noise = tmp_path / "noise"
    noise.write_bytes(Random(16).randbytes(9_000_001))
    server = bbd_server("--world", world)
    made = run(environment, "guestfish", script=_MAKE.format(socket=server.socket, noise=noise))
    assert made.split() == ["/dev/sda", "0", "/dev/sda1:", "vfat", "/dev/sda2:", "ext4"]

    # After a restart the host's own tools find all of it.
    server.stop()
    server = bbd_server("--world", world)
    image, little, large = tmp_path / "image", tmp_path / "little", tmp_path / "large"
    run(environment, "nbdcopy", server.uri(), image)
    content = image.read_bytes()
    assert content[512:520] == b"EFI PART"
    little.write_bytes(content[SPLIT[0] * SECTOR : SPLIT[1] * SECTOR])
    large.write_bytes(content[SPLIT[1] * SECTOR : len(content) - 2047 * SECTOR])
    run(environment, "fsck.vfat", "-n", little)
    assert run(environment, "mcopy", "-i", little, "::welcome", "-") == "Hello Andrew\n"
    run(environment, "e2fsck", "-f", "-n", large)
    run(environment, "debugfs", "-R", f"dump /deep/er/still/noise {tmp_path / 'back'}", large)
    assert (tmp_path / "back").read_bytes() == noise.read_bytes()
