"""Reading a column from the world, and believing only what its check section vouches for.

What it doesn't vouch for is told again from parity where that can be (``repair.py``); the rest is damage. A column
without a check section (Nether, End) is believed block by block: there only illegal blocks are damage.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bbd.disk.check import CHECK_SIZE, CheckSection
from bbd.disk.findings import Finding, Reporter
from bbd.disk.identity import Identity
from bbd.disk.integrity import STRIPES, parity, section_crc, zero_crc
from bbd.disk.repair import Repair
from bbd.disk.zeros import canonical, zero_section
from bbd.worlds.world import (
    CHECK_SECTION,
    DATA_SECTIONS,
    FIRST_PARITY_SECTION,
    ColumnUnreadable,
    Site,
    StoredColumn,
    read_column,
)

_LOST_BEFORE = "its bytes were lost before and not written since"
_WRONG_CRC = "its blocks are not the ones that were written (CRC)"
_GONE = "its blocks are gone from the world"


class SectionDamaged(OSError):
    """The bytes of a section are not known (EIO); the message says which section, and why."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EIO, why)


@dataclass(slots=True)
class LoadedColumn:
    """A column as the world has it.

    ``sections`` holds 16 payloads; ``None`` stands where ``damage`` says why there is none. ``check`` is ``None`` where
    the column has none, or could not be identified. ``edited`` sections differ from what was written, and count;
    ``mended`` ones were told again from parity; ``extra`` says what is wrong with check and parity sections. ``valid``
    is cleared when a checkpoint has written the column anew. ``stored`` is what the site gave, ``raw`` the bytes of a
    chunk that could not even be parsed.
    """

    column: int
    where: str
    sections: list[bytes | None]
    check: CheckSection | None = None
    damage: dict[int, str] = field(default_factory=dict)
    edited: set[int] = field(default_factory=set)
    mended: dict[int, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    stored: StoredColumn | None = None
    raw: bytes = b""
    valid: bool = True

    @property
    def generation(self) -> int:
        """The sequence number up to which the column includes the journal; -1 where nothing vouches for any."""
        return self.check.generation if self.check else -1

    @property
    def wants_writing(self) -> bool:
        """Whether writing it anew would put something right."""
        return bool(self.edited or self.mended or self.extra)

    @property
    def finding(self) -> Finding:
        """What is wrong with it."""
        return Finding(
            self.column, self.where, frozenset(self.edited), dict(self.mended), dict(self.damage), tuple(self.extra)
        )

    def section(self, index: int) -> bytes:
        """A payload, or :class:`SectionDamaged`."""
        payload = self.sections[index]
        if payload is None:
            why = self.damage[index]
            raise SectionDamaged(f"section {index} of column {self.column}, {self.where}, y {16 * index}: {why}")
        return payload


class ColumnReader:
    """Reads and verifies the columns of one disk; any thread may call. ``reporter`` hears of all that is wrong."""

    def __init__(self, site: Site, identity: Identity) -> None:
        self._site = site
        self._identity = identity
        self._zero = zero_section(identity.section_size)
        self._zero_crc = zero_crc(identity.section_size)
        self.reporter = Reporter()

    def load(self, column: int) -> LoadedColumn:
        """Read an allocated column; whatever is wrong with it stands in the result.

        Raises ``OSError`` only where the world can't be read at all just now.
        """
        loaded = self._load(column)
        self._report(loaded)
        return loaded

    def verify(self, column: int) -> LoadedColumn:
        """The same, and look at its parity too. Raises ``OSError`` as :meth:`load` does."""
        loaded = self._load(column)
        if not loaded.damage and not loaded.wants_writing and not self._parity_is_right(loaded):
            loaded.extra.append("its parity is not that of its sections")
        self._report(loaded)
        return loaded

    def identify(self, column: int, stored: StoredColumn) -> CheckSection | str:
        """The column's check section, or why what stands there is not this column."""
        payload, lost = stored.payloads[CHECK_SECTION], stored.lost.get(CHECK_SECTION)
        if payload is None:
            return "its check section is gone"
        if lost is not None and any(lost[:CHECK_SIZE]):
            return "blocks of its check section are gone"
        return self._check_of(column, payload[:CHECK_SIZE])

    def is_foreign(self, column: int) -> bool:
        """Whether what stands in an unallocated column's place is somebody's: neither air nor this disk's own."""
        try:
            stored = read_column(self._site, column)
        except ColumnUnreadable:
            return True
        if stored is None or self._is_air(stored):
            return False
        return not self._identity.checked or isinstance(self.identify(column, stored), str)

    def may_be_ours(self, column: int) -> bool:
        """Whether the chunk in a column's place may be this disk's: it says so, or can't be read, or (where columns
        have no check section) holds any block."""
        try:
            stored = read_column(self._site, column)
        except ColumnUnreadable:
            return True
        if stored is None:
            return False
        if not self._identity.checked:
            return not self._is_air(stored)
        return not isinstance(self._identified(column, stored)[0], str)

    def _load(self, column: int) -> LoadedColumn:
        where = self._site.describe(column)
        try:
            stored = read_column(self._site, column)
        except ColumnUnreadable as error:
            return _all_lost(column, where, str(error.strerror), raw=error.raw)
        if stored is None:
            return _all_lost(column, where, "its chunk is gone")
        if not self._identity.checked:
            return self._believed(column, where, stored)
        check, told_again = self._identified(column, stored)
        if isinstance(check, str):
            return _all_lost(column, where, check, stored=stored)
        loaded = LoadedColumn(column, where, [self._zero] * DATA_SECTIONS, check, stored=stored)
        loaded.extra += self._worn(stored, told_again=told_again)
        for index in range(DATA_SECTIONS):
            self._verify_section(loaded, check, index, stored)
        if loaded.damage and self._identity.parity:
            self._mend(loaded, check, stored)
        return loaded

    def _believed(self, column: int, where: str, stored: StoredColumn) -> LoadedColumn:
        """Nothing vouches for these sections, so none of air is ever written: air is a lost byte, here as there."""
        loaded = LoadedColumn(column, where, [None] * DATA_SECTIONS, stored=stored)
        for index, payload in enumerate(stored.payloads[:DATA_SECTIONS]):
            if payload is None or index in stored.lost:
                loaded.damage[index] = _loss(stored, index)
            else:
                loaded.sections[index] = canonical(payload, self._zero)
        return loaded

    def _identified(self, column: int, stored: StoredColumn) -> tuple[CheckSection | str, bool]:
        """The check section or why there is none, and whether it was told again from parity."""
        check = self.identify(column, stored)
        if isinstance(check, str) and self._identity.parity:
            repair = Repair(stored, self._identity.parity, self._identity.section_size)
            told = repair.check_section(lambda raw: self._check_of(column, raw))
            if told is not None:
                return told, True
        return check, False

    def _check_of(self, column: int, raw: bytes) -> CheckSection | str:
        try:
            check = CheckSection.unpack(raw)
        except ValueError as error:
            return str(error)
        if check.disk_id.bytes != self._identity.disk_id:
            return f"what stands there is a column of another disk ({check.disk_id})"
        if check.column != column:
            return f"what stands there is column {check.column}"
        return check

    def _worn(self, stored: StoredColumn, *, told_again: bool) -> list[str]:
        said = ["its check section was told again from parity"] if told_again else []
        if any(index in stored.lost for index in range(FIRST_PARITY_SECTION, self._identity.stored_sections)):
            said.append("blocks of its parity are gone")
        return said

    def _verify_section(self, loaded: LoadedColumn, check: CheckSection, index: int, stored: StoredColumn) -> None:
        found = stored.payloads[index]
        payload = canonical(found, self._zero) if found else self._zero
        crc = section_crc(payload) if found else self._zero_crc
        why = None
        if check.lost >> index & 1:
            why = _LOST_BEFORE
        elif index in stored.lost:
            why = _loss(stored, index)
        elif crc != check.crcs[index]:
            if found and self._identity.accept_edits:
                loaded.edited.add(index)
            else:
                why = _WRONG_CRC if found else _GONE
        loaded.sections[index] = payload if why is None else None
        if why is not None:
            loaded.damage[index] = why

    def _mend(self, loaded: LoadedColumn, check: CheckSection, stored: StoredColumn) -> None:
        """Tell damaged sections again. What an accepted edit changed is a suspect like any other section that parity
        doesn't fit: it is told again for its neighbours' sake, and then left as it stands."""
        repair = Repair(stored, self._identity.parity, self._identity.section_size)
        suspects = set(loaded.edited)
        for index in loaded.damage:
            if check.lost >> index & 1:
                continue
            if stored.payloads[index] is None:
                repair.erase(index)
            else:
                suspects.add(index)
        for index, told in repair.data_sections(check, suspects).items():
            if index in loaded.damage:
                loaded.mended[index] = loaded.damage.pop(index)
                loaded.sections[index] = self._with_edits(loaded, index, told, stored)

    def _with_edits(self, loaded: LoadedColumn, index: int, told: bytes, stored: StoredColumn) -> bytes:
        """The section as it was; where edits count, its legal blocks are the disk's, and only the others as before."""
        found, flags = stored.payloads[index], stored.lost.get(index)
        if found is None or flags is None or not self._identity.accept_edits:
            return canonical(told, self._zero)
        lost = np.frombuffer(flags, np.uint8) != 0
        merged = np.where(lost, np.frombuffer(told, np.uint8), np.frombuffer(found, np.uint8)).tobytes()
        if merged != told:
            loaded.edited.add(index)
        return canonical(merged, self._zero)

    def _parity_is_right(self, loaded: LoadedColumn) -> bool:
        count = self._identity.parity
        if not count or loaded.check is None or loaded.stored is None:
            return True
        stripes = np.zeros((1, STRIPES, self._identity.section_size), np.uint8)
        for index, payload in enumerate(loaded.sections):
            stripes[0, index] = np.frombuffer(payload or self._zero, np.uint8)
        stripes[0, CHECK_SECTION, :CHECK_SIZE] = np.frombuffer(loaded.check.pack(), np.uint8)
        rows = loaded.stored.payloads[FIRST_PARITY_SECTION : self._identity.stored_sections]
        standing = [row or self._zero for row in rows]
        return [row.tobytes() for row in parity(stripes, count)[0]] == standing

    def _is_air(self, stored: StoredColumn) -> bool:
        return all(payload is None for payload in stored.payloads[: self._identity.stored_sections])

    def _report(self, loaded: LoadedColumn) -> None:
        if loaded.damage or loaded.wants_writing:
            self.reporter.tell(loaded.finding)


def _loss(stored: StoredColumn, index: int) -> str:
    lost = stored.lost.get(index)
    return _GONE if lost is None else f"{len(lost) - lost.count(0)} of its bytes are gone from the world"


def _all_lost(
    column: int, where: str, why: str, *, raw: bytes = b"", stored: StoredColumn | None = None
) -> LoadedColumn:
    damage: Mapping[int, str] = dict.fromkeys(range(DATA_SECTIONS), why)
    return LoadedColumn(column, where, [None] * DATA_SECTIONS, damage=dict(damage), raw=raw, stored=stored)
