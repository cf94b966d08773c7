"""A companion's messages, put together from their fragments (PROTOCOL.md, "Transport").

The websocket counts the bytes of a message that is not whole yet, but not its fragments, and keeps them all: it would
take any number of empty ones, each of which is two bytes on its way and a hundred times as many in memory.
"""

from __future__ import annotations

from typing import Final

from websockets.asyncio.client import ClientConnection

MAX_MESSAGE: Final = 8 << 20
"""The most bytes in a message, whole or not."""
LEAST: Final = 64
"""What a fragment counts as at least."""


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
