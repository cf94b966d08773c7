"""kill -9 under fio, two hundred times: what fio wrote and synced verifies after every restart."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.fio import AREA, Fio, wait_for_burst

pytestmark = pytest.mark.torture

CHAINS = 4
ROUNDS = 50


@pytest.mark.parametrize("chain", range(CHAINS))
def test_killed_under_fio(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, chain: int) -> None:
    random = Random(chain)
    world = tmp_path / "w"
    codec = ("byte", "nibble", "byte", "redstone")[chain]
    bbd("create", world, "--size", str(2 * AREA), "--codec", codec)
    for number in range(ROUNDS):
        server = bbd_server("--world", world, "--cache", "1M")
        fio = Fio(server, tmp_path)
        burst_begins = tmp_path / f"burst-{number}"
        run = fio.start(number, burst_begins)
        try:
            wait_for_burst(burst_begins, run)
            time.sleep(random.uniform(0, 0.06))
            server.kill()
            fio.check(run, *(["verify"] if number else []), "write")
        finally:
            run.kill()
            run.wait(30)
    server = bbd_server("--world", world)
    Fio(server, tmp_path).verify(ROUNDS - 1)
