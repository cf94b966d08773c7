"""A server in a thread of its own, and a client that says exactly what it is told to, right or wrong."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from bbd.nbd import wire
from bbd.nbd.export import Export
from bbd.nbd.peers import Limits
from bbd.nbd.server import NbdServer

Result = TypeVar("Result")
TIMEOUT = 20.0


class Serving:
    """A running server. ``path`` is its unix socket; ``loop`` may be given work by :meth:`run` and :meth:`call`."""

    def __init__(self, exports: Sequence[Export], limits: Limits | None, *, plain_asyncio: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nbd", dir="/tmp"))
        self.path = self.folder / "s"
        self.port = 0
        self.loop = asyncio.new_event_loop() if plain_asyncio else uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.server = self.run(self._start(exports, limits))

    async def _start(self, exports: Sequence[Export], limits: Limits | None) -> NbdServer:
        server = NbdServer(exports, limits=limits)
        await server.listen_unix(self.path)
        _, self.port = await server.listen_tcp("127.0.0.1", 0)
        return server

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(TIMEOUT)

    def call(self, work: Callable[[], Result]) -> Result:
        """Call a function on the server's loop and wait for it."""

        async def calling() -> Result:
            return work()

        return self.run(calling())

    def wait_for(self, reached: Callable[[], bool]) -> None:
        """Wait until something is so, looking from the server's loop; fail if it never is."""

        end = time.monotonic() + TIMEOUT
        while not self.call(reached):
            assert time.monotonic() < end, "it never came to be"
            time.sleep(0.002)

    def close(self) -> None:
        """Stop the server, its loop and its thread."""
        try:
            self.run(self.server.stop())
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(TIMEOUT)
            self.loop.close()
            shutil.rmtree(self.folder)


@contextlib.contextmanager
def serving(*exports: Export, limits: Limits | None = None, plain_asyncio: bool = False) -> Iterator[Serving]:
    """A server for the length of a ``with``."""
    served = Serving(exports, limits, plain_asyncio=plain_asyncio)
    try:
        yield served
    finally:
        served.close()


class Client:
    """A client of raw bytes."""

    def __init__(self, served: Serving, *, tcp: bool = False) -> None:
        self.socket = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(("127.0.0.1", served.port) if tcp else str(served.path))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, count: int) -> bytes:
        """Exactly ``count`` bytes; ``EOFError`` if the server closes before."""
        data = bytearray()
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError(f"{len(data)} of {count} bytes")
            data += piece
        return bytes(data)

    def at_end(self) -> bool:
        """Whether the server closes the connection, with nothing more said."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def hello(self, flags: int = 3) -> None:
        """Take the greeting and send the client flags."""
        assert wire.GREETING.unpack(self.receive(wire.GREETING.size)) == (wire.NBDMAGIC, wire.IHAVEOPT, 3)
        self.send(wire.CLIENT_FLAGS.pack(flags))

    def option(self, option: int, data: bytes = b"") -> list[tuple[int, bytes]]:
        """Send an option and return its replies (type, data), to the last."""
        self.send(wire.OPTION_HEADER.pack(wire.IHAVEOPT, option, len(data)) + data)
        replies: list[tuple[int, bytes]] = []
        while not replies or replies[-1][0] in (wire.NBD_REP_SERVER, wire.NBD_REP_INFO):
            replies.append(self.option_reply(option))
        return replies

    def option_reply(self, option: int) -> tuple[int, bytes]:
        """One reply to an option."""
        header = self.receive(wire.OPTION_REPLY_HEADER.size)
        magic, answered, reply_type, length = wire.OPTION_REPLY_HEADER.unpack(header)
        assert (magic, answered) == (wire.NBD_REP_MAGIC, option)
        return reply_type, self.receive(length)

    def go(self, name: str = "", *infos: int) -> None:
        """From the first byte to transmission."""
        self.hello()
        replies = self.option(wire.NBD_OPT_GO, go_data(name, *infos))
        assert replies[-1] == (wire.NBD_REP_ACK, b"")

    def request(self, command: int, offset: int = 0, length: int = 0, *, flags: int = 0, cookie: int = 1) -> None:
        """Send a request's header."""
        self.send(request(command, offset, length, flags=flags, cookie=cookie))

    def reply(self) -> tuple[int, int]:
        """One simple reply: (error, cookie)."""
        magic, error, cookie = wire.SIMPLE_REPLY.unpack(self.receive(wire.SIMPLE_REPLY.size))
        assert magic == wire.NBD_SIMPLE_REPLY_MAGIC
        return error, int.from_bytes(cookie, "big")

    def ask(self, command: int, offset: int = 0, length: int = 0, payload: bytes = b"", *, flags: int = 0) -> int:
        """Send a request with no data in its reply; return the error."""
        self.send(request(command, offset, length, flags=flags, cookie=77) + payload)
        error, cookie = self.reply()
        assert cookie == 77
        return error

    def write(self, offset: int, payload: bytes, *, flags: int = 0) -> int:
        """WRITE; return the error."""
        return self.ask(wire.NBD_CMD_WRITE, offset, len(payload), payload, flags=flags)

    def read(self, offset: int, length: int) -> bytes:
        """READ that goes well."""
        assert self.ask(wire.NBD_CMD_READ, offset, length) == 0
        return self.receive(length)


def request(command: int, offset: int = 0, length: int = 0, *, flags: int = 0, cookie: int = 1) -> bytes:
    """The header of a request."""
    return wire.REQUEST.pack(wire.NBD_REQUEST_MAGIC, flags, command, cookie.to_bytes(8, "big"), offset, length)


def go_data(name: str, *infos: int) -> bytes:
    """The data of INFO and GO."""
    encoded = name.encode()
    return struct.pack(f">I{len(encoded)}sH{len(infos)}H", len(encoded), encoded, len(infos), *infos)
