"""The bridge to a companion, for threads that may wait: what they ask goes over the one connection that is kept.

A request waits for a connection, and is made again on the next one where it was lost, until its time is over; then it
is an ``OSError`` (EIO), and the companion's answer, should it come, is let go.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import errno
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, TypeVar

from bbd.errors import BbdError
from bbd.worlds.live.access import Access
from bbd.worlds.live.codes import BridgeError, Code
from bbd.worlds.live.keeping import FIRST_PAUSE, KeptLink, Opening
from bbd.worlds.live.link import CLOSE_SECONDS, Link, LinkLost
from bbd.worlds.live.sentences import explain

T = TypeVar("T")

_LEAVING: Final = 1.0
"""Seconds in which a server may still have to notice that the bbd which used a disk has ended."""
_GLANCE: Final = 1.0


class Bridge:
    """Any thread may call, except for the bridge's own. ``timeout`` is in seconds.

    ``news`` is asked, on the bridge's loop, what else is known of the server, when there is no connection.
    """

    def __init__(self, access: Access, timeout: float, news: Callable[[], Awaitable[str]] | None = None) -> None:
        self.access = access
        self.timeout = timeout
        self._kept = KeptLink(access, timeout, news)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="bbd-bridge", daemon=True)
        self._hurried = False
        self._gave_up: float | None = None

    def start(self) -> None:
        """Connect. Raises :class:`BbdError` where that can't be, or not before the time is over."""
        self._thread.start()
        try:
            self._run(self._kept.begin())
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
        self._kept.keep(opening)

    def reopen(self, opening: Opening) -> None:
        """Open something anew on this connection. Errors as of :meth:`add`."""
        try:
            self._open(opening)
        except BridgeError as error:
            raise self._refusal(error) from None

    def _open(self, opening: Opening) -> None:
        self.call(lambda link: self._kept.attach(opening, link))

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

    def link(self) -> Awaitable[Link]:
        """The connection, as soon as there is one. On the bridge's loop."""
        return self._kept.link()

    def lost(self, link: Link) -> None:
        """This connection is not to be used any more. On the bridge's loop."""
        self._kept.lost(link)

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
            down = f"the bridge to {self.access.url} is down ({self._kept.why}) and did not come back"
            what = down if self._kept.now is None else "the server gave no answer"
            raise OSError(errno.EIO, f"{what} within {self.timeout:g} s") from None

    def _patience(self) -> float:
        if not self._hurried or self._gave_up is None:
            return self.timeout
        link = self._kept.now
        return self.timeout if link is not None and link.heard > self._gave_up else 0

    async def _repeat(self, work: Callable[[Link], Awaitable[T]]) -> T:
        while True:
            link = await self.link()
            try:
                return await work(link)
            except LinkLost:
                self.lost(link)

    async def _end(self) -> None:
        await self._kept.end(self._patience())
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        if others:
            # One of them may be closing a connection that was being made.
            await asyncio.wait(others, timeout=2 * CLOSE_SECONDS)
