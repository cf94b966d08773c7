"""Which chunks are known to hold nothing but a disk's own sections, so that whoever replaces all of them need not look.

Nobody else writes to a world whose lock is held, so what is known stays true. It only saves reading: what was forgotten
is read again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from bbd.worlds.anvil.coder import Base
from bbd.worlds.anvil.stitched import Stitched
from bbd.worlds.anvil.templates import AIR
from bbd.worlds.world import KEEP, SectionWrite

_KEPT: Final = 1 << 16


class OwnChunks:
    """Which sections are air, of chunks that were put together here and have nothing of anybody else's. By column; any
    thread may call, for columns of its own."""

    def __init__(self) -> None:
        self._air: OrderedDict[int, int] = OrderedDict()

    def keeps_nothing(self, column: int, sections: Sequence[SectionWrite]) -> bool:
        """Whether all that a write would keep of the column's chunk is known to be air."""
        air = self._air.get(column)
        return air is not None and all(air >> y & 1 for y, item in enumerate(sections) if item is KEEP)

    def forget(self, columns: Iterable[int]) -> None:
        """Their chunks are being written; should that fail, nobody knows how they stand."""
        for column in columns:
            self._air.pop(column, None)

    def wrote(self, column: int, sections: Sequence[SectionWrite], base: Base) -> None:
        """The column's chunk is written, over what ``base`` says of it (``None``: nothing was kept)."""
        if base is not None and not isinstance(base, Stitched):
            return
        kinds = [AIR] * len(sections) if base is None else [kind for kind, _ in base.cells]
        self._air[column] = sum(
            1 << y for y, item in enumerate(sections) if not item or (item is KEEP and kinds[y] == AIR)
        )
        if len(self._air) > _KEPT:
            self._air.popitem(last=False)
