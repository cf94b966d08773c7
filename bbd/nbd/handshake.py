"""A connection's first phase: it carries a :class:`Negotiation`, within a deadline, then hands over to a session."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, cast

from bbd.nbd.negotiation import Negotiation
from bbd.nbd.options import Chosen, Ended
from bbd.nbd.peers import Host
from bbd.nbd.session import Session
from bbd.nbd.sockets import tune

logger = logging.getLogger("bbd.nbd")

_PIECE: Final = 4096
"""Bytes taken at a time, so that a flood of options can't call up many replies at once."""


class Handshake(asyncio.BufferedProtocol):
    """One connection that haggles."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._negotiation = Negotiation(host.exports)
        self._transport: asyncio.Transport
        self._writable = True
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        if self._host.peers.stopping:
            self._transport.abort()
            return
        tune(self._transport.get_extra_info("socket"))
        self._host.peers.add(self)
        self._transport.write(self._negotiation.greeting())
        self._abort_after(self._host.limits.handshake_timeout)

    def get_buffer(self, _sizehint: int) -> memoryview:
        """A small piece of the shared buffer."""
        return self._host.arena.view[:_PIECE]

    def buffer_updated(self, nbytes: int) -> None:
        """Answer options, and go on to the next phase when they are settled."""
        reply = self._negotiation.receive(self._host.arena.view[:nbytes])
        if reply:
            self._transport.write(reply)
        outcome = self._negotiation.outcome
        if isinstance(outcome, Chosen):
            self._hand_over(outcome)
        elif isinstance(outcome, Ended):
            logger.debug("negotiation ended: %s", outcome.reason)
            self.close()

    def pause_writing(self) -> None:
        """The client does not read: take nothing more from it."""
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writable = True
        self._transport.resume_reading()

    def eof_received(self) -> None:
        """The client has gone."""
        self.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection."""
        self._cancel_timer()
        self._host.peers.remove(self)

    def shut_down(self) -> None:
        """Refuse every further option but ABORT."""
        self._negotiation.shutting_down = True

    def close(self) -> None:
        """Close when the last reply is read, or after the grace."""
        self._transport.close()
        self._abort_after(self._host.limits.close_grace)

    def _hand_over(self, chosen: Chosen) -> None:
        self._cancel_timer()
        session = Session(self._host, chosen, writable=self._writable)
        self._transport.set_protocol(session)
        self._host.peers.add(session, transmitting=True)
        self._host.peers.remove(self)
        session.begin(self._transport, self._negotiation.rest())

    def _abort_after(self, seconds: float | None) -> None:
        self._cancel_timer()
        if seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
