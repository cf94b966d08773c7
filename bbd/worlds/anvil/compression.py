"""How a chunk's bytes are compressed in a region file: one entry in a table for each type number.

Type numbers are those of the Anvil format (the byte after a chunk's length). What is written is zlib, which every game
and reader since the format began understands, unless the disk's descriptor says otherwise. Most of it is put together
without compressing anything (:mod:`~bbd.worlds.anvil.stitched`), which is zlib for all who read it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias, cast

from isal import igzip, isal_zlib

from bbd.errors import BbdError
from bbd.files import Bytes
from bbd.worlds.anvil import lz4_stream
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
    """A chunk as it lies in a region file: compression type and compressed bytes. A type with :data:`EXTERNAL` is that
    of a stub, whose bytes lie elsewhere.

    ``data`` may be longer than the compressed stream: some writers overstate a chunk's length by a few bytes.
    """

    compression: int
    data: Bytes

    @property
    def parts(self) -> Sequence[Bytes]:
        """Length and type, as they stand before the data in the region file, and the data."""
        return (_prefix(self.compression, self.size), self.data)

    @property
    def size(self) -> int:
        """The length of the data."""
        return len(self.data)

    def stored(self) -> bytes:
        """All of it, as it stands in the region file."""
        return b"".join(self.parts)


@dataclass(frozen=True, slots=True)
class PartedChunk:
    """The same for a zlib stream that is still in parts; ``size`` is the length of all of them."""

    stream: Sequence[Bytes]
    size: int
    compression: ClassVar[int] = ZLIB

    @property
    def data(self) -> bytes:
        """The stream."""
        return b"".join(self.stream)

    @property
    def parts(self) -> Sequence[Bytes]:
        """See :class:`RawChunk`."""
        return (_prefix(ZLIB, self.size), *self.stream)


AnyChunk: TypeAlias = RawChunk | PartedChunk


def _prefix(compression: int, size: int) -> bytes:
    return (1 + size).to_bytes(4, "big") + bytes([compression])


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


def _lz4(data: bytes) -> bytes:
    try:
        return lz4_stream.unpack(data, MAX_CHUNK)
    except lz4_stream.BrokenStream as error:
        raise _Broken(str(error)) from error


def _as_it_is(content: bytes) -> bytes:
    return content


def _to_zlib(content: bytes) -> bytes:
    return isal_zlib.compress(content, _LEVEL)


def _to_gzip(content: bytes) -> bytes:
    return igzip.compress(content, _LEVEL)


_READERS: Mapping[int, Callable[[bytes], bytes]] = {GZIP: _gzip, ZLIB: _zlib, NONE: _stored, LZ4: _lz4}
_WRITERS: Mapping[int, Callable[[bytes], bytes]] = {
    GZIP: _to_gzip,
    ZLIB: _to_zlib,
    NONE: _as_it_is,
    LZ4: lz4_stream.pack,
}

STITCHED = "stitched"
CHOICES: Mapping[str, int] = {STITCHED: ZLIB, "zlib": ZLIB, "lz4": LZ4, "none": NONE}
"""What a disk may be written with, and the type of each; the default first."""


def type_of(choice: str) -> int:
    """The type number of one of :data:`CHOICES`. Raises :class:`BbdError` for any other word."""
    if choice not in CHOICES:
        raise BbdError(f"chunks can't be compressed with {choice!r}; choose one of {', '.join(CHOICES)}")
    return CHOICES[choice]


def compress(content: bytes, compression: int = ZLIB) -> RawChunk:
    """A chunk's NBT, ready for a region file, with a type that bbd can write (:data:`GZIP` to :data:`LZ4`)."""
    return RawChunk(compression, _WRITERS[compression](content))


def decompress(raw: AnyChunk) -> bytes:
    """A chunk's NBT. Raises :class:`~bbd.worlds.world.ColumnUnreadable`."""
    reader = _READERS.get(raw.compression)
    if reader is None:
        name = "a custom algorithm" if raw.compression == CUSTOM else "an unknown algorithm"
        raise unreadable(f"it is compressed with {name} (type {raw.compression}), which bbd can't read")
    try:
        return reader(bytes(raw.data))
    except _Broken as error:
        raise unreadable(f"it can't be decompressed: {error}") from error


def recompressed(raw: AnyChunk, compression: int) -> AnyChunk:
    """The same chunk with another type; as it is where bbd can't write that type."""
    if raw.compression == compression or compression not in _WRITERS:
        return raw
    return compress(decompress(raw), compression)
