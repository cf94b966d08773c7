"""The handshake as a state machine: what each option is answered, whatever the pieces its bytes come in."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.nbd import wire
from bbd.nbd.export import Export
from bbd.nbd.negotiation import MAX_OPTION_DATA, Negotiation, State
from bbd.nbd.options import MAXIMUM_BLOCK_SIZE, UNNEGOTIATED_MAXIMUM, Chosen, Ended, option_reply
from tests.nbd.memory_device import MemoryDevice, export
from tests.nbd.serving import go_data

SIZE = 5 << 20
WRITABLE = (
    wire.NBD_FLAG_HAS_FLAGS
    | wire.NBD_FLAG_SEND_FLUSH
    | wire.NBD_FLAG_SEND_FUA
    | wire.NBD_FLAG_SEND_TRIM
    | wire.NBD_FLAG_SEND_WRITE_ZEROES
    | wire.NBD_FLAG_CAN_MULTI_CONN
    | wire.NBD_FLAG_SEND_CACHE
    | wire.NBD_FLAG_SEND_FAST_ZERO
)
EXPORTS = [
    export(SIZE, "demo", "the first"),
    Export("büro", "", MemoryDevice(1 << 20, read_only=True)),
]


def haggling(flags: int = 3) -> Negotiation:
    negotiation = Negotiation(EXPORTS)
    assert negotiation.receive(struct.pack(">I", flags)) == b""
    return negotiation


def option(number: int, data: bytes = b"", length: int | None = None) -> bytes:
    return wire.OPTION_HEADER.pack(wire.IHAVEOPT, number, len(data) if length is None else length) + data


def replies(data: bytes) -> list[tuple[int, int, bytes]]:
    """(option, reply type, data) of every reply packet."""
    found = []
    while data:
        magic, answered, reply_type, length = wire.OPTION_REPLY_HEADER.unpack_from(data)
        assert magic == wire.NBD_REP_MAGIC
        body = data[wire.OPTION_REPLY_HEADER.size :][:length]
        assert len(body) == length
        found.append((answered, reply_type, body))
        data = data[wire.OPTION_REPLY_HEADER.size + length :]
    return found


def error_of(data: bytes) -> int:
    """The one error reply there is; its message is a string as the protocol defines it."""
    ((_, reply_type, message),) = replies(data)
    assert message.decode()
    assert len(message) <= wire.MAX_STRING
    return reply_type


def test_greeting() -> None:
    assert Negotiation(EXPORTS).greeting() == b"NBDMAGICIHAVEOPT\0\3"


@pytest.mark.parametrize("flags", [0, 1])
def test_export_name_ends_in_zeroes(flags: int) -> None:
    negotiation = haggling(flags)
    reply = negotiation.receive(option(wire.NBD_OPT_EXPORT_NAME, b"demo"))
    assert reply == struct.pack(">QH", SIZE, WRITABLE) + bytes(124)
    assert negotiation.outcome == Chosen(EXPORTS[0], WRITABLE, UNNEGOTIATED_MAXIMUM)


def test_export_name_without_zeroes() -> None:
    assert haggling(3).receive(option(wire.NBD_OPT_EXPORT_NAME, b"demo")) == struct.pack(">QH", SIZE, WRITABLE)


@pytest.mark.parametrize("name", [b"nowhere", b"\xff", b"a\0b", b"x" * 4097, b"x" * (MAX_OPTION_DATA + 1)])
def test_export_name_that_can_not_be_met_ends_the_session(name: bytes) -> None:
    negotiation = haggling()
    assert negotiation.receive(option(wire.NBD_OPT_EXPORT_NAME, name)) == b""
    assert isinstance(negotiation.outcome, Ended)


@pytest.mark.parametrize("number", [wire.NBD_OPT_EXPORT_NAME, wire.NBD_OPT_GO])
def test_empty_name_is_the_first_export(number: int) -> None:
    negotiation = haggling()
    negotiation.receive(option(number, b"" if number == wire.NBD_OPT_EXPORT_NAME else go_data("")))
    assert isinstance(negotiation.outcome, Chosen)
    assert negotiation.outcome.export is EXPORTS[0]


def test_abort_is_acknowledged_whatever_comes_with_it() -> None:
    for data in (b"", b"why not", bytes(MAX_OPTION_DATA + 1)):
        negotiation = haggling()
        assert replies(negotiation.receive(option(wire.NBD_OPT_ABORT, data))) == [(2, wire.NBD_REP_ACK, b"")]
        assert isinstance(negotiation.outcome, Ended)


def test_list() -> None:
    negotiation = haggling()
    assert replies(negotiation.receive(option(wire.NBD_OPT_LIST))) == [
        (3, wire.NBD_REP_SERVER, struct.pack(">I4s9s", 4, b"demo", b"the first")),
        (3, wire.NBD_REP_SERVER, struct.pack(">I5s", 5, "büro".encode())),
        (3, wire.NBD_REP_ACK, b""),
    ]
    assert negotiation.outcome is None


def test_info_tells_what_is_asked() -> None:
    negotiation = haggling()
    asked = go_data("", wire.NBD_INFO_NAME, wire.NBD_INFO_DESCRIPTION, wire.NBD_INFO_BLOCK_SIZE, 999)
    assert replies(negotiation.receive(option(wire.NBD_OPT_INFO, asked))) == [
        (6, wire.NBD_REP_INFO, struct.pack(">HQH", 0, SIZE, WRITABLE)),
        (6, wire.NBD_REP_INFO, b"\0\1demo"),
        (6, wire.NBD_REP_INFO, b"\0\2the first"),
        (6, wire.NBD_REP_INFO, struct.pack(">HIII", 3, 1, 4096, 32 << 20)),
        (6, wire.NBD_REP_ACK, b""),
    ]
    assert negotiation.outcome is None


def test_go_to_a_read_only_export() -> None:
    negotiation = haggling()
    (info, ack) = replies(negotiation.receive(option(wire.NBD_OPT_GO, go_data("büro"))))
    flags = struct.unpack(">HQH", info[2])[2]
    assert flags & wire.NBD_FLAG_READ_ONLY
    assert not flags & (wire.NBD_FLAG_SEND_TRIM | wire.NBD_FLAG_SEND_WRITE_ZEROES | wire.NBD_FLAG_SEND_FAST_ZERO)
    assert ack == (7, wire.NBD_REP_ACK, b"")
    assert negotiation.state is State.DONE


def test_block_sizes_bind_who_asks_for_them() -> None:
    for infos, longest in (((), UNNEGOTIATED_MAXIMUM), ((wire.NBD_INFO_BLOCK_SIZE,), MAXIMUM_BLOCK_SIZE)):
        negotiation = haggling()
        negotiation.receive(option(wire.NBD_OPT_GO, go_data("demo", *infos)))
        assert isinstance(negotiation.outcome, Chosen)
        assert negotiation.outcome.max_length == longest


def test_unknown_export() -> None:
    for number in (wire.NBD_OPT_INFO, wire.NBD_OPT_GO):
        assert error_of(haggling().receive(option(number, go_data("nowhere")))) == wire.NBD_REP_ERR_UNKNOWN


@pytest.mark.parametrize(
    "number",
    [
        0,
        4,
        wire.NBD_OPT_STARTTLS,
        wire.NBD_OPT_STRUCTURED_REPLY,
        wire.NBD_OPT_LIST_META_CONTEXT,
        wire.NBD_OPT_SET_META_CONTEXT,
        wire.NBD_OPT_EXTENDED_HEADERS,
        0xFFFFFFFF,
    ],
)
@pytest.mark.parametrize("length", [0, 5, 100_000])
def test_options_not_known_are_unsupported_and_haggling_goes_on(number: int, length: int) -> None:
    negotiation = haggling()
    assert error_of(negotiation.receive(option(number, bytes(length)))) == wire.NBD_REP_ERR_UNSUP
    assert replies(negotiation.receive(option(wire.NBD_OPT_LIST)))[-1] == (3, wire.NBD_REP_ACK, b"")


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (wire.NBD_OPT_LIST, b"x"),
        (wire.NBD_OPT_GO, b""),
        (wire.NBD_OPT_GO, b"\0\0\0\0"),
        (wire.NBD_OPT_GO, struct.pack(">I4sH", 5, b"demo", 0)),
        (wire.NBD_OPT_GO, struct.pack(">I4sH", 0xFFFFFFFF, b"demo", 0)),
        (wire.NBD_OPT_GO, go_data("demo", 1) + b"\0"),
        (wire.NBD_OPT_GO, go_data("demo", 1)[:-1]),
        (wire.NBD_OPT_INFO, struct.pack(">I2sH", 2, b"\xff\xfe", 0)),
        (wire.NBD_OPT_INFO, go_data("de\0mo")),
    ],
)
def test_malformed_options_are_invalid(number: int, data: bytes) -> None:
    negotiation = haggling()
    assert error_of(negotiation.receive(option(number, data))) == wire.NBD_REP_ERR_INVALID
    assert negotiation.outcome is None


@pytest.mark.parametrize("data", [go_data("x" * 4097), bytes(MAX_OPTION_DATA + 1)])
def test_oversized_options_are_too_big(data: bytes) -> None:
    negotiation = haggling()
    assert error_of(negotiation.receive(option(wire.NBD_OPT_GO, data))) == wire.NBD_REP_ERR_TOO_BIG
    assert negotiation.outcome is None


def test_a_hostile_length_is_swallowed_not_kept() -> None:
    negotiation = haggling()
    length = (1 << 32) - 1
    negotiation.receive(option(wire.NBD_OPT_LIST, length=length))
    piece = bytes(1 << 20)
    for _ in range(3):
        assert negotiation.receive(piece) == b""
        assert negotiation.rest() == b""


@pytest.mark.parametrize("number", [wire.NBD_OPT_LIST, wire.NBD_OPT_INFO, wire.NBD_OPT_GO, wire.NBD_OPT_STARTTLS, 99])
def test_shutting_down_refuses_every_option(number: int) -> None:
    negotiation = haggling()
    negotiation.shutting_down = True
    assert error_of(negotiation.receive(option(number, go_data("demo")))) == wire.NBD_REP_ERR_SHUTDOWN


def test_shutting_down_lets_abort_through_and_ends_export_name() -> None:
    negotiation = haggling()
    negotiation.shutting_down = True
    assert replies(negotiation.receive(option(wire.NBD_OPT_ABORT))) == [(2, wire.NBD_REP_ACK, b"")]
    negotiation = haggling()
    negotiation.shutting_down = True
    assert negotiation.receive(option(wire.NBD_OPT_EXPORT_NAME, b"demo")) == b""
    assert isinstance(negotiation.outcome, Ended)


@pytest.mark.parametrize("flags", [4, 1 << 31, 7])
def test_unknown_client_flags_end_the_session(flags: int) -> None:
    negotiation = Negotiation(EXPORTS)
    assert negotiation.receive(struct.pack(">I", flags)) == b""
    assert isinstance(negotiation.outcome, Ended)


def test_a_wrong_magic_ends_the_session() -> None:
    negotiation = haggling()
    assert negotiation.receive(b"GET / HTTP/1.1\r\n") == b""
    assert isinstance(negotiation.outcome, Ended)


_names = st.sampled_from([b"", b"demo", "büro".encode(), b"nowhere", b"\xff", b"x" * 5000])
_options = st.one_of(
    st.builds(option, st.sampled_from([0, 2, 3, 5, 8, 9, 10, 11]), st.binary(max_size=8)),
    st.builds(
        lambda number, name, infos: option(
            number, struct.pack(f">I{len(name)}sH{len(infos)}H", len(name), name, len(infos), *infos)
        ),
        st.sampled_from([6, 7]),
        _names,
        st.lists(st.integers(0, 4), max_size=3),
    ),
    st.builds(option, st.just(1), _names),
    st.builds(option, st.sampled_from([3, 9, 99]), st.just(bytes(MAX_OPTION_DATA + 5))),
    st.binary(max_size=40),
)


@given(st.sampled_from([0, 1, 3, 8]), st.lists(_options, max_size=5), st.data())
def test_every_split_gives_the_same(flags: int, options: list[bytes], data: st.DataObject) -> None:
    stream = struct.pack(">I", flags) + b"".join(options)
    whole = Negotiation(EXPORTS)
    expected = whole.receive(stream)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    split = Negotiation(EXPORTS)
    said = b""
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        said += split.receive(stream[start:end])
    assert said == expected
    assert split.outcome == whole.outcome
    assert split.state == whole.state
    assert split.rest() == whole.rest()


def test_every_byte_alone_gives_the_same() -> None:
    stream = struct.pack(">I", 3) + option(3) + option(9, b"abc") + option(7, go_data("demo", 1, 2, 3)) + b"later"
    whole, split = Negotiation(EXPORTS), Negotiation(EXPORTS)
    expected = whole.receive(stream)
    assert b"".join(split.receive(stream[i : i + 1]) for i in range(len(stream))) == expected
    assert split.rest() == whole.rest() == b"later"


def test_an_option_reply_is_laid_out_as_documented() -> None:
    assert option_reply(3, 2, b"xy").hex() == "0003e889045565a90000000300000002000000027879"
