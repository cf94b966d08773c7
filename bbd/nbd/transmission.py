"""The server's half of the transmission phase, without I/O: a receive buffer goes round, requests come out.

Source: proto.md, "Transmission", "Request types" and "Error values".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from bbd.nbd import wire
from bbd.nbd.buffers import Arena, Buffer, Pieces
from bbd.nbd.runs import Run, find_run

Payload: TypeAlias = memoryview | list[memoryview]
Request: TypeAlias = tuple[int, int, int, bytes, int, int, Payload | None]
"""(error, type, command flags, cookie, offset, length, payload). Where error is not 0 it is the reply, and nothing else
is to be done; else offset and length lie inside the disk, and a WRITE has its payload: in one view, or, where it is
long and made of whole blocks, in pieces that are nobody else's."""

MAX_CARRIED_PAYLOAD: Final = 64 << 10
"""An incomplete payload up to this many bytes waits with its header for the rest; a longer one, and any of whole
blocks, gets its own buffer."""

MAX_COPIED_PAYLOAD: Final = 128 << 10
"""An incomplete payload of whole blocks that is longer is received into pieces to be kept as they are. A buffer for
less is used again and again: to receive into it, and copy from there to where the old bytes were, is quicker than to
receive into memory that was not used for long."""

OK_REPLY: Final = wire.SIMPLE_REPLY.pack(wire.NBD_SIMPLE_REPLY_MAGIC, 0, bytes(8))[:8]
"""What a simple reply without an error begins with; the cookie follows, then the data of a READ."""

_VALID_FLAGS: Final = {
    wire.NBD_CMD_READ: wire.NBD_CMD_FLAG_FUA,
    wire.NBD_CMD_WRITE: wire.NBD_CMD_FLAG_FUA,
    wire.NBD_CMD_FLUSH: wire.NBD_CMD_FLAG_FUA,
    wire.NBD_CMD_TRIM: wire.NBD_CMD_FLAG_FUA,
    wire.NBD_CMD_CACHE: wire.NBD_CMD_FLAG_FUA,
    wire.NBD_CMD_WRITE_ZEROES: wire.NBD_CMD_FLAG_FUA | wire.NBD_CMD_FLAG_NO_HOLE | wire.NBD_CMD_FLAG_FAST_ZERO,
}
_CHANGES: Final = frozenset({wire.NBD_CMD_WRITE, wire.NBD_CMD_TRIM, wire.NBD_CMD_WRITE_ZEROES})
_NEEDS_ROOM: Final = frozenset({wire.NBD_CMD_WRITE, wire.NBD_CMD_WRITE_ZEROES})
_CARRIES_DATA: Final = frozenset({wire.NBD_CMD_READ, wire.NBD_CMD_WRITE})


class Ending(Enum):
    """Why no more requests come."""

    DISC = "the client disconnected"
    BAD_MAGIC = "a request did not begin with NBD_REQUEST_MAGIC"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an export allows: its size and the longest READ or WRITE in bytes, and whether it may be written.

    Long payloads of blocks of ``block_size`` bytes come in pieces that end at multiples of ``piece_size``.
    """

    size: int
    max_length: int
    read_only: bool
    block_size: int
    piece_size: int


def error_reply(error: int, cookie: bytes) -> bytes:
    """The simple reply to a request that failed with one of the protocol's error values."""
    return wire.SIMPLE_REPLY.pack(wire.NBD_SIMPLE_REPLY_MAGIC, error, cookie)


def refusal(bounds: Bounds, command: int, flags: int, offset: int, length: int) -> int:
    """The error value that the request as such deserves, 0 if none ("Error values").

    A length of 0 is left open by the protocol: it is EINVAL here, as in nbdkit, for all but FLUSH, where it must be 0.
    """
    if flags & ~_VALID_FLAGS.get(command, 0):
        return wire.NBD_EINVAL
    if command not in _VALID_FLAGS:
        return wire.NBD_EINVAL
    if command == wire.NBD_CMD_FLUSH:
        return wire.NBD_EINVAL if offset or length else 0
    if bounds.read_only and command in _CHANGES:
        return wire.NBD_EPERM
    if not length or (length > bounds.max_length and command in _CARRIES_DATA):
        return wire.NBD_EINVAL
    if offset + length > bounds.size:
        return wire.NBD_ENOSPC if command in _NEEDS_ROOM else wire.NBD_EINVAL
    return 0


