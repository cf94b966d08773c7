"""Folders: lists of 32-byte entries, in clusters or, for the root of FAT12 and FAT16, in a place of their own.

Source: FAT specification, "FAT Directory Structure"; dates and times from "Date and Time Formats".
"""

from __future__ import annotations

import errno
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bbd.fat.layout import ENTRY, Layout
from bbd.fat.medium import Medium
from bbd.fat.names import LONG_NAME, LongName, long_entries, make_short, plain_short, short_of_entry
from bbd.fat.table import Damaged, Table

FOLDER: Final = 0x10
ARCHIVE: Final = 0x20
_VOLUME: Final = 0x08
_DELETED: Final = 0xE5
_LONGEST: Final = 65536 * ENTRY
"""Bytes of the longest folder that the specification lets be."""
_ENTRY = struct.Struct("<11sBBBHHHHHHHI")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder. ``modified`` is in seconds since 1970 by this machine's time zone, as FAT keeps local time;
    ``slot`` is the number of its entry in its folder, before which stand those of its long name (``parts``).
    """

    name: str
    short: bytes
    attributes: int
    cluster: int
    size: int
    modified: float
    slot: int
    parts: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return bool(self.attributes & FOLDER)


class Folder:
    """An open folder; ``cluster`` is its first one, 0 for the root."""

    def __init__(self, medium: Medium, layout: Layout, table: Table, cluster: int) -> None:
        self._medium = medium
        self._layout = layout
        self._table = table
        self.cluster = cluster
        first = cluster or layout.root_cluster
        self._clusters = table.chain(first) if first else []
        self._raw = bytearray(self._load())

    def entries(self) -> Iterator[Entry]:
        """What is in it, but for itself, its parent and the volume's label."""
        long = LongName()
        for slot in range(len(self._raw) // ENTRY):
            raw = bytes(self._raw[slot * ENTRY : (slot + 1) * ENTRY])
            if raw[0] == 0:
                return
            if raw[0] == _DELETED:
                long.forget()
            elif raw[11] & 0x3F == LONG_NAME:
                long.add(raw)
            else:
                if not raw[11] & _VOLUME and raw[:11].rstrip() not in (b".", b".."):
                    yield _entry(raw, slot, long)
                long.forget()

    def find(self, name: str) -> Entry | None:
        """The entry of that name, long or short, whatever the case of its letters."""
        wanted, plain = name.casefold(), plain_short(name)
        for entry in self.entries():
            if entry.name.casefold() == wanted or entry.short == plain:
                return entry
        return None

    def add(self, name: str, attributes: int, cluster: int, size: int, modified: float) -> None:
        """Put a new entry in; the folder grows where it must. The table is not flushed. Errors: ``OSError``."""
        taken = {entry.short for entry in self.entries()}
        short = make_short(name, taken)
        needs_long = plain_short(name) != short or name != name.upper()
        new = [*(long_entries(name, short) if needs_long else []), _pack(short, attributes, cluster, size, modified)]
        slot = self._room_for(len(new))
        self._put(slot, b"".join(new))

    def change(self, entry: Entry, cluster: int, size: int, modified: float) -> None:
        """Let an entry name other clusters; its names and the time it was made stay."""
        old = self._raw[entry.slot * ENTRY : (entry.slot + 1) * ENTRY]
        new = _pack(entry.short, entry.attributes | ARCHIVE, cluster, size, modified)
        self._put(entry.slot, new[:12] + old[12:18] + new[18:])

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        for slot in range(entry.slot - entry.parts, entry.slot + 1):
            raw = bytearray(self._raw[slot * ENTRY : (slot + 1) * ENTRY])
            raw[0] = _DELETED
            self._put(slot, raw)

    def _load(self) -> bytes:
        if not self._clusters:
            return self._medium.read(self._layout.root, self._layout.root_size)
        if len(self._clusters) * self._layout.cluster_size > _LONGEST + self._layout.cluster_size:
            raise Damaged("a folder is longer than any can be")
        size = self._layout.cluster_size
        return b"".join(self._medium.read(self._layout.cluster(number), size) for number in self._clusters)

    def _room_for(self, count: int) -> int:
        """The first of ``count`` free slots in a row."""
        run = 0
        ended = False
        slots = len(self._raw) // ENTRY
        for slot in range(slots):
            mark = self._raw[slot * ENTRY]
            ended = ended or mark == 0
            run = run + 1 if ended or mark == _DELETED else 0
            if run == count:
                return slot - count + 1
        self._grow(count - run)
        return slots - run

    def _grow(self, slots: int) -> None:
        if not self._clusters:
            raise OSError(errno.ENOSPC, "the root folder of this file system holds no more names")
        size = self._layout.cluster_size
        count = -(-slots * ENTRY // size)
        if len(self._raw) + count * size > _LONGEST:
            raise OSError(errno.ENOSPC, "a folder holds no more names")
        fresh = self._table.allocate(count)
        for number in fresh:
            self._medium.write(self._layout.cluster(number), bytes(size))
        self._clusters += fresh
        self._table.link(self._clusters)
        self._raw += bytes(count * size)

    def _put(self, slot: int, raw: bytes | bytearray) -> None:
        for at in range(0, len(raw), ENTRY):
            place = slot * ENTRY + at
            self._raw[place : place + ENTRY] = raw[at : at + ENTRY]
            self._medium.write(self._place(place), bytes(raw[at : at + ENTRY]))

    def _place(self, place: int) -> int:
        if not self._clusters:
            return self._layout.root + place
        number, within = divmod(place, self._layout.cluster_size)
        return self._layout.cluster(self._clusters[number]) + within


def dots(cluster: int, parent: int, modified: float) -> bytes:
    """The two entries with which a folder begins: itself and its parent (0 for the root)."""
    return _pack(b".".ljust(11), FOLDER, cluster, 0, modified) + _pack(b"..".ljust(11), FOLDER, parent, 0, modified)


def _entry(raw: bytes, slot: int, long: LongName) -> Entry:
    short, attributes, _, _, _, _, _, high, clock, day, low, size = _ENTRY.unpack(raw)
    name = long.finish(short)
    return Entry(
        name=name or short_of_entry(raw),
        short=short,
        attributes=attributes,
        cluster=high << 16 | low,
        size=size,
        modified=_seconds(day, clock),
        slot=slot,
        parts=long.entries if name else 0,
    )


def _pack(short: bytes, attributes: int, cluster: int, size: int, modified: float) -> bytes:
    clock, day = _clock(modified)
    return _ENTRY.pack(short, attributes, 0, 0, clock, day, day, cluster >> 16, clock, day, cluster & 0xFFFF, size)


def _clock(seconds: float) -> tuple[int, int]:
    year, month, day, hour, minute, second = time.localtime(seconds)[:6]
    if not 1980 <= year <= 2107:
        year, month, day, hour, minute, second = (1980, 1, 1, 0, 0, 0) if year < 1980 else (2107, 12, 31, 23, 59, 58)
    return hour << 11 | minute << 5 | min(second, 59) // 2, (year - 1980) << 9 | month << 5 | day


def _seconds(day: int, clock: int) -> float:
    date = (1980 + (day >> 9), max(day >> 5 & 15, 1), max(day & 31, 1))
    try:
        return time.mktime((*date, clock >> 11, clock >> 5 & 63, (clock & 31) * 2, 0, 0, -1))
    except (OverflowError, ValueError):
        return 0.0
