"""The journal's bytes: segment headers and records, without any I/O (``docs/format.md``, "Journal").

A segment is a header of 4096 bytes and records up to the first that isn't whole. Every record's CRC is begun from its
segment's, so that what an earlier life of the file left behind is never taken for a record of this one.
Sequence numbers order the records, not their places: replay sorts by them.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from crc32c import crc32c

from bbd.blocks import BLOCK
from bbd.worlds.world import DATA_SECTIONS, Payload

MAGIC: Final = b"bbdjrnl\x01"
HEADER_SIZE: Final = 4096
_HEADER = struct.Struct("<8s16s16sQQI")
"""magic, disk id, journal id, epoch, segment number, CRC-32C of what stands before it."""
_RECORD = struct.Struct("<IBBHIQQQ")
"""CRC-32C of what follows and the payload; kind, 0, section mask, payload length, sequence, first column, columns."""
RECORD_HEADER_SIZE: Final = _RECORD.size
_CRC: Final = struct.Struct("<I")
_DATA: Final = 1
_ZERO: Final = 2
_SUPERSEDED: Final = 3
_WHOLE: Final = (1 << DATA_SECTIONS) - 1


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """Whose segment this is; ids are 16 bytes."""

    disk_id: bytes
    journal_id: bytes
    epoch: int
    number: int

    def pack(self) -> bytes:
        """The first 4096 bytes of the segment."""
        return (self._head() + struct.pack("<I", self.salt)).ljust(HEADER_SIZE, b"\0")

    @property
    def salt(self) -> int:
        """Where the CRC of each of its records begins."""
        return crc32c(self._head())

    def _head(self) -> bytes:
        return _HEADER.pack(MAGIC, self.disk_id, self.journal_id, self.epoch, self.number, 0)[:-4]

    @staticmethod
    def unpack(raw: bytes) -> SegmentHeader | None:
        """The header, or ``None`` where there is no whole one (a segment that never came to be)."""
        if len(raw) < HEADER_SIZE:
            return None
        magic, disk_id, journal_id, epoch, number, crc = _HEADER.unpack_from(raw)
        header = SegmentHeader(disk_id, journal_id, epoch, number)
        return header if magic == MAGIC and crc == header.salt else None


@dataclass(slots=True)
class DataRecord:
    """New bytes of one column: ``sections`` maps section indices (0…15, ascending) to whole payloads.

    Without any, it says that the column is the disk's from here on, and that what stands in its place is no
    other's."""

    sequence: int
    column: int
    sections: dict[int, Payload]


@dataclass(frozen=True, slots=True)
class ZeroRecord:
    """Columns ``first`` … ``first + count - 1`` became zeros."""

    sequence: int
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class SupersededRecord:
    """The world's column includes the journal up to ``sequence``; for columns whose blocks can't say so."""

    sequence: int
    column: int


@dataclass(frozen=True, slots=True)
class WholeColumnRecord:
    """New bytes of all of a column, in one piece: to be written only, it is read as a :class:`DataRecord`."""

    sequence: int
    column: int
    frame: memoryview


@dataclass(frozen=True, slots=True)
class ScatteredRecords:
    """New bytes of sections here and there, to be written only: each of ``columns`` is read as a :class:`DataRecord`.

    ``columns`` are tuples of a number, a mask of sections, and their payloads in order."""

    sequence: int
    columns: Sequence[tuple[int, int, Sequence[Payload]]]


Record: TypeAlias = DataRecord | WholeColumnRecord | ScatteredRecords | ZeroRecord | SupersededRecord


def encoded_size(record: Record) -> int:
    """Bytes that a record takes."""
    match record:
        case DataRecord():
            return RECORD_HEADER_SIZE + sum(map(len, record.sections.values()))
        case WholeColumnRecord():
            return RECORD_HEADER_SIZE + len(record.frame)
        case ScatteredRecords():
            return sum(RECORD_HEADER_SIZE + sum(map(len, payloads)) for _, _, payloads in record.columns)
        case _:
            return RECORD_HEADER_SIZE


