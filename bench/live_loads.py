"""fio through NBD on a disk that is in a running server, against the same disk in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench import fio
from bench.fio import Job
from bench.live import live_world
from bench.loads import FioLoad
from bench.peers import PEERS
from bench.plan import Plan
from bench.results import Measurement
from bench.server import Server
from bench.settling import settle
from bench.trials import Round, Trial
from bench.worlds import new_world


class LiveLoad(Trial):
    """``bbd serve`` over the bridge (``bbd-live``) and ``offline``. Cold, each round begins with a new server, which
    has nothing in memory; the game's server is the same for all rounds. ``known_way``: beside ``http-chunks``, too."""

    def __init__(self, name: str, job: Job, *, cold: bool = False, known_way: bool = False) -> None:
        self.name = name
        self.block = job.block
        self._load = FioLoad(name, (), job)
        self._cold = cold
        self._known_way = known_way

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        with ExitStack() as stack:
            world = stack.enter_context(live_world(plan, plan.size))
            folder = stack.enter_context(new_world("bbd", plan))
            sides = {"bbd-live": (world.peer, world.folder), "offline": (PEERS["bbd"], folder)}
            servers = {}
            for name, (peer, place) in sides.items():
                server = Server(peer, plan.size, plan.place, place)
                stack.callback(server.stop)
                servers[name] = server
                fio.fill(server.uri, plan.size)
            if self._known_way:
                known = stack.enter_context(Server(PEERS["http-chunks"], plan.size, plan.place))
                servers["http-chunks"] = known
                fio.fill(known.uri, known.peer.area(plan.size))

            def once() -> dict[str, Measurement]:
                found = {}
                for name, server in servers.items():
                    if self._cold:
                        server.restart()
                    else:
                        settle([server.session])
                    area = server.peer.area(plan.size)
                    found[name] = self._load.measure(server, area, plan.seconds)
                return found

            yield once
            for server in servers.values():
                self._load.verify(server, server.peer.area(plan.size))
