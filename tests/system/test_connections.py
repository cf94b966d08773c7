"""nbd-client with several connections and a block size of its own."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import RunBbd, StartServer
from tests.servers import free_port
from tests.system.vm import HOST, VirtualMachine

DISK = "/dev/nbd0"


def test_four_connections_and_blocks_of_4096(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    """ext4 over four sockets: a flush on one must cover what went over the others, or the journal is worth nothing."""
    world = tmp_path / "wide"
    bbd("create", world, "--size", "48M")
    port = free_port()
    server = bbd_server("--world", world, port=port)
    connect = f"nbd-client -C 4 -b 4096 -t 30 -N wide {HOST} {port} {DISK}"
    with VirtualMachine() as machine:
        machine.run("modprobe nbd")
        machine.run(connect)
        assert machine.run(f"blockdev --getss --getpbsz --getsize64 {DISK}").output.split() == [
            *("4096", "4096"),
            str(48 << 20),
        ]
        assert machine.run("netstat -tn | grep -c ESTABLISHED").output == "4\n"
        machine.run(f"mkfs.ext4 -q {DISK} && mount {DISK} /mnt")
        # Two writers at once, and each file synced by itself.
        machine.run(
            "for lane in 1 2; do (for n in $(seq 8); do "
            "dd if=/dev/urandom of=/mnt/$lane.$n bs=64k count=6 conv=fsync 2>/dev/null || exit 1; done) & "
            'lanes="$lanes $!"; done; for lane in $lanes; do wait $lane || exit 1; done; '
            "cd /mnt && sha256sum *.* >/tmp/sums && cp /tmp/sums sums && sync && wc -l </tmp/sums | grep -qx 16"
        )
        # All is flushed: the server may die now, under the mounted file system.
        server.kill()
        machine.run(f"cd /; umount -l /mnt; nbd-client -d {DISK}", check=False)
        machine.run("for n in $(seq 100); do nbd-client -c /dev/nbd0 || exit 0; sleep 0.1; done; exit 1")
        bbd_server("--world", world, port=port)
        machine.run("echo 3 >/proc/sys/vm/drop_caches")
        machine.run(connect)
        machine.run(f"mount {DISK} /mnt && cmp /mnt/sums /tmp/sums && cd /mnt && sha256sum -c sums")
        machine.run(f"cd / && umount /mnt && fsck.ext4 -f -n {DISK} && nbd-client -d {DISK}")
