"""Reading a column from the world, and believing only what its check section vouches for.

What it doesn't vouch for is told again from parity where that can be (``repair.py``); the rest is damage. A column
without a check section (Nether, End) is believed block by block: there only illegal blocks are damage.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np

from bbd.disk.check import CHECK_SIZE, CheckSection, vouches
from bbd.disk.findings import Reporter
from bbd.disk.identity import Identity
from bbd.disk.integrity import STRIPES, parity, section_crc, section_crcs, zero_crc
from bbd.disk.loaded_column import LoadedColumn, SoundColumn
from bbd.disk.repair import Repair
from bbd.disk.zeros import canonical, zero_section
from bbd.worlds.world import (
    CHECK_SECTION,
    DATA_SECTIONS,
    FIRST_PARITY_SECTION,
    ColumnUnreadable,
    DataColumn,
    Payload,
    Reading,
    Site,
    StoredColumn,
    read_column,
)

_LOST_BEFORE = "its bytes were lost before and not written since"
_WRONG_CRC = "its blocks are not the ones that were written (CRC)"
_ALL_KNOWN = bytes(CHECK_SIZE)
_GONE = "its blocks are gone from the world"


class ColumnReader:
    """Reads and verifies the columns of one disk; any thread may call. ``reporter`` hears of all that is wrong."""

    def __init__(self, site: Site, identity: Identity) -> None:
        self._site = site
        self._identity = identity
        self._zero = zero_section(identity.section_size)
        self._zero_crc = zero_crc(identity.section_size)
        self.reporter = Reporter()

    @property
    def site(self) -> Site:
        """Where it reads."""
        return self._site

    def load(self, column: int) -> LoadedColumn:
        """Read an allocated column; whatever is wrong with it stands in the result.

        Raises ``OSError`` only where the world can't be read at all just now.
        """
        (loaded,) = self.load_many([column])
        return loaded

    def load_many(self, columns: Sequence[int]) -> list[LoadedColumn]:
        """The same for many columns, in the order in which they are asked for; neighbours are cheapest together."""
        loaded = self._load(columns)
        self._report(loaded)
        return loaded

    def load_sound(self, columns: Sequence[int]) -> list[SoundColumn | None]:
        """The columns that are all as expected; ``None`` for each that takes a closer look, by :meth:`load`, so that
        one that must be mended, or can't be read, costs its neighbours nothing."""
        found: dict[int, SoundColumn | None] = {}
        with contextlib.suppress(OSError):
            for column, reading in self._site.read_data(columns):
                found[column] = self._sound_data(column, reading)
        return [*map(found.get, columns)]

    def verify_many(self, columns: Sequence[int]) -> list[LoadedColumn]:
        """The same as :meth:`load_many`, and look at their parity too. Raises ``OSError`` as it does."""
        loaded = self._load(columns)
        for one in self._with_wrong_parity([one for one in loaded if not one.damage and not one.wants_writing]):
            one.extra.append("its parity is not that of its sections")
        self._report(loaded)
        return loaded

    def identify(self, column: int, stored: StoredColumn) -> CheckSection | str:
        """The column's check section, or why what stands there is not this column."""
        payload, lost = stored.payloads[CHECK_SECTION], stored.lost.get(CHECK_SECTION)
        if payload is None:
            return "its check section is gone"
        if lost is not None and not lost.startswith(_ALL_KNOWN):
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

    def _load(self, columns: Sequence[int]) -> list[LoadedColumn]:
        readings = zip(columns, self._site.read(columns), strict=True)
        return [self._sound(column, reading) or self._as_it_stands(column, reading) for column, reading in readings]

    def _sound_data(self, column: int, reading: Reading | DataColumn) -> SoundColumn | None:
        if not isinstance(reading, DataColumn):
            loaded = self._sound(column, reading)
            return None if loaded is None else SoundColumn([loaded.section(at) for at in range(DATA_SECTIONS)])
        zero, data = self._zero, reading.data
        sections: list[Payload] = [zero if payload is None else payload for payload in data]
        crcs = [*section_crcs(sections)]
        if not self._identity.checked or not vouches(reading.head, self._identity.disk_id, column, crcs):
            return None
        if self._zero_crc in crcs:
            return SoundColumn([canonical(bytes(section), zero) for section in sections])
        return SoundColumn((), memoryview(b"".join(sections)))

    def _sound(self, column: int, reading: Reading) -> LoadedColumn | None:
        """A column with nothing wrong with it: the short way of nearly all of them. ``None`` for any other."""
        if not isinstance(reading, StoredColumn) or reading.lost.keys() - {CHECK_SECTION}:
            return None
        check = None
        if self._identity.checked:
            identified = self.identify(column, reading)
            if isinstance(identified, str):
                return None
            check = identified
        sections = self._sound_sections(reading.payloads[:DATA_SECTIONS], check)
        if sections is None:
            return None
        return LoadedColumn(column, self._site.describe, [*sections], check, stored=reading)

    def _sound_sections(self, found: Sequence[bytes | None], check: CheckSection | None) -> list[bytes] | None:
        """The payloads of a column that ``check`` vouches for; ``None`` where it doesn't for one of them."""
        zero = self._zero
        sections = [zero if payload is None else payload for payload in found]
        if check is None:
            return None if None in found else [canonical(section, zero) for section in sections]
        crcs = tuple(section_crcs(sections))
        if crcs != check.crcs or check.lost:
            return None
        return [canonical(section, zero) for section in sections] if self._zero_crc in crcs else sections

    def _as_it_stands(self, column: int, reading: Reading) -> LoadedColumn:
        if isinstance(reading, ColumnUnreadable):
            return self._all_lost(column, str(reading.strerror), raw=reading.raw)
        if reading is None:
            return self._all_lost(column, "its chunk is gone", vanished=True)
        if not self._identity.checked:
            return self._believed(column, reading)
        check, told_again = self._identified(column, reading)
        if isinstance(check, str):
            return self._all_lost(column, check, stored=reading, vanished=self._is_air(reading))
        loaded = LoadedColumn(column, self._site.describe, [self._zero] * DATA_SECTIONS, check, stored=reading)
        loaded.extra += self._worn(reading, told_again=told_again)
        for index in range(DATA_SECTIONS):
            self._verify_section(loaded, check, index, reading)
        if loaded.damage and self._identity.parity:
            self._mend(loaded, check, reading)
        return loaded

    def _believed(self, column: int, stored: StoredColumn) -> LoadedColumn:
        """Nothing vouches for these sections, so none of air is ever written: air is a lost byte, here as there."""
        loaded = LoadedColumn(column, self._site.describe, [None] * DATA_SECTIONS, stored=stored)
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

    def _with_wrong_parity(self, columns: Sequence[LoadedColumn]) -> list[LoadedColumn]:
        """Those of undamaged columns whose parity sections are not the parity of the others."""
        count, size = self._identity.parity, self._identity.section_size
        stored = [(one, one.stored.payloads) for one in columns if one.stored is not None]
        if not count or not stored:
            return []
        pieces = []
        for one, payloads in stored:
            pieces += [section or self._zero for section in one.sections]
            pieces.append((payloads[CHECK_SECTION] or self._zero)[:CHECK_SIZE].ljust(size, b"\0"))
        stripes = np.frombuffer(b"".join(pieces), np.uint8).reshape(len(stored), STRIPES, size)
        wrong = []
        for (one, payloads), rows in zip(stored, parity(stripes, count), strict=True):
            standing = payloads[FIRST_PARITY_SECTION : self._identity.stored_sections]
            if rows.tobytes() != b"".join(row or self._zero for row in standing):
                wrong.append(one)
        return wrong

    def _is_air(self, stored: StoredColumn) -> bool:
        return all(payload is None for payload in stored.payloads[: self._identity.stored_sections])

    def _report(self, columns: Sequence[LoadedColumn]) -> None:
        for loaded in columns:
            if loaded.damage or loaded.wants_writing:
                self.reporter.tell(loaded.finding)

    def _all_lost(
        self, column: int, why: str, *, raw: bytes = b"", stored: StoredColumn | None = None, vanished: bool = False
    ) -> LoadedColumn:
        damage = dict.fromkeys(range(DATA_SECTIONS), why)
        nothing: list[bytes | None] = [None] * DATA_SECTIONS
        return LoadedColumn(
            column, self._site.describe, nothing, damage=damage, raw=raw, stored=stored, vanished=vanished
        )


def _loss(stored: StoredColumn, index: int) -> str:
    lost = stored.lost.get(index)
    return _GONE if lost is None else f"{len(lost) - lost.count(0)} of its bytes are gone from the world"
