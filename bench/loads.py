"""What a served disk can be loaded with: one class a kind of load, all with the same few methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from bench import fio
from bench.fio import Job
from bench.processes import processor_seconds
from bench.results import Measurement
from bench.server import Server


class Load(ABC):
    """A row of the table. ``peers`` are the servers that run it, by name; ``block`` as in
    :class:`~bench.results.Result`; ``writes`` says whether it changes the disk."""

    name: str
    peers: Sequence[str]
    block = 0
    writes = False

    def prepare(self, place: Path, area: int) -> None:
        """Make what all rounds need, in the folder ``place``; by default, nothing."""
        del place, area

    def begin(self, server: Server) -> bool:
        """Bring a server to where the rounds begin, and say whether that wrote something; by default, its disk is left
        as it is: full of random bytes."""
        del server
        return False

    @abstractmethod
    def measure(self, server: Server, area: int, seconds: float) -> Measurement:
        """Run it on the first ``area`` bytes of the disk, for ``seconds`` if it has no end of its own."""

    def verify(self, server: Server, area: int) -> None:
        """Check what the disk holds after it. Raises :class:`~bench.errors.BenchError`."""
        del server, area


class FioLoad(Load):
    """A :class:`~bench.fio.Job` for some seconds."""

    def __init__(self, name: str, peers: Sequence[str], job: Job) -> None:
        self.name = name
        self.peers = peers
        self.block = job.block
        self.writes = job.writes
        self._job = job

    def measure(self, server: Server, area: int, seconds: float) -> Measurement:
        before = processor_seconds(server.session)
        side = fio.timed(server.uri, self._job, area, seconds)
        used = processor_seconds(server.session) - before
        percentiles = side["clat_ns"]["percentile"]
        return Measurement(
            bytes_per_second=side["bw_bytes"],
            requests_per_second=side["iops"],
            p99_us=percentiles["99.000000"] / 1000,
            p999_us=percentiles["99.900000"] / 1000,
            cpu_us=used / side["total_ios"] * 1e6,
        )

    def verify(self, server: Server, area: int) -> None:
        if self.writes:
            fio.verify(server.uri, self._job, area)
