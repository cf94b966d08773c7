"""Having the compiled code while others are served: it comes when it is ready, or never.

Compiling takes many seconds and the GIL, and may fail in any way. So another process does it, and this one takes
nothing but what that has put on the disk.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Final, TypeAlias

from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.compiled.compiling import compiled_code

if TYPE_CHECKING:
    from bbd.worlds.anvil.compiled.reader import CompiledReader

_WORTH_IT: Final = 64
"""Columns that the game saved; who meets no more than that had better not wait for anything."""

logger = logging.getLogger("bbd.worlds.anvil.compiled")

MakeReader: TypeAlias = "Callable[[Codec], CompiledReader]"


class Loader:
    """Loads the code once, after it was asked for ``begin_at`` times. Any thread may call."""

    def __init__(self, begin_at: int = _WORTH_IT) -> None:
        self._begin_at = begin_at
        self._asked = 0
        self._make: MakeReader | None = None
        self._ended = threading.Event()
        # Held while the code comes into this process: it must not end in the middle of that.
        self._loading = threading.Lock()

    def ask(self) -> MakeReader | None:
        """What makes readers, if it is there. To be asked for every column that the game saved."""
        if self._make is None and self._asked < self._begin_at:
            self._asked += 1  # two threads at once may count as one
            if self._asked >= self._begin_at:
                self._begin()
        return self._make

    def wait(self, seconds: float) -> bool:
        """Wait until loading has ended, well or not; whether the code is there."""
        self._ended.wait(seconds)
        return self._make is not None

    def _begin(self) -> None:
        with self._loading:
            if self._asked > self._begin_at or self._ended.is_set():
                return
            self._asked = self._begin_at + 1
        atexit.register(self._stop)
        try:
            threading.Thread(target=self._run, name="bbd-compiled", daemon=True).start()
        except RuntimeError as error:
            self._never(error)

    def _run(self) -> None:
        try:
            with compiled_code(), self._loading:
                self._make = _load()
            self._ended.set()
        except BaseException as error:  # whatever it is: the plain way is there
            self._never(error)

    def _never(self, error: BaseException) -> None:
        logger.debug("columns that the game saved are decoded without machine code: %r", error)
        self._ended.set()

    def _stop(self) -> None:
        """This process ends."""
        self._loading.acquire()


def _load() -> MakeReader:
    reader = import_module(f"{__package__}.reader")
    reader.warm_up()
    reader.seal()
    make: MakeReader = reader.CompiledReader
    return make


LOADER: Final = Loader()
"""The process's own: all disks have the same code."""
