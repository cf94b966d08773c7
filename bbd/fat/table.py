"""The file allocation table: chains of clusters, read as far as they are needed (FAT specification, "FAT Data
Structure")."""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from bbd.fat.layout import Layout
from bbd.fat.medium import Medium

_PAGE: Final = 1 << 16
_INFO_SIGNATURE: Final = b"rrAa"
_UNKNOWN: Final = 0xFFFFFFFF
_LOW_28: Final = 0x0FFFFFFF
_LAST: Final = {12: 0xFFF, 16: 0xFFFF, 32: _LOW_28}
_FIRST_LAST: Final = {12: 0xFF8, 16: 0xFFF8, 32: 0x0FFFFFF8}


class Damaged(OSError):
    """The file system contradicts itself (EIO)."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EIO, f"the FAT file system is damaged: {why}; look at it with fsck.fat")


class Table:
    """Reads are cached, writes wait for :meth:`flush`, which brings every copy of the table up to date."""

    def __init__(self, medium: Medium, layout: Layout) -> None:
        self._medium = medium
        self._layout = layout
        self._pages: dict[int, bytearray] = {}
        self._dirty: set[int] = set()
        self._delta = 0
        self._hint = self._load_hint()

    def chain(self, first: int) -> list[int]:
        """A file's clusters, from the first on; none for 0. Raises :class:`Damaged` where the chain makes no sense."""
        found: list[int] = []
        number = first
        while number and not (found and number >= _FIRST_LAST[self._layout.bits]):
            if not 2 <= number < self._layout.clusters + 2 or len(found) >= self._layout.clusters:
                raise Damaged(f"cluster {number} follows {found[-1] if found else 'nothing'}")
            found.append(number)
            number = self._get(number)
            if number == 0:
                raise Damaged(f"cluster {found[-1]} is free, and in a file")
        return found

    def allocate(self, count: int) -> list[int]:
        """Take ``count`` free clusters as one chain. Raises ``OSError`` (ENOSPC) before anything is changed."""
        found: list[int] = []
        for number in self._free():
            if len(found) == count:
                break
            found.append(number)
        if len(found) < count:
            raise OSError(errno.ENOSPC, "no room is left on the disk's file system")
        self.link(found)
        if found:
            self._hint = found[-1]
        self._delta -= count
        return found

    def link(self, clusters: Sequence[int]) -> None:
        """Make clusters a chain, in this order."""
        for number, following in zip(clusters, [*clusters[1:], _LAST[self._layout.bits]], strict=True):
            self._put(number, following)

    def free(self, clusters: Sequence[int]) -> None:
        """Give clusters back."""
        for number in clusters:
            self._put(number, 0)
        self._delta += len(clusters)

    def flush(self) -> None:
        """Write what was changed. Errors: ``OSError``."""
        for page in sorted(self._dirty):
            for start in self._layout.tables:
                self._medium.write(start + page * _PAGE, bytes(self._pages[page]))
        self._dirty.clear()
        if self._delta and self._layout.info:
            self._update_info()

    def _free(self) -> Iterator[int]:
        """The free clusters, from the hint on and around."""
        first, end = 2, self._layout.clusters + 2
        start = self._hint if first <= self._hint < end else first
        for span in (range(start, end), range(first, start)):
            for number in span:
                if self._get(number) == 0:
                    yield number

    def _get(self, number: int) -> int:
        bits = self._layout.bits
        if bits == 32:
            return int.from_bytes(self._bytes(number * 4, 4), "little") & _LOW_28
        if bits == 16:
            return int.from_bytes(self._bytes(number * 2, 2), "little")
        pair = int.from_bytes(self._bytes(number * 3 // 2, 2), "little")
        return pair >> 4 if number & 1 else pair & 0xFFF

    def _put(self, number: int, value: int) -> None:
        bits = self._layout.bits
        if bits == 32:
            old = int.from_bytes(self._bytes(number * 4, 4), "little")
            self._set(number * 4, (old & ~_LOW_28 | value).to_bytes(4, "little"))
        elif bits == 16:
            self._set(number * 2, value.to_bytes(2, "little"))
        else:
            pair = int.from_bytes(self._bytes(number * 3 // 2, 2), "little")
            pair = pair & 0xF | value << 4 if number & 1 else pair & 0xF000 | value
            self._set(number * 3 // 2, pair.to_bytes(2, "little"))

    def _bytes(self, at: int, size: int) -> bytes:
        page, start = divmod(at, _PAGE)
        head = bytes(self._page(page)[start : start + size])
        return head if len(head) == size else head + self._bytes(at + len(head), size - len(head))

    def _set(self, at: int, data: bytes) -> None:
        for place, value in enumerate(data, at):
            page, start = divmod(place, _PAGE)
            self._page(page)[start] = value
            self._dirty.add(page)

    def _page(self, page: int) -> bytearray:
        if page not in self._pages:
            start = page * _PAGE
            length = min(_PAGE, self._layout.table_size - start)
            self._pages[page] = bytearray(self._medium.read(self._layout.tables[0] + start, length))
        return self._pages[page]

    def _load_hint(self) -> int:
        if not self._layout.info:
            return 2
        info = self._medium.read(self._layout.info, 512)
        return int.from_bytes(info[492:496], "little") if info[484:488] == _INFO_SIGNATURE else 2

    def _update_info(self) -> None:
        info = bytearray(self._medium.read(self._layout.info, 512))
        if info[484:488] == _INFO_SIGNATURE:
            count = int.from_bytes(info[488:492], "little")
            if count != _UNKNOWN:
                count = max(0, count + self._delta)
            struct.pack_into("<II", info, 488, count, self._hint)
            self._medium.write(self._layout.info, bytes(info))
        self._delta = 0
