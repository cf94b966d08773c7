"""The write-ahead log that makes FLUSH cheap: segments in a folder of the disk's own, outside the world.

A batch is appended with one write and one sync. A checkpoint first turns to a fresh segment (:meth:`Journal.rotate`)
and, when everything logged before is in the world, removes the older ones (:meth:`Journal.cut`).
After a failed sync nothing is written again to the same segment: the next batch begins a new one.
"""

from __future__ import annotations

import errno
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bbd.disk.journal_records import HEADER_SIZE, Record, SegmentHeader, encode
from bbd.files import Bytes, File, Files, write_atomically

SEGMENT_SIZE: Final = 16 << 20
MAX_PAYLOAD: Final = 16 * 4096
"""Bytes of a record's payload at most: the sections of a whole column."""
_SUFFIX: Final = ".journal"


class JournalFull(OSError):
    """The journal has reached its limit: a checkpoint must make room (ENOSPC)."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSPC, "the journal is full")


class Journal:
    """The journal of one disk, open for writing. Any thread may call; calls wait for each other.

    ``limit`` bounds the bytes of all segments together.
    """

    def __init__(self, files: Files, folder: Path, disk_id: bytes, epoch: int, limit: int) -> None:
        self._files = files
        self._folder = folder
        self._disk_id = disk_id
        self._epoch = epoch
        self._limit = limit
        self._lock = threading.Lock()
        self._segment_size = min(SEGMENT_SIZE, limit)
        self._segment: File | None = None
        self._salt = 0
        self._position = 0
        self._poisoned = False
        self._numbers: list[int] = []
        self._last_number = 0
        self.id = uuid.uuid4()

    @property
    def used(self) -> int:
        """Bytes of the file system that its segments take."""
        return len(self._numbers) * self._segment_size

    @property
    def limit(self) -> int:
        """Bytes that its segments may take."""
        return self._limit

    def open(self) -> None:
        """Begin this epoch's first segment, beside those that are still to be replayed. Errors: ``OSError``."""
        with self._lock:
            self._files.make_dir(self._folder)
            self._numbers = segment_numbers(self._files, self._folder)
            self._last_number = max(self._numbers, default=0)
            for number in self._numbers:
                make_safe(self._files, segment_path(self._folder, number))
            self._begin_segment(beyond_limit=True)

    @property
    def closed_mark(self) -> int:
        """A mark for :meth:`cut` that covers every segment but the one being written."""
        return self._last_number - 1

    def append(self, records: Sequence[Record], *, beyond_limit: bool = False) -> None:
        """Log records; when it returns they are safe. ``beyond_limit`` is for a checkpoint, which makes room after.

        Raises :class:`JournalFull`, and ``OSError`` where the file system fails; then nothing of the batch counts as
        logged, though some of it may be found again after a crash.
        """
        with self._lock:
            if self._poisoned:
                self._begin_segment(beyond_limit=beyond_limit)
            parts: list[Bytes] = []
            size = 0
            for record in records:
                encoded = encode(record, self._salt)
                length = sum(map(len, encoded))
                if self._position + size + length > self._segment_size:
                    self._write(parts, size)
                    self._begin_segment(beyond_limit=beyond_limit)
                    encoded, parts, size = encode(record, self._salt), [], 0
                parts.extend(encoded)
                size += length
            self._write(parts, size)

    def rotate(self) -> int:
        """Turn to a fresh segment; return a mark for :meth:`cut` that covers every record appended so far."""
        with self._lock:
            if self._position > HEADER_SIZE or self._poisoned:
                self._begin_segment(beyond_limit=True)
            return self._last_number - 1

    def cut(self, mark: int) -> None:
        """Forget the segments up to the mark: all that they hold is in the world. Errors: ``OSError``."""
        with self._lock:
            self._remove(mark)

    def close(self, *, empty: bool = False) -> None:
        """Close; with ``empty``, remove all segments too (everything is in the world, and the descriptor says so)."""
        with self._lock:
            if self._segment is not None:
                self._segment.close()
                self._segment = None
            if empty:
                self._remove(self._last_number)

    def discard(self) -> None:
        """Close, and remove the segment that :meth:`open` began: the epoch never came to be."""
        self.close()
        self._files.remove(segment_path(self._folder, self._last_number))

    def _remove(self, mark: int) -> None:
        # Oldest first, each removal safe before the next: an old segment that comes back after a crash without its
        # successor would bring old bytes back.
        for number in [number for number in self._numbers if number <= mark]:
            self._files.remove(segment_path(self._folder, number))
            self._files.sync_dir(self._folder)
            self._numbers.remove(number)

    def _write(self, parts: list[Bytes], size: int) -> None:
        assert self._segment is not None
        if not size:
            return
        try:
            self._segment.pwrite(parts, self._position)
            self._segment.sync()
        except OSError:
            self._poisoned = True
            raise
        self._position += size

    def _begin_segment(self, *, beyond_limit: bool = False) -> None:
        # A checkpoint must always get the segment that lets it cut the others.
        if self.used >= self._limit and not beyond_limit:
            raise JournalFull
        number = self._last_number + 1
        header = SegmentHeader(self._disk_id, self.id.bytes, self._epoch, number)
        segment = self._make_segment(header)
        if self._segment is not None:
            self._segment.close()
        self._segment, self._salt = segment, header.salt
        self._position, self._poisoned = HEADER_SIZE, False
        self._numbers.append(number)
        self._last_number = number

    def _make_segment(self, header: SegmentHeader) -> File:
        path = segment_path(self._folder, header.number)
        segment = self._files.open(path, write=True, create=True)
        try:
            segment.reserve(self._segment_size)
            segment.pwrite([header.pack()], 0)
            segment.sync()
            self._files.sync_dir(self._folder)
        except OSError:
            segment.close()
            self._files.remove(path)
            raise
        return segment


def segment_path(folder: Path, number: int) -> Path:
    """Where segment ``number`` of the journal in ``folder`` stands."""
    return folder / f"{number:016d}{_SUFFIX}"


def segment_numbers(files: Files, folder: Path) -> list[int]:
    """The numbers of the segments in a folder, ascending."""
    names = (name[: -len(_SUFFIX)] for name in files.list_dir(folder) if name.endswith(_SUFFIX))
    return sorted(int(name) for name in names if name.isdigit())


def make_safe(files: Files, path: Path) -> None:
    """Write a segment that a crash left anew, as it reads. Errors: ``OSError``; the old one then still stands.

    Its bytes may never have reached the disk: its writer was killed, or a sync of it failed, and they come from the
    kernel's memory, which another sync would not write after a failed one. A flush must be able to rely on them.
    """
    file = files.open(path)
    try:
        content = file.pread(file.size(), 0)
    finally:
        file.close()
    # What follows the last byte that is not 0 may still be the payload of its record.
    write_atomically(files, path, content[: len(content.rstrip(b"\0")) + HEADER_SIZE + MAX_PAYLOAD])


def remove_segments(files: Files, folder: Path) -> None:
    """Remove what a cleanly stopped epoch may have left; the next segment's folder sync makes it last."""
    for number in segment_numbers(files, folder):
        files.remove(segment_path(folder, number))
