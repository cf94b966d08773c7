"""Whose turn it is to compute: one thread's at a time, where threads would hand the GIL to and fro.

What checks, sums up and puts together many small pieces lets go of the GIL so often and so shortly that two threads
which do this at the same time are hardly quicker than one after the other. So they take turns, and what the other core
does meanwhile is to write and to wait for disks; nobody may do that while it has the turn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Who is about to write goes before who has yet to begin: so the disk is kept at work, and two threads with the
    same to do don't end up computing together and waiting together. A turn should last a millisecond or two."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._first = 0

    @contextmanager
    def turn(self, *, first: bool) -> Iterator[None]:
        """Compute within this context; ``first``: before all who wait and don't say so."""
        with self._changed:
            self._first += first
            while self._taken or (self._first and not first):
                self._changed.wait()
            self._first -= first
            self._taken = True
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()


TURNS = Turns()
"""Of all who compute columns."""
