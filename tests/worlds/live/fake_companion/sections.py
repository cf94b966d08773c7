"""READ and WRITE: sections as indices of a palette, and what is confirmed of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bbd.worlds.live.codes import DONE, Code, Refusal
from bbd.worlds.live.frames import (
    EXPECT,
    NONE,
    REPLACE,
    THERE,
    UNREADABLE,
    ColumnEntry,
    Columns,
    Confirmed,
    Read,
    Verdict,
    Write,
    WriteEntry,
    Written,
    section_sizes,
)
from bbd.worlds.live.messages import Failure, Push
from tests.worlds.live.fake_companion.state import OpenDisk, Refused, until
from tests.worlds.live.fake_world import ChunkAt

if TYPE_CHECKING:
    from tests.worlds.live.fake_companion.client import Client


class Sections:
    """Those of one connection's disks."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._companion = client.companion
        self._world = client.companion.world

    def look(self, frame: Read) -> Callable[[], Awaitable[str | bytes]]:
        async def look() -> str | bytes:
            disk = self._client.disk(frame.disk)
            self._companion.counts.reads += len(frame.entries)
            if self._companion.manners.backwards:
                await asyncio.sleep(0.02 / (1 + frame.id % 7))
            entries = [self._column(disk, (one.x, one.z), one.mask) for one in frame.entries]
            fresh = [state for _, states in entries for state in states]
            if fresh:
                # They were appended in this order, with nothing between.
                first = len(disk.palette) - len(fresh)
                blocks = [self._world.said(state) for state in fresh]
                await self._client.send(Push("blocks", {"disk": disk.handle, "first": first, "blocks": blocks}).dump())
            return Columns(frame.id, frame.disk, [entry for entry, _ in entries]).pack()

        return look

    def _column(self, disk: OpenDisk, at: ChunkAt, wanted: int) -> tuple[ColumnEntry, list[int]]:
        if at in self._world.unreadable:
            return ColumnEntry(*at, UNREADABLE, body=b"its compression is broken"), []
        if at not in self._world.chunks:
            return ColumnEntry(*at, NONE), []
        mask = wide = 0
        pieces, fresh = [], []
        for index, blocks in sorted(self._world.chunks[at].items()):
            if not wanted >> index & 1 or not blocks.any():
                continue
            indices, appended = disk.index(blocks)
            fresh += appended
            mask |= 1 << index
            if indices.max() > 255:
                wide |= 1 << index
                pieces.append(indices.astype("<u2").tobytes())
            else:
                pieces.append(indices.astype(np.uint8).tobytes())
        stamp, generation = self._world.stamp(at), disk.applied.get(at, 0)
        return ColumnEntry(*at, THERE, mask, wide, stamp, generation, b"".join(pieces)), fresh

    def apply(self, frame: Write) -> Callable[[], Awaitable[str | bytes]]:
        """Written now, answered later."""
        try:
            disk = self._client.disk(frame.disk)
        except Refused as refused:
            failure = Failure(frame.id, refused.code.word, str(refused)).dump()

            async def refuse() -> str | bytes:
                return failure

            return refuse
        verdicts = [self._write(disk, entry) for entry in frame.entries]
        reply = Written(frame.id, frame.disk, verdicts).pack()

        async def answer() -> str | bytes:
            asyncio.get_running_loop().call_later(0.002, self._confirm_soon, disk)
            return reply

        return answer

    def _write(self, disk: OpenDisk, entry: WriteEntry) -> Verdict:
        at = entry.x, entry.z
        if entry.generation < disk.applied.get(at, 0):
            raise Refusal("a generation that falls")
        if at in self._world.unreadable:
            if not entry.flags & REPLACE:
                return Verdict(*at, Code.UNREADABLE, 0, entry.generation)
            del self._world.unreadable[at]
        if entry.flags & EXPECT and self._world.stamp(at) != entry.expected:
            self._companion.counts.conflicts += 1
            return Verdict(*at, Code.CONFLICT, self._world.stamp(at), entry.generation)
        fresh: dict[int, Any] = {index: None for index in range(20) if entry.air >> index & 1}
        position = 0
        for index, size in section_sizes(entry.mask, entry.wide):
            piece = memoryview(entry.body)[position : position + size]
            position += size
            indices = np.frombuffer(piece, "<u2" if size > 4096 else np.uint8)
            if int(indices.max()) >= disk.agreed:
                raise Refusal("an index beyond the agreed palette")
            fresh[index] = np.array(disk.palette, np.uint16)[indices]
        self._world.put(at, fresh)
        self._companion.counts.written += 1
        disk.applied[at] = entry.generation
        disk.unconfirmed[at] = entry.generation, self._world.stamp(at)
        return Verdict(*at, DONE, self._world.stamp(at), entry.generation)

    def _confirm_soon(self, disk: OpenDisk) -> None:
        self._client.spawn(self._confirm(disk))

    async def _confirm(self, disk: OpenDisk) -> None:
        manners = self._companion.manners
        await until(lambda: manners.confirm and not manners.mute)
        if not disk.unconfirmed:
            return
        if manners.confirm_error is not None:
            code = int(manners.confirm_error)
            entries = [Verdict(*at, code, 0, generation) for at, (generation, _) in disk.unconfirmed.items()]
            await self._client.send(Confirmed(disk.handle, entries).pack())
            await asyncio.sleep(0.05)
            self._confirm_soon(disk)
            return
        taken, disk.unconfirmed = disk.unconfirmed, {}
        for at in taken:
            self._world.save(at)
        entries = [Verdict(*at, DONE, stamp, generation) for at, (generation, stamp) in taken.items()]
        await self._client.send(Confirmed(disk.handle, entries).pack())
