"""Where a segment of the journal ends: records are put together in memory and written from there in whole blocks.

The last block is written again with the records that follow. Its bytes up to there stay the same, so a write that a
power cut tears leaves them as they were.
"""

from __future__ import annotations

import mmap
from typing import Final

from bbd.blocks import BLOCK, is_aligned
from bbd.disk.journal_records import (
    RECORD_HEADER_SIZE,
    Record,
    WholeColumnRecord,
    encode_into,
    encode_whole_header,
    encoded_size,
    padding,
)
from bbd.files import File

CAPACITY: Final = 1 << 20
"""Bytes that are put together at most: enough for every record, and few enough to stay in the processor's cache."""
AT_ONCE: Final = 4 << 20
"""Bytes that are written at once at most, columns in their places included."""


class Tail:
    """The end of one segment after the other, see :meth:`begin`. One thread at a time. Errors are ``OSError``, and
    after one nothing more may be put into the same segment.

    What waits to be written is the parts and, behind them, the buffer's bytes from ``_run`` to ``_filled``.
    """

    def __init__(self) -> None:
        self._buffer = memoryview(mmap.mmap(-1, CAPACITY))
        self._file: File | None = None
        self._salt = 0
        self._start = 0
        self._parts: list[memoryview] = []
        self._size = 0
        self._run = self._filled = 0
        self._unsafe = False

    @property
    def position(self) -> int:
        """Where in the file the next record may begin."""
        return self._start + self._size + self._filled - self._run

    def begin(self, file: File, position: int, salt: int) -> None:
        """Go on in another segment, from ``position``, a multiple of the block's size."""
        file.write_past_cache()
        self._file, self._salt, self._start = file, salt, position
        self._parts, self._size = [], 0
        self._run = self._filled = 0
        self._unsafe = False

    def put(self, record: Record, size: int) -> None:
        """Put a record behind the last; it may be written, and is not safe yet. ``size`` is its :func:`most_size`."""
        if isinstance(record, WholeColumnRecord) and len(record.frame) % BLOCK == 0 and is_aligned(record.frame):
            self._make_room(2 * BLOCK)
            self._put_in_place(record)
        else:
            self._make_room(size)
            self._filled = encode_into(record, self._salt, self._buffer, self._filled)
        self._unsafe = True

    def _make_room(self, size: int) -> None:
        if self._filled + size > CAPACITY or self._size > AT_ONCE:
            self._write_whole_blocks()

    def _put_in_place(self, record: WholeColumnRecord) -> None:
        """Have a column written from where it is, behind a header that ends with a block."""
        start = self._filled
        if (start + RECORD_HEADER_SIZE) % BLOCK:
            room = padding(start % BLOCK, record.sequence, self._salt)
            start += len(room)
            self._buffer[self._filled : start] = room
        end = start + RECORD_HEADER_SIZE
        encode_whole_header(record, self._salt, self._buffer, start)
        self._parts += [self._buffer[self._run : end], record.frame]
        self._size += end - self._run + len(record.frame)
        self._run = self._filled = end

    def make_safe(self) -> None:
        """When it returns, all records are safe."""
        if not self._unsafe:
            return
        assert self._file is not None
        end = -(-self._filled // BLOCK) * BLOCK
        self._buffer[self._filled : end] = bytes(end - self._filled)
        self._file.pwrite_safely([*self._parts, self._buffer[self._run : end]], self._start)
        self._unsafe = False
        self._keep_from(self._filled // BLOCK * BLOCK)

    def _write_whole_blocks(self) -> None:
        assert self._file is not None
        end = self._filled // BLOCK * BLOCK
        self._file.pwrite([*self._parts, self._buffer[self._run : end]], self._start)
        self._keep_from(end)

    def _keep_from(self, end: int) -> None:
        """What stands before ``end`` in the buffer, and the parts before it, are in the file for good."""
        self._start += self._size + end - self._run
        self._parts, self._size = [], 0
        rest = self._filled - end
        self._buffer[:rest] = self._buffer[end : self._filled]
        self._run, self._filled = 0, rest


def most_size(record: Record) -> int:
    """Bytes that a record takes at most, padding before it included."""
    return encoded_size(record) + (BLOCK if isinstance(record, WholeColumnRecord) else 0)
