"""One connection: hello, and then requests that are answered side by side."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from bbd.worlds.live.codes import CLOSE_BASE, Code, Refusal
from bbd.worlds.live.frames import Write, parse_client
from bbd.worlds.live.messages import Answer, Failure, Note, Request
from bbd.worlds.live.messages import parse_client as parse_text
from tests.worlds.live.fake_companion.requests import Requests
from tests.worlds.live.fake_companion.sections import Sections
from tests.worlds.live.fake_companion.state import LIMITS, TOKEN, OpenDisk, Refused, until

if TYPE_CHECKING:
    from tests.worlds.live.fake_companion.companion import FakeCompanion


class Client:
    def __init__(self, companion: FakeCompanion, socket: ServerConnection) -> None:
        self.socket = socket
        self.companion = companion
        self.instance = ""
        self.disks: dict[int, OpenDisk] = {}
        self._unanswered: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sections = Sections(self)
        self._requests = Requests(self)

    async def run(self) -> None:
        try:
            await self._hello()
            while True:
                await self._receive(await self.socket.recv())
        except ConnectionClosed:
            pass
        except Refusal as refusal:
            await self.close(refusal.code, str(refusal))
        except Refused as refused:
            await self.close(refused.code, str(refused))

    def gone(self) -> None:
        for task in self._tasks:
            task.cancel()
        for disk in self.disks.values():
            if self.companion.open_disks.get(disk.name) is disk:
                del self.companion.open_disks[disk.name]
                self.companion.left.setdefault(disk.name, set()).update(disk.unconfirmed)
                if not self.companion.dying and self.companion.saves:
                    self.companion.save_left(disk.name)

    async def send(self, frame: str | bytes) -> None:
        cut = self.companion.manners.cut
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(frame if cut is None or isinstance(frame, str) else cut(frame))

    async def close(self, code: Code, message: str) -> None:
        await self.send(Failure(None, code.word, message).dump())
        with contextlib.suppress(ConnectionClosed):
            await self.socket.close(CLOSE_BASE + code, message[:100])

    async def _hello(self) -> None:
        try:
            async with asyncio.timeout(5):
                first = await self.socket.recv()
        except TimeoutError:
            raise Refused(Code.TOO_LATE) from None
        if not isinstance(first, str) or len(first) > 4096:
            raise Refusal("no hello")
        request = parse_text(first)
        if not isinstance(request, Request) or request.do != "hello":
            raise Refusal("no hello")
        values, manners = request.values, self.companion.manners
        if not hmac.compare_digest(values["token"].encode(), TOKEN.encode()):
            await self.send(Failure(request.id, "unauthorized", "the token is wrong").dump())
            raise Refused(Code.UNAUTHORIZED, "the token is wrong")
        if manners.version not in values["versions"]:
            more = {"versions": [manners.version]}
            await self.send(Failure(request.id, "version", "no common version", more).dump())
            raise Refused(Code.VERSION, "no common version")
        self.instance = values["instance"]
        self.companion.counts.hellos += 1
        said = {
            "version": manners.version,
            "companion": "fake 1",
            "capabilities": list(manners.capabilities),
            "server": {"name": "Fake", "version": "1", "minecraft": "26.1.2", "protocol": 775},
            "limits": LIMITS,
        }
        await self.send(Answer(request.id, said).dump())

    async def _receive(self, data: str | bytes) -> None:
        if isinstance(data, str):
            try:
                message = parse_text(data)
            except Refusal as refusal:
                if refusal.code != Code.BAD_REQUEST:
                    raise
                await self.send(Failure(json.loads(data)["id"], "bad_request", str(refusal)).dump())
                return
            if isinstance(message, Note):
                self.companion.counts.notes.append(message.values)
                return
            self._begin(message.id, self._requests.answer(message))
        else:
            frame = parse_client(data, LIMITS["columns"])
            # Applied in the order in which they come.
            work = self._sections.apply(frame) if isinstance(frame, Write) else self._sections.look(frame)
            self._begin(frame.id, work)

    def _begin(self, number: int, work: Callable[[], Awaitable[str | bytes]]) -> None:
        if number in self._unanswered:
            raise Refusal(f"id {number} is in use")
        self._unanswered.add(number)
        if len(self._unanswered) > LIMITS["requests"]:
            raise Refusal("too many requests", Code.LIMIT)
        self.spawn(self._answer(number, work))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that ends with the connection."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, work: Callable[[], Awaitable[str | bytes]]) -> None:
        manners = self.companion.manners
        try:
            reply = await work()
        except Refused as refused:
            reply = Failure(number, refused.code.word, str(refused), refused.more).dump()
        except (KeyError, TypeError, ValueError) as error:
            reply = Failure(number, "bad_request", repr(error)).dump()
        if manners.delay:
            await asyncio.sleep(manners.delay)
        await until(lambda: not manners.mute)
        if manners.garbage is not None:
            reply, manners.garbage = manners.garbage, None
        self._unanswered.discard(number)
        await self.send(reply)

    def disk(self, handle: object) -> OpenDisk:
        """The open disk of that handle."""
        if not isinstance(handle, int):
            raise TypeError("a handle is a number")
        disk = self.disks.get(handle)
        if disk is None or self.companion.open_disks.get(disk.name) is not disk:
            raise Refused(Code.NOT_OPEN)
        return disk
