"""Writing columns: merge new sections into what stands, vouch for them in the check section, add parity."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from bbd.disk.check import CHECK_SIZE, CheckSection
from bbd.disk.column_map import GROUP_COLUMNS, GROUP_SHIFT, ColumnMap
from bbd.disk.column_reader import ColumnReader
from bbd.disk.identity import Identity
from bbd.disk.integrity import ByteArray, parity, section_crc, update_parity, zero_crc
from bbd.disk.loaded_column import LoadedColumn
from bbd.disk.zeros import canonical, differences, merge, zero_section
from bbd.files import Files, write_atomically
from bbd.turns import TURNS
from bbd.worlds.world import (
    CHECK_SECTION,
    DATA_SECTIONS,
    FIRST_PARITY_SECTION,
    KEEP,
    STORED_SECTIONS,
    ColumnUnreadable,
    ColumnWrite,
    Payload,
    SectionWrite,
    Site,
)

logger = logging.getLogger("bbd.disk")

_AT_ONCE: Final = 32
"""Columns that are merged, checked and whose parity is computed together: many are faster, but must fit the processor's
cache, where each step finds what the one before has touched."""


@dataclass(frozen=True, slots=True)
class ColumnUpdate:
    """New bytes of a column: whole payloads by section index. ``from_zeros``: the other sections are zeros, whatever
    the world holds; ``allocated``: the world's column is the disk's."""

    sections: Mapping[int, Payload]
    from_zeros: bool
    allocated: bool
    standing: Mapping[int, tuple[Payload, ...]] = field(default_factory=dict)
    """What the world may have of ``sections``, as far as that is known, where others change it too."""
    whole: memoryview | None = None
    """All of ``sections`` in one piece, where they are the whole column and lie so."""
    found: dict[int, Payload] = field(default_factory=dict)
    """Filled in: other sections that others have changed, which the check section vouches for from now on."""
    merged: dict[int, Payload] = field(default_factory=dict)
    """Filled in: sections that go into the world with others' changes in them."""

    @property
    def merges(self) -> bool:
        """Whether what the world has of the column stays in part."""
        return self.allocated and not self.from_zeros and len(self.sections) < DATA_SECTIONS

    @property
    def logged(self) -> bool:
        """Whether the journal knows already that the column is zeros but for ``sections``, and those are none."""
        return self.from_zeros and not self.sections


@dataclass(slots=True)
class _Merged:
    """A column on its way out. ``payloads`` has ``None`` where the bytes aren't known and the blocks stay."""

    zero: bytes
    payloads: list[Payload | None]
    crcs: list[int]
    lost: int = 0
    base: LoadedColumn | None = None
    changed: dict[int, Payload] = field(default_factory=dict)
    whole: memoryview | None = None

    @property
    def vacant(self) -> bool:
        """Whether the column is zeros all over, and known to be."""
        return not self.lost and all(payload is self.zero for payload in self.payloads)


