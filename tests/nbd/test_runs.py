"""Requests that are alike, taken together: the same as one by one, wherever a run begins, ends or is left."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.nbd import wire
from bbd.nbd.buffers import Arena
from bbd.nbd.runs import LEAST, MOST_BYTES, Run, find_run
from bbd.nbd.transmission import Bounds, Payload, Transmission
from tests.nbd.serving import request

SIZE = 1 << 20
BLOCK = 32
BOUNDS = Bounds(SIZE, 1 << 16, read_only=False, block_size=BLOCK, piece_size=4 * BLOCK)
READ, WRITE, FLUSH = wire.NBD_CMD_READ, wire.NBD_CMD_WRITE, wire.NBD_CMD_FLUSH
FUA = wire.NBD_CMD_FLAG_FUA

Seen = tuple[int, int, int, bytes, int, int, bytes | None]


def made(command: int, offset: int, length: int, cookie: int = 0, flags: int = 0) -> bytes:
    payload = bytes([cookie & 255]) * length if command == WRITE else b""
    return request(command, offset, length, cookie=cookie, flags=flags) + payload


def found_in(stream: bytes, *, readable: int = SIZE, writable: int = SIZE) -> Run | None:
    return find_run(memoryview(stream), 0, len(stream), readable, writable)


def alike(command: int, count: int, length: int = BLOCK) -> bytes:
    return b"".join(made(command, i * length, length, cookie=i) for i in range(count))


@pytest.mark.parametrize("command", [READ, WRITE])
def test_a_run_has_what_its_requests_have(command: int) -> None:
    run = found_in(alike(command, 9))
    assert run is not None
    assert (run.command, run.length) == (command, BLOCK)
    assert run.offsets == [i * BLOCK for i in range(9)]
    assert [int.from_bytes(cookie, "big") for cookie in run.cookies] == list(range(9))
    assert [bytes(payload) for payload in run.payloads] == [bytes([i]) * BLOCK for i in range(9) if command == WRITE]


@pytest.mark.parametrize("command", [READ, WRITE])
def test_few_are_no_run(command: int) -> None:
    assert found_in(alike(command, LEAST - 1)) is None
    assert found_in(alike(command, LEAST)) is not None
    assert found_in(alike(command, LEAST)[:-1]) is None, "the last has not come yet"


@pytest.mark.parametrize("command", [READ, WRITE])
@pytest.mark.parametrize(
    "other",
    [
        made(READ, 0, BLOCK + 1),
        made(WRITE, 0, BLOCK - 1),
        made(READ, SIZE - 1, BLOCK),
        made(WRITE, SIZE - 1, BLOCK),
        made(READ, 0, BLOCK, flags=FUA),
        made(WRITE, 0, BLOCK, flags=FUA),
        made(FLUSH, 0, 0),
        made(wire.NBD_CMD_DISC, 0, 0),
        b"nonsense" * 10,
    ],
)
def test_a_run_ends_before_what_is_not_alike(command: int, other: bytes) -> None:
    run = found_in(alike(command, 5) + other + alike(command, 9))
    assert run is not None
    assert len(run.offsets) == 5
    assert found_in(other + alike(command, 9)) is None


def test_what_lies_outside_is_in_no_run() -> None:
    assert found_in(alike(READ, 5), readable=BLOCK) is None
    assert found_in(alike(WRITE, 5), writable=0) is None, "a read-only disk"
    assert found_in(alike(READ, 5), writable=0) is not None
    assert found_in(alike(READ, 5, length=0)) is None


def test_a_run_has_an_end_in_bytes() -> None:
    length = 64 << 10
    run = found_in(alike(READ, 100, length), readable=1 << 40)
    assert run is not None
    assert len(run.offsets) * length == MOST_BYTES
    assert found_in(alike(READ, 100, 1 << 19), readable=1 << 40) is None


def pieces(payload: Payload) -> list[memoryview]:
    return payload if isinstance(payload, list) else [payload]


def feed(transmission: Transmission, stream: bytes, taken: st.DataObject | None) -> Iterator[Seen]:
    """Give input, and take requests by the run where there are any, or all of them one by one."""
    while stream and transmission.ending is None:
        room = transmission.get_buffer()
        count = min(len(room), len(stream))
        room[:count] = stream[:count]
        stream = stream[count:]
        transmission.received(count)
        seen: list[Seen] = []
        while taken is not None and (run := transmission.run()) is not None:
            wanted = taken.draw(st.integers(0, len(run.offsets)))
            payloads: list[bytes | None] = [bytes(payload) for payload in run.payloads]
            payloads = payloads or [None] * wanted
            for cookie, offset, payload in list(zip(run.cookies, run.offsets, payloads, strict=False))[:wanted]:
                seen.append((0, run.command, 0, cookie, offset, run.length, payload))
            transmission.skip(run, wanted)
            if wanted < len(run.offsets):
                break
        for error, command, flags, cookie, offset, length, data in transmission.requests():
            payload = None if data is None else b"".join(pieces(data))
            seen.append((error, command, flags, cookie, offset, length, payload))
        transmission.park()
        yield from seen


_some = st.builds(
    lambda command, length, count, flags: b"".join(
        made(command, i * length, length, cookie=i, flags=flags) for i in range(count)
    ),
    st.sampled_from([READ, WRITE, WRITE, FLUSH]),
    st.sampled_from([0, 1, BLOCK, BLOCK, 100]),
    st.integers(1, 12),
    st.sampled_from([0, 0, 0, FUA]),
)


@given(st.lists(_some, max_size=6), st.sampled_from([300, 1000, 8192]), st.data())
def test_taken_together_or_one_by_one_they_are_the_same(parts: list[bytes], arena: int, data: st.DataObject) -> None:
    stream = b"".join(parts)
    expected = list(feed(Transmission(BOUNDS, Arena(1 << 20)), stream, None))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6).map(sorted))
    transmission = Transmission(BOUNDS, Arena(arena))
    found: list[Seen] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += feed(transmission, stream[start:end], data)
    assert found == expected


def test_nothing_is_a_run_while_a_payload_is_awaited() -> None:
    length = 1 << 16
    transmission = Transmission(BOUNDS, Arena(4096))
    start = made(WRITE, 0, length)[:100]
    transmission.get_buffer()[: len(start)] = start
    assert transmission.received(len(start))
    assert not list(transmission.requests())
    transmission.park()
    assert transmission.run() is None
    payload = os.urandom(16)
    transmission.get_buffer()[: len(payload)] = payload
    transmission.received(len(payload))
    assert transmission.run() is None


@pytest.mark.parametrize("command", [READ, WRITE])
def test_longer_requests_than_there_may_be_are_refused_one_by_one(command: int) -> None:
    bounds = Bounds(SIZE, BLOCK - 1, read_only=False, block_size=BLOCK, piece_size=4 * BLOCK)
    found = list(feed(Transmission(bounds, Arena()), alike(command, 5) + alike(READ, 5, BLOCK - 1), None))
    transmission = Transmission(bounds, Arena())
    stream = alike(command, 5)
    transmission.get_buffer()[: len(stream)] = stream
    assert transmission.received(len(stream))
    assert transmission.run() is None
    assert [error for error, *_ in found] == [wire.NBD_EINVAL] * 5 + [0] * 5
