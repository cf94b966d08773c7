"""What a companion sends (PROTOCOL.md, "Transport"), so that none of it takes more memory than it may.

The websocket counts the bytes of a message that is not whole yet, but not its fragments, and keeps them all: it would
take any number of empty ones, each of which is two bytes on its way and a hundred times as many in memory. Pings it
answers at once, whether or not anybody reads the answers.
"""

from __future__ import annotations

from typing import Final

from websockets.asyncio.client import ClientConnection

MAX_MESSAGE: Final = 8 << 20
"""The most bytes in a message, whole or not."""
LEAST: Final = 64
"""What a fragment counts as at least."""


_MAX_ANSWERS: Final = 1 << 20
"""The most bytes of answers to pings that may wait to be read."""


class BoundedConnection(ClientConnection):
    """A websocket that is cut where the other side pings and does not read."""

    _answers = 0

    def data_received(self, data: bytes) -> None:
        """Called by the event loop. What has to be sent afterwards and not before is answers."""
        before = self.transport.get_write_buffer_size()
        if before == 0:
            self._answers = 0
        super().data_received(data)
        self._answers += self.transport.get_write_buffer_size() - before
        if self._answers > _MAX_ANSWERS:
            self.transport.abort()


class TooLarge(Exception):
    """A message that has grown larger than any may be; the connection is of no use any more."""


async def receive(socket: ClientConnection) -> str | bytes:
    """The next message. Errors: :class:`TooLarge` as soon as it is, ``ConnectionClosed``.

    Whoever gives up waiting, or is told of an error, must not call again: the websocket has lost its place.
    """
    text: list[str] = []
    data: list[bytes] = []
    size = 0
    async for piece in socket.recv_streaming():
        size += max(LEAST, len(piece))
        if size > MAX_MESSAGE:
            raise TooLarge
        if isinstance(piece, str):
            text.append(piece)
        else:
            data.append(piece)
    return "".join(text) if text else b"".join(data)
