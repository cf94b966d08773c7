"""Layouts: columns and chunks belong to each other one to one, and stay where they are when a disk grows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.geometry.interfaces import Layout
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.layouts.linear import MAX_ROWS, MAX_WIDTH, MIN_WIDTH, WIDTH_LIMIT, LinearLayout
from bbd.geometry.layouts.spiral import SpiralLayout
from tests.geometry.hilbert_by_drawing import curve
from tests.geometry.spiral_by_walking import walk

HILBERT = HilbertLayout()
SPIRAL = SpiralLayout()
WIDTHS = st.integers(5, 21).map(lambda log2: LinearLayout(1 << log2))
QUADRANT_LAYOUTS: st.SearchStrategy[Layout] = st.one_of(st.just(HILBERT), WIDTHS)
LAYOUTS: st.SearchStrategy[Layout] = st.one_of(QUADRANT_LAYOUTS, st.just(SPIRAL))
COLUMNS = st.one_of(st.integers(0, 5000), st.integers(0, 2**48))


@given(LAYOUTS, COLUMNS)
def test_column_to_chunk_and_back(layout: Layout, column: int) -> None:
    assert layout.column(*layout.chunk(column)) == column


@given(QUADRANT_LAYOUTS, COLUMNS)
def test_all_but_the_spiral_lie_in_one_quadrant(layout: Layout, column: int) -> None:
    x, z = layout.chunk(column)
    assert x >= 0
    assert z >= 0


@given(QUADRANT_LAYOUTS, st.integers(0, 2**22), st.integers(0, 2**22))
def test_chunk_to_column_and_back(layout: Layout, x: int, z: int) -> None:
    column = layout.column(x, z)
    if column is None:
        assert isinstance(layout, LinearLayout)
        assert x >= layout.width
    else:
        assert layout.chunk(column) == (x, z)


@given(QUADRANT_LAYOUTS, st.integers(-100, 100), st.integers(-100, 100))
def test_nothing_lies_at_negative_chunks(layout: Layout, x: int, z: int) -> None:
    if x < 0 or z < 0:
        assert layout.column(x, z) is None


@given(st.integers(-(2**22), 2**22), st.integers(-(2**22), 2**22))
def test_every_chunk_is_a_column_of_the_spiral(x: int, z: int) -> None:
    column = SPIRAL.column(x, z)
    assert column is not None
    assert SPIRAL.chunk(column) == (x, z)


@pytest.mark.parametrize("layout", [HILBERT, LinearLayout(), SPIRAL])
def test_negative_columns_are_refused(layout: Layout) -> None:
    with pytest.raises(ValueError, match="negative"):
        layout.chunk(-1)


@pytest.mark.parametrize("order", [0, 2, 4, 6, 8])
def test_hilbert_is_the_curve_as_drawn(order: int) -> None:
    drawn = curve(order)
    assert [HILBERT.chunk(column) for column in range(len(drawn))] == drawn


def test_the_spiral_is_the_walk() -> None:
    assert [SPIRAL.chunk(column) for column in range(2000)] == walk(2000)


@given(st.sampled_from([HILBERT, SPIRAL]), COLUMNS)
def test_hilbert_and_spiral_neighbours_are_adjacent(layout: Layout, column: int) -> None:
    (x, z), (nx, nz) = layout.chunk(column), layout.chunk(column + 1)
    assert abs(x - nx) + abs(z - nz) == 1


@given(st.integers(0, 2**40))
def test_a_hilbert_group_fills_one_aligned_square(group: int) -> None:
    first = group * 1024
    rx, rz = (value // 32 for value in HILBERT.chunk(first))
    chunks = {HILBERT.chunk(column) for column in range(first, first + 1024)}
    assert chunks == {(rx * 32 + x, rz * 32 + z) for x in range(32) for z in range(32)}


@given(LAYOUTS, st.integers(0, 3000))
def test_rectangles_cover_exactly_the_first_columns(layout: Layout, columns: int) -> None:
    covered = [
        (x + dx, z + dz)
        for x, z, width, depth in layout.rectangles(columns)
        for dx in range(width)
        for dz in range(depth)
    ]
    assert len(covered) == len(set(covered)) == columns
    assert {layout.column(x, z) for x, z in covered} == set(range(columns))


@given(LAYOUTS, st.integers(0, 2**48))
def test_rectangles_of_large_disks_are_few_and_count_right(layout: Layout, columns: int) -> None:
    rectangles = list(layout.rectangles(columns))
    assert len(rectangles) <= 100
    assert sum(width * depth for _, _, width, depth in rectangles) == columns
    for x, z, width, depth in rectangles:
        corners = ((x, z), (x + width - 1, z), (x, z + depth - 1), (x + width - 1, z + depth - 1))
        assert all((column := layout.column(*corner)) is not None and column < columns for corner in corners)


@given(LAYOUTS)
def test_a_layout_comes_back_from_its_parameters(layout: Layout) -> None:
    assert type(layout)(**layout.parameters()) == layout
    assert type(layout).from_width_log2(layout.width_log2) == layout


@given(st.integers(1, 2**50))
def test_linear_grows_wider_with_the_size(columns: int) -> None:
    layout = LinearLayout.for_size(columns)
    rows = -(-columns // layout.width)
    assert rows <= MAX_ROWS or layout.width == WIDTH_LIMIT
    assert layout.width == MIN_WIDTH or -(-columns // (layout.width // 2)) > MAX_ROWS


def test_small_linear_disks_are_32_wide() -> None:
    assert LinearLayout.for_size(1024) == LinearLayout() == LinearLayout(32)
    assert LinearLayout.for_size(32 * MAX_ROWS) == LinearLayout(32)
    assert LinearLayout.for_size(32 * MAX_ROWS + 1) == LinearLayout(64)


@pytest.mark.parametrize("width", [-32, 0, 1, 16, 33, 48, 2 * MAX_WIDTH])
def test_linear_widths_that_can_not_be(width: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        LinearLayout(width)


def test_a_width_is_refused_where_there_is_none() -> None:
    with pytest.raises(ValueError, match="no width"):
        HilbertLayout.from_width_log2(5)
    with pytest.raises(ValueError, match="no width"):
        SpiralLayout.from_width_log2(5)
    with pytest.raises(ValueError, match="power of two"):
        LinearLayout.from_width_log2(0)
