"""What a file system lies on, and where on it the file system begins."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

_SECTOR: Final = 512
_SIGNATURE: Final = b"\x55\xaa"
_GPT_MAGIC: Final = b"EFI PART"
_GPT_PROTECTIVE: Final = 0xEE
_MOST_PARTITIONS: Final = 128


class Medium(Protocol):
    """Bytes at offsets. Errors: ``OSError``."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at ``offset``."""

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at ``offset``."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a medium, as a medium: ``size`` bytes from ``start`` on."""

    whole: Medium
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """See :class:`Medium`."""
        return self.whole.read(self.start + offset, length)

    def write(self, offset: int, data: bytes) -> None:
        """See :class:`Medium`."""
        self.whole.write(self.start + offset, data)


def partitions(medium: Medium) -> Iterator[Slice]:
    """The primary partitions of an MBR (sector 0, entries from byte 446), or all of a GPT (UEFI specification, 5.3)."""
    if medium.size < 2 * _SECTOR:
        return
    first = medium.read(0, _SECTOR)
    if first[510:] != _SIGNATURE:
        return
    entries = [struct.unpack_from("<4xB3xII", first, at) for at in range(446, 510, 16)]
    if any(kind == _GPT_PROTECTIVE for kind, _, _ in entries):
        yield from _gpt(medium)
        return
    for kind, start, count in entries:
        if kind and count:
            yield from _slice(medium, start, count)


def _gpt(medium: Medium) -> Iterator[Slice]:
    header = medium.read(_SECTOR, _SECTOR)
    if not header.startswith(_GPT_MAGIC):
        return
    table, count, size = struct.unpack_from("<QII", header, 72)
    if not 128 <= size <= 4096 or table * _SECTOR + min(count, _MOST_PARTITIONS) * size > medium.size:
        return
    raw = medium.read(table * _SECTOR, min(count, _MOST_PARTITIONS) * size)
    for at in range(0, len(raw), size):
        start, last = struct.unpack_from("<QQ", raw, at + 32)
        if any(raw[at : at + 16]) and last >= start:
            yield from _slice(medium, start, last - start + 1)


def _slice(medium: Medium, start: int, count: int) -> Iterator[Slice]:
    if start * _SECTOR < medium.size:
        yield Slice(medium, start * _SECTOR, min(count * _SECTOR, medium.size - start * _SECTOR))
