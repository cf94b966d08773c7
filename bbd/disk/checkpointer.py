"""Checkpoints: bringing what is dirty into the world, and cutting the journal behind it.

The order is the whole point (``docs/durability.md``): a fresh segment; cleared ranges into it; a snapshot with its
generation; columns copy-on-write, synced; the allocation map, synced; memory; at last the old segments go.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from concurrent.futures import Executor
from typing import Final

from bbd.disk.committer import Committer
from bbd.disk.journal import Journal
from bbd.disk.snapshots import Snapshots
from bbd.disk.world_writer import WorldWriter
from bbd.worlds.world import ColumnsChanged

logger = logging.getLogger("bbd.disk")

_TRIES: Final = 20


class Checkpointer:
    """Runs checkpoints of one disk, one at a time."""

    def __init__(
        self, snapshots: Snapshots, journal: Journal, committer: Committer, writer: WorldWriter, executor: Executor
    ) -> None:
        self._snapshots = snapshots
        self._journal = journal
        self._committer = committer
        self._writer = writer
        self._executor = executor
        self._running: asyncio.Task[None] | None = None
        self.failure: OSError | None = None

    @property
    def running(self) -> bool:
        """Whether a checkpoint is on its way."""
        return self._running is not None

    def begin(self) -> asyncio.Task[None]:
        """Start a checkpoint, or return the one that runs. Its failure also stands in ``failure``."""
        if self._running is None:
            self._running = asyncio.create_task(self._run())
            self._running.add_done_callback(_retrieve)
        return self._running

    async def run(self) -> None:
        """Write all that the world lacks at the moment of the call. Errors: ``OSError``."""
        if self._running is not None:
            await asyncio.wait([self._running])
        await asyncio.shield(self.begin())

    async def make_room(self) -> None:
        """Return when a checkpoint has brought some more columns into the world. Errors: ``OSError``."""
        task = self.begin()
        progress = asyncio.ensure_future(self._writer.progress())
        await asyncio.wait([task, progress], return_when=asyncio.FIRST_COMPLETED)
        progress.cancel()
        if task.done():
            task.result()

    async def _run(self) -> None:
        try:
            await self._checkpoint_until_done()
        except OSError as error:
            if self.failure is None or self.failure.errno != error.errno:
                logger.error("checkpoint: %s; what it was to write stays in memory and in the journal", error)
            self.failure = error
            raise
        else:
            self.failure = None
        finally:
            # Here, not in a callback: whoever finds the task done must not find it running.
            self._running = None

    async def _checkpoint_until_done(self) -> None:
        """Where others have changed columns since they were read, they are read and merged anew."""
        for _ in range(_TRIES):
            try:
                return await self._checkpoint()
            except ColumnsChanged as changed:
                logger.warning("%s; merging", changed.strerror)
                last = changed
        raise OSError(errno.EIO, f"the same columns were changed {_TRIES} times while they were written") from last

    async def _checkpoint(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._committer.lock:
            mark = await loop.run_in_executor(self._executor, self._rotate)
            # Last before the snapshot: what it clears must be in the journal, also what came while that was awaited.
            await self._committer.commit_zeros()
            generation = self._committer.sequence.take()
            snapshot = self._snapshots.take()
            writing = self._writer.write(snapshot, generation)
        await writing
        if snapshot.whole:
            await loop.run_in_executor(self._executor, self._journal.cut, mark)

    def _rotate(self) -> int:
        try:
            return self._journal.rotate()
        except OSError as error:
            # No room for a fresh segment: the older ones can go all the same, and that makes room.
            logger.warning("journal: no new segment (%s); the checkpoint goes on", error)
            return self._journal.closed_mark


def _retrieve(task: asyncio.Task[None]) -> None:
    """A failure that nobody waits for is in ``failure`` and in the log; asyncio need not tell it again."""
    if not task.cancelled():
        task.exception()
