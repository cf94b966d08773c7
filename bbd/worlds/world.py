"""What the disk asks of a world, whether it lies in files or in a running server.

The disk knows columns by number and sections by their payload bytes. A world knows blocks. Between them stands a
:class:`Site`: one disk's place in one world. Section indices are 0…15 data, 16 check, 17…19 parity
(index i is the section at y ``16 * i``).

What a site must not do: answer with bytes it is not sure of (a chunk it can't read is :class:`ColumnUnreadable`, an
illegal block is a lost byte, never a zero), return from ``write`` before the blocks are safe, touch anything outside
the written sections, or hold the event loop: every method here blocks and is called from worker threads.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypeAlias

DATA_SECTIONS = 16
CHECK_SECTION = 16
FIRST_PARITY_SECTION = 17
STORED_SECTIONS = 20
COLUMNS_PER_GROUP = 1024


Payload: TypeAlias = bytes | memoryview
"""The bytes of a section, which never change. A view is cheap to cut out of what was read together; but comparing one
with ``==`` looks at each byte as a number, so compare ``bytes`` of it."""


class Keep(Enum):
    """Stands for a section that a write leaves as it is in the world, block by block."""

    KEEP = "keep"


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A chunk read from the world.

    ``payloads`` has ``STORED_SECTIONS`` entries: as many bytes as the codec's ``section_size``, or ``None`` for a
    section that is air all over. ``lost`` has an entry for each section with blocks that are not in the palette: one
    byte per payload byte, not 0 where the byte is therefore not known. Lost bytes read 0 in the payload.
    ``base`` is the site's own (the parsed chunk); hand it back in :class:`ColumnWrite` to spare a second read.
    """

    payloads: Sequence[bytes | None]
    lost: Mapping[int, bytes] = field(default_factory=dict)
    base: Any = None


class DataColumn(NamedTuple):
    """What is data in a chunk read from the world, of whose blocks none is lost: ``data`` has the first 16 of
    :class:`StoredColumn`'s payloads, ``head`` the first bytes of the check section, as many as have blocks.

    The payloads may be views of memory that is used again: copy what is to stay.
    """

    data: Sequence[Payload | None]
    head: bytes


SectionWrite: TypeAlias = Payload | Keep | None
Fingerprint: TypeAlias = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds, of a file; or two other numbers that change with it."""


@dataclass(frozen=True, slots=True)
class ColumnWrite:
    """New sections of one column: ``STORED_SECTIONS`` entries.

    An entry is the payload (shorter than a section: the blocks after its last byte become air), ``None`` for air all
    over, or ``KEEP``. ``base`` is what ``read`` gave for this column (``None``: nothing stands there, or what stands
    there can't be read and is replaced whole).
    """

    sections: Sequence[SectionWrite]
    base: Any = None


class ColumnUnreadable(OSError):
    """A chunk stands there but can't be read (EIO). ``where`` says which, ``raw`` holds its bytes as they are."""

    def __init__(self, errno: int, why: str, raw: bytes = b"") -> None:
        super().__init__(errno, why)
        self.raw = raw


class ColumnsChanged(OSError):
    """Somebody has changed ``columns`` since they were read (EAGAIN). They stand as he left them; all others of the
    write are in the world. Read them again, merge, and write again."""

    def __init__(self, columns: Collection[int], why: str) -> None:
        super().__init__(errno.EAGAIN, why)
        self.columns = columns


Reading: TypeAlias = StoredColumn | ColumnUnreadable | None
"""What reading a column gives: ``None`` where no chunk is."""


class Site(Protocol):
    """One disk's place in a world."""

    remote: bool
    """Whether another process does the work of reading, so that many reads should be on their way."""
    side_by_side: bool
    """Whether threads that read get on side by side: what was read last was decoded without the GIL, most of it."""

    def describe(self, column: int) -> str:
        """Where a column stands, for messages: ``chunk 3,-1 (x 48..63, z -16..-1)``."""

    def read(self, columns: Sequence[int]) -> Sequence[Reading]:
        """Columns as they stand, in the order in which they are asked for; neighbours are cheapest together.

        A chunk that can't be read is answered with its error, so that it costs its neighbours nothing. Raises
        ``OSError`` where the world can't be read at all.
        """

    def read_data(self, columns: Sequence[int]) -> Iterator[tuple[int, Reading | DataColumn]]:
        """The same, in any order, for who wants nothing but data and check sections: where a site can read these more
        quickly, it gives no more. What is yielded lasts until the next is asked for."""

    def write(self, columns: Mapping[int, ColumnWrite]) -> None:
        """Write columns, durably: at return all of them are synced. A column left without any block that is not air,
        in a chunk that holds nothing else of anybody's, is removed.

        On :class:`ColumnsChanged` all but these are in the world. On other ``OSError`` (ENOSPC, EIO…) each column
        stands as before or as written, never half; call again to retry.
        """

    def make_safe(self) -> None:
        """Sync what stands in the world, written by whomever: after a crash some of it may only be in the kernel's
        memory, and a journal is not to be dropped because of it. Errors: ``OSError``.
        """

    def vacancies(self, group: int) -> int:
        """A bit per column of ``group`` (columns ``1024 * group`` and on, the first in bit 0), set where no chunk
        stands. A place whose header entry is damaged is not vacant.
        """

    def places(self, group: int) -> Mapping[str, int]:
        """What columns of ``group`` lie in, by name (for files, the region files), with a bit per column."""

    def fingerprint(self, place: str) -> Fingerprint | None:
        """What changes when somebody writes to a place; ``None`` where nothing is, or nothing can be said of it."""

    def present(self) -> Iterator[int]:
        """The columns, in no order and however large the disk is, where a chunk stands; costs what the world holds."""


def read_column(site: Site, column: int) -> StoredColumn | None:
    """One column as it stands; ``None`` where no chunk is. Raises :class:`ColumnUnreadable`, ``OSError``."""
    (reading,) = site.read([column])
    if isinstance(reading, ColumnUnreadable):
        raise reading
    return reading
