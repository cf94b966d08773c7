"""The one way to say that a chunk can't be read."""

from __future__ import annotations

import errno

from bbd.files import Bytes
from bbd.worlds.world import ColumnUnreadable


def unreadable(why: str, raw: Bytes = b"") -> ColumnUnreadable:
    """The error (EIO) for a chunk whose bytes ``raw`` make no sense; ``why`` is half a sentence for people."""
    return ColumnUnreadable(errno.EIO, why, bytes(raw))
