"""A site whose world is a dictionary: what a disk wrote, section by section, for tests of the layers above worlds."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from bbd.worlds.world import KEEP, ColumnUnreadable, ColumnWrite, Reading, StoredColumn


@dataclass(frozen=True, slots=True)
class StoredSection:
    """A section as it stands; ``lost`` as in ``StoredColumn.lost``."""

    payload: bytes
    lost: bytes | None = None


def _open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class DictSite:
    """Columns in memory. ``fail_writes`` and ``unreadable`` make it fail; ``foreign`` chunks are somebody else's."""

    section_size: int = 4096
    remote: bool = False
    side_by_side: bool = False
    columns: dict[int, list[StoredSection | None]] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)
    fail_writes: int | None = None
    writes: int = 0
    gate: threading.Event = field(default_factory=_open_gate)
    """Writes wait until it is set; ``waiting`` tells that one does."""
    waiting: threading.Event = field(default_factory=threading.Event)

    def describe(self, column: int) -> str:
        return f"chunk {column},0"

    def read(self, columns: Sequence[int]) -> list[Reading]:
        return [self._read(column) for column in columns]

    def read_data(self, columns: Sequence[int]) -> Iterator[tuple[int, Reading]]:
        return zip(columns, self.read(columns), strict=True)

    def _read(self, column: int) -> Reading:
        if column in self.unreadable:
            return ColumnUnreadable(errno.EIO, "its chunk is cut off", b"raw bytes")
        sections = self.columns.get(column)
        if sections is None:
            return None
        lost = {index: section.lost for index, section in enumerate(sections) if section and section.lost is not None}
        return StoredColumn([section.payload if section else None for section in sections], lost, sections)

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        self.waiting.set()
        self.gate.wait()
        self.waiting.clear()
        if self.fail_writes is not None:
            raise OSError(self.fail_writes, "injected")
        for column, write in columns.items():
            fresh = [self._section(write, index) for index in range(len(write.sections))]
            self.unreadable.discard(column)
            self.columns[column] = fresh
            if all(section is None for section in fresh):
                del self.columns[column]
            self.writes += 1

    def vacancies(self, group: int) -> int:
        bits = (1 << 1024) - 1
        for column in [*self.columns, *self.unreadable]:
            if column >> 10 == group:
                bits &= ~(1 << (column & 1023))
        return bits

    def make_safe(self) -> None:
        pass

    def places(self, group: int) -> Mapping[str, int]:
        return {f"group {group}": (1 << 1024) - 1}

    def fingerprint(self, place: str) -> tuple[int, int] | None:
        group = int(place.split()[1])
        here = {column: self.columns[column] for column in sorted(self.columns) if column >> 10 == group}
        return (len(here), crc32(repr(here).encode())) if here else None

    def present(self) -> Iterator[int]:
        yield from {*self.columns, *self.unreadable}

    def _section(self, write: ColumnWrite, index: int) -> StoredSection | None:
        entry = write.sections[index]
        if entry is KEEP:
            old: StoredSection | None = write.base[index] if write.base else None
            return old
        if entry is None:
            return None
        assert isinstance(entry, bytes | memoryview)
        lost = None
        if len(entry) < self.section_size:
            lost = bytes(len(entry)) + b"\1" * (self.section_size - len(entry))
        return StoredSection(bytes(entry).ljust(self.section_size, b"\0"), lost)
