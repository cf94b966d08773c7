"""The stream of requests: what is refused and how, whatever the pieces the bytes come in."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.nbd import wire
from bbd.nbd.buffers import Arena, Pieces
from bbd.nbd.transmission import MAX_COPIED_PAYLOAD, Bounds, Ending, Request, Transmission, refusal
from tests.nbd.serving import request

SIZE = 1 << 20
LONGEST = 1 << 16
BLOCK = 32
PIECE = 4 * BLOCK
BOUNDS = Bounds(SIZE, LONGEST, read_only=False, block_size=BLOCK, piece_size=PIECE)
READ_ONLY = Bounds(SIZE, LONGEST, read_only=True, block_size=BLOCK, piece_size=PIECE)

Seen = tuple[int, int, int, bytes, int, int, bytes | None]


def seen(found: Request) -> Seen:
    """A request with a payload that stays."""
    error, command, flags, cookie, offset, length, payload = found
    if isinstance(payload, list):
        ends = itertools.accumulate(map(len, payload), initial=offset)
        assert all(end % PIECE == 0 for end in [*ends][1:-1]), "a piece goes past its end"
        payload = memoryview(b"".join(payload))
    return error, command, flags, cookie, offset, length, None if payload is None else bytes(payload)


def feed(transmission: Transmission, data: bytes, *, stop_after: int | None = None) -> Iterator[Seen]:
    """Give input the way a protocol does. With ``stop_after``, leave each round early and go on later."""
    while data and transmission.ending is None:
        room = transmission.get_buffer()
        count = min(len(room), len(data))
        room[:count] = data[:count]
        data = data[count:]
        transmission.received(count)
        while True:
            requests = []
            for found in transmission.requests():
                requests.append(seen(found))
                if len(requests) == stop_after:
                    break
            transmission.park()
            scribble(transmission)
            yield from requests
            if len(requests) != stop_after:
                break
            transmission.resume()


def scribble(transmission: Transmission) -> None:
    """What other connections do to the shared buffer in the meantime."""
    transmission._arena.view[:] = b"\xee" * len(transmission._arena.view)


ALL_COMMANDS = [*range(9), 0xFFFF]


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (wire.NBD_CMD_READ, wire.NBD_EINVAL),
        (wire.NBD_CMD_WRITE, wire.NBD_ENOSPC),
        (wire.NBD_CMD_TRIM, wire.NBD_EINVAL),
        (wire.NBD_CMD_CACHE, wire.NBD_EINVAL),
        (wire.NBD_CMD_WRITE_ZEROES, wire.NBD_ENOSPC),
    ],
)
@pytest.mark.parametrize(("offset", "length"), [(SIZE, 1), (SIZE - 1, 2), ((1 << 64) - 1, 1), (1 << 63, LONGEST)])
def test_past_the_end(command: int, error: int, offset: int, length: int) -> None:
    assert refusal(BOUNDS, command, 0, offset, length) == error


@pytest.mark.parametrize("command", [wire.NBD_CMD_WRITE, wire.NBD_CMD_TRIM, wire.NBD_CMD_WRITE_ZEROES])
def test_changes_of_a_read_only_export(command: int) -> None:
    assert refusal(READ_ONLY, command, 0, 0, 1) == wire.NBD_EPERM
    assert refusal(BOUNDS, command, 0, 0, 1) == 0


@pytest.mark.parametrize("command", [0, 1, 4, 5, 6])
def test_a_length_of_zero(command: int) -> None:
    assert refusal(BOUNDS, command, 0, 0, 0) == wire.NBD_EINVAL


@pytest.mark.parametrize(("command", "error"), [(0, 22), (1, 22), (4, 0), (5, 0), (6, 0)])
def test_only_data_is_limited_in_length(command: int, error: int) -> None:
    assert refusal(BOUNDS, command, 0, 0, LONGEST) == 0
    assert refusal(BOUNDS, command, 0, 0, LONGEST + 1) == error


@pytest.mark.parametrize("command", [7, 8, 0xFFFF])
@pytest.mark.parametrize("flags", [0, 1])
def test_commands_not_known(command: int, flags: int) -> None:
    assert refusal(BOUNDS, command, flags, 0, 1) == wire.NBD_EINVAL


@pytest.mark.parametrize("command", [0, 1, 3, 4, 5, 6])
def test_flags(command: int) -> None:
    length = 0 if command == wire.NBD_CMD_FLUSH else 1
    valid = {wire.NBD_CMD_FLAG_FUA}
    if command == wire.NBD_CMD_WRITE_ZEROES:
        valid |= {wire.NBD_CMD_FLAG_NO_HOLE, wire.NBD_CMD_FLAG_FAST_ZERO}
    for bit in range(16):
        assert refusal(BOUNDS, command, 1 << bit, 0, length) == (0 if 1 << bit in valid else wire.NBD_EINVAL)


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (1, 0)])
def test_flush_has_no_range(offset: int, length: int) -> None:
    assert refusal(BOUNDS, wire.NBD_CMD_FLUSH, 0, offset, length) == wire.NBD_EINVAL


@given(
    st.booleans(),
    st.sampled_from(ALL_COMMANDS[:2]),
    st.integers(0, 63),
    st.one_of(st.integers(0, 8), st.integers(SIZE - 8, SIZE + 8), st.just((1 << 64) - 1)),
    st.one_of(st.integers(0, 10), st.integers(LONGEST - 2, LONGEST + 2)),
)
def test_the_fast_way_and_the_slow_way_agree(
    read_only: bool, command: int, flags: int, offset: int, length: int
) -> None:
    bounds = READ_ONLY if read_only else BOUNDS
    data = request(command, offset, length, flags=flags) + bytes(length if command == wire.NBD_CMD_WRITE else 0)
    (found,) = feed(Transmission(bounds, Arena()), data)
    assert found[0] == refusal(bounds, command, flags, offset, length)


def test_a_refused_write_is_answered_after_its_payload() -> None:
    transmission = Transmission(READ_ONLY, Arena())
    assert not list(feed(transmission, request(1, 0, 100_000) + bytes(99_999)))
    found = list(feed(transmission, b"\0" + request(0, 0, 1)))
    assert [each[:2] for each in found] == [(wire.NBD_EPERM, wire.NBD_CMD_WRITE), (0, wire.NBD_CMD_READ)]


def test_disc_ends_it_and_hides_what_follows() -> None:
    transmission = Transmission(BOUNDS, Arena())
    assert len(list(feed(transmission, request(3) + request(2) + request(3)))) == 1
    assert transmission.ending is Ending.DISC


def test_a_wrong_magic_ends_it() -> None:
    transmission = Transmission(BOUNDS, Arena())
    assert len(list(feed(transmission, request(3) + b"GET / HTTP/1.1\r\nHost: localhost\r\n"))) == 1
    assert transmission.ending is Ending.BAD_MAGIC


def test_shutting_down_refuses_everything() -> None:
    transmission = Transmission(BOUNDS, Arena())
    transmission.shut_down()
    stream = request(0, 0, 1) + request(1, 0, 4) + b"data" + request(3) + request(6, 0, 9)
    assert [found[0] for found in feed(transmission, stream)] == [wire.NBD_ESHUTDOWN] * 4


def test_a_kept_payload_is_nobody_elses() -> None:
    for length in (96, 100, 70_000, 70_016):
        arena = Arena()
        transmission = Transmission(Bounds(SIZE, SIZE, read_only=False, block_size=BLOCK, piece_size=PIECE), arena)
        first, second = bytes([1]) * length, bytes([2]) * length
        kept = []
        for payload in (first, second):
            rest = request(1, 0, length) + payload
            while rest:
                room = transmission.get_buffer()
                count = min(len(room), len(rest), len(rest) // 2 + 1)
                room[:count] = rest[:count]
                rest = rest[count:]
                transmission.received(count)
                for found in transmission.requests():
                    assert found[6] is not None
                    kept.append(transmission.keep(found[6]))
                transmission.park()
                scribble(transmission)
        assert kept == [first, second]


def test_a_returned_buffer_serves_again() -> None:
    arena = Arena()
    transmission = Transmission(Bounds(SIZE, SIZE, read_only=False, block_size=BLOCK, piece_size=PIECE), arena)
    buffers: list[object] = []
    for _ in range(3):
        buffers += feed_raw(transmission, request(1, 1, 70_000) + bytes(70_000))
    assert buffers[0] is buffers[1] is buffers[2]


def feed_raw(transmission: Transmission, data: bytes) -> Iterator[object]:
    """The buffers behind the payloads; the first piece ends inside the payload."""
    for piece in (data[:1000], data[1000:]):
        room = transmission.get_buffer()
        room[: len(piece)] = piece
        transmission.received(len(piece))
        for found in transmission.requests():
            assert isinstance(found[6], memoryview)
            yield found[6].obj
        transmission.park()


@pytest.mark.parametrize("offset", [0, 1])
def test_an_announced_payload_takes_memory_as_it_comes(offset: int) -> None:
    transmission = Transmission(Bounds(1 << 30, 64 << 20, read_only=False, block_size=BLOCK, piece_size=PIECE), Arena())
    assert not list(feed(transmission, request(1, offset, 64 << 20) + bytes(1000)))
    assert len(transmission.get_buffer()) <= 1 << 20


def test_a_payload_of_whole_blocks_comes_in_pieces() -> None:
    transmission = Transmission(Bounds(SIZE, SIZE, read_only=False, block_size=BLOCK, piece_size=PIECE), Arena())
    data = os.urandom(SIZE)
    assert not list(feed(transmission, request(1, 0, SIZE) + data[:-1]))
    assert isinstance(transmission._buffer, Pieces)
    assert b"".join(transmission._buffer.pieces)[: SIZE - 1] == data[:-1]
    ((*_, payload), (_, command, *_)) = feed(transmission, data[-1:] + request(3))
    assert payload == data
    assert command == wire.NBD_CMD_FLUSH
    assert transmission._buffer is None, "what was handed over is still held"


@pytest.mark.parametrize(
    ("offset", "length", "kind"),
    [
        (0, BLOCK, memoryview),
        (BLOCK, MAX_COPIED_PAYLOAD, memoryview),
        (BLOCK, MAX_COPIED_PAYLOAD + BLOCK, list),
        (1, MAX_COPIED_PAYLOAD + BLOCK, memoryview),
        (0, MAX_COPIED_PAYLOAD + BLOCK + 1, memoryview),
    ],
)
def test_only_many_whole_blocks_come_in_pieces(offset: int, length: int, kind: type) -> None:
    transmission = Transmission(Bounds(1 << 30, 64 << 20, read_only=False, block_size=BLOCK, piece_size=PIECE), Arena())
    assert not list(feed(transmission, request(1, offset, length)))
    found: list[Request] = []
    while length and not found:
        count = min(length, len(transmission.get_buffer()))
        length -= count
        if transmission.received(count):
            found += transmission.requests()
            transmission.park()
    assert not length
    assert [type(payload) for *_, payload in found] == [kind]


def test_behind_a_long_write_only_a_header_is_asked_for() -> None:
    """The next one's payload is received where it stays then, from its first byte on."""
    length, header = MAX_COPIED_PAYLOAD + BLOCK, wire.REQUEST.size
    transmission = Transmission(Bounds(1 << 30, 64 << 20, read_only=False, block_size=BLOCK, piece_size=PIECE), Arena())
    assert len(transmission.get_buffer()) > header
    assert len(list(feed(transmission, request(1, 0, length) + bytes(length)))) == 1
    assert len(transmission.get_buffer()) > header, "it came at once, and was copied"
    for _ in range(2):
        assert not list(feed(transmission, request(1, 0, length)))
        assert len(list(feed(transmission, bytes(length)))) == 1
        assert len(transmission.get_buffer()) == header
    assert len(list(feed(transmission, request(3)))) == 1
    assert len(transmission.get_buffer()) > header


