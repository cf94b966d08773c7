"""Requests that memory answers on the spot, however they lie to its sections; the others it leaves alone."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import or_
from typing import Final

from bbd.disk.admission import Admission
from bbd.disk.memory import Memory
from bbd.worlds.world import Payload

_COLUMN_SHIFT: Final = 4
_DIRTY_SHARE: Final = 0.75
"""As much of memory may be dirty before writes wait for room."""


class AtHand:
    """The quick half of ``bbd.nbd.export.Device``. ``touched`` is called for what a housekeeper should hear of.

    Nothing is written until ``writable`` is set, when there is a journal.
    """

    def __init__(self, memory: Memory, admission: Admission, touched: Callable[[], None]) -> None:
        self.writable = False
        self._memory = memory
        self._admission = admission
        self._touched = touched
        self._block_size = len(memory.zero)
        self._shift = self._block_size.bit_length() - 1
        self._mask = self._block_size - 1
        self._dirty_limit = int(memory.capacity * _DIRTY_SHARE)

    # -- reading --------------------------------------------------------------------------------------------------

    def try_read(self, offset: int, length: int) -> Sequence[Payload] | None:
        """The bytes from memory, or ``None``."""
        first = offset >> self._shift
        if length == self._block_size and not offset & self._mask:
            payload = self._memory.lookup(first)
            return None if payload is None else (payload,)
        found = self._memory.lookup_run(range(first, (offset + length - 1 >> self._shift) + 1))
        return None if found is None else self.trimmed(found, offset, length)

    def try_reads(self, offsets: Sequence[int], length: int) -> list[Sequence[Payload]]:
        """The same for many of one length, up to the first that memory lacks."""
        if self._are_blocks(offsets, length):
            return self._memory.lookup_many([offset >> self._shift for offset in offsets])
        found: list[Sequence[Payload]] = []
        for offset in offsets:
            parts = self.try_read(offset, length)
            if parts is None:
                break
            found.append(parts)
        return found

    def trimmed(self, parts: list[Payload], offset: int, length: int) -> list[Payload]:
        """Pieces of whole sections, cut to the bytes asked for."""
        if head := offset & self._mask:
            parts[0] = memoryview(parts[0])[head:]
        if tail := -(offset + length) & self._mask:
            parts[-1] = memoryview(parts[-1])[:-tail]
        return parts

    def _are_blocks(self, offsets: Sequence[int], length: int) -> bool:
        return length == self._block_size and not functools.reduce(or_, offsets) & self._mask

    # -- writing --------------------------------------------------------------------------------------------------

    @property
    def crowded(self) -> bool:
        """Whether so much is dirty that writes have to wait."""
        return self._memory.dirty_sections >= self._dirty_limit

    def try_write(self, offset: int, data: memoryview) -> bool:
        """Take the bytes if that needs neither I/O nor room; else change nothing."""
        shift, mask, memory = self._shift, self._mask, self._memory
        length = len(data)
        first = offset >> shift
        aligned = not (offset | length) & mask
        one = aligned and length == self._block_size
        if aligned and self.writable:
            again = memory.put_again if one else memory.put_run_again
            if again(first, data):
                return True
        last = offset + length - 1 >> shift
        if not self._takes(first, last):
            return False
        if one:
            memory.write(first, data)
        elif aligned:
            memory.put_run(first, data)
        elif not self._put_partly(first, last, offset, data):
            return False
        self._changed()
        return True

    def try_writes(self, offsets: Sequence[int], payloads: Sequence[memoryview]) -> int:
        """The same for many of one length, up to the first that isn't taken: how many were."""
        taken = 0
        if self.writable and self._are_blocks(offsets, len(payloads[0])):
            taken = self._memory.put_many_again([offset >> self._shift for offset in offsets], payloads)
        for offset, payload in zip(offsets[taken:], payloads[taken:], strict=True):
            if not self.try_write(offset, payload):
                break
            taken += 1
        return taken

    def try_write_pieces(self, offset: int, pieces: Sequence[memoryview]) -> bool:
        """As ``try_write``, with whole sections that are kept as they are."""
        first = offset >> self._shift
        length = sum(map(len, pieces))
        if not self._takes(first, (offset + length >> self._shift) - 1):
            return False
        for piece in pieces:
            self._memory.put_run(first, piece, owned=True)
            first += len(piece) >> self._shift
        self._changed()
        return True

    def _takes(self, first: int, last: int) -> bool:
        """Whether these sections may be written at once."""
        if not self.writable or self.crowded:
            return False
        return self._admission.admits(first >> _COLUMN_SHIFT, last >> _COLUMN_SHIFT)

    def _changed(self) -> None:
        self._memory.shrink()
        self._touched()

    def _put_partly(self, first: int, last: int, offset: int, data: memoryview) -> bool:
        """A write that ends within sections: the bytes around it come from memory, or it fails before any change."""
        before = offset & self._mask
        after = -(offset + len(data)) & self._mask
        head = self._memory.lookup(first) if before else b""
        tail = self._memory.lookup(last) if after else b""
        if head is None or tail is None:
            return False
        whole = b"".join((head[:before], data, tail[self._block_size - after :]))
        self._memory.put_run(first, memoryview(whole))
        return True
