"""The pages of the allocation map that are being written, in a file beside it (docs/format.md, "Allocation map").

The map's pages are written in place, and a power cut may tear one. Where the world can't tell which columns are the
disk's, this file can: it holds the same pages, synced before the first of them is touched.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from crc32c import crc32c

from bbd.files import File, Files

MAGIC: Final = b"bbdredo\x01"
_HEAD = struct.Struct("<8s16sII")
"""magic, disk id, number of pages, CRC-32C of what stands before it and of all that follows."""
_NUMBER = struct.Struct("<Q")
_PAGE: Final = 4096


class RedoFile:
    """The last pages written. Errors are ``OSError``."""

    def __init__(self, files: Files, path: Path, disk_id: bytes) -> None:
        self._files = files
        self._path = path
        self._id = disk_id
        self._file: File | None = None

    def write(self, pages: Mapping[int, bytes]) -> None:
        """Replace what it holds, durably."""
        body = b"".join(_NUMBER.pack(page) + raw for page, raw in pages.items())
        head = _HEAD.pack(MAGIC, self._id, len(pages), 0)[:-4]
        crc = crc32c(body, crc32c(head)).to_bytes(4, "little")
        if self._file is None:
            self._file = self._files.open(self._path, write=True, create=True)
            self._files.sync_dir(self._path.parent)
        self._file.pwrite([head + crc + body], 0)
        self._file.sync()

    def load(self) -> dict[int, bytes]:
        """The pages, by number; none where they are not whole, or another disk's."""
        if not self._files.exists(self._path):
            return {}
        file = self._files.open(self._path)
        try:
            raw = file.pread(file.size(), 0)
        finally:
            file.close()
        if len(raw) < _HEAD.size:
            return {}
        magic, disk_id, count, crc = _HEAD.unpack_from(raw)
        entry = _NUMBER.size + _PAGE
        body = raw[_HEAD.size : _HEAD.size + count * entry]
        if (magic, disk_id) != (MAGIC, self._id) or crc32c(body, crc32c(raw[: _HEAD.size - 4])) != crc:
            return {}
        return {
            _NUMBER.unpack_from(body, at)[0]: body[at + _NUMBER.size : at + entry] for at in range(0, len(body), entry)
        }

    def remove(self) -> None:
        """Forget it; the caller syncs the folder."""
        self.close()
        self._files.remove(self._path)

    def close(self) -> None:
        """Close the file; nothing is left to write."""
        if self._file is not None:
            self._file.close()
            self._file = None
