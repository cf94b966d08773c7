"""What the layers of one disk share and never change."""

from __future__ import annotations

from dataclasses import dataclass

from bbd.worlds.world import FIRST_PARITY_SECTION


@dataclass(frozen=True, slots=True)
class Identity:
    """What the check sections of a disk's columns have in common.

    ``disk_id`` is the UUID's 16 bytes; ``codec`` and ``layout`` are the registry's numbers; ``width_log2`` is that of
    the layout's width in chunks (0: none); ``section_size`` is in payload bytes.
    """

    disk_id: bytes
    codec: int
    layout: int
    width_log2: int
    parity: int
    section_size: int
    accept_edits: bool

    @property
    def stored_sections(self) -> int:
        """How many sections of a column are the disk's: data, check, parity."""
        return FIRST_PARITY_SECTION + self.parity