class Transmission:
    """One connection's stream of requests.

    Put input where :meth:`get_buffer` says, tell :meth:`received` how much, and go through :meth:`requests`; that may
    be left early, and :meth:`resume` goes on from there. What is quicker done by the dozen comes from :meth:`run`, if
    that is asked before. After each round call :meth:`park`: until the next
    ``get_buffer`` or ``resume`` the shared buffer is others'. When ``ending`` is set nothing more comes.

    A payload in one piece is a view of a buffer that is used again as soon as the next request is asked for:
    :meth:`keep` it if it must live longer.
    """

    def __init__(self, bounds: Bounds, arena: Arena) -> None:
        self.ending: Ending | None = None
        self._bounds = bounds
        self._readable = bounds.size
        self._writable = 0 if bounds.read_only else bounds.size
        self._stopping = False
        self._arena = arena
        self._data = arena.view
        self._position = 0
        self._end = 0
        self._carried = b""
        self._buffer: Buffer | Pieces | None = None
        self._lent: Buffer | None = None
        self._pending: Request | None = None
        self._swallow = 0
        self._expects_long = False

    @property
    def midway(self) -> bool:
        """Whether the rest of a long payload is still to come."""
        return self._buffer is not None and self._buffer.length > MAX_COPIED_PAYLOAD

    def get_buffer(self) -> memoryview:
        """Where the next input goes."""
        if self._buffer is not None:
            return self._buffer.room()
        view = self._arena.view
        if not self._carried:
            # Behind a long write there comes another, as a rule: from its first byte on it is received where it stays.
            return view[: wire.REQUEST.size] if self._expects_long else view
        carried = len(self._carried)
        view[:carried] = self._carried
        return view[carried:]

    def received(self, count: int) -> bool:
        """``count`` bytes were put into the buffer that :meth:`get_buffer` gave last. Whether there may be something to
        go through; else nothing needs parking either."""
        if self._buffer is not None:
            self._buffer.received(count)
            return self._buffer.complete
        self._data = self._arena.view
        self._end = len(self._carried) + count
        self._expects_long = False
        return True

    def resume(self) -> None:
        """Go on with what was parked."""
        self._data = memoryview(self._carried)
        self._end = len(self._carried)

    def park(self) -> None:
        """Let go of the shared buffer; what was not parsed is kept aside."""
        self._carried = bytes(self._data[self._position : self._end]) if self._position < self._end else b""
        self._data = self._arena.view
        self._position = self._end = 0

    def shut_down(self) -> None:
        """From now on every request is refused with ESHUTDOWN."""
        self._stopping = True
        self._readable = self._writable = 0

    def keep(self, payload: Payload) -> bytearray:
        """The payload of the request that came last, in a buffer that nobody will use again."""
        if isinstance(payload, list):
            return bytearray().join(payload)
        if self._lent is None:
            return bytearray(payload)
        kept, self._lent = self._lent.take(), None
        return kept

    def run(self) -> Run | None:
        """The requests that come next, where many are alike; :meth:`skip` those that are answered."""
        if self._pending is not None:
            return None
        run = find_run(self._data, self._position, self._end, self._readable, self._writable)
        return run if run is not None and run.length <= self._bounds.max_length else None

    def skip(self, run: Run, count: int) -> None:
        """Go on behind the first ``count`` requests of the run that :meth:`run` gave last."""
        self._position += count * run.stride

    def requests(self) -> Iterator[Request]:
        """Every complete request that has come, one after the other."""
        if self._pending is not None:
            if (request := self._continued()) is None:
                return
            yield request
            self._return_payload()
        data, position, end = self._data, self._position, self._end
        unpack_from, header = wire.REQUEST.unpack_from, wire.REQUEST.size
        max_length = self._bounds.max_length
        while end - position >= header:
            magic, flags, command, cookie, offset, length = unpack_from(data, position)
            if magic != wire.NBD_REQUEST_MAGIC:
                self.ending = Ending.BAD_MAGIC
                return
            in_size = 0 < length <= max_length
            if command == wire.NBD_CMD_READ and not flags and in_size and offset + length <= self._readable:
                self._position = position = position + header
                yield 0, command, flags, cookie, offset, length, None
            elif command == wire.NBD_CMD_WRITE and flags <= 1 and in_size and offset + length <= self._writable:
                start = position + header
                if end - start < length:
                    self._await_payload(command, flags, cookie, offset, length)
                    return
                self._position = position = start + length
                yield 0, command, flags, cookie, offset, length, data[start:position]
            else:
                request = self._unusual(command, flags, cookie, offset, length)
                if request is None:
                    return
                position = self._position
                yield request

    def _continued(self) -> Request | None:
        """The request that began in an earlier round, if it is complete now."""
        assert self._pending is not None
        buffer = self._buffer
        if buffer is None:
            return self._swallowed()
        if not buffer.complete:
            return None
        error, command, flags, cookie, offset, length, _ = self._pending
        self._buffer = self._pending = None
        if isinstance(buffer, Pieces):
            self._expects_long = True
            return error, command, flags, cookie, offset, length, buffer.pieces
        self._lent = buffer
        return error, command, flags, cookie, offset, length, buffer.view()

    def _return_payload(self) -> None:
        if self._lent is not None:
            self._lent.give_back()
            self._lent = None

    def _await_payload(self, command: int, flags: int, cookie: bytes, offset: int, length: int) -> None:
        block_size = self._bounds.block_size
        in_blocks = block_size < length and not offset % block_size and not length % block_size
        if not in_blocks and length <= min(MAX_CARRIED_PAYLOAD, len(self._arena.view) // 2):
            return
        self._pending = (0, command, flags, cookie, offset, length, None)
        self._position += wire.REQUEST.size
        size = self._bounds.piece_size
        in_pieces = in_blocks and length > MAX_COPIED_PAYLOAD
        self._buffer = Pieces(offset, length, size) if in_pieces else Buffer(self._arena, length)
        self._buffer.put(self._data[self._position : self._end])
        self._position = self._end

    def _unusual(self, command: int, flags: int, cookie: bytes, offset: int, length: int) -> Request | None:
        if command == wire.NBD_CMD_DISC:
            self.ending = Ending.DISC
            return None
        self._position += wire.REQUEST.size
        error = wire.NBD_ESHUTDOWN if self._stopping else refusal(self._bounds, command, flags, offset, length)
        request = (error, command, flags, cookie, offset, length, None)
        if command != wire.NBD_CMD_WRITE:
            return request
        self._pending = request
        self._swallow = length
        return self._swallowed()

    def _swallowed(self) -> Request | None:
        """Skip the payload of a WRITE that is refused; give the request once that is done."""
        skipped = min(self._swallow, self._end - self._position)
        self._position += skipped
        self._swallow -= skipped
        if self._swallow:
            return None
        request, self._pending = self._pending, None
        return request
