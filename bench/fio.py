"""The loads, and running them with fio's nbd engine: one connection, libnbd as the client."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers import run

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Load:
    """What a round does: ``pattern`` is fio's ``rw``, ``block`` is in bytes, ``depth`` requests are in flight."""

    pattern: str
    block: int
    depth: int

    @property
    def name(self) -> str:
        """As ``--only`` takes it: ``4k-randread-qd32``."""
        size = f"{self.block // MIB}m" if self.block >= MIB else f"{self.block // KIB}k"
        return f"{size}-{self.pattern}-qd{self.depth}"

    @property
    def writes(self) -> bool:
        """Whether it changes the disk."""
        return self.pattern.endswith("write")


# Reads first: they meet a region that was filled and then left alone.
LOADS = (
    *(Load("randread", 4 * KIB, depth) for depth in (1, 32)),
    *(Load("read", MIB, depth) for depth in (1, 4)),
    *(Load("randwrite", 4 * KIB, depth) for depth in (1, 32)),
    *(Load("write", MIB, depth) for depth in (1, 4)),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One timed round: bytes and requests a second, and the 99th percentile of the latency in microseconds."""

    bytes_per_second: float
    requests_per_second: float
    p99_us: float


def fill(uri: str, size: int) -> None:
    """Write random bytes over the first ``size`` bytes of the disk, so that reads meet real data."""
    _fio(uri, Load("write", MIB, 4), size, "--refill_buffers")


def measure(uri: str, load: Load, size: int, seconds: float) -> Measurement:
    """Run ``load`` for ``seconds`` within the first ``size`` bytes."""
    job = _fio(uri, load, size, "--time_based", f"--runtime={seconds}s")
    side = job["write" if load.writes else "read"]
    return Measurement(
        bytes_per_second=side["bw_bytes"],
        requests_per_second=side["iops"],
        p99_us=side["clat_ns"]["percentile"]["99.000000"] / 1000,
    )


def verify(uri: str, load: Load, size: int) -> None:
    """Write ``size`` bytes once in the way ``load`` does, then read them all back and check each block's CRC-32C."""
    _fio(uri, load, size, "--verify=crc32c", "--verify_fatal=1", "--do_verify=1")


def version() -> str:
    """What fio calls itself."""
    return run("fio", "--version").strip()


def _fio(uri: str, load: Load, size: int, *options: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "json"
        run(
            *("fio", f"--name={load.name}", "--ioengine=nbd", f"--uri={uri}", "--output-format=json"),
            *(f"--rw={load.pattern}", f"--bs={load.block}", f"--iodepth={load.depth}", f"--size={size}"),
            *("--thread", "--verify_state_save=0", f"--output={output}", *options),
        )
        text = output.read_text()
    result: dict[str, Any] = json.loads(text[text.index("{") :])
    job: dict[str, Any] = result["jobs"][0]
    return job
