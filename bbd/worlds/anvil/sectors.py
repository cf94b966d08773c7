"""Which sectors of a region file are taken, by whom, and which are free.

A location is the Anvil format's u32: ``first_sector << 8 | sector_count``, 0 for no chunk. The first two sectors hold
the header, so no chunk can start below sector 2.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

SECTOR_SIZE = 4096
HEADER_SECTORS = 2
MAX_SECTORS = 255
"""Sectors that a location can count; a chunk that needs more can't lie in the region file."""
SECTOR_LIMIT = 1 << 24
"""Sectors that a location can address."""


class Extent(NamedTuple):
    """Sectors ``start`` to ``end - 1``."""

    start: int
    end: int

    @classmethod
    def of(cls, location: int) -> Extent:
        """The sectors that a location names, whether or not it makes sense."""
        return cls(location >> 8, (location >> 8) + (location & 0xFF))

    @property
    def location(self) -> int:
        """The location that names these sectors."""
        return self.start << 8 | (self.end - self.start)


def sectors_for(size: int) -> int:
    """How many sectors ``size`` bytes take."""
    return -(-size // SECTOR_SIZE)


def overlapping(locations: npt.NDArray[np.uint32]) -> frozenset[int]:
    """Indices of the locations that share a sector with another one. Those that can't be (no sectors, or some of the
    header's) are nobody's neighbours."""
    used = np.flatnonzero((locations & 0xFF != 0) & (locations >> 8 >= HEADER_SECTORS))
    starts = (locations[used] >> 8).astype(np.int64)
    order = np.argsort(starts, kind="stable")
    used, starts = used[order], starts[order]
    ends = starts + (locations[used] & 0xFF)
    reached = np.maximum.accumulate(np.concatenate(([HEADER_SECTORS], ends)))
    shared = starts < reached[:-1]
    shared[:-1] |= ends[:-1] > starts[1:]
    return frozenset(used[shared].tolist())


def free_extents(starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> list[Extent]:
    """What lies between the header and the end of all addressable sectors, lowest first, and in none of the extents
    from ``starts[i]`` to ``ends[i]``."""
    order = np.argsort(starts, kind="stable")
    reached = np.maximum.accumulate(np.concatenate(([HEADER_SECTORS], ends[order])))
    bounds = np.concatenate((starts[order], [SECTOR_LIMIT]))
    gaps = np.flatnonzero(bounds > reached)
    return [Extent(*gap) for gap in zip(reached[gaps].tolist(), bounds[gaps].tolist(), strict=True)]


def allocate(locations: npt.NDArray[np.uint32], avoid: Sequence[Extent], counts: Sequence[int]) -> list[Extent]:
    """Sectors for chunks of ``counts`` sectors each, every one in the lowest gap that holds it: a gap between what
    ``locations`` name, whether they make sense or not, and ``avoid``.

    Raises ``OSError`` (ENOSPC) where the file can address no more sectors.
    """
    named = locations[locations & 0xFF != 0].astype(np.int64)
    starts = np.concatenate((named >> 8, np.array([extent.start for extent in avoid], np.int64)))
    ends = np.concatenate(((named >> 8) + (named & 0xFF), np.array([extent.end for extent in avoid], np.int64)))
    free = free_extents(starts, ends)
    found: list[Extent] = []
    at = last = 0
    for count in counts:
        # No gap below the one that held the last chunk has room for one that is not smaller.
        at, last = at if count >= last else 0, count
        while at < len(free) and free[at].end - free[at].start < count:
            at += 1
        if at == len(free):
            raise OSError(errno.ENOSPC, "a region file can hold no more sectors")
        start, end = free[at]
        found.append(Extent(start, start + count))
        free[at] = Extent(start + count, end)
    return found
