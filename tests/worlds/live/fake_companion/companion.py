"""The companion itself: a websocket server on a thread of its own, and what a test may do to it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request as HttpRequest
from websockets.http11 import Response

from bbd.worlds.live.messages import Push
from tests.worlds.live.fake_companion.client import Client
from tests.worlds.live.fake_companion.state import LIMITS, Counts, Manners, OpenDisk
from tests.worlds.live.fake_world import ChunkAt, FakeWorld, state_text

T = TypeVar("T")


class FakeCompanion:
    """Listens on 127.0.0.1 from :meth:`start` on. ``world`` survives :meth:`kill`, as far as it was saved."""

    def __init__(self, world: FakeWorld, port: int = 0) -> None:
        self.world = world
        self.port = port
        self.manners = Manners()
        self.tls: ssl.SSLContext | None = None
        self.counts = Counts()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._server: Server | None = None
        self._clients: set[Client] = set()
        self.open_disks: dict[str, OpenDisk] = {}
        self.left: dict[str, set[ChunkAt]] = {}
        """What clients that went had written, and is in memory only."""
        self.dying = False

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def saves(self) -> bool:
        """Whether what is in memory gets into the files."""
        return self.manners.confirm and self.manners.confirm_error is None

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._clients)

    def __enter__(self) -> FakeCompanion:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        if self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        self.dying = False
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen())

    def kill(self) -> None:
        """As ``kill -9``: connections are reset, what was not saved is gone."""
        if self._loop.is_closed():
            return
        self._run(self._die())
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread is not None
        self._thread.join(10)
        self._loop.close()
        self.open_disks.clear()
        self.left.clear()
        self.world.crash()

    def cut(self) -> None:
        """Reset every connection; the server goes on."""
        self._run(self._cut())

    def edit(self, x: int, y: int, z: int, block: Mapping[str, Any], *, seen: bool = True, who: str = "Steve") -> None:
        """Somebody changes a block; unless ``seen``, no event tells of it."""
        self._run(self._edit(x, y, z, block, seen=seen, who=who))

    def push(self, push: Push) -> None:
        self._run(self._push_all(push))

    def save_left(self, name: str) -> None:
        """What clients of a disk that went had written gets into the files."""
        for at in self.left.pop(name, ()):
            self.world.save(at)

    def _run(self, work: Awaitable[T]) -> T:
        async def wrapped() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await serve(
            self._handle,
            "127.0.0.1",
            self.port,
            compression=None,
            max_size=LIMITS["binary"],
            process_request=_check_handshake,
            ping_interval=None,
            ssl=self.tls,
            close_timeout=1,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def _die(self) -> None:
        self.dying = True
        if self._server is not None:
            self._server.server.close()
        await self._cut()
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()
        await asyncio.sleep(0)

    async def _cut(self) -> None:
        for client in list(self._clients):
            client.socket.transport.abort()
        await asyncio.sleep(0.01)

    async def _edit(self, x: int, y: int, z: int, block: Mapping[str, Any], *, seen: bool, who: str) -> None:
        was = self.world.set_block(x, y, z, block)
        if not seen:
            return
        for disk in self.open_disks.values():
            edit = {
                "x": x,
                "y": y,
                "z": z,
                "was": state_text(was),
                "now": state_text(block),
                "cause": "block_place",
                "who": who,
            }
            columns = [{"x": x >> 4, "z": z >> 4, "mask": 1 << (y >> 4), "count": 1}]
            values = {"disk": disk.handle, "columns": columns, "edits": [edit]}
            await disk.client.send(Push("changed", values).dump())

    async def _push_all(self, push: Push) -> None:
        for client in self._clients:
            await client.send(push.dump())

    async def _handle(self, socket: ServerConnection) -> None:
        client = Client(self, socket)
        self._clients.add(client)
        try:
            await client.run()
        finally:
            self._clients.discard(client)
            client.gone()


def _check_handshake(connection: ServerConnection, request: HttpRequest) -> Response | None:
    host = request.headers.get("Host", "").rsplit(":", 1)[0]
    if "Origin" in request.headers or request.path != "/" or host not in {"127.0.0.1", "localhost", "[::1]"}:
        return connection.respond(HTTPStatus.FORBIDDEN, "no\n")
    return None
