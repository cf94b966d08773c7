"""Syncs of a file that several threads write to.

The kernel tells of a failed write-back once for an open file, to whoever syncs next, and takes the bytes for written
from then on. So a failed sync is everybody's whose bytes it may have covered, and one thread syncs at a time: else
another's could find nothing left to fail before the first one was heard of.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from bbd.files import Bytes, File


class Syncs:
    """Those of one open file. A write takes a ``mark`` before its first byte."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failure: OSError | None = None

    @property
    def mark(self) -> OSError | None:
        """Stands for all syncs that have failed until now."""
        return self._failure

    def sync(self, file: File, mark: OSError | None) -> None:
        """Make all safe that was written since ``mark``. Errors: ``OSError``, also of another's sync since then."""
        with self._lock:
            try:
                file.sync()
            except OSError as error:
                self._failure = error
                raise
            if self._failure is not None and self._failure is not mark:
                raise OSError(self._failure.errno, self._failure.strerror)

    def write_safely(self, file: File, parts: Sequence[Bytes], offset: int) -> None:
        """Write something and make it safe (:meth:`bbd.files.File.pwrite_safely`). Errors: ``OSError``."""
        with self._lock:
            try:
                file.pwrite_safely(parts, offset)
            except OSError as error:
                self._failure = error
                raise
