"""The stream of lz4-java's ``LZ4BlockOutputStream``, read as slowly and plainly as can be and with no library.

Written from the description of the LZ4 block format and of XXH32 in the documents of their author, and from the layout
of the stream's heads (``LZ4Block``, token, compressed size, original size, checksum; little-endian).
"""

from __future__ import annotations

import struct

_MASK = 0xFFFFFFFF
_PRIMES = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)


def lz4_java_content(stream: bytes) -> bytes:
    """What a sound stream holds; anything else is an assertion error."""
    content = bytearray()
    position = 0
    while True:
        magic, token, packed_size, size, check = struct.unpack_from("<8sBIII", stream, position)
        position += 21
        assert magic == b"LZ4Block"
        if not size:
            assert (packed_size, check) == (0, 0)
            return bytes(content)
        packed = stream[position : position + packed_size]
        position += packed_size
        block = {0x10: lambda data: data, 0x20: _block}[token & 0xF0](packed)
        assert len(block) == size <= 1 << 10 + (token & 0x0F)
        assert check == _xxh32(block, 0x9747B28C) & 0x0FFFFFFF
        content += block


def _block(packed: bytes) -> bytes:
    content = bytearray()
    position = 0
    while True:
        token = packed[position]
        literals, position = _length(packed, token >> 4, position + 1)
        content += packed[position : position + literals]
        position += literals
        if position == len(packed):
            return bytes(content)
        back = int.from_bytes(packed[position : position + 2], "little")
        matched, position = _length(packed, token & 15, position + 2)
        for _ in range(matched + 4):
            content.append(content[-back])


def _length(packed: bytes, length: int, position: int) -> tuple[int, int]:
    if length == 15:
        while True:
            more = packed[position]
            length, position = length + more, position + 1
            if more != 255:
                break
    return length, position


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _MASK


def _xxh32(data: bytes, seed: int) -> int:
    first, second, third, fourth, fifth = _PRIMES
    position = 0
    if len(data) >= 16:
        lanes = [seed + first + second, seed + second, seed, seed - first]
        while position + 16 <= len(data):
            words = struct.unpack_from("<4I", data, position)
            lanes = [
                _rotated(lane + word * second & _MASK, 13) * first & _MASK
                for lane, word in zip(lanes, words, strict=True)
            ]
            position += 16
        total = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True))
    else:
        total = seed + fifth
    total = total + len(data) & _MASK
    while position + 4 <= len(data):
        word = int.from_bytes(data[position : position + 4], "little")
        total = _rotated(total + word * third & _MASK, 17) * fourth & _MASK
        position += 4
    for byte in data[position:]:
        total = _rotated(total + byte * fifth & _MASK, 11) * first & _MASK
    total = (total ^ total >> 15) * second & _MASK
    total = (total ^ total >> 13) * third & _MASK
    return total ^ total >> 16


def lz4_java_raw(content: bytes) -> bytes:
    """A stream of blocks that are not compressed."""
    parts = []
    for start in range(0, len(content), 1 << 16):
        block = content[start : start + (1 << 16)]
        check = _xxh32(block, 0x9747B28C) & 0x0FFFFFFF
        parts.append(struct.pack("<8sBIII", b"LZ4Block", 0x16, len(block), len(block), check) + block)
    return b"".join([*parts, struct.pack("<8sBIII", b"LZ4Block", 0x16, 0, 0, 0)])
