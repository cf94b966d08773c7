"""Moves a file's clusters about in a FAT16 image, which no tool does: mtools takes the first that are free.

Structures as in Microsoft's "FAT: General Overview of On-Disk Format", version 1.03, sections "Boot Sector and BPB",
"FAT Data Structure" and "FAT Directory Structure".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

END_OF_CHAIN = 0xFFF8
_ENTRY = 32


@dataclass(frozen=True)
class Volume:
    """A FAT16 image, changed in place. Clusters are told as ``pages``, the image in pieces of a cluster's size, of
    which the first data cluster must begin one."""

    image: bytearray

    def move(self, name: bytes, pages: Sequence[int]) -> None:
        """Move the last ``len(pages)`` clusters of a file in the root folder (``MURAL   BMP``) to these pages."""
        chain = self._chain(name)
        kept, moved = chain[: -len(pages)], chain[-len(pages) :]
        if not kept:
            raise ValueError("the file has too few clusters: its first one stays")
        targets = [page - self._first_page + 2 for page in pages]
        if taken := [page for page, cluster in zip(pages, targets, strict=True) if self._next(cluster)]:
            raise ValueError(f"there is a file in page {taken[0]}")
        contents = [self._content(cluster) for cluster in moved]
        for cluster in moved:
            self._fill(cluster, bytes(self._cluster))
            self._link(cluster, 0)
        for cluster, content in zip(targets, contents, strict=True):
            self._fill(cluster, content)
        whole = [*kept, *targets]
        for cluster, following in zip(whole, [*whole[1:], 0xFFFF], strict=True):
            self._link(cluster, following)

    def _field(self, kind: str, at: int) -> int:
        (value,) = struct.unpack_from(f"<{kind}", self.image, at)
        return int(value)

    @property
    def _cluster(self) -> int:
        return self._field("H", 11) * self._field("B", 13)

    @property
    def _tables(self) -> list[int]:
        sector, length = self._field("H", 11), self._field("H", 22)
        return [sector * (self._field("H", 14) + number * length) for number in range(self._field("B", 16))]

    @property
    def _root(self) -> int:
        return self._tables[-1] + self._field("H", 22) * self._field("H", 11)

    @property
    def _first_page(self) -> int:
        return (self._root + self._field("H", 17) * _ENTRY) // self._cluster

    def _chain(self, name: bytes) -> list[int]:
        entries = range(self._root, self._root + self._field("H", 17) * _ENTRY, _ENTRY)
        found = [at for at in entries if self.image[at : at + 11] == name]
        if not found:
            raise ValueError(f"no file {name!r} in the root folder")
        chain = [self._field("H", found[0] + 26)]
        while (following := self._next(chain[-1])) < END_OF_CHAIN:
            chain.append(following)
        return chain

    def _next(self, cluster: int) -> int:
        return self._field("H", self._tables[0] + 2 * cluster)

    def _link(self, cluster: int, following: int) -> None:
        for table in self._tables:
            struct.pack_into("<H", self.image, table + 2 * cluster, following)

    def _place(self, cluster: int) -> slice:
        start = (self._first_page + cluster - 2) * self._cluster
        return slice(start, start + self._cluster)

    def _content(self, cluster: int) -> bytes:
        return bytes(self.image[self._place(cluster)])

    def _fill(self, cluster: int, content: bytes) -> None:
        self.image[self._place(cluster)] = content
