"""The allocation map ``<world>/bbd/<disk>.columns``: which columns hold bytes (``docs/format.md``, "Allocation map").

It decides: a column whose bit is clear reads as zeros whatever stands there; one whose bit is set and that is absent
is damage. Page 0 is the header; page ``1 + p`` holds the bitmaps of groups ``31 p`` … ``31 p + 30``, 128 bytes each,
lowest column in the lowest bit of the first byte, and at byte 3968 the CRC-32C of the bitmaps, begun from the
disk's and the page's number. A page of zeros, or a hole, is a page without columns.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from crc32c import crc32c

from bbd.disk.allocation_redo import RedoFile
from bbd.disk.column_map import FULL_GROUP, GROUP_COLUMNS, GROUP_SHIFT, ColumnMap
from bbd.errors import BbdError
from bbd.files import File, Files

PAGE: Final = 4096
BITMAP: Final = GROUP_COLUMNS // 8
GROUPS_PER_PAGE: Final = PAGE // BITMAP - 1
MAGIC: Final = b"bbdcols\x01"
_BITMAPS: Final = GROUPS_PER_PAGE * BITMAP
_CRC = struct.Struct("<I")
_ZEROS: Final = bytes(PAGE)


def columns_of_page(page: int) -> range:
    """The columns whose bits stand in a page (the first bitmap page is 0)."""
    first = page * GROUPS_PER_PAGE << GROUP_SHIFT
    return range(first, first + (GROUPS_PER_PAGE << GROUP_SHIFT))


class AllocationFile:
    """The map on stable storage. ``bits`` is what the file says; only :meth:`update` changes it.

    Every page is first written to a file beside the map, so that one that a power cut tore can be told again without
    asking the world. A page is written again until a sync of it has gone well.
    """

    def __init__(self, files: Files, path: Path, disk_id: bytes) -> None:
        self._files = files
        self._path = path
        self._id = disk_id
        self._file: File | None = None
        self._redo = RedoFile(files, path.with_name(path.name + ".redo"), disk_id)
        self._doubtful: set[int] = set()
        self.bits = ColumnMap()

    def create(self) -> None:
        """Make an empty map, durably, in the place of any other."""
        self._files.remove(self._path)
        self._redo.remove()
        file = self._files.open(self._path, write=True, create=True)
        head = MAGIC + self._id
        file.pwrite([(head + _CRC.pack(crc32c(head))).ljust(PAGE, b"\0")], 0)
        file.sync()
        file.close()
        self._files.sync_dir(self._path.parent)
        self.bits = ColumnMap()

    def load(self) -> list[int]:
        """Read the map into ``bits``; return the pages that are damaged (their columns are then missing in it).

        Raises :class:`BbdError` where the file is not this disk's map, ``FileNotFoundError`` where there is none.
        """
        file = self._files.open(self._path)
        try:
            self._check_header(file.pread(PAGE, 0))
            self.bits = ColumnMap()
            damaged = [page for page in _pages_with_data(file) if not self._take_page(page, self._page_of(file, page))]
        finally:
            file.close()
        redo = self._redo.load() if damaged else {}
        self._doubtful = {page for page in damaged if self._take_page(page, redo.get(page, b""))}
        return [page for page in damaged if page not in self._doubtful]

    def update(self, allocate: Iterable[int], free: Iterable[int]) -> None:
        """Set and clear bits, durably. Errors: ``OSError``; ``bits`` is then as before, the file as before or after."""
        fresh = self.bits.copy()
        touched = set(self._doubtful)
        for column in allocate:
            if column not in fresh:
                fresh.add(column)
                touched.add(_page_of(column))
        for column in free:
            if column in fresh:
                fresh.discard(column)
                touched.add(_page_of(column))
        if touched:
            self._write_pages(fresh, sorted(touched))
        self.bits = fresh

    def rewrite(self, pages: Iterable[int], found: ColumnMap) -> None:
        """Replace whole pages by what was found in the world, durably."""
        fresh = self.bits.copy()
        pages = sorted(pages)
        for page in pages:
            span = columns_of_page(page)
            fresh.difference_update(fresh.within(span.start, len(span)))
        fresh.update(found)
        self._write_pages(fresh, pages)
        self.bits = fresh

    def close(self) -> None:
        """Close the file; nothing is left to write."""
        self._redo.close()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _check_header(self, page: bytes) -> None:
        head = MAGIC + self._id
        if page[: len(head)] != head or _CRC.unpack_from(page, len(head))[0] != crc32c(head):
            raise BbdError(
                f"{self._path} is not the allocation map of this disk: move it away, and bbd rebuilds it from the world"
            )

    @staticmethod
    def _page_of(file: File, page: int) -> bytes:
        raw = file.pread(PAGE, (1 + page) * PAGE)
        return _ZEROS if raw == _ZEROS[: len(raw)] else raw

    def _take_page(self, page: int, raw: bytes) -> bool:
        if raw == _ZEROS:
            return True
        if len(raw) < PAGE or _CRC.unpack_from(raw, _BITMAPS)[0] != self._crc(page, raw[:_BITMAPS]):
            return False
        for slot in range(GROUPS_PER_PAGE):
            if bits := int.from_bytes(raw[slot * BITMAP : (slot + 1) * BITMAP], "little"):
                self.bits.groups[page * GROUPS_PER_PAGE + slot] = bits
        return True

    def _write_pages(self, bits: ColumnMap, pages: list[int]) -> None:
        if self._file is None:
            self._file = self._files.open(self._path, write=True)
        self._doubtful.update(pages)
        fresh = {page: self._page(bits, page) for page in sorted(self._doubtful)}
        self._redo.write(fresh)
        for page, raw in fresh.items():
            self._file.pwrite([raw], (1 + page) * PAGE)
        self._file.sync()
        self._doubtful.clear()

    def _page(self, bits: ColumnMap, page: int) -> bytes:
        first = page * GROUPS_PER_PAGE
        bitmaps = b"".join(
            (bits.groups.get(group, 0) & FULL_GROUP).to_bytes(BITMAP, "little")
            for group in range(first, first + GROUPS_PER_PAGE)
        )
        if not any(bitmaps):
            return _ZEROS
        return (bitmaps + _CRC.pack(self._crc(page, bitmaps))).ljust(PAGE, b"\0")

    def _crc(self, page: int, bitmaps: bytes) -> int:
        return crc32c(bitmaps, crc32c(self._id + page.to_bytes(8, "little")))


def _page_of(column: int) -> int:
    return (column >> GROUP_SHIFT) // GROUPS_PER_PAGE


def _pages_with_data(file: File) -> Iterator[int]:
    seen = 0
    for start, end in file.data():
        for page in range(max(start // PAGE, seen + 1), -(-end // PAGE)):
            seen = page
            yield page - 1
