"""What a disk reads: memory first, columns from the world where memory lacks something, and ahead of who reads on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from itertools import chain
from typing import Final, cast

from bbd.disk.column_reader import ColumnReader
from bbd.disk.columns import Columns, Coming
from bbd.disk.findings import Finding
from bbd.disk.held_column import WHOLE_COLUMN
from bbd.disk.loaded_column import LoadedColumn, SoundColumn
from bbd.disk.memory import Memory, spans
from bbd.disk.read_ahead import ReadAhead
from bbd.worlds.world import DATA_SECTIONS, Payload

_AHEAD_SHARE: Final = 8
"""What was read ahead takes at most one in so many sections of memory."""
_PREFETCH_SECTIONS: Final = 32 * DATA_SECTIONS
"""What CACHE asks for at a time, so that it is not in the way of those who read."""
_COLUMN_SHIFT: Final = 4
_IN_COLUMN: Final = DATA_SECTIONS - 1


class ReadSide:
    """Reads for one disk of ``size`` bytes, on the event loop; ``executor`` blocks instead of it. ``found`` is told of
    each column that came from the world."""

    def __init__(
        self,
        reader: ColumnReader,
        memory: Memory,
        executor: Executor,
        found: Callable[[LoadedColumn], None],
        size: int,
    ) -> None:
        self._memory = memory
        self._shift = len(memory.zero).bit_length() - 1
        column_size = len(memory.zero) * DATA_SECTIONS
        most = memory.capacity // DATA_SECTIONS // _AHEAD_SHARE
        self._read_ahead = ReadAhead(column_size, -(-size // column_size), most)
        self._columns = Columns(reader, memory, executor, found, self._read_ahead)

    async def read(self, offset: int, length: int) -> list[Payload]:
        """The sections that the range touches. EIO where one of them is damaged; ``OSError``."""
        sections = self._sections(offset, length)
        return await self._read(sections, whole=self._read_ahead.asked(offset, length))

    async def bring(self, section: int) -> None:
        """Bring a section into memory. Errors: as :meth:`read`."""
        await self._read(range(section, section + 1), whole=False)

    async def prefetch(self, offset: int, length: int) -> None:
        """Bring the range into memory, as far as the cache goes; damage is left for the READ to find."""
        sections = self._sections(offset, length)[: self._memory.capacity // 2]
        for start in range(0, len(sections), _PREFETCH_SECTIONS):
            columns = [*spans(sections[start : start + _PREFETCH_SECTIONS])]
            wanted = _lacking(columns, [self._memory.peek(span) for span in columns])
            for coming in self._columns.begin(wanted).values():
                with contextlib.suppress(OSError):
                    await _arrival(coming)

    async def verify(self, columns: Sequence[int]) -> list[Finding]:
        """What is wrong with whole columns in the world; nothing with those that read as zeros or were just written.
        Errors: as :meth:`Columns.verify`."""
        held = [column for column in columns if not self._memory.world.reads_zero(column)]
        found = dict(zip(held, await self._columns.verify(held), strict=True)) if held else {}
        return [self._finding(column, found.get(column)) for column in columns]

    def written(self, columns: Iterable[int]) -> None:
        """A checkpoint has written these columns."""
        self._columns.written(columns)

    def changed(self, columns: Iterable[int] | None) -> None:
        """Somebody else has written these columns, or may have written any."""
        self._columns.written(self._columns.known() if columns is None else columns)

    async def _read(self, sections: range, *, whole: bool) -> list[Payload]:
        columns = [*spans(sections)]
        found = [self._known(span) for span in columns]
        coming = self._columns.begin(_lacking(columns, found, whole=whole))
        for one in coming.values():
            await _arrival(one)
        for at, span in enumerate(columns):
            if None in found[at]:
                found[at] = self._complete(span, found[at], coming[span.start >> _COLUMN_SHIFT].result())
        return cast(list[Payload], [*chain.from_iterable(found)])

    def _known(self, span: range) -> list[Payload | None]:
        """Sections of a column in one piece, or one by one."""
        piece = self._memory.piece(span)
        return self._memory.peek(span) if piece is None else [piece]

    def _finding(self, column: int, loaded: LoadedColumn | None) -> Finding:
        if loaded is None:
            return Finding(column, "")
        dirty = self._memory.dirty_of(column)
        rewritten = [index for index in loaded.damage if dirty >> index & 1]
        for index in rewritten:
            del loaded.damage[index]
        return loaded.finding

    def _complete(
        self, span: range, before: Sequence[Payload | None], loaded: LoadedColumn | SoundColumn
    ) -> list[Payload | None]:
        """While the column was on its way, sections may have been written, or cleared: memory knows better. What it
        knew ``before`` and has dropped since may be newer than what came."""
        known = self._known(span)
        if None not in known:
            return known
        found = [now if now is not None else was for now, was in zip(known, before, strict=True)]
        if None in found:
            first = span.start & _IN_COLUMN
            return [loaded.section(at) if payload is None else payload for at, payload in enumerate(found, first)]
        return found

    def _sections(self, offset: int, length: int) -> range:
        return range(offset >> self._shift, (offset + length - 1 >> self._shift) + 1)


def _lacking(
    parts: Sequence[range], found: Sequence[Sequence[Payload | None]], *, whole: bool = False
) -> dict[int, int]:
    """The columns of sections that were not found, with a bit for each that is to be cached: those, or all."""
    columns = {}
    for span, payloads in zip(parts, found, strict=True):
        if None in payloads:
            first = span.start & _IN_COLUMN
            columns[span.start >> _COLUMN_SHIFT] = (
                WHOLE_COLUMN if whole else sum(1 << at for at, payload in enumerate(payloads, first) if payload is None)
            )
    return columns


async def _arrival(coming: Coming) -> None:
    """Wait for a column that others may be waiting for, too. Raises its ``OSError``."""
    if coming.done():
        coming.result()
    else:
        await asyncio.shield(coming)
