"""One connection to a companion: requests go out, answers come back in any order, pushes are handed on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from bbd import __version__
from bbd.worlds.live.budget import Budget
from bbd.worlds.live.codes import BridgeError, Code, Refusal, code_of_close
from bbd.worlds.live.frames import Columns, Confirmed, Read, ReadEntry, Write, WriteEntry, Written, parse_companion
from bbd.worlds.live.incoming import TooLarge, receive
from bbd.worlds.live.messages import MAX_ID, Answer, Failure, Note, Push, Request
from bbd.worlds.live.messages import parse_companion as parse_text

VERSION: Final = 1
CLOSE_SECONDS: Final = 2.0
_TOO_LARGE: Final = "a message of more than 8 MiB, or in too many fragments"

Reply: TypeAlias = Answer | Columns | Written


class LinkLost(ConnectionError):
    """The connection is gone, or never came to be; ``code`` is the error that ended it, if the companion said one.
    ``final``: there is something, but no companion that could be spoken to."""

    def __init__(
        self, why: str, code: Code | None = None, more: Mapping[str, Any] | None = None, *, final: bool = False
    ) -> None:
        super().__init__(why)
        self.final = final
        self.why = why
        self.code = code
        self.more = more or {}


@dataclass(frozen=True, slots=True)
class Limits:
    """What the companion lets be on its way (PROTOCOL.md, "Flow control")."""

    requests: int = 256
    columns: int = 32
    read_columns: int = 256
    write_bytes: int = 32 << 20


@dataclass(slots=True)
class _Pending:
    answer: asyncio.Future[Reply]
    release: Callable[[], None]


class Link:
    """One connection that has said hello. Its methods run on the loop that opened it.

    ``hello`` is what the companion said of itself. A request that is given up keeps its place in the budgets until it
    is answered, because that is what the companion counts.
    """

    def __init__(self, socket: ClientConnection, pushed: Callable[[Push | Confirmed], None]) -> None:
        self._socket = socket
        self._pushed = pushed
        self._last_id = 0
        self._pending: dict[int, _Pending] = {}
        self._lost: LinkLost | None = None
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self.limits = Limits()
        self.hello: Mapping[str, Any] = {}
        self.heard = asyncio.get_running_loop().time()
        """When the companion said something last, in the loop's time."""
        self._set_limits(self.limits)

    def _set_limits(self, limits: Limits) -> None:
        self.limits = limits
        self._requests = Budget(limits.requests)
        self._read_columns = Budget(limits.read_columns)
        self._write_bytes = Budget(limits.write_bytes)

    @property
    def capabilities(self) -> frozenset[str]:
        """What the companion can do beyond the rest."""
        return frozenset(str(word) for word in self.hello.get("capabilities", ()))

    async def ask(self, do: str, **values: object) -> Mapping[str, Any]:
        """Make a request in text. Raises :class:`BridgeError` where it is refused, :class:`LinkLost`."""
        requests = self._requests
        await requests.take(1)
        number, answer = self._expect(lambda: requests.give(1))
        self._outgoing.put_nowait(Request(number, do, values).dump())
        reply = await answer
        if not isinstance(reply, Answer):
            raise self._broken(f"a binary frame answers {do}")
        return reply.ok

    async def read(self, disk: int, entries: Sequence[ReadEntry]) -> Columns:
        """Make a READ. Errors as of :meth:`ask`."""
        columns = await self._read_columns.take(len(entries))
        await self._requests.take(1)

        def release() -> None:
            self._requests.give(1)
            self._read_columns.give(columns)

        number, answer = self._expect(release)
        self._outgoing.put_nowait(Read(number, disk, entries).pack())
        reply = await answer
        if not isinstance(reply, Columns) or reply.disk != disk or not _same(reply.entries, entries):
            raise self._broken("the answer to a READ is not about its columns")
        return reply

    async def write(self, disk: int, entries: Sequence[WriteEntry]) -> Written:
        """Make a WRITE. Errors as of :meth:`ask`."""
        size = sum(48 + len(entry.body) for entry in entries) + 16
        taken = await self._write_bytes.take(size)
        await self._requests.take(1)

        def release() -> None:
            self._requests.give(1)
            self._write_bytes.give(taken)

        number, answer = self._expect(release)
        self._outgoing.put_nowait(Write(number, disk, entries).pack())
        reply = await answer
        if not isinstance(reply, Written) or reply.disk != disk or not _same(reply.entries, entries):
            raise self._broken("the answer to a WRITE is not about its columns")
        return reply

    def tell(self, note: str, **values: object) -> None:
        """Say something that wants no answer."""
        self._outgoing.put_nowait(Note(note, values).dump())

    def start(self) -> None:
        """Begin to send and to receive."""
        self._tasks = [asyncio.create_task(self._send_all()), asyncio.create_task(self._receive_all())]

    async def ended(self) -> LinkLost:
        """Return when the connection is over, with the reason."""
        await asyncio.wait(self._tasks[1:])
        return self._end()

    async def _send_all(self) -> None:
        """One frame after the other. A queue of our own, so that giving up a request never leaves half of it sent."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._socket.send(await self._outgoing.get())

    async def _receive_all(self) -> None:
        last_word = CloseCode.NORMAL_CLOSURE
        try:
            while True:
                self._receive(await receive(self._socket))
                self.heard = asyncio.get_running_loop().time()
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code == CloseCode.MESSAGE_TOO_BIG:
                self._broken(_TOO_LARGE)
        except TooLarge:
            self._broken(_TOO_LARGE)
            last_word = CloseCode.MESSAGE_TOO_BIG
        except Refusal as refusal:
            self._broken(str(refusal))
        except LinkLost:
            pass
        finally:
            self._end()
            self._tasks[0].cancel()
            await self.close(last_word)

    async def close(self, code: CloseCode = CloseCode.NORMAL_CLOSURE) -> None:
        """Close the connection; what was unanswered is lost."""
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._socket.close(code), CLOSE_SECONDS)
        self._end()

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._socket.transport.abort()

    async def say_hello(self, token: str, instance: str) -> None:
        """The first request. Raises :class:`LinkLost` where the companion doesn't take it."""
        try:
            self.hello = await self.ask(
                "hello", versions=[VERSION], token=token, client=f"bbd {__version__}", instance=instance
            )
        except BridgeError as error:
            raise LinkLost(error.message, error.code, error.more) from None
        if self.hello.get("version") != VERSION:
            raise LinkLost(f"it answers with version {self.hello.get('version')!r}", Code.VERSION)
        self._set_limits(_limits(self.hello.get("limits")))
        # The request for hello has been answered, so nothing is owed to the budgets that went.

    def _expect(self, release: Callable[[], None]) -> tuple[int, asyncio.Future[Reply]]:
        if self._lost is not None:
            release()
            raise self._lost
        while True:
            self._last_id = self._last_id % MAX_ID + 1
            if self._last_id not in self._pending:
                break
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[self._last_id] = _Pending(answer, release)
        return self._last_id, answer

    def _receive(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self._receive_text(data)
            return
        frame = parse_companion(data, self.limits.columns)
        if isinstance(frame, Confirmed):
            self._pushed(frame)
        else:
            self._settle(frame.id, frame)

    def _receive_text(self, text: str) -> None:
        message = parse_text(text)
        if isinstance(message, Push):
            self._pushed(message)
        elif isinstance(message, Answer):
            self._settle(message.id, message)
        elif message.id is None:
            raise self._end(LinkLost(message.message, message.code, message.more))
        else:
            self._settle(message.id, message)

    def _settle(self, number: int, reply: Reply | Failure) -> None:
        pending = self._pending.pop(number, None)
        if pending is None:
            raise Refusal(f"an answer to request {number}, which was not made")
        pending.release()
        if pending.answer.done():
            return  # whoever asked has given up
        if isinstance(reply, Failure):
            pending.answer.set_exception(BridgeError(reply.code, reply.message, reply.more))
        else:
            pending.answer.set_result(reply)

    def _broken(self, why: str) -> LinkLost:
        return self._end(LinkLost(f"the companion doesn't keep to the protocol: {why}", Code.BAD_FRAME))

    def _end(self, lost: LinkLost | None = None) -> LinkLost:
        """The connection is over: everybody who waits is told, the first reason stays."""
        if self._lost is None:
            self._lost = lost or _why(self._socket)
            for pending in self._pending.values():
                pending.release()
                if not pending.answer.done():
                    pending.answer.set_exception(self._lost)
                    pending.answer.exception()  # told, even where nobody waits any more
            self._pending.clear()
        return self._lost


def _limits(said: object) -> Limits:
    if not isinstance(said, dict):
        return Limits()
    names = ("requests", "columns", "read_columns", "write_bytes")
    found = {name: said[name] for name in names if isinstance(said.get(name), int) and said[name] > 0}
    return Limits(**found)


def _same(entries: Sequence[Any], asked: Sequence[Any]) -> bool:
    return [(one.x, one.z) for one in entries] == [(one.x, one.z) for one in asked]


def _why(socket: ClientConnection) -> LinkLost:
    code = code_of_close(socket.close_code)
    if socket.close_code == 1001:
        return LinkLost("the server stops", Code.STOPPING)
    if code is not None:
        return LinkLost(socket.close_reason or code.word, code)
    return LinkLost("the connection was cut")
