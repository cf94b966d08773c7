"""Telling what sequential readers will ask for next. No I/O: requests go in, columns to load come out.

It hears only of requests that memory could not answer. A reader is believed to be sequential at its third request in a
row, or nearly in a row, since requests in flight overtake one another. From then on it is kept ahead of by a window
that doubles each time half of it was read. Many readers can do that at once, each with its window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_WINDOW: Final = 128
"""Columns that a reader is kept ahead of at most."""
MOST_STREAMS: Final = 8
_MOST_STARTS: Final = 16
_ENOUGH: Final = 2
_DISORDER: Final = 8
_PATIENCE: Final = 64


@dataclass(slots=True)
class _Stream:
    """Requests that follow one another. ``position`` is where the furthest of them ended, ``followed`` how many went
    on from others; columns from ``next`` to ``target`` are to be handed out. ``grow_at`` is a column."""

    position: int
    followed: int = 0
    window: int = 0
    next: int = 0
    target: int = 0
    grow_at: int = 0
    patience: int = _PATIENCE


class ReadAhead:
    """The sequential readers of a disk of ``columns`` columns, ``column_size`` bytes each.

    ``most``: so many columns are handed out at most, over all readers, that were not asked for yet.
    """

    def __init__(self, column_size: int, columns: int, most: int) -> None:
        self._column_size = column_size
        self._columns = columns
        self._most = most
        self._starts: list[_Stream] = []
        self._streams: list[_Stream] = []

    def asked(self, offset: int, length: int) -> bool:
        """A client reads these bytes, and memory lacks some of them. Whether that is sequential reading."""
        if not self._most:
            return False
        stream = self._find(self._streams, offset, length)
        if stream is None:
            self._interrupt()
            stream = self._followed_up(offset, length)
            if stream is None:
                return False
        self._advance(stream, offset + length)
        return True

    def take(self, count: int) -> range:
        """What to load next: up to ``count`` neighbours, which count as loaded from now on; none if there is no need.

        The reader that needs it first comes first. What is handed out begins with a column that :meth:`asked` should
        hear of, so it is to be kept where reading it goes past memory.
        """
        hungry = [stream for stream in self._streams if self._is_worth_it(stream, count)]
        if not hungry:
            return range(0)
        stream = min(hungry, key=lambda stream: stream.next * self._column_size - stream.position)
        first = stream.next
        stream.next = min(first + count, stream.target)
        return range(first, stream.next)

    def _is_worth_it(self, stream: _Stream, count: int) -> bool:
        """Whether there is a good handful to load, or the end of the disk."""
        wanted = stream.target - stream.next
        return wanted >= min(count, max(stream.window // 4, 1)) or (wanted > 0 and stream.target == self._columns)

    def _find(self, streams: Sequence[_Stream], offset: int, length: int) -> _Stream | None:
        """Of what was handed out, most is read without a word, so the reader may be anywhere in it."""
        slack = _DISORDER * length
        for stream in streams:
            ahead = max(stream.position, stream.next * self._column_size)
            if stream.position - slack <= offset <= ahead + slack:
                return stream
        return None

    def _interrupt(self) -> None:
        """Somebody reads elsewhere, and may have left a stream: hand out no more until each is heard of again."""
        for stream in self._streams:
            stream.target = stream.next
            stream.patience -= 1
        self._streams = [stream for stream in self._streams if stream.patience]

    def _followed_up(self, offset: int, length: int) -> _Stream | None:
        """A request outside of all streams: a stream, if enough others went before."""
        end = offset + length
        start = self._find(self._starts, offset, length)
        if start is None:
            self._starts = [*self._starts[1 - _MOST_STARTS :], _Stream(end)]
            return None
        if end > start.position:
            start.position = end
            start.followed += 1
        if start.followed < _ENOUGH:
            return None
        self._starts.remove(start)
        self._streams = [*self._streams[1 - MOST_STREAMS :], start]
        start.window = max(1, -(-length // self._column_size))
        return start

    def _advance(self, stream: _Stream, end: int) -> None:
        stream.patience = _PATIENCE
        stream.position = max(stream.position, end)
        column = -(-stream.position // self._column_size)
        share = min(self._most // len(self._streams), MOST_WINDOW)
        if column >= stream.grow_at:
            stream.window *= 2
            stream.grow_at = column + stream.window // 2
        stream.window = min(stream.window, share)
        stream.next = max(stream.next, column)
        stream.target = min(column + stream.window, self._columns)
