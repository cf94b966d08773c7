"""The story that the first block devices made of blocks were told with, in a real Linux kernel."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunBbd, StartServer
from tests.servers import BbdServer, free_port
from tests.system.vm import HOST, VirtualMachine

DISK = "/dev/nbd0"
DEMO_SIZE = 64 << 20
FLOPPY_SIZE = 4096000
"""1000 blocks of 4096 bytes: neither a power of two nor whole columns."""


@pytest.fixture
def machine() -> Iterator[VirtualMachine]:
    with VirtualMachine() as vm:
        vm.run("modprobe nbd")
        yield vm


def attach(vm: VirtualMachine, server: BbdServer, export: str) -> None:
    vm.run(f"nbd-client -N {export} {HOST} {server.port} {DISK}")
    size = vm.run(f"blockdev --getsize64 {DISK}").output
    assert int(size) > 0, "nbd-client said it connected, but the device is empty"


def detach(vm: VirtualMachine) -> None:
    vm.run(f"nbd-client -d {DISK}")
    assert vm.run(f"nbd-client -c {DISK}", check=False).status == 1, "the device is still connected"


@pytest.mark.parametrize(("codec", "layout"), [("byte", "hilbert"), ("nibble", "spiral"), ("redstone", "linear")])
def test_vfat_survives_a_restart_of_the_server(
    bbd: RunBbd, bbd_server: StartServer, machine: VirtualMachine, tmp_path: Path, codec: str, layout: str
) -> None:
    world = tmp_path / "demo"
    bbd("create", world, "--size", "64M", "--disk", "demo", "--codec", codec, "--layout", layout)
    port = free_port()
    server = bbd_server("--world", world, port=port)

    attach(machine, server, "demo")
    look_at_the_empty_disk(machine)
    machine.run(f"mkfs.vfat -n BBD {DISK}")
    files = {
        "/mnt/ast/welcome": b"Hello Andrew\n",
        "/mnt/ast/deep/er/still/A long name, with spaces.txt": b"found\n",
        "/mnt/empty": b"",
    }
    machine.run(f"mount -t vfat {DISK} /mnt && mkdir -p /mnt/ast/deep/er/still /mnt/void")
    for path, content in files.items():
        machine.write_file(path, content)
    machine.run("seq 200000 >/mnt/numbers && umount /mnt")
    files["/mnt/numbers"] = "".join(f"{n}\n" for n in range(1, 200001)).encode()
    detach(machine)

    server.stop()
    server = bbd_server("--world", world, port=port)

    machine.run("echo 3 >/proc/sys/vm/drop_caches")
    attach(machine, server, "demo")
    machine.run(f"fsck.vfat -n {DISK}")
    machine.run(f"mount -t vfat -o ro {DISK} /mnt")
    found = machine.run("find /mnt -type f -exec sha256sum {} +; find /mnt -type d").output
    machine.run("umount /mnt")
    detach(machine)
    expected = {f"{hashlib.sha256(content).hexdigest()}  {path}" for path, content in files.items()}
    folders = {"/mnt", "/mnt/ast", "/mnt/ast/deep", "/mnt/ast/deep/er", "/mnt/ast/deep/er/still", "/mnt/void"}
    assert set(found.splitlines()) == expected | folders


def look_at_the_empty_disk(vm: VirtualMachine) -> None:
    listed = vm.run(f"lsblk --bytes --noheadings --output NAME,SIZE,TYPE,RO,FSTYPE {DISK}").output
    assert listed.split() == ["nbd0", str(DEMO_SIZE), "disk", "0"]
    table = vm.run(f"fdisk -l {DISK}").output
    assert f"Disk {DISK}: 64 MiB, {DEMO_SIZE} bytes, {DEMO_SIZE // 512} sectors" in table
    assert "Sector size (logical/physical): 512 bytes / " in table
    assert "Device" not in table.replace("Device does not", ""), f"partitions on an empty disk:\n{table}"
    assert vm.run(f"blockdev --getbsz {DISK}").output == "4096\n"
    assert vm.run(f"blockdev --getss --getro {DISK}").output == "512\n0\n"


@pytest.mark.parametrize("codec", ["byte", "nibble", "redstone"])
def test_ext4_copied_onto_a_disk_of_odd_size(
    bbd: RunBbd, bbd_server: StartServer, machine: VirtualMachine, tmp_path: Path, codec: str
) -> None:
    world = tmp_path / "floppy"
    bbd("create", world, "--size", str(FLOPPY_SIZE), "--codec", codec)
    port = free_port()
    server = bbd_server("--world", world, port=port)
    attach(machine, server, "floppy")
    assert machine.run(f"blockdev --getsize64 {DISK}").output == f"{FLOPPY_SIZE}\n"

    machine.run("mkfs.ext4 -q -b 4096 -L blocks -U 12345678-1234-4234-8234-123456789abc /tmp/image 1000")
    assert machine.run("stat -c %s /tmp/image").output == f"{FLOPPY_SIZE}\n"
    copied = machine.run(f"dd if=/tmp/image of={DISK} bs=8k conv=notrunc,sync,fsync oflag=direct").output
    assert "500+0 records in\n500+0 records out\n4096000 bytes" in copied
    detach(machine)

    server.stop()
    server = bbd_server("--world", world, port=port)

    machine.run("echo 3 >/proc/sys/vm/drop_caches")
    attach(machine, server, "floppy")
    machine.run(f"cmp /tmp/image {DISK}")
    inspect_ext4(machine)
    write_to_ext4(machine)
    scrub(machine)
    detach(machine)


def inspect_ext4(vm: VirtualMachine) -> None:
    checked = vm.run(f"fsck -f -n {DISK}").output
    assert "Pass 5: Checking group summary information" in checked
    assert re.search(r"blocks: 11/\d+ files \(0\.0% non-contiguous\), \d+/1000 blocks", checked), checked

    dumped = vm.run(f"dumpe2fs {DISK}").output
    facts = dict(re.findall(r"^([A-Z][^:\n]+):\s+(.+)$", dumped, re.MULTILINE))
    assert facts["Filesystem volume name"] == "blocks"
    assert facts["Filesystem UUID"] == "12345678-1234-4234-8234-123456789abc"
    assert facts["Filesystem state"] == "clean"
    assert (facts["Block count"], facts["Block size"]) == ("1000", "4096")

    printed = vm.run(f"parted --script {DISK} print").output
    assert f"Disk {DISK}: 4096kB" in printed
    assert "Partition Table: loop" in printed
    # A file system of 1000 blocks has no journal, and one without a journal is an ext2 to parted.
    assert re.search(r"^ 1 +0\.00B +4096kB +4096kB +ext2", printed, re.MULTILINE), printed


def write_to_ext4(vm: VirtualMachine) -> None:
    """Mounted, written to and discarded from, it must still be whole."""
    vm.run(f"mount -o discard {DISK} /mnt")
    vm.run("dd if=/dev/urandom of=/mnt/noise bs=64k count=20 && sync && sha256sum /mnt/noise >/tmp/sum")
    vm.run("dd if=/dev/urandom of=/mnt/gone bs=64k count=10 && sync && rm /mnt/gone && sync && umount /mnt")
    vm.run(f"fsck -f -n {DISK} && mount -o ro {DISK} /mnt && sha256sum -c /tmp/sum && umount /mnt")


def scrub(vm: VirtualMachine) -> None:
    """Four patterns over the whole disk, each written and read back; the last one is zero."""
    scrubbed = vm.run(f"badblocks -wsv {DISK}", timeout=300).output
    assert "Checking for bad blocks in read-write mode" in scrubbed
    assert "From block 0 to 3999" in scrubbed
    for pattern in ("0xaa", "0x55", "0xff", "0x00"):
        assert f"Testing with pattern {pattern}" in scrubbed
    assert "Pass completed, 0 bad blocks found. (0/0/0 errors)" in scrubbed
    vm.run(f"cmp -n {FLOPPY_SIZE} {DISK} /dev/zero")
