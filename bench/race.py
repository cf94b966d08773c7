"""The race: for each load, rounds in which every peer has its turn, so that what the machine does meets them all."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import fio
from bench.fio import Load, Measurement
from bench.peers import Peer, Server, only
from bench.settling import settle


@dataclass(frozen=True, slots=True)
class Plan:
    """What to race. ``size`` is the region in bytes, ``place`` the folder for what servers keep (None: the usual)."""

    peers: Sequence[Peer]
    loads: Sequence[Load]
    rounds: int
    seconds: float
    size: int
    place: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One load: the measurements of each peer by name, in the order of the rounds."""

    load: Load
    rounds: dict[str, list[Measurement]]

    def ratios(self, peer: str, baseline: str) -> list[float]:
        """Round by round, how many times as fast as ``baseline`` the peer was."""
        pairs = zip(self.rounds[peer], self.rounds[baseline], strict=True)
        return [mine.bytes_per_second / theirs.bytes_per_second for mine, theirs in pairs]

    def median(self, peer: str) -> float:
        """Median bytes a second."""
        return statistics.median(measured.bytes_per_second for measured in self.rounds[peer])


def race(plan: Plan, progress: Callable[[str], None]) -> list[Result]:
    """Run the plan; ``progress`` hears one line before each step. Raises :class:`~bench.errors.BenchError`."""
    with ExitStack() as stack:
        servers: list[Server] = []
        for peer in plan.peers:
            progress(f"starting {peer.label}")
            server = Server(peer, plan.size, plan.place)
            stack.callback(server.stop)
            servers.append(server)
        for server in servers:
            progress(f"filling {server.peer.label}")
            with only(server, servers):
                fio.fill(server.uri, plan.size)
        _settle(servers, progress)
        return [_run_load(plan, load, servers, progress) for load in plan.loads]


def _run_load(plan: Plan, load: Load, servers: Sequence[Server], progress: Callable[[str], None]) -> Result:
    rounds: dict[str, list[Measurement]] = {server.peer.name: [] for server in servers}
    for number in range(plan.rounds):
        for server in servers:
            progress(f"{load.name}, round {number + 1} of {plan.rounds}: {server.peer.label}")
            with only(server, servers):
                rounds[server.peer.name].append(fio.measure(server.uri, load, plan.size, plan.seconds))
    if load.writes:
        for server in servers:
            progress(f"{load.name}: verifying {server.peer.label}")
            with only(server, servers):
                fio.verify(server.uri, load, plan.size)
        _settle(servers, progress)
    return Result(load, rounds)


def _settle(servers: Sequence[Server], progress: Callable[[str], None]) -> None:
    progress("waiting until the servers are idle")
    settle(server.session for server in servers)
