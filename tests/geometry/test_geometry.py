"""The geometry: offsets and blocks belong to each other one to one, inside the world border."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bbd.errors import BbdError
from bbd.geometry.codecs.byte import ByteCodec
from bbd.geometry.codecs.nibble import NibbleCodec
from bbd.geometry.codecs.redstone import RedstoneCodec
from bbd.geometry.geometry import BORDER, MAX_CHUNK, MIN_CHUNK, Geometry, check_origin
from bbd.geometry.interfaces import Codec, Layout
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.layouts.linear import LinearLayout
from bbd.geometry.layouts.spiral import SpiralLayout

CODEC = ByteCodec()
CODECS: list[Codec] = [CODEC, NibbleCodec(), RedstoneCodec()]
HILBERT = HilbertLayout()
SPIRAL = SpiralLayout()
FIRST_REGION, LAST_REGION = -58593, 58593


@st.composite
def geometries(draw: st.DrawFn, codecs: Sequence[Codec] = (CODEC,)) -> Geometry:
    codec = draw(st.sampled_from(codecs))
    kind = draw(st.sampled_from(["hilbert", "linear", "spiral"]))
    if kind == "hilbert":
        origin = draw(st.tuples(*[st.integers(FIRST_REGION, LAST_REGION)] * 2))
        return Geometry(codec, HILBERT, (origin[0] * 32, origin[1] * 32))
    origin = draw(st.tuples(*[st.integers(MIN_CHUNK, MAX_CHUNK)] * 2))
    if kind == "spiral":
        return Geometry(codec, SPIRAL, origin)
    return Geometry(codec, LinearLayout(1 << draw(st.integers(5, 21))), origin)


def is_inside(geometry: Geometry, column: int) -> bool:
    return all(axis * 16 >= -BORDER and axis * 16 + 15 < BORDER for axis in geometry.chunk_of(column))


@given(geometries(CODECS), st.integers(0, 2**62))
def test_offset_to_blocks_and_back(geometry: Geometry, offset: int) -> None:
    size = geometry.codec.section_size
    places = geometry.locate(offset)
    assert len(places) == len(set(places)) == {4096: 1, 2048: 2, 128: 8}[size]
    for x, y, z in places:
        assert 0 <= y < 256
        assert geometry.offset_of(x, y, z) == offset
        assert geometry.column_of(x >> 4, z >> 4) == offset // (16 * size)
        assert geometry.stored_section(x, y, z) == (offset // (16 * size), offset // size % 16)


@given(
    geometries(CODECS),
    st.integers(-BORDER, BORDER - 1),
    st.integers(0, 255),
    st.integers(-BORDER, BORDER - 1),
)
def test_block_to_offset_and_back(geometry: Geometry, x: int, y: int, z: int) -> None:
    offset = geometry.offset_of(x, y, z)
    if offset is not None:
        assert (x, y, z) in geometry.locate(offset)
    elif isinstance(geometry.codec, RedstoneCodec) and geometry.column_of(x >> 4, z >> 4) is not None:
        assert y % 4 != 2
    else:
        assert geometry.column_of(x >> 4, z >> 4) is None


@given(st.integers(0, 2**40))
def test_an_offset_is_read_off_its_digits(offset: int) -> None:
    geometry = Geometry(CODEC, HILBERT)
    cx, cz = HILBERT.chunk(offset >> 16)
    digits = f"{offset & 0xFFFF:04x}"
    x, y, z = int(digits[3], 16) ^ 7, int(digits[:2], 16), int(digits[2], 16)
    assert geometry.locate(offset) == [(cx * 16 + x, y, cz * 16 + z)]


@given(geometries(), st.integers(0, 2**40))
def test_columns_and_chunks(geometry: Geometry, column: int) -> None:
    assert geometry.column_of(*geometry.chunk_of(column)) == column


@pytest.mark.parametrize("y", [-64, -1, 256, 319, 320])
def test_blocks_above_and_below_hold_no_data(y: int) -> None:
    assert Geometry(CODEC, HILBERT).offset_of(3, y, 5) is None


def test_stored_sections_by_height() -> None:
    geometry = Geometry(CODEC, HILBERT)
    heights = {-1: None, 0: (0, 0), 255: (0, 15), 256: (0, 16), 271: (0, 16), 272: (0, 17), 319: (0, 19), 320: None}
    assert {y: geometry.stored_section(0, y, 0) for y in heights} == heights
    assert geometry.stored_section(-1, 0, 0) is None


@pytest.mark.parametrize(("size", "columns"), [(1, 1), (65536, 1), (65537, 2), (64 << 20, 1024), (4096000, 63)])
def test_columns_of_a_size(size: int, columns: int) -> None:
    assert Geometry(CODEC, HILBERT).columns(size) == columns


@given(geometries())
def test_max_columns_is_where_the_border_is(geometry: Geometry) -> None:
    most = geometry.max_columns()
    assert is_inside(geometry, most - 1)
    assert not is_inside(geometry, most)
    geometry.check_size(geometry.max_size())
    with pytest.raises(BbdError, match="world border") as caught:
        geometry.check_size(geometry.max_size() + 1)
    assert str(geometry.max_size()) in str(caught.value)


@given(geometries(), st.floats(0, 1))
def test_every_column_below_the_most_is_inside(geometry: Geometry, part: float) -> None:
    assert is_inside(geometry, int((geometry.max_columns() - 1) * part))


def test_most_of_some_known_places() -> None:
    assert Geometry(CODEC, LinearLayout(32), (0, MAX_CHUNK)).max_columns() == 32
    assert Geometry(CODEC, LinearLayout(32), (MAX_CHUNK, 0)).max_columns() == 1
    assert Geometry(CODEC, LinearLayout(32), (0, MIN_CHUNK)).max_columns() == 32 * 3_749_998
    assert Geometry(CODEC, HILBERT, (58592 * 32, 0)).max_size() >= 2**26
    assert Geometry(CODEC, HILBERT).max_size() > 2**56
    assert Geometry(CODEC, SPIRAL, (MAX_CHUNK, 0)).max_columns() == 1
    assert Geometry(CODEC, SPIRAL, (MAX_CHUNK - 1, 0)).max_columns() == 9
    assert Geometry(CODEC, SPIRAL).max_size() > 2**59


@pytest.mark.parametrize("size", [0, -1])
def test_no_size_at_all_is_refused(size: int) -> None:
    with pytest.raises(BbdError, match="at least 1"):
        Geometry(CODEC, HILBERT).check_size(size)


@pytest.mark.parametrize("origin", [(1, 0), (0, -31), (33, 32), (31, 64)])
def test_hilbert_begins_at_a_region_only(origin: tuple[int, int]) -> None:
    with pytest.raises(BbdError, match="multiple of 32"):
        check_origin(HILBERT, origin)
    with pytest.raises(BbdError, match="multiple of 32"):
        Geometry(CODEC, HILBERT, origin)
    check_origin(LinearLayout(), origin)


@pytest.mark.parametrize("origin", [(MAX_CHUNK + 1, 0), (0, MIN_CHUNK - 1)])
def test_an_origin_beyond_the_border_is_refused(origin: tuple[int, int]) -> None:
    with pytest.raises(BbdError, match="world border"):
        check_origin(LinearLayout(), origin)
    check_origin(LinearLayout(), (MIN_CHUNK, MAX_CHUNK))


@st.composite
def small_disks(draw: st.DrawFn) -> tuple[Geometry, int]:
    layouts: list[Layout] = [HILBERT, LinearLayout(32), LinearLayout(64), SPIRAL]
    layout = draw(st.sampled_from(layouts))
    step = layout.origin_multiple
    origin = draw(st.tuples(*[st.integers(-64 // step, 64 // step)] * 2))
    return Geometry(CODEC, layout, (origin[0] * step, origin[1] * step)), draw(st.integers(0, 300))


@given(small_disks(), small_disks())
def test_overlap_is_a_common_chunk(one: tuple[Geometry, int], other: tuple[Geometry, int]) -> None:
    (first, columns), (second, others) = one, other
    chunks = {first.chunk_of(column) for column in range(columns)}
    common = chunks & {second.chunk_of(column) for column in range(others)}
    assert first.overlaps(second, columns, others) == bool(common)
    assert second.overlaps(first, others, columns) == bool(common)


@given(small_disks())
def test_rectangles_are_the_chunks(disk: tuple[Geometry, int]) -> None:
    geometry, columns = disk
    assume(columns)
    chunks = {
        (x + dx, z + dz)
        for x, z, width, depth in geometry.rectangles(columns)
        for dx in range(width)
        for dz in range(depth)
    }
    assert chunks == {geometry.chunk_of(column) for column in range(columns)}


@pytest.mark.parametrize(("x", "z"), [(32, 0), (-32, 0), (0, 32), (0, -32), (32, 32)])
def test_disks_side_by_side_do_not_overlap(x: int, z: int) -> None:
    one, other = Geometry(CODEC, HILBERT), Geometry(CODEC, HILBERT, (x, z))
    assert not one.overlaps(other, 1024, 1024)
    assert not other.overlaps(one, 1024, 1024)
    nearer = Geometry(CODEC, LinearLayout(32), (x - x // 32, z - z // 32))
    assert one.overlaps(nearer, 1024, 1024)
    assert nearer.overlaps(one, 1024, 1024)
