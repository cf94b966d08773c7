"""The check section: it comes back, and no damaged one is believed."""

from __future__ import annotations

import struct
import uuid
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.disk.check import CHECK_SIZE, CheckSection
from tests.disk.plain_field import crc32c_bitwise

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
CHECKS = st.builds(
    CheckSection,
    codec=U8,
    layout=U8,
    width_log2=U8,
    parity=U8,
    disk_id=st.uuids(),
    column=U64,
    generation=U64,
    crcs=st.tuples(*[U32] * 16),
    lost=U16,
)
SAMPLE = CheckSection(1, 2, 5, 2, uuid.UUID(int=0x0123456789ABCDEF << 60), 77, 2**40 + 3, tuple(range(16)), 0x8001)


def sealed(body: bytes) -> bytes:
    return body + struct.pack("<I", crc32c_bitwise(body))


@given(CHECKS, st.binary(max_size=64))
def test_it_comes_back(check: CheckSection, behind: bytes) -> None:
    packed = check.pack()
    assert len(packed) == CHECK_SIZE
    assert CheckSection.unpack(packed) == check
    assert CheckSection.unpack(packed + behind) == check


@given(CHECKS)
def test_every_field_stands_where_the_format_says(check: CheckSection) -> None:
    packed = check.pack()
    assert packed[:4] == b"bbd\x01"
    assert tuple(packed[4:8]) == (check.codec, check.layout, check.width_log2, check.parity)
    assert packed[8:24] == check.disk_id.bytes
    assert int.from_bytes(packed[24:32], "little") == check.column
    assert int.from_bytes(packed[32:40], "little") == check.generation
    assert tuple(int.from_bytes(packed[40 + 4 * i : 44 + 4 * i], "little") for i in range(16)) == check.crcs
    assert int.from_bytes(packed[104:106], "little") == check.lost
    assert packed[106:124] == bytes(18)
    assert int.from_bytes(packed[124:], "little") == crc32c_bitwise(packed[:124])


def test_every_wrong_byte_is_found() -> None:
    packed = SAMPLE.pack()
    for at in range(CHECK_SIZE):
        for wrong in range(256):
            if wrong == packed[at]:
                continue
            damaged = bytearray(packed)
            damaged[at] = wrong
            with pytest.raises(ValueError, match=r"CRC is wrong|magic is missing|of format"):
                CheckSection.unpack(bytes(damaged))


@pytest.mark.parametrize("length", [0, 1, 127])
def test_too_short(length: int) -> None:
    with pytest.raises(ValueError, match=f"too short.*{length} of 128"):
        CheckSection.unpack(SAMPLE.pack()[:length])


def test_zeros_are_no_check_section() -> None:
    with pytest.raises(ValueError, match="magic"):
        CheckSection.unpack(bytes(4096))


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_told_even_where_all_else_is_right(version: int) -> None:
    body = bytearray(SAMPLE.pack()[:124])
    body[3] = version
    with pytest.raises(ValueError, match=f"format {version};"):
        CheckSection.unpack(sealed(bytes(body)))


def test_reserved_bytes_are_for_later() -> None:
    body = bytearray(SAMPLE.pack()[:124])
    body[106:124] = b"\xff" * 18
    assert CheckSection.unpack(sealed(bytes(body))) == SAMPLE


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SAMPLE, codec=256),
        replace(SAMPLE, parity=-1),
        replace(SAMPLE, column=2**64),
        replace(SAMPLE, lost=0x10000),
        replace(SAMPLE, crcs=tuple(range(15))),
        replace(SAMPLE, crcs=(2**32, *range(15))),
    ],
)
def test_numbers_that_do_not_fit_are_refused(wrong: CheckSection) -> None:
    with pytest.raises(ValueError, match=r"fit the check section|16 CRCs"):
        wrong.pack()
