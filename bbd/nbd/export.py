"""What the protocol asks of a disk: the border between ``nbd`` and whatever stores the bytes.

The server calls ``try_read``, ``try_write`` and ``try_flush`` from its receive loop, for every request that is inside
the disk and allowed; ``try_reads`` and ``try_writes`` for many that are alike. They answer at once or not at all; the
slow twins may take their time. Offsets and lengths are bytes; the caller has checked ``0 <= offset``, ``0 < length``
and ``offset + length <= size``. A failure is an ``OSError``; its ``errno`` goes to the client
(EPERM, EIO, ENOMEM, EINVAL, ENOSPC, anything else EIO).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

Part: TypeAlias = bytes | bytearray | memoryview


class Device(Protocol):
    """A block device. All methods are called on one event loop; none may block it."""

    size: int
    read_only: bool
    block_size: int
    """Bytes of a block: see ``piece_size``."""
    piece_size: int
    """Bytes. What is written by whole blocks, more than one, may be handed over in pieces that end where the disk has a
    multiple of this, see :meth:`try_write_pieces`."""

    def try_read(self, offset: int, length: int) -> Sequence[Part] | None:
        """The bytes, as parts that nobody will change any more; ``None`` if that takes I/O."""

    def try_reads(self, offsets: Sequence[int], length: int) -> Sequence[Sequence[Part]]:
        """As ``try_read`` for one after the other, up to the first that takes I/O: what each of those before it has.
        The caller tries the rest one by one, or, after a failure, all of them."""

    async def read(self, offset: int, length: int) -> Sequence[Part]:
        """The bytes, however long it takes."""

    def try_write(self, offset: int, data: memoryview) -> bool:
        """Take the bytes at once and return True, or change nothing and return False. ``data`` is the caller's
        again when this returns: keep no reference."""

    def try_writes(self, offsets: Sequence[int], payloads: Sequence[memoryview]) -> int:
        """As ``try_write`` for one after the other, up to the first that isn't taken at once: how many were.
        The caller tries the rest one by one, or, after a failure, all of them."""

    def try_write_pieces(self, offset: int, pieces: Sequence[memoryview]) -> bool:
        """As ``try_write``, with the bytes of whole blocks in pieces that nobody else has, or will have for long: keep
        them."""

    async def write(self, offset: int, data: bytes | bytearray) -> None:
        """Take the bytes, which the caller won't change any more, all visible at once when they are."""

    def try_flush(self) -> bool:
        """Make everything acknowledged before this call safe and return True, where that takes no longer than to hand
        it to a thread and back; else return False."""

    @property
    def foresees_flush(self) -> bool:
        """Whether the next request is likely to be a flush, so that :meth:`flush_ahead` is worth calling."""

    def flush_ahead(self) -> None:
        """Where a flush is likely and quick, do its work before it comes: the replies to all that it covers are on
        their way. Never raises; what can't be done is left to the flush."""

    async def flush(self) -> None:
        """Return when everything acknowledged before this call is on stable storage."""

    async def zero(self, offset: int, length: int, *, may_punch: bool) -> None:
        """Make the range read as zeros; without ``may_punch``, a later write there must not want for room."""

    async def trim(self, offset: int, length: int) -> None:
        """The client needs these bytes no more; they read as zeros here."""

    async def prefetch(self, offset: int, length: int) -> None:
        """Bring the range into memory (NBD_CMD_CACHE)."""


@dataclass(frozen=True, slots=True)
class Export:
    """A device under the name and description that clients see (UTF-8, at most 4096 bytes each)."""

    name: str
    description: str
    device: Device
