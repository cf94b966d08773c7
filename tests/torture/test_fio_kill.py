"""kill -9 under fio, two hundred times: what fio wrote and synced verifies after every restart.

Each round is one fio of three jobs: verify what the round before had written, write anew and sync, then a burst of
writes elsewhere, in the middle of which the server is killed.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.conftest import RunBbd, StartServer
from tests.servers import BbdServer

pytestmark = pytest.mark.torture

CHAINS = 4
ROUNDS = 50
AREA = 512 << 10
"""Bytes that a round verifies; the next ones are for its burst."""


class Fio:
    """fio's command lines. ``seed`` numbers the round: it is in the pattern, so an older round's bytes don't pass."""

    def __init__(self, server: BbdServer, folder: Path) -> None:
        self._common = [
            *("fio", "--ioengine=nbd", "--thread", f"--uri={server.uri()}", "--output-format=json"),
            *("--verify_fatal=1", "--verify_state_save=0", "--bs=4k", f"--size={AREA}"),
        ]
        self._folder = folder

    def start(self, number: int, burst_begins: Path) -> subprocess.Popen[str]:
        jobs = self._verify(number - 1) if number else []
        jobs += [
            "--name=write",
            *self._pattern(number),
            "--iodepth=16",
            "--do_verify=0",
            "--end_fsync=1",
            "--stonewall",
        ]
        jobs += ["--name=burst", "--rw=randwrite", f"--offset={AREA}", "--iodepth=16", "--fsync=20", "--stonewall"]
        jobs += ["--time_based", "--runtime=60", f"--exec_prerun=touch {burst_begins}"]
        return self._popen(jobs)

    def verify(self, number: int) -> None:
        run = self._popen(self._verify(number))
        self.check(run, "verify")

    def check(self, run: subprocess.Popen[str], *jobs: str) -> None:
        """These jobs must have done all they were to do, without an error."""
        output, errors = run.communicate(timeout=60)
        report: dict[str, Any] = json.loads(output[output.index("{") :])
        done = {job["jobname"]: job for job in report["jobs"]}
        for name in jobs:
            ios = done[name]["read" if name == "verify" else "write"]["total_ios"]
            assert (done[name]["error"], ios) == (0, AREA // 4096), f"{name}: {errors}"

    def _verify(self, number: int) -> list[str]:
        return ["--name=verify", *self._pattern(number), "--verify_only", "--iodepth=16"]

    def _pattern(self, number: int) -> list[str]:
        kind = "randwrite" if number % 2 else "write"
        return [
            f"--rw={kind}",
            f"--randseed={number}",
            "--verify=pattern",
            f"--verify_pattern={0x1000000 + number:#x}%o",
        ]

    def _popen(self, jobs: list[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._common, *jobs], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self._folder
        )


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
            _wait_for(burst_begins, run)
            time.sleep(random.uniform(0, 0.06))
            server.kill()
            fio.check(run, *(["verify"] if number else []), "write")
        finally:
            run.kill()
            run.wait(30)
    server = bbd_server("--world", world)
    Fio(server, tmp_path).verify(ROUNDS - 1)


def _wait_for(burst_begins: Path, run: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not burst_begins.exists():
        assert run.poll() is None, f"fio ended before its burst: {run.communicate()}"
        assert time.monotonic() < deadline, "fio does not come to its burst"
        time.sleep(0.005)
