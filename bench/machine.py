"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench import fio
from bench.commands import run
from bench.peers import Peer


def describe(peers: Iterable[Peer], place: Path) -> Mapping[str, str]:
    """Facts of the machine and the programs, by name. ``place`` is the folder for everything that is measured."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "disk": run("findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target", place).strip(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "client": fio.version(),
        "servers": ", ".join(dict.fromkeys(peer.version() for peer in peers)),
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
