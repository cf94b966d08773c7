"""Keeping a connection to a companion: a new one is made when it is lost, with all on it that was open on the last.

All of it runs on one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from bbd.errors import BbdError
from bbd.worlds.live.access import Access
from bbd.worlds.live.codes import BridgeError, Code
from bbd.worlds.live.dialing import open_link
from bbd.worlds.live.frames import Confirmed
from bbd.worlds.live.link import Link, LinkLost
from bbd.worlds.live.messages import Push
from bbd.worlds.live.sentences import explain

logger = logging.getLogger("bbd.live")

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 2.0
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


class KeptLink:
    """The connection to one companion, from :meth:`begin` to :meth:`end`. ``timeout`` is in seconds.

    ``news`` is asked what else is known of the server, when there is no connection.
    """

    def __init__(self, access: Access, timeout: float, news: Callable[[], Awaitable[str]] | None = None) -> None:
        self._access = access
        self._timeout = timeout
        self._news = news
        self._instance = str(uuid.uuid4())
        self._openings: list[Opening] = []
        self._handles: dict[int, Opening] = {}
        self._up = asyncio.Event()
        self._why = LinkLost("it was not tried yet")
        self._keeping: asyncio.Task[None] | None = None
        self.now: Link | None = None
        """The connection, while there is one."""

    @property
    def why(self) -> str:
        """Why there is no connection."""
        return self._why.why

    async def link(self) -> Link:
        """The connection, as soon as there is one."""
        while self.now is None:
            await self._up.wait()
        return self.now

    async def attach(self, opening: Opening, link: Link) -> None:
        """Open something on this connection. Raises :class:`BridgeError`, :class:`LinkLost`."""
        self._handles[await opening.attach(link)] = opening

    def keep(self, opening: Opening) -> None:
        """Open it on every later connection, too."""
        self._openings.append(opening)

    async def begin(self) -> None:
        """Make the first connection. Raises :class:`BbdError` where that can't be, or not before the time is over: what
        no second try mends is told at once."""
        deadline = time.monotonic() + self._timeout
        pause = FIRST_PAUSE
        said = ""
        while True:
            try:
                link = await self._connect()
            except LinkLost as lost:
                if lost.final or lost.code in _FINAL or time.monotonic() + pause > deadline:
                    raise BbdError(explain(self._access, lost)) from None
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
            logger.warning("the bridge to %s is back, after %.1f s", self._access.url, time.monotonic() - began)

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
        why = explain(self._access, lost)
        if why != said:
            news = "" if self._news is None else f"; {await self._news()}"
            logger.warning("%s%s; trying again", why, news)
        return why

    async def _connect(self) -> Link:
        self._handles.clear()
        link = await open_link(self._access, self._instance, self._pushed)
        try:
            for opening in list(self._openings):
                await self.attach(opening, link)
        except BridgeError as error:
            await link.close()
            raise LinkLost(error.message, error.code, error.more) from None
        except BaseException:
            await link.close()
            raise
        self.now = link
        self._up.set()
        return link

    def lost(self, link: Link) -> None:
        """This connection is not to be used any more."""
        if self.now is not link:
            return
        self.now = None
        self._up.clear()
        self._handles.clear()
        for opening in self._openings:
            opening.detached()

    async def end(self, patience: float) -> None:
        """Say goodbye, waiting for no more than ``patience`` seconds for an answer, and make no other connection."""
        if self._keeping is not None:
            self._keeping.cancel()
        link = self.now
        if link is not None:
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(link.ask("bye"), patience)
            await link.close()
            self.lost(link)

    def _pushed(self, push: Push | Confirmed) -> None:
        number = push.disk if isinstance(push, Confirmed) else push.values.get("disk")
        if isinstance(push, Push) and push.push == "stopping":
            logger.warning("the server at %s stops: %s", self._access.where, push.values.get("reason", ""))
        elif isinstance(number, int) and (opening := self._handles.get(number)) is not None:
            opening.pushed(push)