def encode_into(record: Record, salt: int, buffer: memoryview, start: int) -> int:
    """Put a record's bytes into ``buffer`` from ``start`` on, which has the room; return where they end."""
    match record:
        case DataRecord(sequence, column, sections):
            mask = sum(1 << index for index in sections)
            return _encode((_DATA, mask, sequence, column, 1), sections.values(), salt, buffer, start)
        case WholeColumnRecord(sequence, column, frame):
            return _encode((_DATA, _WHOLE, sequence, column, 1), (frame,), salt, buffer, start)
        case ScatteredRecords(sequence, columns):
            for column, mask, payloads in columns:
                start = _encode((_DATA, mask, sequence, column, 1), payloads, salt, buffer, start)
            return start
        case ZeroRecord(sequence, first, count):
            return _encode((_ZERO, 0, sequence, first, count), (), salt, buffer, start)
        case SupersededRecord(sequence, column):
            return _encode((_SUPERSEDED, 0, sequence, column, 1), (), salt, buffer, start)


def _encode(
    head: tuple[int, int, int, int, int], payloads: Iterable[Payload], salt: int, buffer: memoryview, start: int
) -> int:
    """One record: kind, section mask, sequence, first column and columns, and the payloads behind them."""
    kind, mask, sequence, first, count = head
    payload_start = end = start + RECORD_HEADER_SIZE
    for payload in payloads:
        at, end = end, end + len(payload)
        buffer[at:end] = payload
    _RECORD.pack_into(buffer, start, 0, kind, 0, mask, end - payload_start, sequence, first, count)
    _seal(buffer, start, crc32c(buffer[start + _CRC.size : end], salt))
    return end


def encode_whole_header(record: WholeColumnRecord, salt: int, buffer: memoryview, start: int) -> None:
    """Put only the header of a whole column's record there; its payload, the frame, is to stand right behind."""
    length = len(record.frame)
    _RECORD.pack_into(buffer, start, 0, _DATA, 0, _WHOLE, length, record.sequence, record.column, 1)
    head = crc32c(buffer[start + _CRC.size : start + RECORD_HEADER_SIZE], salt)
    _seal(buffer, start, crc32c(record.frame, head))


@functools.lru_cache(maxsize=8)
def padding(position: int, sequence: int, salt: int) -> bytes:
    """A record that says nothing; where it begins ``position`` bytes into a block, the next one's header ends one."""
    record = bytearray(RECORD_HEADER_SIZE - (position + 2 * RECORD_HEADER_SIZE) % -BLOCK)
    _RECORD.pack_into(record, 0, 0, _ZERO, 0, 0, len(record) - RECORD_HEADER_SIZE, sequence, 0, 0)
    with memoryview(record) as view:
        _seal(view, 0, crc32c(view[_CRC.size :], salt))
    return bytes(record)


def _seal(buffer: memoryview, start: int, crc: int) -> None:
    _CRC.pack_into(buffer, start, crc)


def decode(segment: bytes, section_size: int) -> Iterator[Record]:
    """The whole records of a segment that begins with its header, up to the first that is torn or not there."""
    for kind, mask, sequence, first, count, payload in _frames(segment):
        if kind == _DATA:
            if len(payload) != mask.bit_count() * section_size:
                return
            yield DataRecord(sequence, first, _sections(payload, mask, section_size))
        elif kind == _ZERO:
            if count:  # else it is padding
                yield ZeroRecord(sequence, first, count)
        elif kind == _SUPERSEDED:
            yield SupersededRecord(sequence, first)
        else:
            return


def whole_length(segment: bytes) -> int:
    """How many bytes of a segment count: up to the end of its last whole record; 0 where its header isn't whole."""
    if SegmentHeader.unpack(segment[:HEADER_SIZE]) is None:
        return 0
    return HEADER_SIZE + sum(RECORD_HEADER_SIZE + len(frame[-1]) for frame in _frames(segment))


def _frames(segment: bytes) -> Iterator[tuple[int, int, int, int, int, memoryview]]:
    """Kind, mask, sequence, first column, columns and payload of each record whose CRC is right."""
    header = SegmentHeader.unpack(segment[:HEADER_SIZE])
    if header is None:
        return
    view, salt = memoryview(segment), header.salt
    position = HEADER_SIZE
    while position + RECORD_HEADER_SIZE <= len(segment):
        crc, kind, _, mask, length, sequence, first, count = _RECORD.unpack_from(segment, position)
        payload, end = position + RECORD_HEADER_SIZE, position + RECORD_HEADER_SIZE + length
        if end > len(segment) or crc32c(view[position + _CRC.size : end], salt) != crc:
            return
        yield kind, mask, sequence, first, count, view[payload:end]
        position = end


def _sections(payload: memoryview, mask: int, size: int) -> dict[int, Payload]:
    indices = [index for index in range(16) if mask >> index & 1]
    return {index: bytes(payload[at * size : (at + 1) * size]) for at, index in enumerate(indices)}
