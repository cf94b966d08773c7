"""Which chunks stand, and whose region files changed (PROTOCOL.md, ``regions`` and ``presence``)."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from bbd.geometry.geometry import Geometry
from bbd.worlds.anvil.regions import RegionAt, region_name, region_of
from bbd.worlds.live.opened import OpenDisk
from bbd.worlds.world import COLUMNS_PER_GROUP, Fingerprint

_TOGETHER: Final = 64
_GROUPS_KEPT: Final = 1024
_ALL: Final = (1 << COLUMNS_PER_GROUP) - 1


class Places:
    """What a site knows of chunks without their blocks. Any thread may call.

    Vacancies are remembered: should a chunk have come to be since, then a write there, which expects nothing, is
    refused.
    """

    def __init__(self, disk: OpenDisk, geometry: Geometry) -> None:
        self._disk = disk
        self._geometry = geometry
        self._lock = threading.Lock()
        self._vacant: OrderedDict[int, int] = OrderedDict()

    def vacancies(self, group: int) -> int:
        """See :class:`bbd.worlds.world.Site`."""
        with self._lock:
            known = self._vacant.get(group)
        if known is not None:
            return known
        parts = self._parts(group)
        vacant = _ALL
        for region, presence in zip(parts, self._presence(list(parts)), strict=True):
            for column, index in parts[region]:
                if presence >> index & 1:
                    vacant &= ~(1 << column)
        with self._lock:
            self._vacant[group] = vacant
            if len(self._vacant) > _GROUPS_KEPT:
                self._vacant.popitem(last=False)
        return vacant

    def wrote(self, columns: Iterable[int]) -> None:
        """These columns stand now."""
        with self._lock:
            for column in columns:
                group, bit = divmod(column, COLUMNS_PER_GROUP)
                if group in self._vacant:
                    self._vacant[group] &= ~(1 << bit)

    def forget(self) -> None:
        """Others may have made or removed chunks."""
        with self._lock:
            self._vacant.clear()

    def names(self, group: int) -> Mapping[str, int]:
        """The region files of a group's columns, with a bit per column."""
        found = {}
        for region, pairs in self._parts(group).items():
            found[region_name(region)] = sum(1 << column for column, _ in pairs)
        return found

    def fingerprint(self, name: str) -> Fingerprint | None:
        """Size and time of change of a region file."""
        at = _region_called(name)
        (said,) = self._ask([at])["fingerprints"]
        return None if said is None else (int(said[0]), int(said[1]))

    def present(self) -> Iterator[int]:
        """The columns where a chunk stands."""
        regions = [(int(x), int(z)) for x, z in self._disk.ask("regions")["regions"]]
        for start in range(0, len(regions), _TOGETHER):
            some = regions[start : start + _TOGETHER]
            for (x, z), presence in zip(some, self._presence(some), strict=True):
                for index in range(presence.bit_length()):
                    if presence >> index & 1:
                        column = self._geometry.column_of(x * 32 + (index & 31), z * 32 + (index >> 5))
                        if column is not None:
                            yield column

    def _parts(self, group: int) -> Mapping[RegionAt, list[tuple[int, int]]]:
        """The columns of a group by region, each with its chunk's index there."""
        parts = defaultdict[RegionAt, list[tuple[int, int]]](list)
        for place in range(COLUMNS_PER_GROUP):
            region, index = region_of(*self._geometry.chunk_of(group * COLUMNS_PER_GROUP + place))
            parts[region].append((place, index))
        return parts

    def _presence(self, regions: Sequence[RegionAt]) -> list[int]:
        found: list[int] = []
        for start in range(0, len(regions), _TOGETHER):
            said = self._ask(regions[start : start + _TOGETHER])["presence"]
            found += [int.from_bytes(base64.b64decode(bits, validate=True), "little") for bits in said]
        return found

    def _ask(self, regions: Sequence[RegionAt]) -> Mapping[str, Any]:
        return self._disk.ask("presence", regions=[list(at) for at in regions])


def _region_called(name: str) -> RegionAt:
    _, x, z, _ = name.split(".")
    return int(x), int(z)
