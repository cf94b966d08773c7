"""Writes on their way: sent, applied in the running server, and at last confirmed.

All of it runs on the bridge's loop.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from bbd.worlds.live.codes import DONE, BridgeError, Code
from bbd.worlds.live.frames import EXPECT, REPLACE, Confirmed, Verdict, WriteEntry
from bbd.worlds.live.link import Link, LinkLost
from bbd.worlds.live.opened import Attachment

FRAME_BYTES: Final = 2 << 20
"""Sections go out by so many bytes: enough to cost little, few enough to let other requests between them."""
_Chunk: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """A column's stamp, on the connection for which it means something."""

    link: Link
    stamp: int


@dataclass(slots=True)
class Outgoing:
    """A column to write, as a WRITE says it. ``seen`` is what it must still be, ``None`` for air all over; ``replace``:
    it could not be read. ``written`` is what it became, ``confirmed`` whether that is on disk."""

    column: int
    chunk: _Chunk
    mask: int
    wide: int
    air: int
    body: bytes
    seen: Seen | None
    replace: bool
    written: Seen | None = None
    confirmed: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a write, beside what its columns say themselves: why some were left as they stand, and the
    first failure."""

    changed: dict[int, str]
    failure: OSError | None = None


class Writing:
    """The writes of one disk."""

    def __init__(self) -> None:
        self._generations = itertools.count(1)
        self._waiting: dict[_Chunk, tuple[int, asyncio.Future[None]]] = {}

    async def write(self, attachment: Attachment, columns: Sequence[Outgoing], outcome: Outcome) -> None:
        """Write columns on one connection, and return when they are confirmed. Raises :class:`LinkLost`."""
        link = attachment.link
        current = []
        for one in columns:
            if one.seen is None or one.seen.link is link:
                current.append(one)
            else:
                outcome.changed[one.column] = "it was read before the connection was lost"
        frames = [self._write_frame(attachment, frame, outcome) for frame in _frames(current, link.limits.columns)]
        for done in await asyncio.gather(*frames, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done

    def confirmed(self, frame: Confirmed) -> None:
        """The companion says what is on disk, or can't be for now."""
        for verdict in frame.entries:
            generation, waiting = self._waiting.get((verdict.x, verdict.z), (0, None))
            if waiting is None or waiting.done() or verdict.generation < generation:
                continue
            if verdict.code == DONE:
                waiting.set_result(None)
            else:
                waiting.set_exception(_failure(verdict))

    def lost(self) -> None:
        """The connection is gone: nothing more will be confirmed on it."""
        for _, waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(LinkLost("the connection was lost before the columns were confirmed"))

    async def _write_frame(self, attachment: Attachment, columns: Sequence[Outgoing], outcome: Outcome) -> None:
        waits = [self._expect(one) for one in columns]
        try:
            entries = [_entry(one, generation) for one, (generation, _) in zip(columns, waits, strict=True)]
            written = await attachment.link.write(attachment.handle, entries)
            for one, (_, waiting), verdict in zip(columns, waits, written.entries, strict=True):
                if verdict.code == DONE:
                    one.written = Seen(attachment.link, verdict.stamp)
                    continue
                waiting.cancel()
                if verdict.code in _LEFT:
                    outcome.changed[one.column] = _LEFT[verdict.code]
                else:
                    outcome.failure = outcome.failure or _failure(verdict)
            for one, (_, waiting) in zip(columns, waits, strict=True):
                if one.written is not None:
                    await self._confirmation(one, waiting, outcome)
        finally:
            for one, (_, waiting) in zip(columns, waits, strict=True):
                waiting.cancel()
                if self._waiting.get(one.chunk, (0, None))[1] is waiting:
                    del self._waiting[one.chunk]

    async def _confirmation(self, one: Outgoing, waiting: asyncio.Future[None], outcome: Outcome) -> None:
        try:
            await waiting
            one.confirmed = True
        except BridgeError as error:
            outcome.failure = outcome.failure or error

    def _expect(self, one: Outgoing) -> tuple[int, asyncio.Future[None]]:
        expected = next(self._generations), asyncio.get_running_loop().create_future()
        self._waiting[one.chunk] = expected
        return expected


_LEFT: Final[Mapping[int, str]] = {
    Code.CONFLICT: "somebody has changed it since it was read",
    Code.UNREADABLE: "its chunk can't be read any more",
}


def _failure(verdict: Verdict) -> BridgeError:
    try:
        code = Code(verdict.code)
    except ValueError:
        return BridgeError(None, f"chunk {verdict.x},{verdict.z}: error {verdict.code}")
    return BridgeError(code, f"chunk {verdict.x},{verdict.z}: {code.word.replace('_', ' ')}")


def _entry(one: Outgoing, generation: int) -> WriteEntry:
    flags = EXPECT | (REPLACE if one.replace else 0)
    expected = 0 if one.seen is None else one.seen.stamp
    x, z = one.chunk
    return WriteEntry(x, z, flags, one.mask, one.wide, one.air, expected, generation, one.body)


def _frames(columns: Sequence[Outgoing], most: int) -> Iterator[list[Outgoing]]:
    frame: list[Outgoing] = []
    size = 0
    for one in columns:
        if frame and (len(frame) == most or size + len(one.body) > FRAME_BYTES):
            yield frame
            frame, size = [], 0
        frame.append(one)
        size += len(one.body)
    if frame:
        yield frame
