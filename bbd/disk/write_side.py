"""What a disk needs once it is written to: an epoch, its journal, commits and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bbd.disk.checkpointer import Checkpointer
from bbd.disk.committer import Committer, Sequence
from bbd.disk.journal import Journal
from bbd.disk.parts import Parts, Threads
from bbd.disk.world_writer import WorldWriter


@dataclass(frozen=True, slots=True)
class WriteSide:
    """The parts that work together in one epoch."""

    journal: Journal
    committer: Committer
    checkpointer: Checkpointer


def make_write_side(
    parts: Parts, threads: Threads, journal: Journal, written: Callable[[Iterable[int]], None]
) -> WriteSide:
    """Put the parts of the open epoch together. ``written`` is told which columns the world has anew."""
    sequence = Sequence(parts.records.descriptor.epoch)
    writer = WorldWriter(parts, threads.checkpoint, written)
    committer = Committer(parts.memory, journal, sequence, writer, threads)
    checkpointer = Checkpointer(parts.memory.snapshots, journal, committer, writer, threads.checkpoint)
    return WriteSide(journal, committer, checkpointer)
