"""Writing columns: what stands is read, merged with what is new (:mod:`~bbd.disk.merging`), vouched for
(:mod:`~bbd.disk.vouching`), and handed to the world."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from bbd.disk.column_map import GROUP_COLUMNS, GROUP_SHIFT, ColumnMap
from bbd.disk.column_reader import ColumnReader
from bbd.disk.identity import Identity
from bbd.disk.integrity import ByteArray
from bbd.disk.loaded_column import LoadedColumn
from bbd.disk.merging import ColumnUpdate, MergedColumn, Merging
from bbd.disk.vouching import AT_ONCE, Vouching
from bbd.disk.zeros import zero_section
from bbd.files import Files, write_atomically
from bbd.turns import TURNS
from bbd.worlds.world import KEEP, STORED_SECTIONS, ColumnUnreadable, ColumnWrite, SectionWrite, Site

logger = logging.getLogger("bbd.disk")

_NO_ROWS: Final[ByteArray] = np.empty((0, 0), np.uint8)


class ColumnWriter:
    """Writes the columns of one disk; any thread may call, but for :meth:`wrote`."""

    def __init__(self, site: Site, identity: Identity, reader: ColumnReader, files: Files, quarantine: Path) -> None:
        self._site = site
        self._identity = identity
        self._reader = reader
        self._files = files
        self._quarantine = quarantine
        self._zero = zero_section(identity.section_size)
        self._merging = Merging(identity)
        self._vouching = Vouching(identity)
        self._ours = ColumnMap()

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
        while some := dict(islice(rest, AT_ONCE)):
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
        merged = {column: self._merging.merge(standing.get(column), update) for column, update in updates.items()}
        vacant = {column for column, one in merged.items() if one.vacant}
        for column in vacant:
            entries: list[SectionWrite] = [None] * self._identity.stored_sections
            writes[column] = ColumnWrite(self._up_to_the_top(entries), self._base(merged.pop(column)))
        checks = {column: self._vouching.check(column, one, generation) for column, one in merged.items()}
        rows = self._vouching.parity(merged, checks) if self.checked else [_NO_ROWS] * len(merged)
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

    def _entries(self, merged: MergedColumn, check: bytes, rows: ByteArray) -> list[SectionWrite]:
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
    def _base(merged: MergedColumn) -> object:
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
