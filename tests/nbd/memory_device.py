"""A disk in memory with the manners of the real one: 4096-byte immutable sections in a dict, absent ones are zeros.

Its switches make it slow, absent-minded or broken, for tests.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bbd.nbd.export import Export, Part

SECTION = 4096
ZEROS = bytes(SECTION)


@functools.cache
def _splitter(sections: int) -> struct.Struct:
    """Cuts a buffer into ``bytes`` of a section each, more than twice as fast as a loop of slices."""
    return struct.Struct(f"{SECTION}s" * sections)


@dataclass
class MemoryDevice:
    """``miss``: nothing is at hand. ``missing``: what begins there isn't. ``delay``: seconds before every slow answer.
    ``failure``: raised by everything. ``gate``: slow answers wait until it is set. ``quick``: flushes take no time.
    ``foresees_flush``: one is always likely, and ``ahead`` is called then."""

    size: int
    read_only: bool = False
    block_size: int = SECTION
    piece_size: int = 4 * SECTION
    miss: bool = False
    missing: set[int] = field(default_factory=set)
    delay: float = 0
    failure: Exception | None = None
    gate: asyncio.Event | None = None
    sections: dict[int, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    most_running_bytes: int = 0
    running_bytes: int = 0
    recording: bool = False
    quick: bool = False
    foresees_flush: bool = False
    ahead: Callable[[], object] = bool

    def try_read(self, offset: int, length: int) -> Sequence[Part] | None:
        if self.recording:
            self.calls.append(f"try_read {offset} {length}")
        if self.failure is not None and not self.miss:
            raise self.failure
        return None if self.miss or offset in self.missing else self._get(offset, length)

    def try_reads(self, offsets: Sequence[int], length: int) -> Sequence[Sequence[Part]]:
        found = []
        for offset in offsets:
            parts = self.try_read(offset, length)
            if parts is None:
                break
            found.append(parts)
        return found

    async def read(self, offset: int, length: int) -> Sequence[Part]:
        await self._slowly(f"read {offset} {length}", length)
        return self._get(offset, length)

    def try_write(self, offset: int, data: memoryview) -> bool:
        if self.recording:
            self.calls.append(f"try_write {offset} {len(data)}")
        if self.failure is not None and not self.miss:
            raise self.failure
        if self.miss or offset in self.missing:
            return False
        self._put(offset, data)
        return True

    def try_writes(self, offsets: Sequence[int], payloads: Sequence[memoryview]) -> int:
        for count, (offset, payload) in enumerate(zip(offsets, payloads, strict=True)):
            if not self.try_write(offset, payload):
                return count
        return len(offsets)

    def try_write_pieces(self, offset: int, pieces: Sequence[memoryview]) -> bool:
        length = sum(map(len, pieces))
        if self.recording:
            self.calls.append(f"try_write_pieces {offset} {length}")
        if self.failure is not None and not self.miss:
            raise self.failure
        if self.miss:
            return False
        assert offset % SECTION == length % SECTION == 0
        position = offset
        for piece in pieces:
            assert position == offset or position % self.piece_size == 0
            self._put(position, piece)
            position += len(piece)
        return True

    async def write(self, offset: int, data: bytes | bytearray) -> None:
        await self._slowly(f"write {offset} {len(data)}", len(data))
        self._put(offset, memoryview(data))

    def try_flush(self) -> bool:
        if self.recording:
            self.calls.append("try_flush")
        return self.quick

    def flush_ahead(self) -> None:
        self.ahead()

    async def flush(self) -> None:
        await self._slowly("flush")

    async def zero(self, offset: int, length: int, *, may_punch: bool) -> None:
        await self._slowly(f"zero {offset} {length} {'punch' if may_punch else 'keep'}")
        self._clear(offset, length)

    async def trim(self, offset: int, length: int) -> None:
        await self._slowly(f"trim {offset} {length}")
        self._clear(offset, length)

    async def prefetch(self, offset: int, length: int) -> None:
        await self._slowly(f"prefetch {offset} {length}")

    def content(self) -> bytes:
        """The whole disk."""
        return b"".join(bytes(part) for part in self._get(0, self.size))

    async def _slowly(self, call: str, length: int = 0) -> None:
        if self.recording:
            self.calls.append(call)
        self.running += 1
        self.running_bytes += length
        self.most_running = max(self.most_running, self.running)
        self.most_running_bytes = max(self.most_running_bytes, self.running_bytes)
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.failure is not None:
                raise self.failure
        finally:
            self.running -= 1
            self.running_bytes -= length

    def _get(self, offset: int, length: int) -> list[Part]:
        first, start = divmod(offset, SECTION)
        get = self.sections.get
        if start == 0 and length == SECTION:
            return [get(first, ZEROS)]
        last, end = divmod(offset + length - 1, SECTION)
        if first == last:
            return [get(first, ZEROS)[start : end + 1]]
        parts: list[Part] = [get(number, ZEROS) for number in range(first, last + 1)]
        if start:
            parts[0] = parts[0][start:]
        if end != SECTION - 1:
            parts[-1] = parts[-1][: end + 1]
        return parts

    def _put(self, offset: int, data: memoryview) -> None:
        number, start = divmod(offset, SECTION)
        length = len(data)
        if start == 0 and length == SECTION:
            self.sections[number] = bytes(data)
            return
        whole = 0 if start else length // SECTION
        if whole:
            self.sections.update(zip(range(number, number + whole), _splitter(whole).unpack_from(data), strict=True))
            number += whole
        position = whole * SECTION
        while position < length:
            piece = data[position : position + SECTION - start]
            old = self.sections.get(number, ZEROS)
            self.sections[number] = b"".join((old[:start], piece, old[start + len(piece) :]))
            position += len(piece)
            number, start = number + 1, 0

    def _clear(self, offset: int, length: int) -> None:
        end = offset + length
        for number in [n for n in self.sections if offset < (n + 1) * SECTION and n * SECTION < end]:
            start, stop = max(offset - number * SECTION, 0), min(end - number * SECTION, SECTION)
            if stop - start == SECTION:
                del self.sections[number]
            else:
                old = self.sections[number]
                self.sections[number] = old[:start] + bytes(stop - start) + old[stop:]


def broken_disk() -> OSError:
    """An I/O error as a disk would have it."""
    return OSError(errno.EIO, "the disk is on fire")


def export(size: int = 1 << 20, name: str = "demo", description: str = "a disk for tests") -> Export:
    """A fresh export in memory."""
    return Export(name, description, MemoryDevice(size))
