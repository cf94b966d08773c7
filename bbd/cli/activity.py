"""What clients ask of a live disk, counted for those who look on in the game."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bbd.nbd.export import Device, Part

SECOND: Final = 1.0


@dataclass(slots=True)
class Activity:
    """Requests and bytes, as the note ``activity`` names them (companion-mod/PROTOCOL.md)."""

    reads: int = 0
    writes: int = 0
    read_bytes: int = 0
    written_bytes: int = 0


class CountedDevice:
    """A :class:`bbd.nbd.export.Device` that counts what it hands on to another."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.size = device.size
        self.read_only = device.read_only
        self.block_size = device.block_size
        self.piece_size = device.piece_size
        self.activity = Activity()
        self.try_flush = device.try_flush
        self.flush_ahead = device.flush_ahead
        self.flush = device.flush
        self.zero = device.zero
        self.trim = device.trim
        self.prefetch = device.prefetch

    @property
    def foresees_flush(self) -> bool:
        """See the interface."""
        return self._device.foresees_flush

    def take(self) -> Activity:
        """What was counted since the last time."""
        taken, self.activity = self.activity, Activity()
        return taken

    def try_read(self, offset: int, length: int) -> Sequence[Part] | None:
        """See the interface."""
        parts = self._device.try_read(offset, length)
        if parts is not None:
            self._count_read(length)
        return parts

    def try_reads(self, offsets: Sequence[int], length: int) -> Sequence[Sequence[Part]]:
        """See the interface."""
        found = self._device.try_reads(offsets, length)
        self.activity.reads += len(found)
        self.activity.read_bytes += len(found) * length
        return found

    async def read(self, offset: int, length: int) -> Sequence[Part]:
        """See the interface."""
        self._count_read(length)
        return await self._device.read(offset, length)

    def try_write(self, offset: int, data: memoryview) -> bool:
        """See the interface."""
        return self._count_write(len(data), taken=self._device.try_write(offset, data))

    def try_writes(self, offsets: Sequence[int], payloads: Sequence[memoryview]) -> int:
        """See the interface."""
        taken = self._device.try_writes(offsets, payloads)
        self.activity.writes += taken
        self.activity.written_bytes += sum(map(len, payloads[:taken]))
        return taken

    def try_write_pieces(self, offset: int, pieces: Sequence[memoryview]) -> bool:
        """See the interface."""
        return self._count_write(sum(map(len, pieces)), taken=self._device.try_write_pieces(offset, pieces))

    async def write(self, offset: int, data: bytes | bytearray) -> None:
        """See the interface."""
        self._count_write(len(data), taken=True)
        await self._device.write(offset, data)

    def _count_read(self, length: int) -> None:
        self.activity.reads += 1
        self.activity.read_bytes += length

    def _count_write(self, length: int, *, taken: bool) -> bool:
        if taken:
            self.activity.writes += 1
            self.activity.written_bytes += length
        return taken


async def tell_activity(devices: Sequence[tuple[CountedDevice, Callable[[Mapping[str, int]], None]]]) -> None:
    """Tell each second what clients asked of each device, and once that they ask nothing any more."""
    busy = [False] * len(devices)
    while True:
        await asyncio.sleep(SECOND)
        for at, (device, tell) in enumerate(devices):
            taken = device.take()
            if busy[at] or taken != Activity():
                tell(asdict(taken))
            busy[at] = taken != Activity()
