"""How to reach an export from this very machine: the commands to type, by what is installed here."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
from pathlib import Path
from urllib.parse import quote


def tcp_uri(host: str, port: int, export: str) -> str:
    """The export's URI over TCP (NBD URI specification)."""
    shown = f"[{host}]" if ":" in host else host
    where = shown if port == 10809 else f"{shown}:{port}"
    return f"nbd://{where}/{quote(export)}"


def unix_uri(path: Path, export: str) -> str:
    """The export's URI over a unix socket."""
    return f"nbd+unix:///{quote(export)}?socket={quote(str(path.absolute()))}"


def mount_hint(export: str, *, host: str = "", port: int = 0, socket: Path | None = None) -> list[str]:
    """Commands that attach the export and mount it, one a line; the last line says what to install if none can."""
    root = "" if os.geteuid() == 0 else "sudo "
    if find_program("nbd-client") and kernel_has_nbd():
        where = f"-unix {shlex.quote(str(socket.absolute()))}" if socket else f"{host} {port}"
        load = [] if Path("/dev/nbd0").exists() else [f"{root}modprobe nbd"]
        return [
            *load,
            f"{root}nbd-client -N {shlex.quote(export)} {where} /dev/nbd0",
            f"{root}mount /dev/nbd0 /mnt        # and when done: {root}umount /mnt; {root}nbd-client -d /dev/nbd0",
        ]
    uri = unix_uri(socket, export) if socket else tcp_uri(host, port, export)
    if find_program("nbdfuse"):
        return [
            f"mkdir -p bbd.mnt && nbdfuse bbd.mnt/disk {shlex.quote(uri)} &",
            f"{root}mount -o loop bbd.mnt/disk /mnt   # or without root: mdir -i bbd.mnt/disk ::",
        ]
    return ["install nbd-client (with the kernel's nbd module) or nbdfuse (package libnbd-bin), then start again"]


def find_program(program: str) -> bool:
    """Whether a program is installed, the administrator's folders included."""
    path = os.environ.get("PATH", os.defpath) + os.pathsep + os.pathsep.join(("/usr/sbin", "/sbin"))
    return shutil.which(program, path=path) is not None


def kernel_has_nbd() -> bool:
    """Whether the running kernel has the nbd driver, loaded or as a module."""
    if Path("/sys/module/nbd").exists() or Path("/dev/nbd0").exists():
        return True
    release = platform.release()
    for modules in (Path("/lib/modules") / release, Path("/usr/lib/modules") / release):
        for index in ("modules.dep", "modules.builtin"):
            try:
                if "/nbd.ko" in (modules / index).read_text():
                    return True
            except OSError:
                continue
    return False
