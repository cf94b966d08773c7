"""The server's half of the fixed newstyle handshake, without I/O: bytes in, bytes out, and an outcome.

Source: proto.md, "Newstyle negotiation", "Fixed newstyle negotiation" and "Termination of the session during option
haggling". What the options mean is in :mod:`bbd.nbd.options`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Final

from bbd.nbd import wire
from bbd.nbd.export import Export, Part
from bbd.nbd.options import HANDLERS, Chosen, Ended, Haggle, OptionError, option_reply

MAX_OPTION_DATA: Final = 16384
"""Bytes of option data that are kept; longer data is swallowed and refused. INFO with the longest name and a request
for every information type there is takes far less."""

_KNOWN_CLIENT_FLAGS: Final = wire.NBD_FLAG_C_FIXED_NEWSTYLE | wire.NBD_FLAG_C_NO_ZEROES


class HardDisconnect(Exception):
    """The session ends without a reply, as where EXPORT_NAME can't be met. The message is for the log."""


class State(Enum):
    """What the next bytes of the client are."""

    CLIENT_FLAGS = "client flags"
    OPTION_HEADER = "option header"
    OPTION_DATA = "option data"
    SWALLOW = "option data that is not kept"
    DONE = "no longer haggling"


class Negotiation:
    """One handshake.

    Send :meth:`greeting`, then what :meth:`receive` gives for each piece of input, until ``outcome`` is set: with
    :class:`Chosen`, transmission begins with the bytes of :meth:`rest`; with :class:`Ended`, close the connection
    after what was to be sent. Set ``shutting_down`` and every option but ABORT is refused.

    It never holds more input than the last piece and ``MAX_OPTION_DATA``.
    """

    def __init__(self, exports: Sequence[Export]) -> None:
        self.shutting_down = False
        self.state = State.CLIENT_FLAGS
        self._haggle = Haggle(exports)
        self._input = bytearray()
        self._option = 0
        self._length = 0

    @property
    def outcome(self) -> Chosen | Ended | None:
        """How the handshake ended; ``None`` while it goes on."""
        return self._haggle.outcome

    def greeting(self) -> bytes:
        """What the server says first."""
        flags = wire.NBD_FLAG_FIXED_NEWSTYLE | wire.NBD_FLAG_NO_ZEROES
        return wire.GREETING.pack(wire.NBDMAGIC, wire.IHAVEOPT, flags)

    def receive(self, data: Part) -> bytes:
        """Take input in pieces of any size; return what is to be sent."""
        self._input += data
        replies = []
        try:
            while (reply := self._step()) is not None:
                replies.append(reply)
        except HardDisconnect as disconnect:
            self._end(str(disconnect))
        return b"".join(replies)

    def rest(self) -> bytes:
        """Input that came after the handshake's end."""
        return bytes(self._input)

    def _step(self) -> bytes | None:
        match self.state:
            case State.CLIENT_FLAGS:
                return self._client_flags()
            case State.OPTION_HEADER:
                return self._option_header()
            case State.OPTION_DATA:
                return self._option_data()
            case State.SWALLOW:
                return self._swallow()
            case State.DONE:
                return None

    def _client_flags(self) -> bytes | None:
        if len(self._input) < wire.CLIENT_FLAGS.size:
            return None
        (flags,) = wire.CLIENT_FLAGS.unpack(self._take(wire.CLIENT_FLAGS.size))
        if flags & ~_KNOWN_CLIENT_FLAGS:
            raise HardDisconnect(f"the client set unknown flags {flags:#x}")
        self._haggle.no_zeroes = bool(flags & wire.NBD_FLAG_C_NO_ZEROES)
        self.state = State.OPTION_HEADER
        return b""

    def _option_header(self) -> bytes | None:
        if len(self._input) < wire.OPTION_HEADER.size:
            return None
        magic, self._option, self._length = wire.OPTION_HEADER.unpack(self._take(wire.OPTION_HEADER.size))
        if magic != wire.IHAVEOPT:
            raise HardDisconnect(f"an option began with {magic:#018x}, not with IHAVEOPT")
        keep = self._option in HANDLERS and self._length <= MAX_OPTION_DATA
        self.state = State.OPTION_DATA if keep else State.SWALLOW
        return b""

    def _option_data(self) -> bytes | None:
        if len(self._input) < self._length:
            return None
        return self._answer(self._take(self._length))

    def _swallow(self) -> bytes | None:
        self._length -= len(self._take(min(self._length, len(self._input))))
        return None if self._length else self._answer(None)

    def _answer(self, data: bytes | None) -> bytes:
        self.state = State.OPTION_HEADER
        try:
            reply = self._handle(data)
        except OptionError as error:
            if self._option == wire.NBD_OPT_EXPORT_NAME:
                raise HardDisconnect(str(error)) from None
            reply = option_reply(self._option, error.reply_type, str(error).encode())
        if self._haggle.outcome is not None:
            self.state = State.DONE
        return reply

    def _handle(self, data: bytes | None) -> bytes:
        if self._option == wire.NBD_OPT_ABORT:
            return HANDLERS[self._option](self._haggle, data or b"")
        if self.shutting_down:
            raise OptionError(wire.NBD_REP_ERR_SHUTDOWN, "the server is shutting down")
        if (handler := HANDLERS.get(self._option)) is None:
            raise OptionError(wire.NBD_REP_ERR_UNSUP, "this server does not know the option")
        if data is None:
            raise OptionError(wire.NBD_REP_ERR_TOO_BIG, f"an option has at most {MAX_OPTION_DATA} bytes of data")
        return handler(self._haggle, data)

    def _end(self, reason: str) -> None:
        self._haggle.outcome = Ended(reason)
        self.state = State.DONE

    def _take(self, count: int) -> bytes:
        taken = bytes(self._input[:count])
        del self._input[:count]
        return taken
