"""Parity and CRCs against school arithmetic, and every pattern of lost stripes that parity can tell again."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.disk.integrity import (
    MAX_PARITY,
    STRIPES,
    ByteArray,
    multiply,
    parity,
    power_of_two,
    rebuild,
    section_crc,
    together,
    update_parity,
    zero_crc,
)
from tests.disk.plain_field import crc32c_bitwise, parity_rows, power, times

COUNTS = st.integers(0, MAX_PARITY)
SEEDS = st.integers(0, 2**32)


def random_stripes(seed: int, columns: int = 2, size: int = 16) -> ByteArray:
    return np.random.default_rng(seed).integers(0, 256, (columns, STRIPES, size), dtype=np.uint8)


def plain(stripes: ByteArray, count: int) -> list[list[bytes]]:
    return [parity_rows([bytes(stripe) for stripe in column], count) for column in stripes]


def as_bytes(rows: ByteArray) -> list[list[bytes]]:
    return [[bytes(row) for row in column] for column in rows]


def test_products_of_all_bytes() -> None:
    assert all(multiply(a, b) == times(a, b) for a in range(256) for b in range(256))


def test_powers_of_two() -> None:
    assert [power_of_two(n) for n in range(256)] == [power(2, n) for n in range(256)]
    assert power_of_two(0) == power_of_two(255) == 1


@settings(deadline=None)
@given(SEEDS, st.integers(0, 3), st.sampled_from([8, 16, 128]), COUNTS)
def test_parity_is_the_sum_of_the_format(seed: int, columns: int, size: int, count: int) -> None:
    stripes = random_stripes(seed, columns, size)
    rows = parity(stripes, count)
    assert (rows.shape, rows.dtype) == ((columns, count, size), np.dtype(np.uint8))
    assert as_bytes(rows) == plain(stripes, count)


def test_parity_of_whole_sections() -> None:
    stripes = random_stripes(1, 33, 4096)
    rows = parity(stripes, 3)
    for column in (0, 32):
        sample = stripes[column : column + 1, :, 2048:2080]
        assert as_bytes(rows[column : column + 1, :, 2048:2080]) == plain(sample, 3)


def test_parity_takes_any_memory_order_and_changes_nothing() -> None:
    stripes = random_stripes(2, 4, 16)
    strange = np.asfortranarray(stripes)
    strange.flags.writeable = False
    assert as_bytes(parity(strange, 3)) == plain(stripes, 3)


def test_parity_of_some_of_the_columns_that_lie_together() -> None:
    stripes = random_stripes(3, 5, 16)
    memory = together(8, 16)
    assert memory.shape == (8, STRIPES, 16)
    assert not memory.any()
    memory[:5] = stripes
    assert as_bytes(parity(memory[:5], 3)) == plain(stripes, 3)


@settings(deadline=None)
@given(SEEDS, COUNTS, st.integers(0, STRIPES - 1), st.sampled_from([16, 8, 5]))
def test_update_equals_counting_anew(seed: int, count: int, index: int, changed: int) -> None:
    old = random_stripes(seed)
    new = old.copy()
    new[:, index, :changed] = random_stripes(seed + 1)[:, index, :changed]
    delta = (old ^ new)[:, index, :changed]
    before = parity(old, count)
    kept = before.copy()
    assert as_bytes(update_parity(before, index, delta)) == as_bytes(parity(new, count))
    assert (before == kept).all()


def test_update_of_one_column() -> None:
    old = random_stripes(3, 1)
    new = old.copy()
    new[0, 16] ^= 0x5A
    rows = update_parity(parity(old, 2)[0], 16, old[0, 16] ^ new[0, 16])
    assert (rows == parity(new, 2)[0]).all()


@pytest.mark.parametrize("lost", range(MAX_PARITY + 1))
def test_every_pattern_of_lost_stripes_is_told_again(lost: int) -> None:
    stripes = random_stripes(4)
    rows = np.array([[list(row) for row in column] for column in plain(stripes, MAX_PARITY)], dtype=np.uint8)
    for erased in combinations(range(STRIPES), lost):
        damaged = stripes.copy()
        damaged[:, list(erased)] = 0xEE
        for count in range(lost, MAX_PARITY + 1):
            assert (rebuild(damaged, rows[:, :count], erased) == stripes).all(), (erased, count)


@pytest.mark.parametrize("believed", [rows for n in (1, 2, 3) for rows in combinations(range(MAX_PARITY), n)])
def test_any_rows_that_are_believed_do(believed: tuple[int, ...]) -> None:
    stripes = random_stripes(5)
    rows = parity(stripes, MAX_PARITY)
    rows[:, [row for row in range(MAX_PARITY) if row not in believed]] = 0x99
    for erased in combinations(range(STRIPES), len(believed)):
        damaged = stripes.copy()
        damaged[:, list(erased)] = 0
        assert (rebuild(damaged, rows, erased, believed) == stripes).all(), erased


def test_rebuild_changes_nothing_it_was_given() -> None:
    stripes = random_stripes(6)
    rows = parity(stripes, 2)
    kept, kept_rows = stripes.copy(), rows.copy()
    stripes.flags.writeable = rows.flags.writeable = False
    rebuild(stripes, rows, [3, 16])
    assert (stripes == kept).all()
    assert (rows == kept_rows).all()


def test_a_wrong_parity_row_gives_wrong_bytes_that_the_crc_finds() -> None:
    stripes = random_stripes(7, 1, 4096)
    crc = section_crc(stripes[0, 3].tobytes())
    rows = parity(stripes, 2)
    rows[0, 0, 100] ^= 1
    assert section_crc(rebuild(stripes, rows, [3], [0])[0, 3].tobytes()) != crc
    assert section_crc(rebuild(stripes, rows, [3], [1])[0, 3].tobytes()) == crc


def test_what_can_not_be_is_refused() -> None:
    stripes = random_stripes(8)
    rows = parity(stripes, 2)
    with pytest.raises(ValueError, match="3 erased stripes can't be told from 2"):
        rebuild(stripes, rows, [0, 1, 2])
    with pytest.raises(ValueError, match="2 erased stripes can't be told from 1"):
        rebuild(stripes, rows, [0, 1], [1])
    with pytest.raises(ValueError, match="stripes 0 to 16"):
        rebuild(stripes, rows, [17])
    with pytest.raises(ValueError, match="stripes 0 to 16"):
        update_parity(rows, 17, stripes[:, 0])
    with pytest.raises(ValueError, match="0 to 3 parity"):
        parity(stripes, 4)
    with pytest.raises(ValueError, match="shape"):
        parity(stripes[:, :16], 2)
    with pytest.raises(ValueError, match="shape"):
        parity(stripes[:, :, :7], 2)


def test_no_columns_at_all() -> None:
    assert parity(np.empty((0, STRIPES, 4096), dtype=np.uint8), 2).shape == (0, 2, 4096)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_section_crcs_are_crc32c(data: bytes) -> None:
    assert section_crc(data) == crc32c_bitwise(data)


def test_a_section_of_zeros_has_the_crc_of_its_zeros() -> None:
    assert zero_crc(4096) == crc32c_bitwise(bytes(4096)) == section_crc(bytes(4096))
    assert zero_crc(128) == crc32c_bitwise(bytes(128))
