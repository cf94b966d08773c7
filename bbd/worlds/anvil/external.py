"""Chunks that are too large for their region file, each in a file of its own beside it: ``c.X.Z.mcc``, X and Z being
the chunk's coordinates. It holds the compressed bytes alone; the region file keeps a sector with nothing but a length
of 1 and the compression type, with its highest bit set.

Such a file has one name for all its versions, so what makes it safe is the order. It is written and synced under
another name, gets its own by a rename, and the folder is synced, before the region file names a stub for it. Where a
stub stood already the rename itself is the change: it must then be of the same type. The file goes only when the
region file has no stub for it any more, and that is synced. One without a stub means nothing to anybody.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

from bbd.files import Files, write_atomically
from bbd.worlds.anvil.compression import EXTERNAL, MAX_CHUNK, AnyChunk, RawChunk
from bbd.worlds.anvil.damage import unreadable


class ExternalChunks:
    """The ``.mcc`` files of the region file at ``path``. Errors: ``OSError``."""

    def __init__(self, files: Files, path: Path) -> None:
        self._files = files
        self._folder = path.parent
        _, x, z, _ = path.name.split(".")
        self._first = int(x) * 32, int(z) * 32
        self._there: set[str] | None = None

    def look(self) -> None:
        """See which files there are; to be called before :meth:`exists`. From then on this object knows."""
        if self._there is None:
            self._there = {name for name in self._files.list_dir(self._folder) if name.endswith(".mcc")}

    def exists(self, index: int) -> bool:
        """Whether the chunk at ``index`` has a file, with a stub or without."""
        return self._there is not None and len(self._there) > 0 and self._path(index).name in self._there

    def resolve(self, index: int, stub: RawChunk) -> RawChunk:
        """The chunk that a stub stands for. Raises :class:`~bbd.worlds.world.ColumnUnreadable`."""
        path = self._path(index)
        try:
            file = self._files.open(path)
        except FileNotFoundError:
            raise unreadable(f"its bytes should lie in {path.name}, which is not there", stub.stored()) from None
        try:
            content = file.pread(MAX_CHUNK + 1, 0)
        finally:
            file.close()
        if len(content) > MAX_CHUNK:
            raise unreadable(f"{path.name} is larger than any chunk", stub.stored())
        return RawChunk(stub.compression & ~EXTERNAL, content)

    def write(self, index: int, chunk: AnyChunk) -> RawChunk:
        """Put a chunk into its file, durably, in the place of an older one; return its stub."""
        if chunk.size > MAX_CHUNK:
            raise OSError(errno.EFBIG, "a chunk is too large for its world", str(self._path(index)))
        path = self._path(index)
        if self._there is not None:
            self._there.add(path.name)
        write_atomically(self._files, path, bytes(chunk.data))
        return RawChunk(chunk.compression | EXTERNAL, b"")

    def remove(self, index: int) -> None:
        """Remove a file that has no stub any more. Where that fails it stays, without a meaning."""
        with suppress(OSError):
            self._files.remove(self._path(index))
            if self._there is not None:
                self._there.discard(self._path(index).name)

    def _path(self, index: int) -> Path:
        x, z = self._first
        return self._folder / f"c.{x + (index & 31)}.{z + (index >> 5)}.mcc"
