"""How a chunk's bytes are compressed in a region file: one entry in a table for each type number.

Type numbers are those of the Anvil format (the byte after a chunk's length). What is written is always zlib, which
every game and reader since the format began understands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from isal import isal_zlib

from bbd.worlds.anvil.damage import unreadable

GZIP = 1
ZLIB = 2
NONE = 3
LZ4 = 4
CUSTOM = 127
EXTERNAL = 0x80
"""Set in the type of a chunk whose bytes lie in a file of their own beside the region file (``c.X.Z.mcc``)."""

MAX_CHUNK = 64 << 20
"""No chunk may inflate to more bytes: the game's own stay far below, and a forged one must not fill the memory."""

# Measured on columns of random bytes and of source code: level 1 compresses at two to three times the speed of level 3
# and some ten times that of zlib's level 6, and on random payload stays within a tenth of the size of either.
_LEVEL = 1

# The class of errors, which the package's stubs call an instance.
_IsalError = cast(type[Exception], isal_zlib.error)


@dataclass(frozen=True, slots=True)
class RawChunk:
    """A chunk as it lies in a region file: compression type (with :data:`EXTERNAL`) and compressed bytes.

    ``data`` may be longer than the compressed stream: some writers overstate a chunk's length by a few bytes.
    """

    compression: int
    data: bytes

    @property
    def prefix(self) -> bytes:
        """Length and type, as they stand before the data in the region file."""
        return (1 + len(self.data)).to_bytes(4, "big") + bytes([self.compression])


class _Broken(Exception):
    """The compressed bytes are no whole stream."""


def _inflate(data: bytes, wbits: int) -> bytes:
    stream = isal_zlib.decompressobj(wbits=wbits)
    try:
        content = stream.decompress(data, MAX_CHUNK)
    except _IsalError as error:
        raise _Broken(str(error)) from error
    if not stream.eof:
        raise _Broken("its compressed stream is cut off, or longer than any chunk")
    return content


def _gzip(data: bytes) -> bytes:
    return _inflate(data, 31)


def _zlib(data: bytes) -> bytes:
    return _inflate(data, 15)


def _stored(data: bytes) -> bytes:
    return data


READERS: Mapping[int, Callable[[bytes], bytes]] = {GZIP: _gzip, ZLIB: _zlib, NONE: _stored}
_UNREAD: Mapping[int, str] = {LZ4: "LZ4", CUSTOM: "a custom algorithm"}


def compress(content: bytes) -> RawChunk:
    """A chunk's NBT, ready for a region file."""
    return RawChunk(ZLIB, isal_zlib.compress(content, _LEVEL))


def decompress(raw: RawChunk) -> bytes:
    """A chunk's NBT. Raises :class:`~bbd.worlds.world.ColumnUnreadable`."""
    if raw.compression & EXTERNAL:
        raise unreadable("its bytes lie in a file of their own (.mcc), which bbd can't read")
    reader = READERS.get(raw.compression)
    if reader is None:
        name = _UNREAD.get(raw.compression, "an unknown algorithm")
        raise unreadable(f"it is compressed with {name} (type {raw.compression}), which bbd can't read")
    try:
        return reader(raw.data)
    except _Broken as error:
        raise unreadable(f"it can't be decompressed: {error}") from error
