"""Reading a column from the world and believing only what its check section vouches for."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass, field

from bbd.disk.check import CHECK_SIZE, CheckSection
from bbd.disk.identity import Identity
from bbd.disk.integrity import section_crc, zero_crc
from bbd.disk.zeros import canonical, zero_section
from bbd.worlds.world import CHECK_SECTION, DATA_SECTIONS, ColumnUnreadable, Site, StoredColumn, StoredSection

logger = logging.getLogger("bbd.disk")


class SectionDamaged(OSError):
    """The bytes of a section are not known (EIO); the message says which section, and why."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EIO, why)


@dataclass(slots=True)
class LoadedColumn:
    """A column as the world has it.

    ``sections`` holds 16 payloads; ``None`` stands where ``damage`` says why there is none. ``check`` is ``None`` where
    the column could not be identified. ``valid`` is cleared when a checkpoint has written the column anew.
    ``stored`` is what the site gave, ``raw`` the bytes of a chunk that could not even be parsed.
    """

    sections: list[bytes | None]
    check: CheckSection | None = None
    damage: dict[int, str] = field(default_factory=dict)
    edited: set[int] = field(default_factory=set)
    stored: StoredColumn | None = None
    raw: bytes = b""
    valid: bool = True

    @property
    def generation(self) -> int:
        """The sequence number up to which the column includes the journal; -1 where nothing vouches for any."""
        return self.check.generation if self.check else -1

    def section(self, index: int) -> bytes:
        """A payload, or :class:`SectionDamaged`."""
        payload = self.sections[index]
        if payload is None:
            raise SectionDamaged(self.damage[index])
        return payload


class ColumnReader:
    """Reads and verifies the columns of one disk. Stateless but for the site; any thread may call."""

    def __init__(self, site: Site, identity: Identity) -> None:
        self._site = site
        self._identity = identity
        self._zero = zero_section(identity.section_size)
        self._zero_crc = zero_crc(identity.section_size)

    def load(self, column: int) -> LoadedColumn:
        """Read an allocated column. Whatever is wrong with it stands in ``damage``, and is logged once a call.

        Raises ``OSError`` only where the world can't be read at all just now.
        """
        try:
            stored = self._site.read(column)
        except ColumnUnreadable as error:
            return self._all_lost(column, str(error.strerror), raw=error.raw)
        if stored is None:
            return self._all_lost(column, "its chunk is gone")
        check = self.identify(column, stored)
        if isinstance(check, str):
            return self._all_lost(column, check, stored=stored)
        loaded = LoadedColumn([self._zero] * DATA_SECTIONS, check, stored=stored)
        for index in range(DATA_SECTIONS):
            self._verify(loaded, check, index, stored.sections[index])
        self._report(column, loaded)
        return loaded

    def identify(self, column: int, stored: StoredColumn) -> CheckSection | str:
        """The column's check section, or why what stands there is not this column."""
        section = stored.sections[CHECK_SECTION]
        if section is None:
            return "its check section is gone"
        if section.lost is not None and any(section.lost[:CHECK_SIZE]):
            return "blocks of its check section are gone"
        try:
            check = CheckSection.unpack(section.payload[:CHECK_SIZE])
        except ValueError as error:
            return str(error)
        if check.disk_id.bytes != self._identity.disk_id:
            return f"what stands there is a column of another disk ({check.disk_id})"
        if check.column != column:
            return f"what stands there is column {check.column}"
        return check

    def is_foreign(self, column: int) -> bool:
        """Whether what stands in an unallocated column's place is somebody's: neither air nor this disk's own."""
        try:
            stored = self._site.read(column)
        except ColumnUnreadable:
            return True
        own = () if stored is None else stored.sections[: self._identity.stored_sections]
        if stored is None or all(section is None for section in own):
            return False
        return isinstance(self.identify(column, stored), str)

    def may_be_ours(self, column: int) -> bool:
        """Whether the chunk in a column's place says that it is this disk's, or can't be read."""
        try:
            stored = self._site.read(column)
        except ColumnUnreadable:
            return True
        return stored is not None and not isinstance(self.identify(column, stored), str)

    def _verify(self, loaded: LoadedColumn, check: CheckSection, index: int, found: StoredSection | None) -> None:
        payload = canonical(found.payload, self._zero) if found else self._zero
        crc = section_crc(payload) if found else self._zero_crc
        why = None
        if check.lost >> index & 1:
            why = "its bytes were lost before and not written since"
        elif found and found.lost is not None:
            why = f"{len(found.lost) - found.lost.count(0)} of its bytes are gone from the world"
        elif crc != check.crcs[index]:
            if found and self._identity.accept_edits:
                loaded.edited.add(index)
            else:
                why = "its blocks are not the ones that were written (CRC)"
        loaded.sections[index] = payload if why is None else None
        if why is not None:
            loaded.damage[index] = self._where(check.column, index, why)

    def _all_lost(self, column: int, why: str, *, raw: bytes = b"", stored: StoredColumn | None = None) -> LoadedColumn:
        damage = {index: self._where(column, index, why) for index in range(DATA_SECTIONS)}
        loaded = LoadedColumn([None] * DATA_SECTIONS, damage=damage, raw=raw, stored=stored)
        logger.error("column %d, %s: %s", column, self._site.describe(column), why)
        return loaded

    def _report(self, column: int, loaded: LoadedColumn) -> None:
        for message in loaded.damage.values():
            logger.error("%s", message)
        if loaded.edited:
            logger.warning(
                "column %d, %s: sections %s were edited in the world; the edit is taken as the disk's",
                column,
                self._site.describe(column),
                sorted(loaded.edited),
            )

    def _where(self, column: int, index: int, why: str) -> str:
        return f"section {index} of column {column}, {self._site.describe(column)}, y {16 * index}: {why}"
