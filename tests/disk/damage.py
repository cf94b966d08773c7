"""Ways to damage a column of a dictionary world, and what parity can tell of it again."""

from __future__ import annotations

from dataclasses import dataclass

from tests.disk.dict_site import DictSite, StoredSection

SIZE = 4096
CHECK = 16


@dataclass(frozen=True)
class Hit:
    """Bytes ``positions`` of a section (0 to 15 data, 16 check, 17 and on parity) are erased; with ``legal`` they are
    legal blocks of other bytes."""

    section: int
    positions: frozenset[int]
    legal: bool = False


def strike(site: DictSite, column: int, hits: list[Hit]) -> None:
    """Do it to a column; sections of air stay."""
    for hit in hits:
        found = site.columns[column][hit.section]
        if found is None:
            continue
        payload = bytearray(found.payload)
        lost = bytearray(found.lost or bytes(SIZE))
        for at in hit.positions:
            payload[at] = payload[at] ^ 0x5A if hit.legal else 0
            lost[at] = lost[at] if hit.legal else 1
        site.columns[column][hit.section] = StoredSection(bytes(payload), bytes(lost) if any(lost) else None)


def can_be_told(hits: list[Hit], parity: int) -> bool:
    """Whether each code word has as many rows of parity left as it has bytes to be told.

    A section with legal changes is missing in every code word: nothing says which of its bytes were changed. Parity
    with legal changes can't be counted on at all, and not more than one section with both kinds of damage.
    """
    if any(hit.section > CHECK and hit.legal for hit in hits):
        return False
    everywhere = {hit.section for hit in hits if hit.legal}
    if len(everywhere & {hit.section for hit in hits if not hit.legal}) > 1:
        return False
    for position in range(SIZE):
        missing = everywhere | {hit.section for hit in hits if position in hit.positions}
        if position >= 128:
            missing -= {CHECK}
        rows = parity - len([section for section in missing if section > CHECK])
        if len([section for section in missing if section <= CHECK]) > rows:
            return False
    return True
