"""Keeping idle processors awake, where the kernel lets us.

A client that waits for its reply leaves its processor idle, and the kernel sends idle processors to sleep; to wake one
takes tens of microseconds, longer than everything else about a small request. As long as the special file
``/dev/cpu_dma_latency`` is held open with a 0 written to it, idle processors wait awake instead (Linux: "PM Quality Of
Service Interface", "from user space"). Only root may open it, unless an administrator says otherwise.
"""

from __future__ import annotations

import logging
import os
import struct
from pathlib import Path
from typing import Final

logger = logging.getLogger("bbd.nbd")

LATENCY_FILE: Final = Path("/dev/cpu_dma_latency")
_NO_LATENCY: Final = struct.pack("=i", 0)
"""The microseconds that waking up may take."""


class Processors:
    """The processors of this machine, all of them. The kernel forgets the wish when the process ends, however that is.

    Must not be asked to stay awake for nothing: a processor that waits awake takes as much power as one that works.
    """

    def __init__(self, file: Path = LATENCY_FILE) -> None:
        self._file = file
        self._fd: int | None = None
        self._refused = False

    @property
    def kept_awake(self) -> bool:
        """Whether they are, for our sake."""
        return self._fd is not None

    def keep_awake(self) -> None:
        """From now on, if we may; a refusal is said once, in the log."""
        if self._fd is not None or self._refused:
            return
        try:
            fd = os.open(self._file, os.O_WRONLY)
        except OSError as error:
            self._refuse(error)
            return
        try:
            os.write(fd, _NO_LATENCY)
        except OSError as error:
            os.close(fd)
            self._refuse(error)
        else:
            self._fd = fd

    def let_sleep(self) -> None:
        """No longer."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _refuse(self, error: OSError) -> None:
        self._refused = True
        logger.warning(
            "busy polling leaves idle processors asleep (%s: %s); where bbd may write to that file, clients are "
            "answered sooner still",
            *(self._file, error.strerror),
        )
