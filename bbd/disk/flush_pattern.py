"""How a client flushes, and whether to log ahead of it.

A client that flushes after every few MiB waits for all of them to be appended and synced. Where the journal begins when
the first of them are there, the disk works while the client sends, and the flush finds little left to do. Of a client
that flushes rarely or never nothing is logged ahead: what it writes would go to the disk twice for nothing.
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
        self.threshold = sys.maxsize
        """So many unjournaled sections are worth logging before the flush comes."""

    def logged(self, sections: int) -> None:
        """So many were made safe."""
        self._logged += sections

    def flush(self, unjournaled: int) -> None:
        """A client asks for safety."""
        since = self._logged + unjournaled
        if since:
            self._logged = 0
            self.threshold = self._least if 2 * self._least <= since <= self._most else sys.maxsize

    def give_up(self) -> None:
        """Log nothing ahead until the next flush."""
        self.threshold = sys.maxsize
