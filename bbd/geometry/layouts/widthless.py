"""What layouts without a width have in common: one curve for every size, and nothing to keep in the descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self


class Widthless:
    """The parameters of a layout that has none. See :class:`bbd.geometry.interfaces.Layout`."""

    __slots__ = ()
    name: str

    @property
    def width_log2(self) -> int:
        """Always 0."""
        return 0

    def parameters(self) -> Mapping[str, int]:
        """None."""
        return {}

    @classmethod
    def for_size(cls, columns: int) -> Self:
        """The same for every size."""
        return cls()

    @classmethod
    def from_width_log2(cls, width_log2: int) -> Self:
        """Raises ``ValueError`` unless ``width_log2`` is 0."""
        if width_log2 != 0:
            raise ValueError(f"layout {cls.name} has no width, but log2 of it is given as {width_log2}")
        return cls()
