"""The NBD server: exports on TCP and unix sockets, from the first connection to a graceful stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bbd.errors import BbdError
from bbd.nbd import wire
from bbd.nbd.buffers import Arena
from bbd.nbd.export import Export
from bbd.nbd.handshake import Handshake
from bbd.nbd.peers import Host, Limits, Peers
from bbd.nbd.processors import Processors
from bbd.nbd.sockets import SocketFile, bind_unix, tcp_failure
from bbd.nbd.spinning import Spinner

logger = logging.getLogger("bbd.nbd")

BACKLOG: Final = 1024


class NbdServer:
    """Serves devices over NBD. All methods belong to one running event loop (uvloop, for speed)."""

    def __init__(self, exports: Sequence[Export], *, limits: Limits | None = None) -> None:
        """Serve ``exports``; the first also answers to the empty name.

        Errors: :class:`BbdError` for no export, two of one name, or a name or description that the protocol can't
        carry.
        """
        check_exports(exports)
        limits = limits or Limits()
        spinner = Spinner(limits.busy_poll, Processors())
        self._host = Host(tuple(exports), limits, Arena(), Peers(), spinner)
        self._servers: list[asyncio.Server] = []
        self._socket_files: list[SocketFile] = []
        self._stopping: asyncio.Task[None] | None = None

    @property
    def exports(self) -> Sequence[Export]:
        """What is served, the default export first."""
        return self._host.exports

    @property
    def connections(self) -> int:
        """How many clients are connected, or gone with requests still in flight."""
        return len(self._host.peers)

    async def listen_tcp(self, host: str, port: int) -> tuple[str, int]:
        """Take connections at ``host`` and ``port`` (0: any free one); return the address that was bound.

        Errors: :class:`BbdError` for an address that can't be had.
        """
        if not 0 <= port <= 65535:
            raise BbdError(f"can't listen on {host}:{port}: a port is a number from 0 to 65535")
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(self._handshake, host, port, backlog=BACKLOG)
        except OSError as error:
            raise tcp_failure(host, port, error) from error
        self._servers.append(server)
        address = server.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    async def listen_unix(self, path: str | Path) -> None:
        """Take connections at a unix socket, whose file is removed when the server stops.

        Errors: :class:`BbdError` for a path that can't be had, see :func:`bbd.nbd.sockets.bind_unix`.
        """
        listener, file = bind_unix(Path(path))
        self._socket_files.append(file)
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_unix_server(self._handshake, sock=listener, backlog=BACKLOG))

    async def wait_idle_after_use(self) -> None:
        """Return when no client is connected and at least one has been, as far as the transmission phase."""
        await self._host.peers.wait_idle_after_use()

    async def stop(self) -> None:
        """Take no new connections, finish and answer what is in flight, close every connection. Call it as often as
        you like: it returns when all is closed."""
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for file in self._socket_files:
            file.remove()
        await self._host.peers.shut_down()
        self._host.spinner.stop()

    def _handshake(self) -> Handshake:
        return Handshake(self._host)


def check_exports(exports: Sequence[Export]) -> None:
    """Raise :class:`BbdError` unless every export can be told to clients ("Conventions")."""
    if not exports:
        raise BbdError("there is nothing to serve; name at least one disk")
    names = [export.name for export in exports]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BbdError(f"two exports are called {twice!r}; give one of them another name")
    for export in exports:
        for text in (export.name, export.description):
            if len(text.encode(errors="replace")) > wire.MAX_STRING or "\0" in text:
                raise BbdError(
                    f"the name or description of export {text[:40]!r} has a NUL, or more than {wire.MAX_STRING} bytes"
                )
