"""One process a journal: two copies of a world hold the same disk, and must not share its journal."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bbd.errors import BbdError


class JournalLock:
    """Holds the folder of one disk's journal from construction to :meth:`release`.

    Raises :class:`BbdError` where another process has it; ``OSError`` where the folder can't be made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise BbdError(
                f"the journal in {folder} is in use: another bbd serves this disk, or a copy of its world "
                "(give each copy a journal of its own with --journal DIR)"
            ) from None

    def release(self) -> None:
        """Let it go; the second time does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
