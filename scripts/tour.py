"""The story of a disk made of blocks, told on the terminal: every command is run, every output is real.

bbd runs on this machine, in a folder that is removed at the end. The kernel that mounts its disks runs in the virtual
machine of the tests, where this machine's loopback is 10.0.2.2. Nothing takes root.
"""

from __future__ import annotations

import argparse
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from telling import Document, Teller, Terminal, settled

from tests.servers import BBD, environment, free_port
from tests.system.initramfs import MissingTool
from tests.system.vm import HOST, VirtualMachine

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# A tour

What `make tour` showed when this page was made (by `scripts/tour --document docs/tour.md`): a disk of blocks from its
first byte to an edit in the world. Commands after `$` run on the machine that has the world; commands after `#` run as
root on a Linux that sees nothing but the network, here a small virtual machine which knows the other one as 10.0.2.2.
"""
FILE = "/mnt/ast/welcome"
OLD, NEW = "H", "J"


class Host:
    """This machine: commands run in a folder of their own, with bbd's state kept there."""

    def __init__(self, folder: Path, teller: Teller, port: int) -> None:
        self._folder = folder
        self._teller = teller
        self._environment = environment(folder / "state")
        self.port = port

    def run(self, *command: str) -> str:
        """Show a command, run it, show what it prints, and return that."""
        shown = ["python", Path(command[0]).name, *command[1:]] if command[0].endswith(".py") else list(command)
        self._teller.command("$", shlex.join(shown))
        program = {"bbd": [str(BBD)]}.get(command[0], [sys.executable, command[0]])
        done = subprocess.run(
            [*program, *command[1:]],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        self._teller.output(done.stdout)
        if done.returncode:
            raise SystemExit(f"that ended with {done.returncode}, and the tour with it")
        return done.stdout

    @contextmanager
    def serving(self, world: str) -> Iterator[None]:
        """Serve a world; leave the block to stop as Ctrl-C does."""
        command = ["serve", "--world", world, "--listen", f"127.0.0.1:{self.port}"]
        self._teller.command("$", shlex.join(["bbd", *command]))
        with subprocess.Popen(
            [BBD, *command],
            cwd=self._folder,
            env={**self._environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as server:
            try:
                self._teller.output(_until_serving(server))
                yield
                self._teller.say("Ctrl-C stops the server, which leaves everything in the world.")
                server.send_signal(signal.SIGINT)
                rest, _ = server.communicate(timeout=60)
                self._teller.output(rest)
                if server.returncode:
                    raise SystemExit(f"bbd serve ended with {server.returncode}")
            finally:
                server.kill()


def _until_serving(server: subprocess.Popen[str]) -> str:
    """What the server prints up to the line that says that it serves. Its hints about mounting are this machine's."""
    lines: list[str] = []
    for line in server.stdout or ():
        lines.append(line)
        if line.startswith("Serving."):
            return "".join(shown for shown in lines if not shown.startswith(("Mount it", "  ", "install")))
    raise SystemExit(f"bbd serve ended before it served:\n{''.join(lines)}")


class Guest:
    """The machine with the kernel, which is started at the first command."""

    def __init__(self, machine: VirtualMachine, teller: Teller) -> None:
        self._machine = machine
        self._teller = teller

    def run(self, command: str, *, may_fail: bool = False, shorten: Callable[[str], str] | None = None) -> str:
        """Show a command, run it, show what it prints (shortened), and return that."""
        self._teller.command("#", command)
        output = without_complaints(settled(self._machine.run(command, timeout=300, check=not may_fail).output))
        self._teller.output(shorten(output) if shorten else output)
        return output


def without_complaints(text: str) -> str:
    """Without what dosfstools says of the small machine, which has no tables of characters."""
    lines = text.split("\n")
    return "\n".join(line for line in lines if "codepage 850" not in line and "CP850" not in line)


def first_lines(count: int) -> Callable[[str], str]:
    """A shortener."""
    return lambda text: "\n".join([*text.rstrip().split("\n")[:count], "..."])


def tell(teller: Teller, host: Host, start_guest: Callable[[], Guest]) -> None:
    """The whole story."""
    teller.chapter("A world with two disks")
    teller.say("""A world costs nothing until something is written. Into it goes a disk of 64 MiB, and beside that one
        a smaller one, of 1000 blocks of 4096 bytes: neither a power of two nor whole chunks. Edits in the world shall
        be edits of the disk.""")
    host.run("bbd", "create", "blocks", "--size", "64M", "--edits", "accept")
    host.run("bbd", "create", "blocks", "--disk", "floppy", "--size", "4096000", "--origin", "32,0")
    with host.serving("blocks"):
        guest = start_guest()
        letters = on_a_vfat(teller, host, guest)
    edit = find_the_bytes(teller, host, letters)
    teller.chapter("An edit of the world is an edit of the disk")
    with host.serving("blocks"):
        see_the_edit(teller, host, guest, edit)
        an_ext4_image(teller, host, guest)
    teller.say("All of it is in the world now, and nothing else has to be kept. This is the map of the first disk:")
    host.run("bbd", "map", "blocks", "--disk", "blocks", "-o", "blocks.png")
    teller.say("The end. `make serve` makes you a world of your own.")


def on_a_vfat(teller: Teller, host: Host, guest: Guest) -> int:
    """Format, mount, write; return the offset of the file's first byte."""
    teller.chapter("A kernel finds a disk")
    teller.say("The other machine asks what is served, and takes the first disk as /dev/nbd0.")
    guest.run(f"nbd-client -l {HOST} {host.port}")
    guest.run("modprobe nbd")
    guest.run(f"nbd-client -N blocks {HOST} {host.port} /dev/nbd0")
    teller.say("To the kernel it is a disk like any other, and an empty one.")
    guest.run("lsblk /dev/nbd0")
    guest.run("fdisk -l /dev/nbd0")
    guest.run("parted -s /dev/nbd0 print", may_fail=True)
    teller.chapter("A file system, and files")
    guest.run("mkfs.vfat -n BLOCKS /dev/nbd0")
    guest.run("mount /dev/nbd0 /mnt")
    guest.run("mkdir -p /mnt/ast")
    guest.run(f"echo 'Hello Andrew' >{FILE}")
    guest.run("seq 1 20000 >/mnt/numbers")
    guest.run("sync; ls -lR /mnt; df -h /mnt")
    teller.say("Where on the disk did the file system put the letters?")
    found = guest.run("grep -a -b -o -m 1 'Hello Andrew' /dev/nbd0")
    guest.run("umount /mnt")
    guest.run("nbd-client -d /dev/nbd0")
    return int(found.partition(":")[0])


def find_the_bytes(teller: Teller, host: Host, offset: int) -> str:
    """Look for the file's blocks, and change one; return the new text of the file."""
    teller.chapter("The same bytes, as blocks")
    teller.say(f"""The server has stopped, so the world is as anybody may open it. Which block is byte {offset}, and
        which byte is the block west of it?""")
    found = host.run("bbd", "where", "blocks", str(offset), "--disk", "blocks")
    match = re.search(r"^ +(-?\d+) (-?\d+) (-?\d+) ", found, re.MULTILINE)
    if match is None or f"'{OLD}'" not in found:
        raise SystemExit("that is not the file's first letter")
    x, y, z = match.groups()
    host.run("bbd", "what", "blocks", str(int(x) - 1), y, z, "--disk", "blocks")
    teller.say(f"""Somebody comes by and changes that first block, with a program that has never heard of bbd: {OLD} is
        light gray wool, so let it be purple wool, which is {NEW}.""")
    host.run(str(ROOT / "scripts" / "set_block.py"), "blocks", x, y, z, "minecraft:purple_wool")
    return f"{NEW}ello Andrew"


def see_the_edit(teller: Teller, host: Host, guest: Guest, edit: str) -> None:
    """Mount again, and read."""
    teller.say("Back on the other machine:")
    guest.run(f"nbd-client -N blocks {HOST} {host.port} /dev/nbd0")
    guest.run("mount /dev/nbd0 /mnt")
    if edit not in guest.run(f"cat {FILE}"):
        raise SystemExit("the edit did not reach the file")
    guest.run("tail -n 1 /mnt/numbers")
    guest.run("umount /mnt")
    guest.run("fsck.vfat -n /dev/nbd0")
    guest.run("nbd-client -d /dev/nbd0")


def an_ext4_image(teller: Teller, host: Host, guest: Guest) -> None:
    """The smaller disk: an image, copied, checked, and every block tried."""
    teller.chapter("An ext4 image, copied onto blocks")
    teller.say("The smaller disk gets a file system that was made in a file.")
    guest.run(f"nbd-client -N floppy {HOST} {host.port} /dev/nbd0")
    guest.run("mkfs.ext4 -q -b 4096 -L floppy /tmp/image 1000")
    guest.run("dd if=/tmp/image of=/dev/nbd0 bs=4k conv=fsync oflag=direct")
    guest.run("cmp /tmp/image /dev/nbd0 && echo the same")
    guest.run("fsck -f -n /dev/nbd0")
    guest.run("dumpe2fs -h /dev/nbd0", shorten=first_lines(16))
    guest.run("parted -s /dev/nbd0 print")
    teller.say("""And every block of it is tried: four patterns over the whole disk, each written and read back. The
        last one is zeros, so that afterwards there is nothing of the disk left in the world: zeros are air.""")
    guest.run("badblocks -wsv /dev/nbd0")
    guest.run("nbd-client -d /dev/nbd0")


def main() -> None:
    """Read the command line, and tell."""
    parser = argparse.ArgumentParser(
        description="The story of a disk made of blocks, with a real kernel, without root."
    )
    parser.add_argument("--document", type=Path, help="write it to this file instead of telling it")
    parser.add_argument("--port", type=int, default=10809, help="where bbd listens on 127.0.0.1; 0 takes a free port")
    options = parser.parse_args()
    wanted: Path | None = options.document
    teller: Teller = Document(wanted, HEAD) if wanted else Terminal()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bbd-tour-") as folder, VirtualMachine() as machine:
        host = Host(Path(folder), teller, options.port or free_port())
        tell(teller, host, lambda: Guest(machine, teller))
    teller.close()
    print(f"\n(It took {time.monotonic() - began:.0f} seconds.)" if wanted is None else f"{wanted} is written.")


if __name__ == "__main__":
    try:
        main()
    except MissingTool as error:
        sys.exit(f"tour: {error}")
