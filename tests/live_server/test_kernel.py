"""A real kernel's file system on a disk in a running server, and images that go in and out over the bridge."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

from tests.conftest import RunBbd, StartServer
from tests.live_server.conftest import StartMinecraft
from tests.servers import BbdServer, free_port
from tests.system.vm import HOST, VirtualMachine

DISK = "/dev/nbd0"


def test_vfat_in_a_running_server(
    bbd: RunBbd, minecraft: StartMinecraft, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    bbd("create", world, "--disk", "demo", "--size", "16M")
    bbd("create", world, "--disk", "image", "--size", "4M", "--codec", "nibble", "--origin", "96,96")
    game = minecraft(world)
    port = free_port()
    live = ("--live", game.bridge, "--token-file", game.token)
    served = bbd_server(*live, port=port)
    connect = f"nbd-client -N demo {HOST} {port} {DISK}"
    with VirtualMachine() as machine:
        machine.run(f"modprobe nbd && {connect} && mkfs.vfat -n LIVE {DISK} && mount {DISK} /mnt")
        machine.run(
            "mkdir -p /mnt/deep/er && cp /bin/busybox /etc/mke2fs.conf /mnt/deep && "
            "seq 100000 >/mnt/deep/er/numbers && "
            "dd if=/dev/urandom of=/mnt/noise bs=64k count=40 2>/dev/null && "
            "cd /mnt && find . -type f -exec sha256sum {} + >/tmp/sums && wc -l </tmp/sums && cd / && umount /mnt"
        )
        machine.run(f"fsck.vfat -n {DISK} && nbd-client -d {DISK}")
        pass_an_image_through(served, tmp_path)
        # What is in nobody's memory any more must be in the server's world.
        served.stop()
        served = bbd_server(*live, port=port)
        machine.run(f"echo 3 >/proc/sys/vm/drop_caches; {connect} && fsck.vfat -n {DISK}")
        machine.run(f"mount -o ro {DISK} /mnt && cd /mnt && sha256sum -c /tmp/sums && cd / && umount /mnt")
        machine.run(f"nbd-client -d {DISK}")
    assert compare(tmp_path / "image.raw", served) == "Images are identical."
    served.stop()
    game.stop()
    assert bbd("check", world).returncode == 0


def pass_an_image_through(served: BbdServer, folder: Path) -> None:
    """In from a qcow2, out to a raw file."""
    raw, packed, out = folder / "image.raw", folder / "image.qcow2", folder / "out.raw"
    noise = Random(8).randbytes(1 << 20)
    raw.write_bytes(bytes(1 << 20) + noise + bytes(1 << 20) + noise[::-1])
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, packed)
    run("qemu-img", "convert", "-n", "-f", "qcow2", "-O", "raw", packed, served.uri("image"))
    run("qemu-img", "convert", "-f", "raw", "-O", "raw", served.uri("image"), out)
    assert out.read_bytes() == raw.read_bytes()


def compare(raw: Path, served: BbdServer) -> str:
    return run("qemu-img", "compare", "-f", "raw", "-F", "raw", raw, served.uri("image")).strip()


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
