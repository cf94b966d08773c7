"""What a disk is put together from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from bbd.disk.column_reader import ColumnReader
from bbd.disk.column_writer import ColumnWriter
from bbd.disk.memory import Memory
from bbd.disk.records import Records
from bbd.disk.watch import Watch
from bbd.worlds.world import Site

READ_THREADS: Final = 3
WRITE_THREADS: Final = 2


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that live as long as the disk is open."""

    memory: Memory
    site: Site
    reader: ColumnReader
    writer: ColumnWriter
    records: Records
    watch: Watch


@dataclass(frozen=True, slots=True)
class Threads:
    """Where a disk's blocking work is done; the journal's has one thread, so its work has an order. A thread begins
    when it is first needed."""

    readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READ_THREADS, "bbd-read"))
    journal: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "bbd-journal"))
    checkpoint: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WRITE_THREADS, "bbd-checkpoint"))
    spare: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "bbd-spare"))

    def shutdown(self) -> None:
        """Wait for what runs, forget what waits."""
        for executor in (self.readers, self.checkpoint, self.journal, self.spare):
            executor.shutdown(wait=True, cancel_futures=True)
