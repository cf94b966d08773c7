"""Compression types of chunks."""

from __future__ import annotations

import gzip
import zlib

import pytest

from bbd.worlds.anvil import compression
from bbd.worlds.anvil.compression import RawChunk, compress, decompress
from bbd.worlds.world import ColumnUnreadable

CONTENT = bytes(range(256)) * 100


@pytest.mark.parametrize("slack", [b"", b"\0\0\0\0", b"rest"])
@pytest.mark.parametrize(("number", "pack"), [(1, gzip.compress), (2, zlib.compress)])
def test_what_others_compress(number: int, pack: type, slack: bytes) -> None:
    assert decompress(RawChunk(number, pack(CONTENT) + slack)) == CONTENT


def test_what_is_not_compressed() -> None:
    assert decompress(RawChunk(3, CONTENT)) == CONTENT


def test_what_is_written_is_zlib() -> None:
    raw = compress(CONTENT)
    assert raw.compression == 2
    assert zlib.decompress(raw.data) == CONTENT


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (RawChunk(4, b"LZ4Block"), "LZ4 .type 4."),
        (RawChunk(127, b""), "a custom algorithm .type 127."),
        (RawChunk(9, b""), "an unknown algorithm .type 9."),
        (RawChunk(0x82, b""), r"\.mcc"),
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
