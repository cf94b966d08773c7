"""The LZ4 stream of chunks (compression type 4, since Minecraft 1.20.5): that of lz4-java's ``LZ4BlockOutputStream``,
which is not the LZ4 frame format.

Blocks follow one another, each with a head of 21 bytes, numbers little-endian: ``LZ4Block``, a token, the block's
compressed and original size, and the lower 28 bits of the XXH32 of the original bytes (seed 0x9747B28C). The token's
upper four bits are the method (1: as it is, 2: LZ4), its lower four log2 of the stream's block size, less 10. A block
of no bytes, and with no checksum, ends the stream.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import lz4.block
from xxhash import xxh32_intdigest

_HEAD = struct.Struct("<8sBiiI")
_MAGIC = b"LZ4Block"
_RAW, _LZ4 = 0x10, 0x20
_SEED = 0x9747B28C
_CHECK_BITS = 0x0FFFFFFF
_SMALLEST_LOG2 = 10
_BLOCK_LOG2 = 16
"""log2 of the block size that is written, the game's own."""
_END = _HEAD.pack(_MAGIC, _RAW | _BLOCK_LOG2 - _SMALLEST_LOG2, 0, 0, 0)


class BrokenStream(ValueError):
    """The bytes are no whole stream; the text is half a sentence for people."""


def pack(content: bytes) -> bytes:
    """The stream of ``content``."""
    size = 1 << _BLOCK_LOG2
    parts = []
    for start in range(0, len(content), size):
        block = content[start : start + size]
        packed: bytes = lz4.block.compress(block, store_size=False)
        method = _LZ4
        if len(packed) >= len(block):
            method, packed = _RAW, block
        token = method | _BLOCK_LOG2 - _SMALLEST_LOG2
        parts += [_HEAD.pack(_MAGIC, token, len(packed), len(block), _check(block)), packed]
    return b"".join([*parts, _END])


def unpack(stream: bytes, limit: int) -> bytes:
    """The content of a stream; bytes behind its end don't matter. Raises :class:`BrokenStream`, also where the content
    is longer than ``limit`` bytes."""
    parts = []
    for block in _blocks(stream):
        parts.append(block)
        limit -= len(block)
        if limit < 0:
            raise BrokenStream("its stream is longer than any chunk")
    return b"".join(parts)


def _blocks(stream: bytes) -> Iterator[bytes]:
    position = 0
    while True:
        if len(stream) < position + _HEAD.size:
            raise BrokenStream("its LZ4 stream is cut off")
        magic, token, packed_size, size, check = _HEAD.unpack_from(stream, position)
        position += _HEAD.size
        if magic != _MAGIC or not 0 <= size <= 1 << _SMALLEST_LOG2 + (token & 0x0F) or packed_size < 0:
            raise BrokenStream("its LZ4 stream has a block without a head")
        if not size:
            if packed_size or check:
                raise BrokenStream("its LZ4 stream has a block of the wrong size")
            return
        if len(stream) < position + packed_size:
            raise BrokenStream("its LZ4 stream is cut off")
        block = _unpacked(token & 0xF0, stream[position : position + packed_size], size)
        if _check(block) != check:
            raise BrokenStream("a block of its LZ4 stream has the wrong checksum")
        yield block
        position += packed_size


def _unpacked(method: int, packed: bytes, size: int) -> bytes:
    if method == _RAW and len(packed) == size:
        return packed
    if method == _LZ4:
        try:
            block: bytes = lz4.block.decompress(packed, uncompressed_size=size)
        except lz4.block.LZ4BlockError as error:
            raise BrokenStream(str(error)) from error
        if len(block) == size:
            return block
    raise BrokenStream("its LZ4 stream has a block of the wrong size")


def _check(block: bytes) -> int:
    return xxh32_intdigest(block, _SEED) & _CHECK_BITS
