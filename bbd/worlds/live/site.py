"""One disk's place in a world that a server runs: columns of payload over the bridge and back.

Every write expects the column as it was when it was read (its stamp), so that what others changed since is never
written over: such columns are left as they stand, and told by :class:`~bbd.worlds.world.ColumnsChanged`. A write is
done when the companion has *confirmed* it: read again from the region file and forced to disk.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from bbd.errors import BbdError
from bbd.geometry.geometry import Geometry
from bbd.worlds.anvil.dimension import describe_chunk
from bbd.worlds.live.codes import BridgeError
from bbd.worlds.live.frames import ALL_SECTIONS, NONE, UNREADABLE, ColumnEntry, Confirmed, ReadEntry
from bbd.worlds.live.link import Link, LinkLost
from bbd.worlds.live.opened import Attachment, OpenDisk
from bbd.worlds.live.places import Places
from bbd.worlds.live.sections import Sections
from bbd.worlds.live.writing import Outcome, Outgoing, Seen, Writing
from bbd.worlds.world import (
    ColumnsChanged,
    ColumnUnreadable,
    ColumnWrite,
    Fingerprint,
    Keep,
    Reading,
    StoredColumn,
)

logger = logging.getLogger("bbd.live")

Listener: TypeAlias = Callable[[Sequence[int] | None], None]
"""Told which columns somebody else has changed; ``None``: any may have been."""
_RAW_BYTES: Final = 512 << 10
_STAMPS_KEPT: Final = 1 << 18


class LiveSite:
    """See :class:`bbd.worlds.world.Site`. ``disk`` must be open; the site agrees on the codec's palette with it."""

    remote = True
    side_by_side = False

    def __init__(self, disk: OpenDisk, geometry: Geometry) -> None:
        self._disk = disk
        self._geometry = geometry
        self._sections = Sections(geometry.codec)
        self._places = Places(disk, geometry)
        self._writing = Writing()
        self._lock = threading.Lock()
        self._own: OrderedDict[int, Seen] = OrderedDict()
        self._unreadable: set[int] = set()
        self._listener: Listener | None = None
        disk.agree(geometry.codec, self)

    def listen(self, listener: Listener) -> None:
        """Have somebody told of what others change. It is called on the bridge's thread, and must not block."""
        self._listener = listener

    def describe(self, column: int) -> str:
        """Where a column stands."""
        return describe_chunk(*self._geometry.chunk_of(column))

    def read(self, columns: Sequence[int]) -> list[Reading]:
        """Columns as they stand, in as few frames as the companion takes, all of them on their way at once."""
        chunks = [self._geometry.chunk_of(column) for column in columns]
        attachment, entries = self._disk.call(lambda attachment: _read(attachment, chunks))
        assert attachment.sections is not None
        sections = attachment.sections
        return [
            self._reading(attachment.link, sections, column, entry)
            for column, entry in zip(columns, entries, strict=True)
        ]

    def read_data(self, columns: Sequence[int]) -> Iterator[tuple[int, Reading]]:
        """As :meth:`read`: all of a column comes over the bridge anyway."""
        return zip(columns, self.read(columns), strict=True)

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        """Write columns, and return when they are confirmed."""
        outgoing = [self._outgoing(column, write) for column, write in sorted(columns.items()) if _says(write)]
        outcome = Outcome({})
        try:
            if outgoing:
                self._disk.bridge.wait(self._write(outgoing, outcome))
        finally:
            self._remember(outgoing)
        if outcome.failure is not None:
            raise outcome.failure
        if outcome.changed:
            self._places.forget()
            column, why = next(iter(outcome.changed.items()))
            raise ColumnsChanged(
                outcome.changed.keys(),
                f"{len(outcome.changed)} columns were not written; {self.describe(column)}: {why}",
            )

    def vacancies(self, group: int) -> int:
        """A bit per column of the group, set where no chunk stands."""
        return self._places.vacancies(group)

    def make_safe(self) -> None:
        """Have the companion save what it has of the disk in memory, whoever wrote it, and force the region files to
        disk.

        Raises :class:`BbdError` where it can't: what is read there need not be in the files.
        """
        try:
            self._disk.ask("sync")
        except BridgeError as error:
            raise BbdError(
                f"the server has something of disk {self._disk.name!r} in memory that it can't save; {error.strerror}. "
                "Then start bbd again: the journal is kept"
            ) from None

    def places(self, group: int) -> Mapping[str, int]:
        """The region files of a group's columns."""
        return self._places.names(group)

    def fingerprint(self, place: str) -> Fingerprint | None:
        """Size and time of change of a region file."""
        return self._places.fingerprint(place)

    def present(self) -> Iterator[int]:
        """The columns where a chunk stands, region by region."""
        return self._places.present()

    # -- for the open disk, on the bridge's loop -------------------------------------------------------------------

    def attached(self) -> None:
        """See :class:`bbd.worlds.live.opened.Watcher`."""
        self._places.forget()
        self._tell(None)

    def detached(self) -> None:
        """See :class:`bbd.worlds.live.opened.Watcher`."""
        self._writing.lost()

    def confirmed(self, frame: Confirmed) -> None:
        """See :class:`bbd.worlds.live.opened.Watcher`."""
        self._writing.confirmed(frame)

    def changed(self, chunks: Sequence[tuple[int, int]]) -> None:
        """See :class:`bbd.worlds.live.opened.Watcher`."""
        columns = [self._geometry.column_of(x, z) for x, z in chunks]
        self._places.forget()
        self._tell([column for column in columns if column is not None])

    def _tell(self, columns: Sequence[int] | None) -> None:
        if self._listener is not None:
            self._listener(columns)

    # -- reading ---------------------------------------------------------------------------------------------------

    def _reading(self, link: Link, sections: Sections, column: int, entry: ColumnEntry) -> Reading:
        if entry.status == UNREADABLE:
            with self._lock:
                self._unreadable.add(column)
                self._own.pop(column, None)
            why = f"{self.describe(column)}: {bytes(entry.body).decode()}"
            return ColumnUnreadable(errno.EIO, why, self._raw(entry.x, entry.z))
        with self._lock:
            self._unreadable.discard(column)
            if entry.status == NONE:
                self._own.pop(column, None)
                return None
        return StoredColumn(*sections.payloads(entry), Seen(link, entry.stamp))

    def _raw(self, x: int, z: int) -> bytes:
        """A chunk's bytes as they lie in the region file."""
        raw = b""
        while True:
            try:
                said = self._disk.ask("raw", x=x, z=z, at=len(raw), size=_RAW_BYTES)
            except BridgeError as error:
                logger.error("chunk %d,%d can't be fetched as it lies there (%s)", x, z, error.strerror)
                return raw
            piece = base64.b64decode(said["data"], validate=True)
            raw += piece
            if not piece or len(raw) >= said["size"]:
                return raw

    # -- writing ---------------------------------------------------------------------------------------------------

    def _outgoing(self, column: int, write: ColumnWrite) -> Outgoing:
        mask, wide, air, body = self._sections.body(write.sections)
        with self._lock:
            seen = write.base if isinstance(write.base, Seen) else self._own.get(column)
            replace = write.base is None and column in self._unreadable
        return Outgoing(column, self._geometry.chunk_of(column), mask, wide, air, body, seen, replace)

    async def _write(self, outgoing: Sequence[Outgoing], outcome: Outcome) -> None:
        attachment = await self._disk.attachment()
        try:
            await self._writing.write(attachment, outgoing, outcome)
        except LinkLost:
            self._disk.bridge.lost(attachment.link)
        except BridgeError as error:
            if not await self._disk.is_closed(attachment, error):
                raise
        else:
            return
        # What the server has saved of it must be seen before anything is said; so wait until it can be asked.
        await self._disk.attachment()
        for one in outgoing:
            if not one.confirmed:
                outcome.changed.setdefault(one.column, "the connection was lost before it was confirmed")

    def _remember(self, outgoing: Sequence[Outgoing]) -> None:
        """What columns are now, for writes that replace them without having read them."""
        with self._lock:
            for one in outgoing:
                self._own.pop(one.column, None)
                if one.written is not None:
                    self._own[one.column] = one.written
                    self._unreadable.discard(one.column)
            while len(self._own) > _STAMPS_KEPT:
                self._own.popitem(last=False)
        self._places.wrote([one.column for one in outgoing if one.written is not None])


async def _read(attachment: Attachment, chunks: Sequence[tuple[int, int]]) -> tuple[Attachment, list[ColumnEntry]]:
    entries = [ReadEntry(x, z, ALL_SECTIONS) for x, z in chunks]
    most = attachment.link.limits.columns
    frames = [entries[start : start + most] for start in range(0, len(entries), most)]
    answers = await asyncio.gather(*(attachment.link.read(attachment.handle, frame) for frame in frames))
    return attachment, [entry for answer in answers for entry in answer.entries]


def _says(write: ColumnWrite) -> bool:
    """Whether a write changes anything."""
    return not all(isinstance(payload, Keep) for payload in write.sections)
