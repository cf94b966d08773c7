"""Writing columns: merge new sections into what stands, vouch for them in the check section, add parity."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bbd.disk.check import CHECK_SIZE, CheckSection
from bbd.disk.column_map import GROUP_COLUMNS, GROUP_SHIFT
from bbd.disk.column_reader import ColumnReader, LoadedColumn
from bbd.disk.identity import Identity
from bbd.disk.integrity import ByteArray, parity, section_crc, update_parity, zero_crc
from bbd.disk.zeros import canonical, zero_section
from bbd.files import Files, write_atomically
from bbd.worlds.world import (
    CHECK_SECTION,
    DATA_SECTIONS,
    FIRST_PARITY_SECTION,
    KEEP,
    STORED_SECTIONS,
    ColumnUnreadable,
    ColumnWrite,
    SectionWrite,
    Site,
    read_column,
)

logger = logging.getLogger("bbd.disk")


@dataclass(frozen=True, slots=True)
class ColumnUpdate:
    """New bytes of a column: whole payloads by section index. ``from_zeros``: the other sections are zeros, whatever
    the world holds; ``allocated``: the world's column is the disk's."""

    sections: Mapping[int, bytes]
    from_zeros: bool
    allocated: bool

    @property
    def logged(self) -> bool:
        """Whether the journal knows already that the column is zeros but for ``sections``, and those are none."""
        return self.from_zeros and not self.sections


@dataclass(slots=True)
class _Merged:
    """A column on its way out. ``payloads`` has ``None`` where the bytes aren't known and the blocks stay."""

    zero: bytes
    payloads: list[bytes | None]
    crcs: list[int]
    lost: int = 0
    base: LoadedColumn | None = None
    changed: dict[int, bytes] = field(default_factory=dict)

    @property
    def vacant(self) -> bool:
        """Whether the column is zeros all over, and known to be."""
        return not self.lost and all(payload is self.zero for payload in self.payloads)


