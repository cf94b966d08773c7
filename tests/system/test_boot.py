"""A PC that boots from a disk made of blocks: boot sector, boot loader, kernel and root file system.

The disk is partitioned and filled on the host, without root: a vfat with SYSLINUX, the test kernel and a small initial
ram disk, and an ext4 that is the machine's root. QEMU gets nothing but the disk's ``nbd://`` URI.
"""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

from tests.conftest import RunBbd, StartServer
from tests.servers import free_port
from tests.system import initramfs
from tests.system.vm import unpacked_kernel

MIB = 1 << 20
BOOT = (1 * MIB, 32 * MIB)
"""Where the first partition begins, and its length."""
ROOT = (33 * MIB, 15 * MIB)
DISK_SIZE = 48 * MIB
MBR = Path("/usr/lib/syslinux/mbr/mbr.bin")

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

_LOADER = """\
DEFAULT linux
LABEL linux
  LINUX /vmlinuz
  INITRD /initrd
  APPEND console=ttyS0 quiet panic=-1 random.trust_cpu=on
"""

_FIRST_INIT = """#!/bin/busybox sh
export PATH=/busybox
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec </dev/console >/dev/console 2>&1
modprobe virtio_pci
modprobe virtio_blk
mount -t ext4 /dev/vda2 /mnt
exec switch_root /mnt /sbin/init
"""

_REAL_INIT = """#!/bin/busybox sh
export PATH=/bin
echo "booted from $(cat /etc/motd)"
mount -t proc proc /proc
grep ' / ' /proc/mounts
echo "boot $(wc -l </boots)" >>/boots
seq "$(wc -l </boots)" 20000 >/numbers
sync
mount -o remount,ro /
cat /boots
poweroff -f
"""


def run(*command: str | Path) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PATH": _PATH}
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"


def bootable_image(folder: Path) -> Path:
    """A partitioned disk whose first sector boots."""
    image = folder / "image"
    boot, root = boot_partition(folder), root_partition(folder)
    with image.open("wb") as file:
        file.truncate(DISK_SIZE)
        for (start, _), part in ((BOOT, boot), (ROOT, root)):
            file.seek(start)
            file.write(part.read_bytes())
        file.seek(0)
        file.write(MBR.read_bytes()[:440].ljust(446, b"\0"))
        file.write(partition(*BOOT, kind=0x0C, active=True) + partition(*ROOT, kind=0x83))
        file.seek(510)
        file.write(b"\x55\xaa")
    return image


def partition(start: int, length: int, kind: int, *, active: bool = False) -> bytes:
    """An entry of the partition table; its cylinders and heads say "look at the sector numbers"."""
    flag = b"\x80" if active else b"\0"
    chs = b"\xfe\xff\xff"
    return (
        flag + chs + bytes([kind]) + chs + (start // 512).to_bytes(4, "little") + (length // 512).to_bytes(4, "little")
    )


def boot_partition(folder: Path) -> Path:
    kernel = unpacked_kernel()
    (vmlinuz,) = (kernel / "boot").glob("vmlinuz-*")
    archive = initramfs.build(kernel, _FIRST_INIT, tools=(), modules=("virtio_pci", "virtio_blk", "ext4"))
    initrd, settings = folder / "initrd", folder / "syslinux.cfg"
    initrd.write_bytes(gzip.compress(archive, 6))
    settings.write_text(_LOADER)
    volume = folder / "boot"
    run("mkfs.vfat", "-F", "16", "-n", "BOOT", "-h", str(BOOT[0] // 512), "-C", volume, str(BOOT[1] // 1024))
    for source, name in ((vmlinuz, "vmlinuz"), (initrd, "initrd"), (settings, "syslinux.cfg")):
        run("mcopy", "-i", volume, source, f"::{name}")
    run("syslinux", "--install", volume)
    return volume


def root_partition(folder: Path) -> Path:
    tree = folder / "tree"
    for name in ("bin", "sbin", "dev", "proc", "etc"):
        (tree / name).mkdir(parents=True)
    busybox = Path("/bin/busybox").read_bytes()
    (tree / "bin" / "busybox").write_bytes(busybox)
    (tree / "bin" / "busybox").chmod(0o755)
    for applet in ("sh", "cat", "mount", "grep", "wc", "seq", "sync", "poweroff"):
        (tree / "bin" / applet).symlink_to("busybox")
    (tree / "sbin" / "init").write_text(_REAL_INIT)
    (tree / "sbin" / "init").chmod(0o755)
    (tree / "etc" / "motd").write_text("blocks\n")
    (tree / "boots").write_text("")
    volume = folder / "root"
    run("mkfs.ext4", "-q", "-L", "root", "-d", tree, volume, f"{ROOT[1] // 1024}k")
    return volume


def boot(uri: str) -> str:
    """Switch the PC on; return what stands on its serial console when it has switched itself off."""
    command = [
        *("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "256", "-nodefaults", "-nographic", "-no-reboot"),
        *("-drive", f"file={uri},format=raw,if=virtio", "-boot", "c", "-serial", "stdio"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", check=False, timeout=180, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pc_boots_from_the_disk(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "pc"
    bbd("create", world, "--size", str(DISK_SIZE))
    server = bbd_server("--world", world, port=free_port())
    assert server.uri("pc").startswith("nbd://")
    run("nbdcopy", "--flush", bootable_image(tmp_path), server.uri("pc"))

    first = boot(server.uri("pc"))
    assert "booted from blocks" in first
    assert "/dev/vda2 / ext4 rw" in first
    assert "boot 0" in first

    # What the machine wrote is on the disk after a restart; it boots a second time and finds it.
    server.stop()
    server = bbd_server("--world", world)
    assert server.uri("pc").startswith("nbd+unix://")
    assert "boot 0\nboot 1" in boot(server.uri("pc"))
