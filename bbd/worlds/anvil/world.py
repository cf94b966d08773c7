"""A Minecraft world that no game has open, reached through its files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from bbd.files import Files
from bbd.geometry.geometry import Geometry
from bbd.os_files import OsFiles
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.compression import STITCHED, type_of
from bbd.worlds.anvil.dimension import Dimension
from bbd.worlds.anvil.folders import OVERWORLD, region_folder
from bbd.worlds.anvil.regions import Regions
from bbd.worlds.anvil.site import AnvilSite

OPEN_REGIONS = 64
"""Region files that are open at a time, in each dimension."""


class AnvilWorld:
    """Owns every region file of the world at ``path``, however many disks lie in it.

    Whoever writes must hold the world's :class:`~bbd.worlds.anvil.lock.SessionLock`; this class does not take it, so
    that others may look into a world that is open elsewhere. ``writable`` false: files are opened for reading only.
    Any thread may call; :meth:`close` comes last. Raises :class:`~bbd.errors.BbdError` from :meth:`site` and its like
    where the world's folders make no sense, else ``OSError``.
    """

    def __init__(self, path: Path, files: Files | None = None, *, writable: bool = True) -> None:
        self.path = path
        self._files = files if files is not None else OsFiles()
        self._writable = writable
        self._lock = threading.Lock()
        self._dimensions: dict[str, Dimension] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def site(self, geometry: Geometry, dimension: str = OVERWORLD, compression: str = STITCHED) -> AnvilSite:
        """A disk's place in this world; ``compression`` (one of :data:`~bbd.worlds.anvil.compression.CHOICES`) is
        what it writes chunks with, whatever they had before."""
        return AnvilSite(self._dimension(dimension), geometry, type_of(compression), stitched=compression == STITCHED)

    def present_chunks(self, dimension: str = OVERWORLD) -> Iterator[tuple[int, int]]:
        """Coordinates of every chunk that stands in the world, readable or not."""
        return self._dimension(dimension).present_chunks()

    def is_blank(self, cx: int, cz: int, dimension: str = OVERWORLD) -> bool:
        """Whether nothing but air stands in a chunk's sections Y 0 to 19 (no chunk is blank, a damaged one isn't)."""
        return self._dimension(dimension).is_blank(cx, cz)

    def block_at(self, x: int, y: int, z: int, dimension: str = OVERWORLD) -> tuple[str, Mapping[str, str]] | None:
        """Name and properties of a block; ``None`` where no chunk stands. Raises
        :class:`~bbd.worlds.world.ColumnUnreadable`, ``OSError``."""
        block = self._dimension(dimension).block_at(x, y, z)
        return None if block is None else (block.name, block.properties)

    def chunk_at(self, cx: int, cz: int, dimension: str = OVERWORLD) -> Chunk | None:
        """A whole chunk, to look at many of its blocks; ``None`` where none stands. Raises
        :class:`~bbd.worlds.world.ColumnUnreadable`, ``OSError``."""
        return self._dimension(dimension).read(cx, cz)

    def close(self) -> None:
        """Close all files. What was written is safe already."""
        with self._lock:
            for dimension in self._dimensions.values():
                dimension.regions.close()
            self._dimensions.clear()

    def _dimension(self, name: str) -> Dimension:
        with self._lock:
            if name not in self._dimensions:
                folder = region_folder(self._files, self.path, name)
                regions = Regions(self._files, folder, writable=self._writable, open_limit=OPEN_REGIONS)
                self._dimensions[name] = Dimension(regions)
            return self._dimensions[name]
