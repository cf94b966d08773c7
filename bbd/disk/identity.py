"""What the layers of one disk share and never change."""

from __future__ import annotations

from dataclasses import dataclass

from bbd.worlds.world import DATA_SECTIONS, FIRST_PARITY_SECTION


@dataclass(frozen=True, slots=True)
class Identity:
    """What the check sections of a disk's columns have in common.

    ``disk_id`` is the UUID's 16 bytes; ``codec`` and ``layout`` are the registry's numbers; ``width_log2`` is that of
    the layout's width in chunks (0: none); ``section_size`` is in payload bytes. ``checked`` is false where the
    dimension has no room for check and parity sections (docs/format.md, "Nether and End").
    """

    disk_id: bytes
    codec: int
    layout: int
    width_log2: int
    parity: int
    section_size: int
    accept_edits: bool
    checked: bool = True

    def __post_init__(self) -> None:
        if self.parity and not self.checked:
            raise ValueError("a column without a check section has no parity either")

    @property
    def stored_sections(self) -> int:
        """How many sections of a column are the disk's: data, and where there are any, check and parity."""
        return FIRST_PARITY_SECTION + self.parity if self.checked else DATA_SECTIONS
