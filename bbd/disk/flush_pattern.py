"""How a client flushes, and whether to log ahead of it.

A client that flushes after every few MiB waits for all of them to be appended and synced. Where the journal begins when
the first of them are there, the disk works while the client sends, and the flush finds little left to do. Of a client
that flushes rarely or never nothing is logged ahead: what it writes would go to the disk twice for nothing.

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
"""Of a client that writes more between two flushes, nobody knows whether the next will come."""


class FlushPattern:
    """``unjournaled`` below is how many sections, of ``section_size`` bytes, memory has that the journal hasn't."""

    def __init__(self, section_size: int) -> None:
        self._least = max(AHEAD_BYTES // section_size, 1)
        self._most = MOST_BYTES // section_size
        self._logged = 0
        self._last = 0
        self._expected = sys.maxsize
        self._guessed = False
        self.threshold = sys.maxsize
        """So many unjournaled sections are worth logging before the flush comes."""

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
            self.threshold = self._least if 2 * self._least <= since <= self._most else sys.maxsize

    def expects(self, unjournaled: int) -> bool:
        """Whether a flush is likely to come next."""
        return unjournaled == self._expected and not self._guessed

    def guessed(self) -> None:
        """All is made safe because a flush was expected."""
        self._guessed = True

    def give_up(self) -> None:
        """Log nothing ahead until the next flush."""
        self.threshold = sys.maxsize
