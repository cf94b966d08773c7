"""A disk that is open at a companion, on whatever connection there is just now."""

from __future__ import annotations

import errno
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bbd.geometry.interfaces import Codec
from bbd.worlds.live.bridge import Bridge
from bbd.worlds.live.codes import BridgeError, Code, Refusal
from bbd.worlds.live.frames import Confirmed
from bbd.worlds.live.link import Link, LinkLost
from bbd.worlds.live.messages import Push
from bbd.worlds.live.sections import AIR_ONLY, Sections

logger = logging.getLogger("bbd.live")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attachment:
    """The disk on one connection; all that it says holds for that connection only."""

    link: Link
    handle: int
    sections: Sections | None
    said: Mapping[str, Any]


class Watcher(Protocol):
    """Who wants to know what comes unasked. Called on the bridge's loop, so it must not block."""

    def attached(self) -> None:
        """The disk was opened anew: nobody knows what happened meanwhile, and stamps are void."""

    def detached(self) -> None:
        """The connection is gone."""

    def confirmed(self, frame: Confirmed) -> None:
        """Columns are confirmed, or can't be for now."""

    def changed(self, chunks: Sequence[tuple[int, int]]) -> None:
        """Somebody else changed these chunks."""


class OpenDisk:
    """The disk ``name``, open from :meth:`open` on until the bridge stops. Any thread may call.

    It is opened without a codec first, because only its files say which one it has: until :meth:`agree` the sections
    of a column can't be read.
    """

    def __init__(self, bridge: Bridge, name: str) -> None:
        self.bridge = bridge
        self.name = name
        self._codec: Codec | None = None
        self._watcher: Watcher | None = None
        self._attachment: Attachment | None = None

    def open(self) -> None:
        """Open it. Raises :class:`bbd.errors.BbdError` where that can't be."""
        self.bridge.add(self)

    def agree(self, codec: Codec, watcher: Watcher) -> None:
        """Agree on a codec's palette; from now on ``watcher`` hears of what comes. Errors as of :meth:`open`."""
        self._codec = codec
        self.bridge.reopen(self)
        self._watcher = watcher

    @property
    def said(self) -> Mapping[str, Any]:
        """What the companion said of the disk when it was opened last."""
        attachment = self._attachment
        return attachment.said if attachment is not None else {}

    def call(self, work: Callable[[Attachment], Awaitable[T]]) -> T:
        """Do something with the open disk, as :meth:`Bridge.call`."""
        return self.bridge.wait(self._repeat(work))

    def ask(self, do: str, **values: object) -> Mapping[str, Any]:
        """Make a request about the disk, in text. Errors: :class:`BridgeError`, ``OSError``."""
        return self.call(lambda attachment: attachment.link.ask(do, disk=attachment.handle, **values))

    def note(self, note: str, values: Mapping[str, object]) -> None:
        """Tell the companion something that wants no answer; without a connection nobody hears it. Does not block."""

        def tell() -> None:
            if self._attachment is not None:
                self._attachment.link.tell(note, disk=self._attachment.handle, **values)

        self.bridge.post(tell)

    async def attachment(self) -> Attachment:
        """The disk, as soon as it is open. On the bridge's loop."""
        link = await self.bridge.link()
        found = self._attachment
        if found is None or found.link is not link:
            raise OSError(errno.EIO, f"disk {self.name!r} is not open")
        return found

    async def _repeat(self, work: Callable[[Attachment], Awaitable[T]]) -> T:
        while True:
            attachment = await self.attachment()
            try:
                return await work(attachment)
            except LinkLost:
                self.bridge.lost(attachment.link)
            except BridgeError as error:
                if not await self.is_closed(attachment, error):
                    raise

    async def is_closed(self, attachment: Attachment, error: BridgeError) -> bool:
        """Whether the companion has closed the disk by itself; only a new connection opens it again, so this one is
        given up."""
        if error.code not in {Code.NOT_OPEN, Code.STOPPING}:
            return False
        self.bridge.lost(attachment.link)
        await attachment.link.close()
        return True

    # -- for the bridge, on its loop -------------------------------------------------------------------------------

    async def attach(self, link: Link) -> int:
        """See :class:`bbd.worlds.live.keeping.Opening`."""
        if self._attachment is not None and self._attachment.link is link:
            await link.ask("close", disk=self._attachment.handle)
        sections = None if self._codec is None else Sections(self._codec)
        said = await link.ask("open", disk=self.name, palette=AIR_ONLY if sections is None else sections.palette)
        handle = said.get("disk")
        if not isinstance(handle, int):
            raise LinkLost("the companion opens a disk, and gives no handle", Code.BAD_FRAME)
        again = self._watcher is not None
        self._attachment = Attachment(link, handle, sections, said)
        if again and self._watcher is not None:
            self._watcher.attached()
        return handle

    def detached(self) -> None:
        """See :class:`bbd.worlds.live.keeping.Opening`."""
        self._attachment = None
        if self._watcher is not None:
            self._watcher.detached()

    def pushed(self, push: Push | Confirmed) -> None:
        """See :class:`bbd.worlds.live.keeping.Opening`."""
        if isinstance(push, Confirmed):
            if self._watcher is not None:
                self._watcher.confirmed(push)
        elif push.push == "blocks":
            self._append(push.values)
        elif push.push == "changed":
            self._changed(push.values)
        elif push.push in {"paused", "resumed"}:
            who = push.values.get("who")
            logger.warning("disk %r is %s in the game%s", self.name, push.push, f" by {who}" if who else "")

    def _append(self, values: Mapping[str, Any]) -> None:
        first, blocks = values.get("first"), values.get("blocks")
        if not isinstance(first, int) or not isinstance(blocks, list) or not all(isinstance(b, dict) for b in blocks):
            raise Refusal("blocks without first and blocks")
        if self._attachment is not None and self._attachment.sections is not None:
            self._attachment.sections.append(first, blocks)

    def _changed(self, values: Mapping[str, Any]) -> None:
        try:
            chunks = [(int(one["x"]), int(one["z"])) for one in values["columns"]]
        except (KeyError, TypeError, ValueError):
            raise Refusal("a change without columns") from None
        for edit in values.get("edits") or ():
            _log_edit(self.name, edit)
        if self._watcher is not None:
            self._watcher.changed(chunks)


def _log_edit(name: str, edit: object) -> None:
    if isinstance(edit, dict):
        who = edit.get("who") or edit.get("cause")
        where = f"x {edit.get('x')}, y {edit.get('y')}, z {edit.get('z')}"
        logger.info("disk %r: %s made %s of %s at %s", name, who, edit.get("now"), edit.get("was"), where)
