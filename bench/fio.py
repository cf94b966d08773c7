"""Running fio's nbd engine: libnbd as the client, a connection for each job."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.commands import run
from bench.units import MIB


@dataclass(frozen=True, slots=True)
class Job:
    """``pattern`` is fio's ``rw``, ``block`` is in bytes, ``depth`` requests are in flight on each of ``connections``,
    which have a part of the disk each."""

    pattern: str
    block: int
    depth: int
    connections: int = 1

    @property
    def writes(self) -> bool:
        """Whether it changes the disk."""
        return self.pattern.endswith("write")


FILL = Job("write", MIB, 4)


def fill(uri: str, area: int) -> None:
    """Write random bytes over the first ``area`` bytes of the disk, so that reads meet real data."""
    _fio(uri, FILL, area, "--refill_buffers")


def timed(uri: str, job: Job, area: int, seconds: float, *options: str) -> dict[str, Any]:
    """Run ``job`` for ``seconds`` within the first ``area`` bytes; what fio says of it."""
    said = _fio(uri, job, area, "--time_based", f"--runtime={seconds * 1000:.0f}ms", *options)
    side: dict[str, Any] = said["write" if job.writes else "read"]
    return side


def verify(uri: str, job: Job, area: int) -> None:
    """Write ``area`` bytes once in the way ``job`` does, then read them all back and check each block's CRC-32C."""
    _fio(uri, job, area, "--verify=crc32c", "--verify_fatal=1", "--do_verify=1")


def version() -> str:
    """What fio calls itself."""
    return run("fio", "--version").strip()


def _fio(uri: str, job: Job, area: int, *options: str) -> dict[str, Any]:
    each = area // job.connections
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "json"
        run(
            *("fio", "--name=bench", "--ioengine=nbd", f"--uri={uri}", "--output-format=json", f"--output={output}"),
            *(f"--rw={job.pattern}", f"--bs={job.block}", f"--iodepth={job.depth}", f"--numjobs={job.connections}"),
            *(f"--size={each}", f"--offset_increment={each}", "--thread", "--group_reporting"),
            *("--verify_state_save=0", *options),
        )
        text = output.read_text()
    result: dict[str, Any] = json.loads(text[text.index("{") :])
    found: dict[str, Any] = result["jobs"][0]
    return found
