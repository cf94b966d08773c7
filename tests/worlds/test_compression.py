"""Compression types of chunks."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bbd.errors import BbdError
from bbd.worlds.anvil import compression
from bbd.worlds.anvil.compression import RawChunk, compress, decompress, recompressed, type_of
from bbd.worlds.world import ColumnUnreadable
from tests.worlds.lz4_by_hand import lz4_java_content

CONTENT = bytes(range(256)) * 100
MIXED = b"".join(random.Random(seed).randbytes(70000) + b"stone" * 20000 for seed in range(3))

# What LZ4BlockOutputStream of lz4-java 1.8.0 (Debian's liblz4-java) makes of these bytes, with blocks of 64 KiB and of
# 64 bytes.
LZ4_JAVA_CONTENT = b"bbd " * 40 + bytes(range(40))
LZ4_JAVA = {
    "64 KiB": (
        "4c5a34426c6f636b2632000000c8000000c0b6bc0a4f62626420040089f019000102030405060708090a0b0c0d0e0f101112"
        "131415161718191a1b1c1d1e1f20212223242526274c5a34426c6f636b16000000000000000000000000"
    ),
    "64 bytes": (
        "4c5a34426c6f636b200e000000400000009084310d4f626264200400245020626264204c5a34426c6f636b200e0000004000"
        "00009084310d4f626264200400245020626264204c5a34426c6f636b202a000000400000003ff1880a4f62626420040009f0"
        "11000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f4c5a34426c6f636b100800000008000000"
        "ada8d70120212223242526274c5a34426c6f636b10000000000000000000000000"
    ),
}
LZ4_STREAM = bytes.fromhex(LZ4_JAVA["64 bytes"])


@pytest.mark.parametrize("slack", [b"", b"\0\0\0\0", b"rest"])
@pytest.mark.parametrize(("number", "pack"), [(1, gzip.compress), (2, zlib.compress)])
def test_what_others_compress(number: int, pack: type, slack: bytes) -> None:
    assert decompress(RawChunk(number, pack(CONTENT) + slack)) == CONTENT


def test_what_is_not_compressed() -> None:
    assert decompress(RawChunk(3, CONTENT)) == CONTENT


@pytest.mark.parametrize("slack", [b"", b"\0\0\0\0", b"rest"])
@pytest.mark.parametrize("blocks", LZ4_JAVA)
def test_what_lz4_java_compresses(blocks: str, slack: bytes) -> None:
    stream = bytes.fromhex(LZ4_JAVA[blocks])
    assert decompress(RawChunk(4, stream + slack)) == LZ4_JAVA_CONTENT
    assert lz4_java_content(stream) == LZ4_JAVA_CONTENT


def test_what_is_written_is_zlib() -> None:
    raw = compress(CONTENT)
    assert raw.compression == 2
    assert zlib.decompress(raw.data) == CONTENT


@pytest.mark.parametrize("content", [b"", b"x", CONTENT, MIXED[:65536], MIXED[:65537], MIXED])
def test_what_others_decompress(content: bytes) -> None:
    assert gzip.decompress(compress(content, 1).data) == content
    assert zlib.decompress(compress(content, type_of("zlib")).data) == content
    assert compress(content, type_of("none")) == RawChunk(3, content)
    raw = compress(content, type_of("lz4"))
    assert raw.compression == 4
    assert lz4_java_content(bytes(raw.data)) == content
    assert all(decompress(compress(content, number)) == content for number in (1, 2, 3, 4))


def test_another_compression() -> None:
    raw = compress(CONTENT, 4)
    assert recompressed(raw, 4) is raw
    assert recompressed(raw, 127) is raw
    assert recompressed(raw, 2) == compress(CONTENT, 2)


def test_a_word_that_is_no_compression() -> None:
    with pytest.raises(BbdError, match="'brotli'; choose one of stitched, zlib, lz4, none"):
        type_of("brotli")


@example(48, 0)  # a block's size: it would end the stream
@given(st.integers(0, len(LZ4_STREAM) - 22), st.integers(0, 255))
def test_a_damaged_lz4_stream_is_never_other_bytes(at: int, value: int) -> None:
    damaged = bytearray(LZ4_STREAM)
    damaged[at] = value
    try:
        content = decompress(RawChunk(4, bytes(damaged)))
    except ColumnUnreadable:
        return
    assert content == LZ4_JAVA_CONTENT


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (RawChunk(4, b"LZ4Block"), "cut off"),
        (RawChunk(4, b""), "cut off"),
        (RawChunk(4, LZ4_STREAM[:-21]), "cut off"),
        (RawChunk(4, LZ4_STREAM[:30]), "cut off"),
        (RawChunk(4, b"x" + LZ4_STREAM), "without a head"),
        (RawChunk(4, LZ4_STREAM[:17] + b"\0" + LZ4_STREAM[18:]), "wrong checksum"),
        (RawChunk(4, LZ4_STREAM[:13] + b"\x41" + LZ4_STREAM[14:]), "wrong size"),
        (RawChunk(4, LZ4_STREAM[:8] + b"\x30" + LZ4_STREAM[9:]), "wrong size"),
        (RawChunk(4, LZ4_STREAM[:13] + b"\1\4" + LZ4_STREAM[15:]), "without a head"),
        (RawChunk(127, b""), "a custom algorithm .type 127."),
        (RawChunk(9, b""), "an unknown algorithm .type 9."),
        (RawChunk(2, b""), "cut off"),
        (RawChunk(2, zlib.compress(CONTENT)[:-1]), "cut off"),
        (RawChunk(2, zlib.compress(CONTENT)[:-1] + b"\xff"), "can't be decompressed"),
        (RawChunk(2, b"no zlib at all"), "can't be decompressed"),
        (RawChunk(1, zlib.compress(CONTENT)), "can't be decompressed"),
    ],
)
def test_what_can_not_be_decompressed(raw: RawChunk, why: str) -> None:
    with pytest.raises(ColumnUnreadable, match=why):
        decompress(raw)


def test_a_chunk_that_would_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "MAX_CHUNK", 1000)
    assert len(decompress(RawChunk(2, zlib.compress(bytes(1000))))) == 1000
    with pytest.raises(ColumnUnreadable, match="longer than any chunk"):
        decompress(RawChunk(2, zlib.compress(bytes(1001))))
    assert len(decompress(compress(bytes(1000), 4))) == 1000
    with pytest.raises(ColumnUnreadable, match="longer than any chunk"):
        decompress(compress(bytes(1001), 4))
