"""Racing servers: for each load, rounds in which every server has its turn, so that what the machine does meets all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Self

from bench import fio
from bench.awake import await_sleep
from bench.loads import Load
from bench.peers import PEERS
from bench.plan import Plan
from bench.processes import peak_memory
from bench.results import Measurement, Result
from bench.server import Server, only
from bench.settling import settle


class Fleet:
    """The servers that some loads need: all of them run while it is entered, and all but one are paused."""

    def __init__(self, plan: Plan, loads: Sequence[Load]) -> None:
        self._plan = plan
        self._needed = {name for load in loads for name in load.peers}
        self._servers: dict[str, Server] = {}
        self._stack = ExitStack()
        self._settled = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for name, peer in PEERS.items():
                if name in self._needed:
                    self._plan.progress(f"starting and filling {name}")
                    server = stack.enter_context(Server(peer, self._plan.size, self._plan.place))
                    with only(server, list(self._servers.values())):
                        fio.fill(server.uri, peer.area(self._plan.size))
                    self._servers[name] = server
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def memory(self) -> dict[str, int]:
        """The most bytes that each server has had in memory."""
        return {name: peak_memory(server.session) for name, server in self._servers.items()}

    def run(self, load: Load) -> Result:
        """All rounds of a load. Raises :class:`~bench.errors.BenchError`, also where a server's data is not right."""
        load.prepare(self._plan.place, self._plan.size)
        servers = [self._servers[name] for name in load.peers]
        rounds: dict[str, list[Measurement]] = {name: [] for name in load.peers}
        for server in servers:
            with self._alone(server, f"{load.name}: preparing"):
                self._settled &= not load.begin(server)
        for number in range(self._plan.rounds):
            self._settle()
            for server in servers:
                with self._alone(server, f"{load.name}, round {number + 1} of {self._plan.rounds}:"):
                    measured = load.measure(server, server.peer.area(self._plan.size), self._plan.seconds)
                rounds[server.peer.name].append(measured)
            self._settled &= not load.writes
        for server in servers:
            with self._alone(server, f"{load.name}: verifying"):
                load.verify(server, server.peer.area(self._plan.size))
        return Result(load.name, load.block, rounds)

    def _alone(self, server: Server, what: str) -> AbstractContextManager[None]:
        self._plan.progress(f"{what} {server.peer.name}")
        if not self._plan.awake:
            await_sleep()
        return only(server, list(self._servers.values()))

    def _settle(self) -> None:
        """Let the servers finish what they do with what was written, on nobody's time."""
        if not self._settled:
            self._plan.progress("waiting until the servers are idle")
            settle(server.session for server in self._servers.values())
            self._settled = True
