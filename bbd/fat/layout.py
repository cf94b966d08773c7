"""Where the parts of a FAT file system lie (FAT specification, "Boot Sector and BPB" and "FAT Type Determination")."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_BPB = struct.Struct("<11xHBHBHHxHHHIIIHHIHH")
_FAT12_CLUSTERS: Final = 4085
ENTRY: Final = 32
"""Bytes of a folder's entry."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A file system's parts; offsets and sizes are bytes from its beginning.

    ``bits`` is 12, 16 or 32; clusters are numbered 2 to ``clusters + 1``. ``root_cluster`` is 0 where the root folder
    has a place of its own, from ``root`` on. ``info`` is the offset of the FSInfo sector, 0 for none.
    """

    bits: int
    cluster_size: int
    clusters: int
    tables: tuple[int, ...]
    table_size: int
    root: int
    root_size: int
    root_cluster: int
    data: int
    info: int

    def cluster(self, number: int) -> int:
        """Where a cluster begins."""
        return self.data + (number - 2) * self.cluster_size


def parse(sector: bytes, size: int) -> Layout | None:
    """The layout that a boot sector tells of on a medium of ``size`` bytes; ``None`` where it is none of FAT's."""
    if len(sector) < 512 or sector[0] not in (0xEB, 0xE9):
        return None
    (
        unit, per_cluster, reserved, tables, root_entries, total16, table16, _, _, _, total32, table32, flags, version,
        root_cluster, info, _,
    ) = _BPB.unpack_from(sector)  # fmt: skip
    table_sectors, total = table16 or table32, total16 or total32
    if unit not in (512, 1024, 2048, 4096) or per_cluster == 0 or per_cluster & (per_cluster - 1):
        return None
    if not (reserved and 1 <= tables <= 4 and table_sectors and total) or total * unit > size:
        return None
    root_sectors = -(-root_entries * ENTRY // unit)
    first_data = reserved + tables * table_sectors + root_sectors
    clusters = (total - first_data) // per_cluster
    # As Linux does, and unlike the specification, a small file system with FAT32's fields is taken for what it says.
    wide = table16 == 0
    bits = 32 if wide else 12 if clusters < _FAT12_CLUSTERS else 16
    if clusters < 1 or wide != (root_entries == 0) or (wide and version):
        return None
    if table_sectors * unit * 8 < (clusters + 2) * bits:
        return None
    starts = tuple((reserved + number * table_sectors) * unit for number in range(tables))
    if wide and flags & 0x80:  # mirroring is off: one table counts
        starts = starts[flags & 0xF : (flags & 0xF) + 1] or starts[:1]
    return Layout(
        bits=bits,
        cluster_size=per_cluster * unit,
        clusters=clusters,
        tables=starts,
        table_size=table_sectors * unit,
        root=(reserved + tables * table_sectors) * unit,
        root_size=root_sectors * unit,
        root_cluster=root_cluster if wide else 0,
        data=first_data * unit,
        info=info * unit if wide and 0 < info < reserved else 0,
    )
