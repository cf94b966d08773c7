"""The bridge's binary frames (companion-mod/PROTOCOL.md, "Binary frames"): bytes to values and back, without I/O.

``pack`` gives the bytes of a frame; ``parse_client`` and ``parse_companion`` read what the one or the other may send,
and raise :class:`~bbd.worlds.live.codes.Refusal` for anything that is not exactly as described.
Sections stay bytes here: ``body`` holds them one after the other, 4096 indices of one byte, or of two where wide.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias, TypeVar

from bbd.worlds.live.codes import DONE, Code, Refusal

Body: TypeAlias = bytes | bytearray | memoryview

NARROW_BYTES: Final = 4096
WIDE_BYTES: Final = 2 * NARROW_BYTES
ALL_SECTIONS: Final = (1 << 20) - 1
MAX_COLUMNS: Final = 32
"""Entries of a READ or WRITE, as long as a companion says no other limit."""
MAX_CONFIRMED: Final = 0xFFFF
EXPECT: Final = 1
REPLACE: Final = 2
THERE, NONE, UNREADABLE = 0, 1, 2
"""Status of a column that was read."""

_HEADER = struct.Struct("<BBHIII")
_READ = struct.Struct("<iiII")
_WRITE = struct.Struct("<iiIIIIIIQQ")
_COLUMN = struct.Struct("<iiIIIIQQ")
_VERDICT = struct.Struct("<iiIIQQ")


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """Which sections of a chunk are wanted."""

    x: int
    z: int
    mask: int


@dataclass(frozen=True, slots=True)
class WriteEntry:
    """New sections of a chunk: those in ``mask`` from ``body``, those in ``air`` become air."""

    x: int
    z: int
    flags: int
    mask: int
    wide: int
    air: int
    expected: int
    generation: int
    body: Body = b""


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A chunk's sections as they stand; with status ``UNREADABLE``, ``body`` is a text that says why."""

    x: int
    z: int
    status: int
    mask: int = 0
    wide: int = 0
    stamp: int = 0
    generation: int = 0
    body: Body = b""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a column that was written: ``code`` 0 is done, else an error's number."""

    x: int
    z: int
    code: int
    stamp: int
    generation: int


@dataclass(frozen=True, slots=True)
class Read:
    kind: ClassVar[int] = 0x01
    id: int
    disk: int
    entries: Sequence[ReadEntry]

    def pack(self) -> bytes:
        """The frame."""
        return _head(self) + b"".join(_READ.pack(one.x, one.z, one.mask, 0) for one in self.entries)


@dataclass(frozen=True, slots=True)
class Write:
    kind: ClassVar[int] = 0x02
    id: int
    disk: int
    entries: Sequence[WriteEntry]

    def pack(self) -> bytes:
        """The frame."""
        parts: list[Body] = [_head(self)]
        for one in self.entries:
            numbers = (one.x, one.z, one.flags, one.mask, one.wide, one.air, len(one.body), 0)
            parts.append(_WRITE.pack(*numbers, one.expected, one.generation))
            parts.append(one.body)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Columns:
    kind: ClassVar[int] = 0x81
    id: int
    disk: int
    entries: Sequence[ColumnEntry]

    def pack(self) -> bytes:
        """The frame."""
        parts: list[Body] = [_head(self)]
        for one in self.entries:
            numbers = (one.x, one.z, one.status, one.mask, one.wide, len(one.body))
            parts.append(_COLUMN.pack(*numbers, one.stamp, one.generation))
            parts.append(one.body)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Written:
    kind: ClassVar[int] = 0x82
    id: int
    disk: int
    entries: Sequence[Verdict]

    def pack(self) -> bytes:
        """The frame."""
        return _head(self) + _pack_verdicts(self.entries)


@dataclass(frozen=True, slots=True)
class Confirmed:
    kind: ClassVar[int] = 0x83
    id: ClassVar[int] = 0
    disk: int
    entries: Sequence[Verdict]

    def pack(self) -> bytes:
        """The frame."""
        return _head(self) + _pack_verdicts(self.entries)


Frame: TypeAlias = Read | Write | Columns | Written | Confirmed


def parse_client(data: Body, most: int = MAX_COLUMNS) -> Read | Write:
    """A frame that the client sent; ``most`` is the companion's limit of entries."""
    kind, number, count, disk = _parse_head(data, most)
    match kind:
        case Read.kind:
            return Read(number, disk, _entries(data, count, _read_entry))
        case Write.kind:
            return Write(number, disk, _entries(data, count, _write_entry))
        case _:
            raise Refusal(f"a client sends no frames of kind {kind:02x}")


def parse_companion(data: Body, most: int = MAX_COLUMNS) -> Columns | Written | Confirmed:
    """A frame that the companion sent. The bodies of its entries are views of ``data``."""
    kind, number, count, disk = _parse_head(data, most)
    match kind:
        case Columns.kind:
            return Columns(number, disk, _entries(data, count, _column_entry))
        case Written.kind:
            return Written(number, disk, _entries(data, count, _verdict))
        case Confirmed.kind:
            return Confirmed(disk, _entries(data, count, _verdict))
        case _:
            raise Refusal(f"a companion sends no frames of kind {kind:02x}")


