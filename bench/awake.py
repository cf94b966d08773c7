"""Idle processors: whether they may sleep while something is measured (Linux, ``/dev/cpu_dma_latency``; see
:mod:`bbd.nbd.processors`)."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bbd.nbd.processors import LATENCY_FILE, Processors
from bench.errors import BenchError

_NOBODY = 2_000_000_000
"""Microseconds that waking up may take where nobody has a wish."""
_PATIENCE = 2.0


@contextmanager
def kept_awake() -> Iterator[None]:
    """Let no processor sleep meanwhile, whoever is measured."""
    processors = Processors()
    processors.keep_awake()
    if not processors.kept_awake:
        raise BenchError(f"--awake needs the right to write to {LATENCY_FILE}; run it as root")
    try:
        yield
    finally:
        processors.let_sleep()


def await_sleep() -> None:
    """Wait until no server keeps the processors awake: the next one would be measured on another machine, as it were.

    Returns at once where nobody may ask for that.
    """
    start = time.monotonic()
    while (wished := latency()) is not None and wished < _NOBODY:
        if time.monotonic() - start > _PATIENCE:
            raise BenchError("somebody keeps the processors awake, so the servers can't be compared; use --awake")
        time.sleep(0.01)


def latency() -> int | None:
    """The microseconds that waking up may take, whoever wishes that; ``None`` where we may not ask."""
    try:
        with LATENCY_FILE.open("rb") as file:
            return int(struct.unpack("=i", file.read(4))[0])
    except OSError:
        return None
