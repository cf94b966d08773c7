"""Disks in a running server: a world that the game's server has open, and its disk over the bridge."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeVar

import uvloop

from bbd.cli.companion import Companion
from bbd.cli.live_hosting import LiveHost, open_live_host
from bbd.disk.opening import Options
from bbd.worlds.live.access import make_access
from bbd.worlds.live.bridge import Bridge
from bench.minecraft import MinecraftServer, build_jar
from bench.peers import BBD, Bbd
from bench.plan import Plan
from bench.worlds import CACHE, new_world

Returned = TypeVar("Returned")
UNLOADED: Final = 8.0
"""Seconds until the server has let go of chunks that nobody uses: reads come from its region files then."""
_TIMEOUT: Final = 60.0
_GLANCE: Final = 0.2


@dataclass(frozen=True)
class LiveWorld:
    """A world with one disk in it, and the game's server that runs on it. ``folder`` is theirs."""

    folder: Path
    game: MinecraftServer

    @property
    def companion(self) -> Companion:
        """How to reach the companion."""
        return Companion(make_access(self.game.bridge, self.game.token), _TIMEOUT)

    @property
    def peer(self) -> Bbd:
        """``bbd serve`` over the bridge."""
        return LiveBbd(options=tuple(self.game.client_options))


@dataclass(frozen=True)
class LiveBbd(Bbd):
    """``bbd serve`` with the options that name a companion."""

    name: str = "bbd-live"
    options: tuple[str | Path, ...] = ()

    def command(self, folder: Path, address: Path, size: int) -> Sequence[str | Path]:
        options = ["--cache", str(4 * size), *self.serving]
        return [BBD, "serve", *self.options, "--unix", address, "--journal", folder / "journal", *options]


@contextmanager
def live_world(plan: Plan, size: int) -> Iterator[LiveWorld]:
    """A new world with an empty disk of ``size`` bytes, in a running server."""
    plan.progress("starting the game's server")
    jar = build_jar()
    with (
        new_world("bbd", plan, size) as folder,
        MinecraftServer(jar, folder / "world", token=folder / "companion.token") as game,
    ):
        yield LiveWorld(folder, game)


def with_live_disk(world: LiveWorld, use: Callable[[LiveHost], Awaitable[Returned]]) -> Returned:
    """Open the disk over the bridge, with nothing of it in memory, ``use`` it, and close it cleanly."""

    async def opened() -> Returned:
        host = open_live_host(world.companion, Options(world.folder / "journal", cache=CACHE))
        try:
            result = await use(host)
            for disk in host.disks:
                await disk.close()
        finally:
            host.close()
        return result

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(opened())


@dataclass
class Ticks:
    """While it is entered, the worst of what the server says of its ticks: the time in milliseconds that 95 of the last
    hundred stay below."""

    world: LiveWorld
    p95_ms: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)
    _bridge: Bridge | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._bridge = self.world.companion.bridge()
        self._thread = threading.Thread(target=self._look, name="bench-ticks", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._bridge is not None
        assert self._thread is not None
        self._thread.join()
        self._bridge.stop()

    def _look(self) -> None:
        assert self._bridge is not None
        with contextlib.suppress(OSError):
            while True:
                over = self._over.wait(_GLANCE)
                self.p95_ms = max(self.p95_ms, float(self._bridge.ask("stats")["tick"]["p95_ms"]))
                if over:
                    return


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
