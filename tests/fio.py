"""fio in rounds that know each other: what one wrote and synced, the next one verifies."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.servers import BbdServer

AREA = 512 << 10
"""Bytes that a round verifies; the next ones are for its burst."""


class Fio:
    """Each round is one fio of three jobs: verify what the round before had written, write anew and sync, then a burst
    of writes elsewhere, in the middle of which something is to be killed.

    Rounds are numbered: the number is in the pattern, so an older round's bytes don't pass.
    """

    def __init__(self, server: BbdServer, folder: Path, export: str = "") -> None:
        self._common = [
            *("fio", "--ioengine=nbd", "--thread", f"--uri={server.uri(export)}", "--output-format=json"),
            *("--verify_fatal=1", "--verify_state_save=0", "--bs=4k", f"--size={AREA}"),
        ]
        self._folder = folder

    def start(self, number: int, burst_begins: Path) -> subprocess.Popen[str]:
        """A round, up to its burst and a minute of that. ``burst_begins`` is made when it does."""
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
        """Read what a round had written."""
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


def wait_for_burst(burst_begins: Path, run: subprocess.Popen[str]) -> None:
    """Return when a round has come to its burst."""
    deadline = time.monotonic() + 60
    while not burst_begins.exists():
        assert run.poll() is None, f"fio ended before its burst: {run.communicate()}"
        assert time.monotonic() < deadline, "fio does not come to its burst"
        time.sleep(0.005)
