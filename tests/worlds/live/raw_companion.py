"""A companion whose every websocket frame a test writes itself, to one client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as HttpRequest
from websockets.server import ServerProtocol

from bbd.worlds.live.access import Access
from bbd.worlds.live.dialing import open_link
from bbd.worlds.live.frames import Confirmed, Read, parse_client
from bbd.worlds.live.link import Link
from bbd.worlds.live.messages import Answer, Push, Request
from bbd.worlds.live.messages import parse_client as parse_text
from tests.worlds.live.fake_companion.state import LIMITS, TOKEN

CONTROL: Final = frozenset({Opcode.PING, Opcode.PONG, Opcode.CLOSE})


def begun(data: bytes, kind: Opcode = Opcode.BINARY) -> Frame:
    """The first fragment of a message that goes on."""
    return Frame(kind, data, fin=False)


def more(data: bytes) -> Frame:
    """A fragment from a message's middle."""
    return Frame(Opcode.CONT, data, fin=False)


def last(data: bytes) -> Frame:
    """The fragment that ends a message."""
    return Frame(Opcode.CONT, data)


def fragments(pieces: Iterable[bytes], kind: Opcode = Opcode.BINARY) -> list[Frame]:
    """A message of these pieces, each in a fragment of its own; of a single one, the whole message."""
    all_pieces = list(pieces)
    kinds = [kind] + [Opcode.CONT] * (len(all_pieces) - 1)
    ends = [False] * (len(all_pieces) - 1) + [True]
    return [Frame(one, data, fin=fin) for one, data, fin in zip(kinds, all_pieces, ends, strict=True)]


class RawCompanion:
    """The companion's side of a connection. Pings of the client are answered by themselves."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol(max_size=LIMITS["binary"])
        self._came: list[Frame] = []
        self.controls: list[tuple[Opcode, bytes]] = []
        """Pings, pongs and closes that the client has sent, in order."""

    async def send(self, frames: Iterable[Frame]) -> None:
        """Send frames just so; nothing of the library's comes between them."""
        self._writer.write(b"".join([frame.serialize(mask=False) for frame in frames]))
        await self._writer.drain()

    async def send_many(self, frame: Frame, count: int) -> None:
        """Send the same frame so many times, as quickly as can be."""
        self._writer.write(frame.serialize(mask=False) * count)
        await self._writer.drain()

    async def greet(self) -> None:
        """Shake hands, and answer hello."""
        while not (events := await self._receive()):
            pass
        assert isinstance(events[0], HttpRequest)
        self._protocol.send_response(self._protocol.accept(events[0]))
        self._flush()
        hello = parse_text((await self.message()).decode())
        assert isinstance(hello, Request)
        await self.answer(hello, {"version": 1, "limits": LIMITS})

    async def answer(self, request: Request, values: dict[str, object]) -> None:
        """Answer a request in one frame."""
        await self.send([Frame(Opcode.TEXT, Answer(request.id, values).dump().encode())])

    async def message(self) -> bytes:
        """The client's next message, which it does not cut."""
        while True:
            frame = await self.frame()
            if frame.opcode not in CONTROL:
                assert frame.fin
                return bytes(frame.data)

    async def frame(self) -> Frame:
        """The client's next frame, whatever it is. Errors: ``EOFError`` where none comes any more."""
        while not self._came:
            self._came += [event for event in await self._receive() if isinstance(event, Frame)]
        frame = self._came.pop(0)
        if frame.opcode in CONTROL:
            self.controls.append((frame.opcode, bytes(frame.data)))
        return frame

    async def request(self) -> Request:
        """The client's next message, which is a request in text."""
        request = parse_text((await self.message()).decode())
        assert isinstance(request, Request)
        return request

    async def read(self) -> Read:
        """The client's next message, which is a READ."""
        read = parse_client(await self.message())
        assert isinstance(read, Read)
        return read

    async def close_code(self) -> int:
        """With what the client closes the connection, if it says so; else 1006."""
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                frame = await self.frame()
                if frame.opcode is Opcode.CLOSE:
                    return int.from_bytes(frame.data[:2], "big")
        return CloseCode.ABNORMAL_CLOSURE

    def cut(self) -> None:
        """Cut the connection without a word, once what was sent is on its way."""
        self._writer.close()

    async def _receive(self) -> list[object]:
        data = await self._reader.read(1 << 16)
        if not data:
            raise EOFError
        self._protocol.receive_data(data)
        self._flush()
        return list(self._protocol.events_received())

    def _flush(self) -> None:
        self._writer.write(b"".join(self._protocol.data_to_send()))


@contextlib.asynccontextmanager
async def linked(
    companion: Callable[[RawCompanion], Awaitable[None]],
) -> AsyncIterator[tuple[Link, list[Push | Confirmed]]]:
    """A link to a companion that greets it and then does as told, and what was pushed. What fails there fails here."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw = RawCompanion(reader, writer)
        try:
            await raw.greet()
            await companion(raw)
        except BaseException as error:  # it is the test's to raise
            done.set_exception(error)
        else:
            done.set_result(None)
        finally:
            writer.close()

    pushed: list[Push | Confirmed] = []
    async with asyncio.timeout(30):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = await open_link(Access("127.0.0.1", port, False, TOKEN), "", pushed.append)
        try:
            yield link, pushed
            await done
        finally:
            await link.close()
            server.close()
