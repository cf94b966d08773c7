"""Merging new bytes of columns with what the world has of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bbd.disk.identity import Identity
from bbd.disk.integrity import section_crc, section_crcs, zero_crc
from bbd.disk.loaded_column import LoadedColumn
from bbd.disk.zeros import canonical, differences, merge, zero_section
from bbd.worlds.world import DATA_SECTIONS, Payload

logger = logging.getLogger("bbd.disk")


@dataclass(slots=True)
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
class MergedColumn:
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


class Merging:
    """Merges columns of one disk; any thread may call."""

    def __init__(self, identity: Identity) -> None:
        self._checked = identity.checked
        self._zero = zero_section(identity.section_size)
        self._zero_crc = zero_crc(identity.section_size)

    def merge(self, base: LoadedColumn | None, update: ColumnUpdate) -> MergedColumn:
        """The column as it goes out: what is new, what others have changed, and where the update keeps it, the rest of
        what stands. ``base`` is what the world has, where that counts. Fills in the update's ``found`` and ``merged``.
        """
        if base is not None and base.edited:
            self._merge_edits(base, update)
        elif base is not None and base.sections and update.standing and not self._checked:
            self._merge_differences(base, update)
        given = {**update.sections, **update.merged} if update.merged else update.sections
        if len(given) == DATA_SECTIONS:
            payloads = [given[index] for index in range(DATA_SECTIONS)]
            crcs = list(section_crcs(payloads))
            if self._zero_crc in crcs or not self._checked:
                payloads = [canonical(payload, self._zero) for payload in payloads]
            whole = None if update.merged else update.whole
            return MergedColumn(self._zero, [*payloads], crcs, base=base, whole=whole)
        sections = {index: canonical(payload, self._zero) for index, payload in given.items()}
        if update.merges and base is not None:
            merged = self._as_it_stands(base)
        else:
            merged = MergedColumn(self._zero, [self._zero] * DATA_SECTIONS, [self._zero_crc] * DATA_SECTIONS, base=base)
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

    def _as_it_stands(self, base: LoadedColumn) -> MergedColumn:
        merged = MergedColumn(self._zero, list(base.sections), [self._zero_crc] * DATA_SECTIONS, base=base)
        if not self._checked:
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

    def _crcs(self, payloads: Iterable[Payload]) -> list[int]:
        zero, of_zeros = self._zero, self._zero_crc
        return [of_zeros if payload is zero else section_crc(payload) for payload in payloads]
