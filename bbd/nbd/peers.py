"""What all connections of a server have in common: its exports, its limits, its buffer, and who is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bbd.nbd.buffers import Arena
from bbd.nbd.export import Export
from bbd.nbd.spinning import Spinner

PAYLOAD_SECONDS: Final = 30e-6
"""How long the rest of a long payload is awaited awake. A unix socket holds a fifth of 1 MiB: its client sleeps when it
is full and is woken when it is not, and a server that slept meanwhile would have to be woken each time as well. Where
there are several connections, it is for their clients that the processors are needed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may take, and how long. Times are seconds."""

    handshake_timeout: float | None = 10.0
    """From connecting to transmission; ``None`` is for ever."""
    close_grace: float = 5.0
    """For the last replies to be read, once a connection is to be closed."""
    max_in_flight: int = 128
    """Requests that wait for the device."""
    max_in_flight_bytes: int = 64 << 20
    """Bytes of READ and WRITE requests that wait for the device; one request may always go."""
    busy_poll: float = 0.0
    """To wait awake after a lone request, see :mod:`bbd.nbd.spinning`; 0 is not at all."""


class Peer(Protocol):
    """A connection, in either phase."""

    def shut_down(self) -> None:
        """Begin no more work, and close once what is in flight is answered."""

    def close(self) -> None:
        """Close, after the last replies have been read, or the grace has passed."""


class Peers:
    """The connections of a server. Those whose client has gone stay until their last request is finished."""

    def __init__(self) -> None:
        self._peers: set[Peer] = set()
        self._transmitting: set[Peer] = set()
        self._used = False
        self.stopping = False
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def has_one(self) -> bool:
        """Whether there is a single connection: nobody else will keep the server busy meanwhile."""
        return len(self._peers) == 1

    def add(self, peer: Peer, *, transmitting: bool = False) -> None:
        """A connection begins, or enters transmission."""
        self._peers.add(peer)
        if transmitting:
            self._transmitting.add(peer)
            self._used = True

    def remove(self, peer: Peer) -> None:
        """A connection and all its requests have ended; no error if it is gone already."""
        self._peers.discard(peer)
        self._transmitting.discard(peer)
        self._changed.set()

    async def wait_idle_after_use(self) -> None:
        """Return when nobody is connected and somebody has been, as far as transmission."""
        await self._wait(lambda: self._used and not self._peers)

    async def shut_down(self) -> None:
        """Finish what is in flight, then close all; return when all are gone. Nobody may come in the meantime."""
        self.stopping = True
        for peer in list(self._peers):
            peer.shut_down()
        await self._wait(lambda: not self._transmitting)
        for peer in list(self._peers):
            peer.close()
        await self._wait(lambda: not self._peers)

    async def _wait(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._changed.clear()
            await self._changed.wait()


@dataclass(frozen=True, slots=True)
class Host:
    """What a connection needs to know of its server."""

    exports: Sequence[Export]
    limits: Limits = field(default_factory=Limits)
    arena: Arena = field(default_factory=Arena)
    peers: Peers = field(default_factory=Peers)
    spinner: Spinner = field(default_factory=Spinner)
    payload_spinner: Spinner = field(default_factory=lambda: Spinner(PAYLOAD_SECONDS))
