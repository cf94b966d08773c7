"""The bridge to a companion, for threads that may wait: it keeps one connection, and makes a new one when that is lost.

A request waits for a connection, and is made again on the next one where it was lost, until its time is over; then it
is an ``OSError`` (EIO), and the companion's answer, should it come, is let go.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import errno
import inspect
import logging
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, Protocol, TypeVar

from bbd.errors import BbdError
from bbd.worlds.live.access import Access
from bbd.worlds.live.codes import BridgeError, Code
from bbd.worlds.live.dialing import open_link
from bbd.worlds.live.frames import Confirmed
from bbd.worlds.live.link import Link, LinkLost
from bbd.worlds.live.messages import Push
from bbd.worlds.live.sentences import explain

logger = logging.getLogger("bbd.live")
T = TypeVar("T")

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0
_LEAVING: Final = 1.0
"""Seconds in which a server may still have to notice that the bbd which used a disk has ended."""
_GLANCE: Final = 1.0
_FINAL: Final = frozenset(
    {Code.UNAUTHORIZED, Code.VERSION, Code.NO_SUCH_DISK, Code.IN_USE, Code.BAD_PALETTE, Code.DAMAGED}
)
"""Errors that no second try mends; at the start they end the attempt, later the next server may be another one."""


class Opening(Protocol):
    """Something that every new connection must be given before it is used: an open disk."""

    async def attach(self, link: Link) -> int:
        """Open on this connection; return the handle. Raises :class:`BridgeError`, :class:`LinkLost`."""

    def detached(self) -> None:
        """The connection is gone."""

    def pushed(self, push: Push | Confirmed) -> None:
        """Something came unasked for this handle."""


class Bridge:
    """Any thread may call, except for the bridge's own. ``timeout`` is in seconds.

    ``news`` is asked, on the bridge's loop, what else is known of the server, when there is no connection.
    """

    def __init__(self, access: Access, timeout: float, news: Callable[[], Awaitable[str]] | None = None) -> None:
        self.access = access
        self.timeout = timeout
        self._news = news
        self._instance = str(uuid.uuid4())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="bbd-bridge", daemon=True)
        self._openings: list[Opening] = []
        self._handles: dict[int, Opening] = {}
        self._link: Link | None = None
        self._up = asyncio.Event()
        self._why = LinkLost("it was not tried yet")
        self._keeping: asyncio.Task[None] | None = None
        self._hurried = False
        self._gave_up: float | None = None

    def start(self) -> None:
        """Connect. Raises :class:`BbdError` where that can't be, or not before the time is over."""
        self._thread.start()
        try:
            self._run(self._begin())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Say goodbye, as far as somebody listens, and end; who still waits gets EIO."""
        if self._loop.is_closed() or not self._thread.is_alive():
            return
        with contextlib.suppress(OSError, concurrent.futures.CancelledError):
            self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hurry(self) -> None:
        """From now on, where one request had no answer in time, those after it wait for none until the companion has
        said something again: the end is near, and what can't be brought over stays in the journal."""
        self._hurried = True

    def ask(self, do: str, **values: object) -> Any:
        """Make a request in text, on any connection. Errors: :class:`BridgeError`, ``OSError``."""
        return self.call(lambda link: link.ask(do, **values))

    def hello(self) -> Mapping[str, Any]:
        """What the companion said of itself."""

        async def said(link: Link) -> Mapping[str, Any]:
            return link.hello

        return self.call(said)

    def add(self, opening: Opening) -> None:
        """Open something, now and on every later connection. Raises :class:`BbdError` where that can't be."""
        deadline = time.monotonic() + _LEAVING
        while True:
            try:
                self._open(opening)
            except BridgeError as error:
                if error.code != Code.IN_USE or time.monotonic() > deadline:
                    raise self._refusal(error) from None
                time.sleep(FIRST_PAUSE)
            else:
                break
        self._openings.append(opening)

    def reopen(self, opening: Opening) -> None:
        """Open something anew on this connection. Errors as of :meth:`add`."""
        try:
            self._open(opening)
        except BridgeError as error:
            raise self._refusal(error) from None

    def _open(self, opening: Opening) -> None:
        async def attach(link: Link) -> None:
            self._handles[await opening.attach(link)] = opening

        self.call(attach)

    def _refusal(self, error: BridgeError) -> BbdError:
        return BbdError(explain(self.access, LinkLost(error.message, error.code, error.more)))

    def call(self, work: Callable[[Link], Awaitable[T]]) -> T:
        """Do something on a connection; where that is lost, do it again on the next one."""
        return self.wait(self._repeat(work))

    def post(self, work: Callable[[], None]) -> None:
        """Do something on the bridge's loop, some time."""
        with contextlib.suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(work)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the bridge's loop, as long as time is left. Errors: ``OSError``."""
        try:
            return self._run(self._limited(work))
        finally:
            if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
                work.close()  # the loop has ended

    async def link(self) -> Link:
        """The connection, as soon as there is one. On the bridge's loop."""
        while self._link is None:
            await self._up.wait()
        return self._link

    @property
    def why(self) -> str:
        """Why there is no connection."""
        return self._why.why

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            raise OSError(errno.EIO, "the bridge is closed") from None
        while True:
            try:
                return future.result(_GLANCE)
            except concurrent.futures.CancelledError:
                break
            except TimeoutError:
                if future.done():
                    raise
                if not self._thread.is_alive():
                    break  # it ended before it came to this
        raise OSError(errno.EIO, "the bridge was closed") from None

    async def _limited(self, work: Coroutine[Any, Any, T]) -> T:
        patience = self._patience()
        try:
            async with asyncio.timeout(patience):
                return await work
        except TimeoutError:
            if patience:  # else nobody waited, and what was said meanwhile still counts
                self._gave_up = self._loop.time()
            down = f"the bridge to {self.access.url} is down ({self.why}) and did not come back"
            what = down if self._link is None else "the server gave no answer"
            raise OSError(errno.EIO, f"{what} within {self.timeout:g} s") from None

    def _patience(self) -> float:
        if not self._hurried or self._gave_up is None:
            return self.timeout
        return self.timeout if self._link is not None and self._link.heard > self._gave_up else 0

    async def _repeat(self, work: Callable[[Link], Awaitable[T]]) -> T:
        while True:
            link = await self.link()
            try:
                return await work(link)
            except LinkLost:
                self.lost(link)

    # -- keeping a connection --------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """The first connection: what no second try mends is told at once."""
        deadline = time.monotonic() + self.timeout
        pause = FIRST_PAUSE
        said = ""
        while True:
            try:
                link = await self._connect()
            except LinkLost as lost:
                if lost.final or lost.code in _FINAL or time.monotonic() + pause > deadline:
                    raise BbdError(explain(self.access, lost)) from None
                said = await self._tell(lost, said)
            else:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self._keeping = asyncio.create_task(self._keep(link))

    async def _keep(self, link: Link) -> None:
        while True:
            self._why = await link.ended()
            self.lost(link)
            began = time.monotonic()
            link = await self._reconnect()
            logger.warning("the bridge to %s is back, after %.1f s", self.access.url, time.monotonic() - began)

    async def _reconnect(self) -> Link:
        pause = FIRST_PAUSE
        said = await self._tell(self._why, "")
        while True:
            try:
                return await self._connect()
            except LinkLost as lost:
                self._why = lost
                said = await self._tell(lost, said)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _tell(self, lost: LinkLost, said: str) -> str:
        """Log why there is no connection, unless that was ``said``; return what is said now."""
        why = explain(self.access, lost)
        if why != said:
            news = "" if self._news is None else f"; {await self._news()}"
            logger.warning("%s%s; trying again", why, news)
        return why

    async def _connect(self) -> Link:
        self._handles.clear()
        link = await open_link(self.access, self._instance, self._pushed)
        try:
            for opening in list(self._openings):
                self._handles[await opening.attach(link)] = opening
        except BridgeError as error:
            await link.close()
            raise LinkLost(error.message, error.code, error.more) from None
        except BaseException:
            await link.close()
            raise
        self._link = link
        self._up.set()
        return link

    def lost(self, link: Link) -> None:
        """This connection is not to be used any more. On the bridge's loop."""
        if self._link is not link:
            return
        self._link = None
        self._up.clear()
        self._handles.clear()
        for opening in self._openings:
            opening.detached()

    async def _end(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
        link = self._link
        if link is not None:
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(link.ask("bye"), self._patience())
            await link.close()
            self.lost(link)
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()

    def _pushed(self, push: Push | Confirmed) -> None:
        number = push.disk if isinstance(push, Confirmed) else push.values.get("disk")
        if isinstance(push, Push) and push.push == "stopping":
            logger.warning("the server at %s stops: %s", self.access.where, push.values.get("reason", ""))
        elif isinstance(number, int) and (opening := self._handles.get(number)) is not None:
            opening.pushed(push)
