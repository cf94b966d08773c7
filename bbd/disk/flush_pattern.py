"""How a client flushes, and whether to log ahead of it.

A client that flushes after every few MiB waits for all of them to be appended and synced. Where the journal begins when
the first of them are there, the disk works while the client sends, and the flush finds little left to do.

Of other clients nobody knows. Who copies a disk flushes once, at the end, and nearly all who write much at a time copy
something: so what comes in long writes is logged by larger pieces, until that turns out to be for nothing, since the
same places are written again, or until it is more than a client may be believed for. What was logged for nothing went
to the disk twice; that there is a bound to it is what matters.

A client that has flushed twice after as many small writes will do so again: once these are there, and their replies on
their way, all is made safe while the client takes the replies and asks for the flush. One wrong guess, and the client
must show its pattern again.
"""

from __future__ import annotations

import sys
from typing import Final

AHEAD_BYTES: Final = 1 << 20
"""What waits to be logged when that begins: enough to make a sync worth its time."""
MOST_BYTES: Final = 64 << 20
"""Of a client that writes more between two flushes, nobody knows whether the next will come …"""
UNASKED_AHEAD_BYTES: Final = 4 << 20
"""… so this much must wait to be logged …"""
UNASKED_BYTES: Final = 128 << 20
"""… and no more than that is logged before it has flushed."""


class FlushPattern:
    """``unjournaled`` below is how many sections, of ``section_size`` bytes, memory has that the journal hasn't."""

    def __init__(self, section_size: int) -> None:
        self._least = max(AHEAD_BYTES // section_size, 1)
        self._most = MOST_BYTES // section_size
        self._unasked_least = UNASKED_AHEAD_BYTES // section_size
        self._unasked_most = UNASKED_BYTES // section_size
        self._logged = 0
        self._last = 0
        self._expected = sys.maxsize
        self._guessed = False
        self._often = False
        self._given_up = False

    def logged(self, sections: int) -> None:
        """So many were made safe."""
        self._logged += sections

    def flush(self, unjournaled: int) -> None:
        """A client asks for safety."""
        since = self._logged + unjournaled
        if since > 0:
            self._logged = -unjournaled  # which this flush will have logged
            wrong = self._guessed and unjournaled
            self._expected = since if since == self._last and not wrong else sys.maxsize
            self._last = 0 if wrong else since
            self._guessed = False
            self._often = 2 * self._least <= since <= self._most
            self._given_up = False

    def expects(self, unjournaled: int) -> bool:
        """Whether a flush is likely to come next."""
        return unjournaled == self._expected and not self._guessed

    def is_worth_logging(self, unjournaled: int, dirty: int) -> bool:
        """Whether to log all now, before a flush comes; ``dirty`` is how many sections the world lacks."""
        if unjournaled < self._least or self._given_up:
            return False
        if self._often:
            return True
        if self._logged + unjournaled > min(dirty, self._unasked_most):
            self._given_up = True
            return False
        return unjournaled >= self._unasked_least

    def guessed(self) -> None:
        """All is made safe because a flush was expected."""
        self._guessed = True

    def give_up(self) -> None:
        """Log nothing ahead until the next flush."""
        self._given_up = True
