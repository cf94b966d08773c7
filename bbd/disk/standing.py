"""What the world may have of dirty sections, where others change the world while it is open.

It is what tells their changes from ours: a section that stands in the world as one of these is as we left it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bbd.disk.column_map import members
from bbd.worlds.world import DATA_SECTIONS, Payload


class Standing:
    """By column and section: the payloads that the world may have, as far as that is known, the last written last."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Payload, ...]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, column: int, indices: Iterable[int]) -> dict[int, tuple[Payload, ...]]:
        """What is known of these sections."""
        first = column * DATA_SECTIONS
        return {index: self._known[first + index] for index in indices if first + index in self._known}

    def is_now(self, column: int, index: int, payload: Payload) -> None:
        """The world has this, and nothing else."""
        self._known[column * DATA_SECTIONS + index] = (payload,)

    def may_be(self, column: int, sections: Mapping[int, Payload]) -> None:
        """These were sent into the world, and nobody knows whether they are there."""
        for index, payload in sections.items():
            section = column * DATA_SECTIONS + index
            self._known[section] = (*self._known.get(section, ()), payload)

    def forget(self, column: int, mask: int) -> None:
        """These sections are dirty no more."""
        for index in members(mask):
            self._known.pop(column * DATA_SECTIONS + index, None)