_requests = st.one_of(
    st.builds(
        lambda command, offset, length, flags, cookie, fill: (
            request(command, offset, length, flags=flags, cookie=cookie)
            + (fill * length if command == wire.NBD_CMD_WRITE else b"")
        ),
        st.sampled_from([0, 1, 1, 1, 3, 4, 5, 6, 7, 99]),
        st.one_of(st.integers(0, 5000), st.integers(0, 9).map(BLOCK.__mul__), st.integers(SIZE - 3, SIZE + 3)),
        st.one_of(st.integers(0, 40), st.integers(0, 1500), st.sampled_from([LONGEST, LONGEST + 1, 9000, 64, 9600])),
        st.sampled_from([0, 0, 0, 1, 2, 4, 1 << 15]),
        st.integers(0, (1 << 64) - 1),
        st.binary(min_size=1, max_size=1),
    ),
    st.just(request(wire.NBD_CMD_DISC)),
    st.just(b"nonsense" * 5),
)


@given(st.lists(_requests, max_size=8), st.sampled_from([64, 1000, 4096]), st.data())
def test_every_split_gives_the_same(parts: list[bytes], arena: int, data: st.DataObject) -> None:
    stream = b"".join(parts)
    whole = Transmission(BOUNDS, Arena(1 << 20))
    expected = list(feed(whole, stream))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12).map(sorted))
    stop_after = data.draw(st.sampled_from([None, 1, 2]))
    split = Transmission(BOUNDS, Arena(arena))
    found: list[Seen] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += feed(split, stream[start:end], stop_after=stop_after)
    assert found == expected
    assert split.ending == whole.ending


def test_every_byte_alone_gives_the_same() -> None:
    stream = request(1, 5, 3) + b"abc" + request(0, 1, 2) + request(1, SIZE, 2) + b"xx" + request(3) + request(2)
    expected = list(feed(Transmission(BOUNDS, Arena()), stream))
    assert len(expected) == 4
    split = Transmission(BOUNDS, Arena(64))
    found: list[Seen] = []
    for i in range(len(stream)):
        found += feed(split, stream[i : i + 1])
    assert found == expected
    assert split.ending is Ending.DISC