class ColumnWriter:
    """Writes the columns of one disk; one thread at a time."""

    def __init__(self, site: Site, identity: Identity, reader: ColumnReader, files: Files, quarantine: Path) -> None:
        self._site = site
        self._identity = identity
        self._reader = reader
        self._files = files
        self._quarantine = quarantine
        self._zero = zero_section(identity.section_size)
        self._zero_crc = zero_crc(identity.section_size)

    @property
    def checked(self) -> bool:
        """Whether the columns say themselves whose they are, and what they include."""
        return self._identity.checked

    def prepare(self, updates: Mapping[int, ColumnUpdate], generation: int) -> tuple[dict[int, ColumnWrite], set[int]]:
        """Merge updates with the world; return what to hand to ``site.write``, and the columns that become vacant.

        A column that can't be read is put into quarantine first: its raw bytes go to a file, the new sections are
        written, the others stay unknown. Errors: ``OSError`` from the world or the quarantine's file system.
        """
        merged = {column: self._merge(column, update) for column, update in updates.items()}
        vacant = {column for column, one in merged.items() if one.vacant}
        kept = {column: one for column, one in merged.items() if column not in vacant}
        checks = {column: self._check(column, one, generation) for column, one in kept.items()}
        rows = self._parity(kept, checks) if self._identity.checked else [np.empty((0, 0), np.uint8)] * len(kept)
        writes = {
            column: ColumnWrite(self._entries(one, checks[column], rows[at]), self._base(one))
            for at, (column, one) in enumerate(kept.items())
        }
        for column in vacant:
            entries: list[SectionWrite] = [None] * self._identity.stored_sections
            writes[column] = ColumnWrite(self._up_to_the_top(entries), self._base(merged[column]))
        return writes, vacant

    def _merge(self, column: int, update: ColumnUpdate) -> _Merged:
        base = self._stands(column, update)
        if update.from_zeros or not update.allocated or base is None:
            merged = _Merged(self._zero, [self._zero] * DATA_SECTIONS, [self._zero_crc] * DATA_SECTIONS, base=base)
        else:
            merged = self._as_it_stands(base)
        for index, fresh in update.sections.items():
            payload = canonical(fresh, self._zero)
            merged.payloads[index] = payload
            merged.crcs[index] = self._zero_crc if payload is self._zero else section_crc(payload)
            merged.lost &= ~(1 << index)
            merged.changed[index] = payload
        return merged

    def _stands(self, column: int, update: ColumnUpdate) -> LoadedColumn | None:
        """What must be merged with or kept around the new sections; ``None`` where no chunk is."""
        if update.allocated and not update.from_zeros:
            loaded = self._reader.load(column)
            if loaded.raw:
                self._set_aside(column, loaded.raw)
            return loaded
        group, bit = column >> GROUP_SHIFT, column & GROUP_COLUMNS - 1
        if self._site.vacancies(group) >> bit & 1:
            return None
        try:
            stored = read_column(self._site, column)
        except ColumnUnreadable as error:
            self._set_aside(column, error.raw)
            return None
        return LoadedColumn(column, self._site.describe(column), [], stored=stored) if stored else None

    def _as_it_stands(self, base: LoadedColumn) -> _Merged:
        merged = _Merged(self._zero, list(base.sections), [self._zero_crc] * DATA_SECTIONS, base=base)
        if not self._identity.checked:
            return merged
        if base.check is None:
            merged.lost = (1 << DATA_SECTIONS) - 1
            return merged
        merged.crcs = list(base.check.crcs)
        merged.lost = base.check.lost
        for index in base.edited:
            payload = base.section(index)
            merged.crcs[index] = section_crc(payload)
            merged.changed[index] = payload
        return merged

    def _check(self, column: int, merged: _Merged, generation: int) -> bytes:
        identity = self._identity
        return CheckSection(
            codec=identity.codec,
            layout=identity.layout,
            width_log2=identity.width_log2,
            parity=identity.parity,
            disk_id=uuid.UUID(bytes=identity.disk_id),
            column=column,
            generation=generation,
            crcs=tuple(merged.crcs),
            lost=merged.lost,
        ).pack()

    def _parity(self, columns: Mapping[int, _Merged], checks: Mapping[int, bytes]) -> list[ByteArray]:
        """The parity rows of each column, in order; all of them in one call where nothing is damaged."""
        size = self._identity.section_size
        stripes = np.zeros((len(columns), DATA_SECTIONS + 1, size), dtype=np.uint8)
        for at, (column, merged) in enumerate(columns.items()):
            for index, payload in enumerate(merged.payloads):
                if payload is not None and payload is not self._zero:
                    stripes[at, index] = np.frombuffer(payload, dtype=np.uint8)
            stripes[at, CHECK_SECTION, :CHECK_SIZE] = np.frombuffer(checks[column], dtype=np.uint8)
        rows = list(parity(stripes, self._identity.parity))
        for at, (column, merged) in enumerate(columns.items()):
            if None in merged.payloads:
                updated = self._updated_parity(merged, checks[column])
                rows[at] = rows[at] if updated is None else updated
        return rows

    def _updated_parity(self, merged: _Merged, check: bytes) -> ByteArray | None:
        """The old parity, changed by what changes: so it can still tell the sections that are damaged.

        ``None`` where the old parity, or an old section that is written over, isn't whole either.
        """
        base = merged.base
        if base is None or base.check is None or base.stored is None or base.edited:
            return None
        rows = []
        for index in range(FIRST_PARITY_SECTION, FIRST_PARITY_SECTION + self._identity.parity):
            if index in base.stored.lost:
                return None
            rows.append(np.frombuffer(base.stored.payloads[index] or self._zero, dtype=np.uint8))
        if not rows:
            return None
        updated = np.stack(rows)
        for index, payload in {**merged.changed, CHECK_SECTION: check}.items():
            old = base.check.pack() if index == CHECK_SECTION else base.sections[index]
            if old is None:
                return None
            delta = np.frombuffer(old, dtype=np.uint8) ^ np.frombuffer(payload, dtype=np.uint8)
            updated = update_parity(updated, index, delta)
        return updated

    def _entries(self, merged: _Merged, check: bytes, rows: ByteArray) -> list[SectionWrite]:
        if not self._identity.checked:
            # Nothing could tell a section of air from one that was blown away, so zeros are blocks here.
            return self._up_to_the_top([KEEP if payload is None else payload for payload in merged.payloads])
        entries: list[SectionWrite] = [KEEP if payload is None else self._entry(payload) for payload in merged.payloads]
        entries.append(check)
        entries.extend(self._entry(row.tobytes()) for row in rows)
        return self._up_to_the_top(entries)

    @staticmethod
    def _up_to_the_top(entries: list[SectionWrite]) -> list[SectionWrite]:
        """What stands above the disk's own sections is not the disk's."""
        return entries + [KEEP] * (STORED_SECTIONS - len(entries))

    def _entry(self, payload: bytes) -> bytes | None:
        return None if canonical(payload, self._zero) is self._zero else payload

    @staticmethod
    def _base(merged: _Merged) -> object:
        return merged.base.stored.base if merged.base and merged.base.stored else None

    def _set_aside(self, column: int, raw: bytes) -> None:
        path = self._quarantine / f"column-{column}.{time.strftime('%Y%m%d-%H%M%S')}.chunk"
        self._files.make_dir(self._quarantine)
        write_atomically(self._files, path, raw)
        logger.error(
            "column %d, %s can't be read; its chunk's bytes are kept in %s, what is not written now stays unknown",
            column,
            self._site.describe(column),
            path,
        )