def section_sizes(mask: int, wide: int) -> Iterator[tuple[int, int]]:
    """Index and size of each section of a body, in order."""
    for index in range(mask.bit_length()):
        if mask >> index & 1:
            yield index, WIDE_BYTES if wide >> index & 1 else NARROW_BYTES


def _head(frame: Frame) -> bytes:
    return _HEADER.pack(frame.kind, 0, len(frame.entries), frame.id, frame.disk, 0)


def _pack_verdicts(entries: Sequence[Verdict]) -> bytes:
    return b"".join(_VERDICT.pack(one.x, one.z, one.code, 0, one.stamp, one.generation) for one in entries)


def _parse_head(data: Body, most: int) -> tuple[int, int, int, int]:
    if len(data) < _HEADER.size:
        raise Refusal("a frame shorter than its header")
    kind, flags, count, number, disk, reserved = _HEADER.unpack_from(data)
    if flags or reserved:
        raise Refusal("reserved bits of the header are set")
    if not 1 <= count <= (MAX_CONFIRMED if kind == Confirmed.kind else most):
        raise Refusal(f"a frame with {count} entries")
    if (number == 0) != (kind == Confirmed.kind):
        raise Refusal(f"a frame of kind {kind:02x} with the id {number}")
    if disk == 0:
        raise Refusal("no disk has the handle 0")
    return kind, number, count, disk


_Entry = TypeVar("_Entry", ReadEntry, WriteEntry, ColumnEntry, Verdict)


def _entries(data: Body, count: int, parse: Callable[[memoryview, int], tuple[_Entry, int]]) -> list[_Entry]:
    view = memoryview(data)
    position, entries, seen = _HEADER.size, list[_Entry](), set[tuple[int, int]]()
    for _ in range(count):
        try:
            entry, position = parse(view, position)
        except struct.error:
            raise Refusal("a frame that ends within an entry") from None
        entries.append(entry)
        seen.add((entry.x, entry.z))
    if position != len(data):
        raise Refusal("bytes behind the last entry" if position < len(data) else "a frame that ends within a section")
    if len(seen) < count:
        raise Refusal("a frame that names a column twice")
    return entries


def _read_entry(view: memoryview, position: int) -> tuple[ReadEntry, int]:
    x, z, mask, reserved = _READ.unpack_from(view, position)
    if reserved:
        raise Refusal("reserved bits of an entry are set")
    if not mask or mask & ~ALL_SECTIONS:
        raise Refusal(f"a column has no sections {mask:#x}")
    return ReadEntry(x, z, mask), position + _READ.size


def _write_entry(view: memoryview, position: int) -> tuple[WriteEntry, int]:
    x, z, flags, mask, wide, air, size, reserved, expected, generation = _WRITE.unpack_from(view, position)
    if reserved or flags & ~(EXPECT | REPLACE):
        raise Refusal("reserved bits of an entry are set")
    if not mask | air or air & mask or (mask | air) & ~ALL_SECTIONS:
        raise Refusal(f"a column can't be written by sections {mask:#x} and air {air:#x}")
    if expected and not flags & EXPECT:
        raise Refusal("a stamp that is not to be expected")
    if not generation:
        raise Refusal("a column without a generation")
    body, end = _body(view, position + _WRITE.size, mask, wide, size)
    return WriteEntry(x, z, flags, mask, wide, air, expected, generation, body), end


def _column_entry(view: memoryview, position: int) -> tuple[ColumnEntry, int]:
    x, z, status, mask, wide, size, stamp, generation = _COLUMN.unpack_from(view, position)
    start = position + _COLUMN.size
    if mask & ~ALL_SECTIONS:
        raise Refusal(f"a column has no sections {mask:#x}")
    if status == THERE:
        body, end = _body(view, start, mask, wide, size)
        return ColumnEntry(x, z, status, mask, wide, stamp, generation, body), end
    if status not in {NONE, UNREADABLE}:
        raise Refusal(f"a column with the status {status}")
    if mask or wide or stamp or generation or (status == NONE and size):
        raise Refusal("a column that can't be there, and yet has sections, a stamp or a generation")
    body = view[start : start + size]
    try:
        str(body, "utf-8")
    except UnicodeDecodeError:
        raise Refusal("a reason that is not UTF-8") from None
    return ColumnEntry(x, z, status, body=body), start + size


def _verdict(view: memoryview, position: int) -> tuple[Verdict, int]:
    x, z, code, reserved, stamp, generation = _VERDICT.unpack_from(view, position)
    if reserved:
        raise Refusal("reserved bits of an entry are set")
    if stamp and code not in {DONE, Code.CONFLICT}:
        raise Refusal(f"a stamp of a column with the error {code}")
    return Verdict(x, z, code, stamp, generation), position + _VERDICT.size


def _body(view: memoryview, start: int, mask: int, wide: int, size: int) -> tuple[memoryview, int]:
    if wide & ~mask:
        raise Refusal("a wide section that does not follow")
    if size != NARROW_BYTES * (mask.bit_count() + wide.bit_count()):
        raise Refusal(f"{size} bytes are not those of sections {mask:#x}, wide {wide:#x}")
    return view[start : start + size], start + size
