"""A cached load while a checkpoint runs, against the same moments before."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from bench import fio
from bench.checkpointing import DONE, REQUEST, Checkpointing
from bench.errors import BenchError
from bench.fio import Job
from bench.plan import Plan
from bench.results import Measurement
from bench.server import Server, only
from bench.settling import settle
from bench.trials import Round, Trial

_CALM = 1.2
"""Seconds from fio's start to the checkpoint; fio needs less than half of them to begin."""
_WARM = 0.7
_MOST = 3.5
"""Seconds that fio runs for: the checkpoint of a disk should take less, and is else measured while fio does."""
_LONGEST = 60.0
_KINDS = (Checkpointing(), Checkpointing("bbd-nibble", creating=("--codec", "nibble")))


class UnderCheckpoint(Trial):
    """The disk is made dirty all over, then fio runs, then a checkpoint is asked for, which brings all of it into the
    world. ``calm`` is the time between fio's start and that moment."""

    def __init__(self, name: str, job: Job) -> None:
        self.name = name
        self.block = job.block
        self._job = job

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        size = 2 * plan.size
        with ExitStack() as stack:
            servers = [stack.enter_context(Server(kind, size, plan.place)) for kind in _KINDS]

            def once() -> dict[str, Measurement]:
                found: dict[str, Measurement] = {}
                for server in servers:
                    with only(server, servers):
                        calm, found[server.peer.name] = self._measure(server, size, plan.place)
                        settle([server.session])
                    if server.peer.name == "bbd":
                        found["calm"] = calm
                return found

            yield once
            for server in servers:
                with only(server, servers):
                    fio.verify(server.uri, self._job if self._job.writes else fio.FILL, size)

    def _measure(self, server: Server, size: int, place: Path) -> tuple[Measurement, Measurement]:
        fio.fill(server.uri, size)
        done = server.address.parent / DONE
        done.unlink(missing_ok=True)
        with TemporaryDirectory(dir=place) as folder, ThreadPoolExecutor(1) as other:
            options = (f"--write_lat_log={folder}/load", "--log_unix_epoch=1")
            begun = time.time()
            running = other.submit(fio.timed, server.uri, self._job, size, _MOST, *options)
            time.sleep(_CALM)
            asked = time.time()
            os.kill(server.session, REQUEST)
            answered = self._wait(done)
            running.result()
            log = np.loadtxt(f"{folder}/load_lat.1.log", np.int64, delimiter=",", usecols=(0, 1))
        end = min(answered, begun + _MOST)
        return self._within(log, begun + _WARM, asked), self._within(log, asked, end)

    def _wait(self, done: Path) -> float:
        deadline = time.time() + _LONGEST
        while not done.exists():
            if time.time() > deadline:
                raise BenchError(f"{self.name}: the checkpoint took more than {_LONGEST:g} s")
            time.sleep(0.005)
        return time.time()

    def _within(self, log: npt.NDArray[np.int64], start: float, end: float) -> Measurement:
        """What fio's log (milliseconds, nanoseconds of latency) says of the time between two moments."""
        latencies = log[(log[:, 0] >= start * 1000) & (log[:, 0] < end * 1000), 1]
        if not len(latencies):
            raise BenchError(f"{self.name}: the checkpoint was too short to be measured; give it more with --size")
        rate = len(latencies) / (end - start)
        p99, p999 = np.percentile(latencies, (99, 99.9)) / 1000
        return Measurement(rate * self.block, rate, float(p99), float(p999))
