"""The check section: 128 bytes above each column's data that say whose column it is and what its sections must be.

The layout is docs/format.md, "Check section". All numbers are little-endian.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from crc32c import crc32c

FORMAT_VERSION = 1
CHECK_SIZE = 128
DATA_SECTIONS = 16

_MAGIC = b"bbd"
# magic, version, codec, layout, log2 of width, parity, disk id, column, generation, CRCs, lost, reserved
_BODY = struct.Struct("<3s5B16sQQ16IH18x")
_CRC = struct.Struct("<I")
_CRCS = struct.Struct("<16I")
_OPENING = _MAGIC + bytes([FORMAT_VERSION])
_COLUMN = struct.Struct("<Q")
_WHOSE = slice(8, 32)
_VOUCHED = slice(40, 106)
_NONE_LOST = bytes(2)
_RESIDUE = crc32c(bytes(_CRC.size))
"""The CRC of anything with its own CRC behind it."""


@dataclass(frozen=True, slots=True)
class CheckSection:
    """What a check section says.

    ``codec`` and ``layout`` are numbers of the registry, ``width_log2`` is log2 of the layout's width in chunks (0
    where it has none), ``parity`` how many parity sections the column has. ``crcs`` are the CRC-32C of the sixteen
    data sections' payloads; a section of zeros has the CRC of its zeros. Bit i of ``lost`` is set where the bytes of
    data section i are not known: reading them fails until they are written.
    """

    codec: int
    layout: int
    width_log2: int
    parity: int
    disk_id: uuid.UUID
    column: int
    generation: int
    crcs: tuple[int, ...]
    lost: int = 0

    def pack(self) -> bytes:
        """The 128 bytes. Raises ``ValueError`` where a number does not fit its field."""
        head = CheckHead(self.codec, self.layout, self.width_log2, self.parity, self.disk_id.bytes)
        return head.pack(self.column, self.generation, self.crcs, self.lost)

    @classmethod
    def unpack(cls, data: bytes) -> CheckSection:
        """Read the first 128 bytes of ``data``.

        Raises ``ValueError`` with the reason: too short, no magic, another version of the format, a wrong CRC.
        """
        if len(data) < CHECK_SIZE:
            raise ValueError(f"too short for a check section: {len(data)} of {CHECK_SIZE} bytes")
        if data[:3] != _MAGIC:
            raise ValueError("not a check section: the magic is missing")
        if data[3] != FORMAT_VERSION:
            raise ValueError(f"a check section of format {data[3]}; this bbd reads format {FORMAT_VERSION}")
        body = data[: _BODY.size]
        if _CRC.unpack_from(data, _BODY.size)[0] != crc32c(body):
            raise ValueError("the check section's own CRC is wrong")
        _, _, codec, layout, width_log2, parity, disk_id, column, generation, *crcs, lost = _BODY.unpack(body)
        return cls(
            codec=codec,
            layout=layout,
            width_log2=width_log2,
            parity=parity,
            disk_id=_uuid(disk_id),
            column=column,
            generation=generation,
            crcs=tuple(crcs),
            lost=lost,
        )


class CheckHead(NamedTuple):
    """What the check sections of one disk have in common, as :class:`CheckSection` has it."""

    codec: int
    layout: int
    width_log2: int
    parity: int
    disk_id: bytes

    def pack(self, column: int, generation: int, crcs: Sequence[int], lost: int) -> bytes:
        """See :meth:`CheckSection.pack`, for many."""
        if len(crcs) != DATA_SECTIONS:
            raise ValueError(f"a check section has {DATA_SECTIONS} CRCs, not {len(crcs)}")
        try:
            body = _BODY.pack(_MAGIC, FORMAT_VERSION, *self, column, generation, *crcs, lost)
        except struct.error as error:
            raise ValueError(f"a number does not fit the check section: {error}") from error
        return body + _CRC.pack(crc32c(body))


def vouches(raw: bytes, disk_id: bytes, column: int, crcs: Iterable[int]) -> bool:
    """Whether the 128 bytes are a check section, of that column of that disk, which says that its data sections have
    these CRCs and that none of them is lost: what :meth:`CheckSection.unpack` tells, for the many that are as they
    should be."""
    return (
        len(raw) == CHECK_SIZE
        and raw.startswith(_OPENING)
        and raw[_WHOSE] == disk_id + _COLUMN.pack(column)
        and raw[_VOUCHED] == _CRCS.pack(*crcs) + _NONE_LOST
        and crc32c(raw) == _RESIDUE
    )


@lru_cache
def _uuid(raw: bytes) -> uuid.UUID:
    return uuid.UUID(bytes=raw)
