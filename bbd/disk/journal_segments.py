"""The journal's segment files: how they begin, and how they end as spares for later ones.

An append into blocks that were written before is safe when its bytes are: the file system has nothing to add. So a
segment that was cut is kept as a spare (``<number>.spare``, which nobody replays) and begins again under a new name,
with a new number and with it a new salt: the records of its earlier life are none of the new one's. Where there is no
spare, room is reserved, and every append makes the file system note which blocks are written by now.
"""

from __future__ import annotations

import contextlib
import mmap
from pathlib import Path
from typing import Final

from bbd.disk.journal_records import HEADER_SIZE, SegmentHeader, whole_length
from bbd.files import File, Files, write_atomically

MOST_SPARES: Final = 16
"""Enough for a burst after a checkpoint, and as much room as a disk keeps for nothing else."""
_SUFFIX: Final = ".journal"
_SPARE: Final = ".spare"
_STEP: Final = 1 << 20


class Segments:
    """The files in a journal's folder; ``numbers`` are those of the segments that count, ascending. One thread at a
    time, but for :meth:`write_spare`. Errors are ``OSError``.

    ``size`` is a segment's, ``limit`` that of all files together (both in bytes), which only segments may exceed.
    """

    def __init__(self, files: Files, folder: Path, size: int, limit: int) -> None:
        self._files = files
        self._folder = folder
        self._most = limit // size
        self.size = size
        self.numbers: list[int] = []
        self.reserved = False
        """Whether the last segment begun is made of blocks that nothing was written to: syncs of it take longer."""
        self._reusable: set[int] = set()
        self._spares: list[Path] = []
        self._spares_made = 0

    def open(self) -> None:
        """Take up what an earlier epoch left: its segments count, its spares don't (their salts might come again)."""
        self._files.make_dir(self._folder)
        self.numbers = segment_numbers(self._files, self._folder)
        for number in self.numbers:
            make_safe(self._files, segment_path(self._folder, number))
        remove_spares(self._files, self._folder)

    def begin(self, header: SegmentHeader) -> File:
        """The file of a new segment, with its header, both safe."""
        path = segment_path(self._folder, header.number)
        source = self._spares.pop() if self._spares else path
        file = self._files.open(source, write=True, create=source is path)
        try:
            if source is path:
                file.reserve(self.size)
            file.pwrite([header.pack()], 0)
            file.sync()
            if source is not path:
                self._files.replace(source, path)
            self._files.sync_dir(self._folder)
        except OSError:
            file.close()
            self._files.remove(source)
            self._files.remove(path)
            raise
        self.reserved = source is path
        self.numbers.append(header.number)
        self._reusable.add(header.number)
        return file

    def distrust(self, number: int) -> None:
        """A write or a sync of the segment failed: its blocks are not to be used again."""
        self._reusable.discard(number)

    def retire(self, mark: int, *, recycle: bool = True) -> None:
        """Forget the segments up to number ``mark``; they become spares where ``recycle`` and the limit allow it.

        Oldest first, each gone for sure before the next: an old segment that comes back after a crash without its
        successor would bring old bytes back. For the same reason a spare is used only when its old name is gone.
        """
        for number in [number for number in self.numbers if number <= mark]:
            path = segment_path(self._folder, number)
            recycled = recycle and number in self._reusable and self._has_room(len(self.numbers) - 1)
            self._reusable.discard(number)  # should this fail, the next attempt removes it
            if recycled:
                spare = self.spare_path()
                self._files.replace(path, spare)
            else:
                self._files.remove(path)
            self._files.sync_dir(self._folder)
            self.numbers.remove(number)
            if recycled:
                self._spares.append(spare)

    @property
    def wants_spare(self) -> bool:
        """Whether the next segment will have to begin without one, though there is room for it."""
        return not self._spares and self._has_room(len(self.numbers))

    def write_spare(self, path: Path) -> None:
        """Write a spare of zeros under a name of :meth:`spare_path`; :meth:`add_spare` makes it count. Any thread may
        call, one at a time."""
        file = self._files.open(path, write=True, create=True)
        try:
            file.write_past_cache()
            zeros = memoryview(mmap.mmap(-1, _STEP))
            for start in range(0, self.size, _STEP):
                file.pwrite([zeros[: self.size - start]], start)
            file.sync()
        except OSError:
            with contextlib.suppress(OSError):
                self._files.remove(path)
            raise
        finally:
            file.close()

    def add_spare(self, path: Path) -> None:
        """Count what :meth:`write_spare` wrote."""
        self._spares.append(path)

    def remove_spares(self) -> None:
        """Give their room back."""
        self._spares.clear()
        remove_spares(self._files, self._folder)

    def _has_room(self, segments: int) -> bool:
        return len(self._spares) < MOST_SPARES and segments + len(self._spares) < self._most

    def spare_path(self) -> Path:
        """A name that no spare has had in this epoch."""
        self._spares_made += 1
        return self._folder / f"{self._spares_made:016d}{_SPARE}"


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
    write_atomically(files, path, content[: max(whole_length(content), HEADER_SIZE)])


def remove_spares(files: Files, folder: Path) -> None:
    """Remove what is left of spares; that one comes back after a crash does no harm."""
    for name in files.list_dir(folder):
        if name.endswith(_SPARE):
            files.remove(folder / name)


def remove_segments(files: Files, folder: Path) -> None:
    """Remove what a cleanly stopped epoch may have left; the next segment's folder sync makes it last."""
    for number in segment_numbers(files, folder):
        files.remove(segment_path(folder, number))
