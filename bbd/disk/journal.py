"""The write-ahead log that makes FLUSH cheap: segments in a folder of the disk's own, outside the world.

A batch is appended with one write and one sync. A checkpoint first turns to a fresh segment (:meth:`Journal.rotate`)
and, when everything logged before is in the world, forgets the older ones (:meth:`Journal.cut`).
After a failed sync nothing is written again to the same segment: the next batch begins a new one.
"""

from __future__ import annotations

import errno
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bbd.blocks import BLOCK
from bbd.disk.journal_records import HEADER_SIZE, Record, SegmentHeader
from bbd.disk.journal_segments import Segments, segment_path
from bbd.disk.journal_tail import Tail, most_size
from bbd.files import File, Files

SEGMENT_SIZE: Final = 16 << 20
EARLY: Final = 256 << 10
"""Bytes that small batches append to a reserved segment before one is prepared that syncs in half the time."""


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
        self._segments = Segments(files, folder, min(SEGMENT_SIZE, limit // BLOCK * BLOCK), limit)
        self._segment: File | None = None
        self._tail = Tail()
        self._poisoned = False
        self._last_number = 0
        self.id = uuid.uuid4()

    @property
    def used(self) -> int:
        """Bytes of the file system that its segments take."""
        return len(self._segments.numbers) * self._segments.size

    @property
    def limit(self) -> int:
        """Bytes that its segments may take."""
        return self._limit

    def open(self) -> None:
        """Begin this epoch's first segment, beside those that are still to be replayed. Errors: ``OSError``."""
        with self._lock:
            self._segments.open()
            self._last_number = max(self._segments.numbers, default=0)
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
            for record in records:
                size = most_size(record)
                if self._tail.position + size > self._segments.size:
                    self._make_safe()
                    self._begin_segment(beyond_limit=beyond_limit)
                try:
                    self._tail.put(record, size)
                except OSError:
                    self._poison()
                    raise
            self._make_safe()

    def rotate(self) -> int:
        """Turn to a fresh segment; return a mark for :meth:`cut` that covers every record appended so far."""
        with self._lock:
            if self._tail.position > HEADER_SIZE or self._poisoned:
                self._begin_segment(beyond_limit=True)
            return self._last_number - 1

    def cut(self, mark: int) -> None:
        """Forget the segments up to the mark: all that they hold is in the world. Errors: ``OSError``."""
        with self._lock:
            self._segments.retire(mark)

    @property
    def in_use(self) -> bool:
        """Whether a caller would have to wait just now."""
        return self._lock.locked()

    @property
    def wants_spare(self) -> bool:
        """Whether nothing is prepared for the next segment, see :meth:`prepare_spare`, though this one is half full, or
        syncs slowly and has been synced for a while."""
        half = self._segments.size // 2
        least = min(EARLY, half) if self._segments.reserved else half
        return self._tail.position > least and self._segments.wants_spare

    def prepare_spare(self) -> None:
        """Write what the next segment begins with, while others append; begin it at once where the one in use syncs
        slowly and is not soon full. One thread at a time. Errors: ``OSError``; appending goes on as before."""
        with self._lock:
            path = self._segments.spare_path()
        self._segments.write_spare(path)
        with self._lock:
            self._segments.add_spare(path)
            soon_full = 2 * self._tail.position > self._segments.size
            if self._segments.reserved and not soon_full and self._segment is not None and self.used < self._limit:
                self._begin_segment()

    def close(self, *, empty: bool = False) -> None:
        """Close; with ``empty``, remove all segments too (everything is in the world, and the descriptor says so)."""
        with self._lock:
            if self._segment is not None:
                self._segment.close()
                self._segment = None
            if empty:
                self._segments.retire(self._last_number, recycle=False)
                self._segments.remove_spares()

    def discard(self) -> None:
        """Close, and remove the segment that :meth:`open` began: the epoch never came to be."""
        self.close()
        self._files.remove(segment_path(self._folder, self._last_number))

    def _make_safe(self) -> None:
        try:
            self._tail.make_safe()
        except OSError:
            self._poison()
            raise

    def _poison(self) -> None:
        """A write or a sync failed: there is nothing to go on with in this segment."""
        self._poisoned = True
        self._segments.distrust(self._last_number)

    def _begin_segment(self, *, beyond_limit: bool = False) -> None:
        # A checkpoint must always get the segment that lets it cut the others.
        if self.used >= self._limit and not beyond_limit:
            raise JournalFull
        number = self._last_number + 1
        header = SegmentHeader(self._disk_id, self.id.bytes, self._epoch, number)
        segment = self._segments.begin(header)
        if self._segment is not None:
            self._segment.close()
        self._segment = segment
        self._tail.begin(segment, HEADER_SIZE, header.salt)
        self._poisoned = False
        self._last_number = number
