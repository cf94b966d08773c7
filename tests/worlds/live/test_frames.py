"""The bridge's frames: what is packed comes back, what is not exactly as described is refused."""

from __future__ import annotations

import struct
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.worlds.live.codes import Code, Refusal
from bbd.worlds.live.frames import (
    ALL_SECTIONS,
    EXPECT,
    NONE,
    THERE,
    UNREADABLE,
    ColumnEntry,
    Columns,
    Confirmed,
    Frame,
    Read,
    ReadEntry,
    Verdict,
    Write,
    WriteEntry,
    Written,
    parse_client,
    parse_companion,
)

chunk = st.integers(-(2**31), 2**31 - 1)
number = st.integers(1, 2**32 - 1)
stamp = st.integers(0, 2**64 - 1)
generation = st.integers(1, 2**64 - 1)
few_sections = st.sets(st.integers(0, 19), max_size=3).map(lambda found: sum(1 << one for one in found))


def body_of(mask: int, wide: int, seed: int) -> bytes:
    return Random(seed).randbytes(4096 * (mask.bit_count() + wide.bit_count()))


@st.composite
def write_entries(draw: st.DrawFn) -> WriteEntry:
    mask, air = draw(few_sections), draw(few_sections)
    air &= ~mask
    if not mask | air:
        air = 1
    wide = mask & draw(few_sections)
    flags = draw(st.integers(0, 3))
    expected = draw(stamp) if flags & EXPECT else 0
    body = body_of(mask, wide, draw(st.integers(0, 99)))
    return WriteEntry(draw(chunk), draw(chunk), flags, mask, wide, air, expected, draw(generation), body)


@st.composite
def column_entries(draw: st.DrawFn) -> ColumnEntry:
    x, z = draw(chunk), draw(chunk)
    status = draw(st.sampled_from([THERE, NONE, UNREADABLE]))
    if status == UNREADABLE:
        return ColumnEntry(x, z, status, body=draw(st.text(max_size=50)).encode())
    if status == NONE:
        return ColumnEntry(x, z, status)
    mask = draw(few_sections)
    wide = mask & draw(few_sections)
    return ColumnEntry(x, z, status, mask, wide, draw(stamp), draw(stamp), body_of(mask, wide, draw(st.integers(0, 9))))


read_entries = st.builds(ReadEntry, chunk, chunk, st.integers(1, ALL_SECTIONS))
verdicts = st.one_of(
    st.builds(Verdict, chunk, chunk, st.sampled_from([0, 14]), stamp, stamp),
    st.builds(Verdict, chunk, chunk, st.integers(1, 13), st.just(0), stamp),
)


def several(entries: st.SearchStrategy[object]) -> st.SearchStrategy[list[object]]:
    return st.lists(entries, min_size=1, max_size=5, unique_by=lambda one: (one.x, one.z))  # type: ignore[attr-defined]


@given(
    st.builds(Read, number, number, several(read_entries)) | st.builds(Write, number, number, several(write_entries()))
)
def test_what_a_client_sends_comes_back(frame: Frame) -> None:
    assert parse_client(frame.pack()) == frame


@given(
    st.builds(Columns, number, number, several(column_entries()))
    | st.builds(Written, number, number, several(verdicts))
    | st.builds(Confirmed, number, several(verdicts))
)
def test_what_a_companion_sends_comes_back(frame: Frame) -> None:
    assert parse_companion(frame.pack()) == frame


@given(st.builds(Write, number, number, several(write_entries())), st.data())
def test_a_frame_that_is_cut_or_has_more_is_refused(frame: Write, data: st.DataObject) -> None:
    packed = frame.pack()
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(Refusal):
        parse_client(packed[:cut])
    with pytest.raises(Refusal):
        parse_client(packed + b"\0")


@given(st.binary(max_size=200))
def test_noise_is_refused_or_a_frame(noise: bytes) -> None:
    for parse in (parse_client, parse_companion):
        try:
            frame = parse(noise)
        except Refusal:
            continue
        assert frame.pack() == noise


def one_read(**fields: int) -> bytes:
    values = {"kind": 1, "flags": 0, "count": 1, "id": 7, "disk": 1, "rest": 0, "mask": 1, "tail": 0} | fields
    head = struct.pack("<BBHIII", *(values[name] for name in ("kind", "flags", "count", "id", "disk", "rest")))
    return head + struct.pack("<iiII", 3, -1, values["mask"], values["tail"])


def test_the_frame_by_hand() -> None:
    assert parse_client(one_read()) == Read(7, 1, [ReadEntry(3, -1, 1)])


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": 3},
        {"kind": 0x81},
        {"flags": 1},
        {"count": 0},
        {"count": 2},
        {"id": 0},
        {"disk": 0},
        {"rest": 1},
        {"mask": 0},
        {"mask": 1 << 20},
        {"tail": 1},
    ],
)
def test_a_read_with_one_thing_wrong_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_client(one_read(**wrong))
    assert refusal.value.code == Code.BAD_FRAME


def write(**fields: object) -> bytes:
    values: dict[str, object] = {
        "x": 0,
        "z": 0,
        "flags": 1,
        "mask": 1,
        "wide": 0,
        "air": 2,
        "expected": 5,
        "generation": 1,
    }
    values |= {"body": bytes(4096)} | fields
    return Write(1, 1, [WriteEntry(**values)]).pack()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"flags": 4},
        {"flags": 0},
        {"wide": 2},
        {"wide": 1},
        {"air": 1},
        {"air": 1 << 20},
        {"mask": 0, "air": 0, "body": b""},
        {"generation": 0},
        {"body": bytes(4095)},
        {"body": bytes(4097)},
    ],
)
def test_a_write_with_one_thing_wrong_is_refused(wrong: dict[str, object]) -> None:
    assert parse_client(write())
    with pytest.raises(Refusal):
        parse_client(write(**wrong))


@pytest.mark.parametrize(
    "entry",
    [
        ColumnEntry(0, 0, 3),
        ColumnEntry(0, 0, NONE, stamp=1),
        ColumnEntry(0, 0, NONE, body=b"why"),
        ColumnEntry(0, 0, UNREADABLE, mask=1, body=bytes(4096)),
        ColumnEntry(0, 0, UNREADABLE, body=b"\xff"),
        ColumnEntry(0, 0, THERE, mask=1 << 20, body=bytes(4096)),
        ColumnEntry(0, 0, THERE, mask=1, wide=1, body=bytes(4096)),
    ],
)
def test_a_column_with_one_thing_wrong_is_refused(entry: ColumnEntry) -> None:
    with pytest.raises(Refusal):
        parse_companion(Columns(1, 1, [entry]).pack())


def test_a_column_twice_is_refused() -> None:
    with pytest.raises(Refusal, match="twice"):
        parse_client(Read(1, 1, [ReadEntry(0, 0, 1), ReadEntry(0, 0, 2)]).pack())


def test_more_entries_than_the_limit_are_refused() -> None:
    frame = Read(1, 1, [ReadEntry(x, 0, 1) for x in range(9)]).pack()
    assert parse_client(frame, 9)
    with pytest.raises(Refusal):
        parse_client(frame, 8)
    many = Confirmed(1, [Verdict(x, 0, 0, 1, 1) for x in range(1000)])
    assert parse_companion(many.pack(), 8) == many


def test_a_stamp_beside_an_error_is_refused() -> None:
    with pytest.raises(Refusal):
        parse_companion(Written(1, 1, [Verdict(0, 0, Code.IO, 7, 1)]).pack())
