"""Sectors of a region file that its table doesn't name yet: those of writes under way, and of such as failed.

Whoever calls holds the region's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bbd.worlds.anvil.sectors import Extent, allocate


@dataclass(eq=False, slots=True)
class Claim:
    """Sectors of one write, neighbours in one piece; ``avoid`` are those of writes that had failed when it began."""

    avoid: Sequence[Extent]
    extents: list[Extent] = field(default_factory=list)


class Room:
    """Gives sectors to the writes of one region file."""

    def __init__(self) -> None:
        self._under_way: list[Claim] = []
        self._failed: list[Extent] = []

    def begin(self) -> Claim:
        """A write begins, and the table on the disk is the one in memory: so it, too, keeps away from the sectors of
        those that have failed, and from then on they are free."""
        claim = Claim(self._failed)
        self._failed = []
        self._under_way.append(claim)
        return claim

    def take(self, claim: Claim, locations: npt.NDArray[np.uint32], counts: Sequence[int]) -> list[Extent]:
        """Sectors for chunks of ``counts`` sectors each, which ``locations`` don't name and nobody else has claimed.
        Raises ``OSError`` (ENOSPC) where the file can address no more."""
        avoid = [*claim.avoid, *self._failed, *(extent for one in self._under_way for extent in one.extents)]
        extents = allocate(locations, avoid, counts)
        claim.extents += _joined(extents)
        return extents

    def end(self, claim: Claim, *, failed: bool) -> None:
        """A write is over. Its sectors are the table's from now on, or, if it failed, nobody knows what names them."""
        self._under_way.remove(claim)
        if failed:
            self._failed += claim.extents or claim.avoid


def _joined(extents: Iterable[Extent]) -> list[Extent]:
    joined: list[Extent] = []
    for extent in extents:
        if joined and joined[-1].end == extent.start:
            joined[-1] = Extent(joined[-1].start, extent.end)
        else:
            joined.append(extent)
    return joined