class ColumnWriter:
    """Writes the columns of one disk; any thread may call, but for :meth:`wrote`."""

    def __init__(self, site: Site, identity: Identity, reader: ColumnReader, files: Files, quarantine: Path) -> None:
        self._site = site
        self._identity = identity
        self._reader = reader
        self._files = files
        self._quarantine = quarantine
        self._zero = zero_section(identity.section_size)
        self._zero_crc = zero_crc(identity.section_size)
        self._disk_id = uuid.UUID(bytes=identity.disk_id)
        self._ours = ColumnMap()
        self._own = threading.local()

    @property
    def checked(self) -> bool:
        """Whether the columns say themselves whose they are, and what they include."""
        return self._identity.checked

    def prepare(self, updates: Mapping[int, ColumnUpdate], generation: int) -> tuple[dict[int, ColumnWrite], set[int]]:
        """Merge updates with the world; return what to hand to ``site.write``, and the columns that become vacant.

        A column that can't be read is put into quarantine first: its raw bytes go to a file, the new sections are
        written, the others stay unknown. Errors: ``OSError`` from the world or the quarantine's file system.
        """
        standing = self._standing(updates)
        writes: dict[int, ColumnWrite] = {}
        vacant: set[int] = set()
        rest = iter(updates.items())
        while some := dict(islice(rest, _AT_ONCE)):
            with TURNS.turn(first=False):
                vacant |= self._prepare(some, standing, generation, writes)
        return writes, vacant

    def _prepare(
        self,
        updates: Mapping[int, ColumnUpdate],
        standing: Mapping[int, LoadedColumn],
        generation: int,
        writes: dict[int, ColumnWrite],
    ) -> set[int]:
        """Add to ``writes``; return the columns that become vacant."""
        merged = {column: self._merge(standing.get(column), update) for column, update in updates.items()}
        vacant = {column for column, one in merged.items() if one.vacant}
        for column in vacant:
            entries: list[SectionWrite] = [None] * self._identity.stored_sections
            writes[column] = ColumnWrite(self._up_to_the_top(entries), self._base(merged.pop(column)))
        checks = {column: self._check(column, one, generation) for column, one in merged.items()}
        rows = self._parity(merged, checks) if self._identity.checked else [np.empty((0, 0), np.uint8)] * len(merged)
        for (column, one), its_rows in zip(merged.items(), rows, strict=True):
            writes[column] = ColumnWrite(self._entries(one, checks[column], its_rows), self._base(one))
        return vacant

    def wrote(self, columns: Iterable[int], vacant: Collection[int]) -> None:
        """Columns, without the vacant ones, are in the world now: their chunks can be read, so nobody need look before
        they are written over. On one thread."""
        for column in columns:
            if column in vacant:
                self._ours.discard(column)
            else:
                self._ours.add(column)

    def changed(self, columns: Iterable[int] | None) -> None:
        """Somebody else has written these columns, or any may have been written. On one thread."""
        for column in list(self._ours) if columns is None else columns:
            self._ours.discard(column)

    def _merge(self, base: LoadedColumn | None, update: ColumnUpdate) -> _Merged:
        if base is not None and base.edited:
            self._merge_edits(base, update)
        elif base is not None and base.sections and update.standing and not self.checked:
            self._merge_differences(base, update)
        given = {**update.sections, **update.merged}
        if len(given) == DATA_SECTIONS:
            payloads = [given[index] for index in range(DATA_SECTIONS)]
            crcs = self._crcs(payloads)
            if self._zero_crc in crcs or not self.checked:
                payloads = [canonical(payload, self._zero) for payload in payloads]
            whole = None if update.merged else update.whole
            return _Merged(self._zero, [*payloads], crcs, base=base, whole=whole)
        sections = {index: canonical(payload, self._zero) for index, payload in given.items()}
        if update.merges and base is not None:
            merged = self._as_it_stands(base)
        else:
            merged = _Merged(self._zero, [self._zero] * DATA_SECTIONS, [self._zero_crc] * DATA_SECTIONS, base=base)
        crcs = self._crcs(sections.values())
        for (index, payload), crc in zip(sections.items(), crcs, strict=True):
            merged.payloads[index] = payload
            merged.crcs[index] = crc
            merged.lost &= ~(1 << index)
        merged.changed.update(sections)
        return merged

    def _merge_edits(self, base: LoadedColumn, update: ColumnUpdate) -> None:
        """Others have changed sections in the world that a client has written too: bytes that they changed since the
        world was read stay as they made them, the others become the client's."""
        assert base.check is not None
        update.found.update({index: base.section(index) for index in base.edited - update.sections.keys()})
        for index in base.edited & update.sections.keys():
            known, now = update.standing.get(index, ()), base.section(index)
            vouched = [one for one in known if section_crc(one) == base.check.crcs[index]]
            # What was only sent would be vouched for, if it were there; what was read may have had an edit in it.
            was = next(iter([*vouched, *known]), None)
            if was is None:
                logger.warning(
                    "section %d of column %d, %s, was changed in the world while all of it was written anew; what was "
                    "written stands",
                    *(index, base.column, base.where),
                )
            else:
                update.merged[index] = merge(was, now, update.sections[index])

    def _merge_differences(self, base: LoadedColumn, update: ColumnUpdate) -> None:
        """The same where no check section tells of edits: what stands is none of what the world may have of a section.
        Of those it is an edit of the one that it is most like."""
        for index in update.standing.keys() & update.sections.keys():
            now = base.sections[index]
            if now is not None and now not in update.standing[index]:
                was = min(update.standing[index], key=lambda known: differences(known, now))
                update.merged[index] = merge(was, now, update.sections[index])

    def _crcs(self, payloads: Iterable[Payload]) -> list[int]:
        zero, of_zeros = self._zero, self._zero_crc
        return [of_zeros if payload is zero else section_crc(payload) for payload in payloads]

    def _standing(self, updates: Mapping[int, ColumnUpdate]) -> dict[int, LoadedColumn]:
        """What must be merged with, or kept around, the new sections."""
        merging = [column for column, update in updates.items() if update.merges or self._is_doubtful(column, update)]
        found = dict(zip(merging, self._reader.load_many(merging), strict=True)) if merging else {}
        for column, loaded in found.items():
            if loaded.raw:
                self._set_aside(column, loaded.raw)
        unknown = self._unknown([column for column in updates if column not in found])
        for column, reading in zip(unknown, self._site.read(unknown) if unknown else (), strict=True):
            if isinstance(reading, ColumnUnreadable):
                self._set_aside(column, reading.raw)
            elif reading is not None:
                found[column] = LoadedColumn(column, self._site.describe, [], stored=reading)
        return found

    def _is_doubtful(self, column: int, update: ColumnUpdate) -> bool:
        """Whether others may have changed a column of which every section is written, but not every byte."""
        return bool(update.standing) and column not in self._ours and update.allocated and not update.from_zeros

    def _unknown(self, columns: Iterable[int]) -> list[int]:
        """Those in whose place a chunk stands that was not written by this object."""
        vacancies: dict[int, int] = {}
        unknown = []
        for column in columns:
            group, bit = column >> GROUP_SHIFT, column & GROUP_COLUMNS - 1
            if column in self._ours:
                continue
            if group not in vacancies:
                vacancies[group] = self._site.vacancies(group)
            if not vacancies[group] >> bit & 1:
                unknown.append(column)
        return unknown

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
            disk_id=self._disk_id,
            column=column,
            generation=generation,
            crcs=tuple(merged.crcs),
            lost=merged.lost,
        ).pack()

    def _parity(self, columns: Mapping[int, _Merged], checks: Mapping[int, bytes]) -> list[ByteArray]:
        """The parity rows of each of a few columns, in order; in one call where nothing is damaged."""
        stripes = self._stripes(len(columns))
        for target, (column, merged) in zip(stripes, columns.items(), strict=True):
            data = merged.whole or b"".join([payload or self._zero for payload in merged.payloads])
            target[: len(data)] = np.frombuffer(data, np.uint8)
            target[len(data) : len(data) + CHECK_SIZE] = np.frombuffer(checks[column], np.uint8)
        rows = list(parity(stripes.reshape(len(columns), DATA_SECTIONS + 1, len(self._zero)), self._identity.parity))
        for at, (column, merged) in enumerate(columns.items()):
            if None in merged.payloads:
                updated = self._updated_parity(merged, checks[column])
                rows[at] = rows[at] if updated is None else updated
        return rows

    def _stripes(self, columns: int) -> ByteArray:
        """This thread's own memory for so many columns: fresh pages would cost more than the copy into them. What
        follows the check in its stripe is never written, and stays zeros."""
        found: ByteArray | None = getattr(self._own, "stripes", None)
        if found is None:
            found = self._own.stripes = np.zeros((_AT_ONCE, (DATA_SECTIONS + 1) * len(self._zero)), np.uint8)
        return found[:columns]

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
        zero = self._zero
        entries: list[SectionWrite] = [None if payload is zero else payload or KEEP for payload in merged.payloads]
        entries.append(check)
        entries += [None if row == zero else row for row in map(np.ndarray.tobytes, rows)]
        return self._up_to_the_top(entries)

    @staticmethod
    def _up_to_the_top(entries: list[SectionWrite]) -> list[SectionWrite]:
        """What stands above the disk's own sections is not the disk's."""
        return entries + [KEEP] * (STORED_SECTIONS - len(entries))

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
