"""Memory stays bounded, whatever is written: the cache's limit and a little more."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient

pytestmark = pytest.mark.torture

MIB = 1 << 20
CACHE_MIB = 256
ALLOWANCE_MIB = 150
WRITTEN_MIB = 4096


def peak_mib(pid: int) -> int:
    """The most memory that a process had resident, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) // 1024


def test_four_gigabytes_in_sequence_to_a_disk_of_a_hundred(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    bbd("create", world, "--size", "100G")
    server = bbd_server("--world", world)
    noise = Random(4).randbytes(2 * MIB)
    with NbdClient(server.connect()) as client:
        for at in range(WRITTEN_MIB):
            start = at * 509 % MIB
            client.write(at * MIB, noise[start : start + MIB])
        client.flush()
        for at in range(0, WRITTEN_MIB, 37):
            start = at * 509 % MIB
            assert client.read(at * MIB, MIB) == noise[start : start + MIB]
    assert peak_mib(server.process.pid) < CACHE_MIB + ALLOWANCE_MIB
    server.stop()
