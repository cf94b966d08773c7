"""Messages that come in fragments (RFC 6455, 5.4), as a companion sends columns: cut wherever it pleases, a message is
what it is in one piece, or the connection ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from random import Random

import pytest
from websockets.frames import Frame, Opcode

from bbd.worlds.live.codes import Code
from bbd.worlds.live.frames import (
    NONE,
    THERE,
    UNREADABLE,
    ColumnEntry,
    Columns,
    Confirmed,
    ReadEntry,
    Verdict,
)
from bbd.worlds.live.link import LinkLost
from bbd.worlds.live.messages import Answer, Push
from tests.disk.bench_of_disks import put, read_all
from tests.worlds.live.fake_companion.state import LIMITS
from tests.worlds.live.live_bench import LiveBench
from tests.worlds.live.raw_companion import RawCompanion, begun, fragments, last, linked, more

HEADER = 16
ENTRY = 40
STANDING = [
    ColumnEntry(3, -1, THERE, 0b101, 0b100, 7, 9, Random(1).randbytes(3 * 4096)),
    ColumnEntry(4, -1, NONE),
    ColumnEntry(5, -1, UNREADABLE, body="its zlib stream is brøken".encode()),
    ColumnEntry(6, -1, THERE, 0, 0, 8, 0, b""),
]
WANTED = [ReadEntry(one.x, one.z, 0b101) for one in STANDING]

Cut = Callable[[bytes], Sequence[bytes]]


def at(*places: int) -> Cut:
    """Cut at these bytes; a place that is named twice makes an empty fragment."""

    def cut(message: bytes) -> list[bytes]:
        ends = [*places, len(message)]
        return [message[start:end] for start, end in zip([0, *places], ends, strict=True)]

    return cut


def every(size: int) -> Cut:
    return lambda message: [message[start : start + size] for start in range(0, len(message), size)]


def with_empty_ones(message: bytes) -> list[bytes]:
    """Before, between and behind everything."""
    return [b"", b"", *(piece for part in every(1000)(message) for piece in (part, b"")), b""]


def as_companions_do(message: bytes) -> list[bytes]:
    """The header, then every entry."""
    ends, position = [HEADER], HEADER
    for one in STANDING:
        position += ENTRY + len(one.body)
        ends.append(position)
    return list(at(*ends[:-1])(message))


CUTS = {
    "whole": at(),
    "by the entry": as_companions_do,
    "bytes": every(1),
    "pairs of bytes": every(2),
    "odd sizes": every(4095),
    "empty ones": with_empty_ones,
    "an empty first": at(0),
    "an empty last": lambda message: [message, b""],
    "in the header": at(1, 2, 3, 4, 7, 8, 15),
    "before and behind the header's end": at(HEADER - 1, HEADER, HEADER + 1),
    "in an entry's numbers": at(HEADER + 4, HEADER + 21, HEADER + 39),
    "in a section": at(HEADER + ENTRY + 1, HEADER + ENTRY + 4095, HEADER + ENTRY + 4096),
    "the last byte alone": lambda message: [message[:-1], message[-1:]],
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
def test_columns_are_the_same_however_they_are_cut(cut: Cut) -> None:
    async def companion(raw: RawCompanion) -> None:
        for _ in range(2):
            read = await raw.read()
            await raw.send(fragments(cut(Columns(read.id, read.disk, STANDING).pack())))

    async def run() -> None:
        async with linked(companion) as (link, _):
            for _ in range(2):
                assert (await link.read(1, WANTED)).entries == STANDING

    asyncio.run(run())


def between(frames: Sequence[Frame], *controls: Frame) -> Iterator[Frame]:
    for frame in frames[:-1]:
        yield from (frame, *controls)
    yield frames[-1]


@pytest.mark.parametrize("cut", [every(997), with_empty_ones], ids=["pieces", "empty ones"])
def test_pings_come_between_and_are_answered(cut: Cut) -> None:
    seen: list[tuple[Opcode, bytes]] = []

    async def companion(raw: RawCompanion) -> None:
        read = await raw.read()
        frames = fragments(cut(Columns(read.id, read.disk, STANDING).pack()))
        pings = (Frame(Opcode.PING, b"are you there?"), Frame(Opcode.PONG, b"unasked"), Frame(Opcode.PING, b""))
        await raw.send(between(frames, *pings))
        await raw.answer(await raw.request(), {})
        seen.extend(raw.controls)
        assert len(seen) == 2 * (len(frames) - 1)

    async def run() -> None:
        async with linked(companion) as (link, _):
            assert (await link.read(1, WANTED)).entries == STANDING
            await link.ask("stats")

    asyncio.run(run())
    assert set(seen) == {(Opcode.PONG, b"are you there?"), (Opcode.PONG, b"")}


def test_text_is_cut_within_a_letter() -> None:
    said = {"disks": ["a blåbær, a 🪲"]}

    async def companion(raw: RawCompanion) -> None:
        request = await raw.request()
        text = Answer(request.id, said).dump().encode()
        await raw.send(fragments(every(1)(text), Opcode.TEXT))

    async def run() -> None:
        async with linked(companion) as (link, _):
            assert await link.ask("disks") == said

    asyncio.run(run())


def test_what_is_pushed_in_fragments_comes_in_order() -> None:
    """Between answers, and of both kinds."""
    told: list[Push | Confirmed] = [
        Confirmed(1, [Verdict(x, 0, 0, 5, 6) for x in range(100)]),
        Push("paused", {"push": "paused", "disk": 1}),
        Confirmed(1, [Verdict(7, 0, Code.IO, 0, 8)]),
    ]

    async def companion(raw: RawCompanion) -> None:
        request = await raw.request()
        for one in told:
            if isinstance(one, Push):
                await raw.send(fragments(every(3)(one.dump().encode()), Opcode.TEXT))
            else:
                await raw.send(fragments(at(0, 1, 15, 17)(one.pack())))
        await raw.answer(request, {})

    async def run() -> None:
        async with linked(companion) as (link, pushed):
            await link.ask("stats")
            assert pushed == told

    asyncio.run(run())


def columns_to(request: int) -> bytes:
    return Columns(request, 1, STANDING).pack()


UNENDED = {
    "the header": begun(columns_to(2)[:HEADER]),
    "half a header": begun(columns_to(2)[:7]),
    "nothing": begun(b""),
    "all but the end": begun(columns_to(2)),
}


@pytest.mark.parametrize("frame", UNENDED.values(), ids=UNENDED.keys())
def test_a_message_that_has_not_ended_is_none(frame: Frame) -> None:
    """Not even one of which every byte is there: whoever asked hears that the connection is gone."""

    async def companion(raw: RawCompanion) -> None:
        assert (await raw.read()).id == 2
        await raw.send([frame])
        raw.cut()

    async def run() -> None:
        async with linked(companion) as (link, _):
            with pytest.raises(LinkLost, match="the connection was cut"):
                await link.read(1, WANTED)

    asyncio.run(run())


PROTOCOL_ERROR, TOO_BIG, NOT_UTF8 = 1002, 1009, 1007
BROKEN: dict[str, tuple[int, list[Frame]]] = {
    "a second message in the first": (PROTOCOL_ERROR, [begun(b"\x81"), Frame(Opcode.BINARY, columns_to(2))]),
    "text in a message of bytes": (PROTOCOL_ERROR, [begun(b"\x81"), Frame(Opcode.TEXT, b"{}")]),
    "more of nothing": (PROTOCOL_ERROR, [more(columns_to(2))]),
    "the end of nothing": (PROTOCOL_ERROR, [last(columns_to(2))]),
    "more after the end": (PROTOCOL_ERROR, [*fragments([b"\x83", b""]), last(b"")]),
    "letters that are none": (NOT_UTF8, [begun(b'{"push": "\xc3', Opcode.TEXT), last(b'("}')]),
    "too much in all": (TOO_BIG, [begun(b"\x81"), more(bytes(LIMITS["binary"] - 1)), last(b"\x00")]),
    "too much in one": (TOO_BIG, [Frame(Opcode.BINARY, bytes(LIMITS["binary"] + 1))]),
    "too much before the end": (TOO_BIG, [begun(b""), *[more(bytes(1 << 20))] * 8, more(b"\x00")]),
}


@pytest.mark.parametrize(("code", "frames"), BROKEN.values(), ids=BROKEN.keys())
def test_fragments_that_make_no_message_end_the_connection(code: int, frames: list[Frame]) -> None:
    closed: list[int] = []

    async def companion(raw: RawCompanion) -> None:
        await raw.read()
        await raw.send(frames)
        closed.append(await raw.close_code())

    async def run() -> None:
        async with linked(companion) as (link, pushed):
            with pytest.raises(LinkLost, match="8 MiB" if code == TOO_BIG else None):
                await link.read(1, WANTED)
            assert not pushed

    asyncio.run(run())
    assert closed == [code]


MOST = LIMITS["binary"] // 64
"""Fragments in a message: each counts as 64 bytes at least."""


def assert_bad_frame(companion: Callable[[RawCompanion], Awaitable[None]], said: str) -> None:
    """A READ is all that is asked of this companion: its answer ends the connection, for the reason that is said."""

    async def run() -> None:
        async with linked(companion) as (link, _):
            with pytest.raises(LinkLost, match=said) as lost:
                await link.read(1, WANTED)
            assert lost.value.code == Code.BAD_FRAME

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "piece"), [(Opcode.BINARY, b""), (Opcode.TEXT, b" ")], ids=["empty ones", "letters"])
def test_fragments_without_end_end_the_connection(kind: Opcode, piece: bytes) -> None:
    """They need no room on their way, and a hundred times as much in memory."""
    closed: list[int] = []

    async def companion(raw: RawCompanion) -> None:
        await raw.read()
        await raw.send([begun(piece, kind)])
        await raw.send_many(more(piece), MOST + 8)
        closed.append(await raw.close_code())

    assert_bad_frame(companion, "a message of more than 8 MiB, or in too many fragments")
    assert closed == [TOO_BIG]


@pytest.mark.slow
def test_pings_whose_answers_nobody_reads_end_the_connection() -> None:
    """The answers would wait in memory, without end."""
    ended = asyncio.Event()

    async def companion(raw: RawCompanion) -> None:
        await raw.read()
        with contextlib.suppress(ConnectionError):
            await raw.send_many(Frame(Opcode.PING, bytes(125)), 400_000)
        await ended.wait()

    async def run() -> None:
        async with linked(companion) as (link, _):
            with pytest.raises(LinkLost, match="cut"):
                await link.read(1, WANTED)
            ended.set()

    asyncio.run(run())


@pytest.mark.slow
def test_pings_whose_answers_are_read_are_welcome() -> None:
    async def companion(raw: RawCompanion) -> None:
        request = await raw.request()
        for _ in range(100):
            await raw.send_many(Frame(Opcode.PING, bytes(125)), 500)
            while len(raw.controls) % 500 or not raw.controls:
                await raw.frame()
            raw.controls.clear()
        await raw.answer(request, {})

    async def run() -> None:
        async with linked(companion) as (link, _):
            assert await link.ask("stats") == {}

    asyncio.run(run())


@pytest.mark.slow
def test_as_many_fragments_as_there_may_be() -> None:
    async def companion(raw: RawCompanion) -> None:
        for count in (MOST, 3):
            text = Answer((await raw.request()).id, {}).dump().encode()
            assert len(text) <= 64
            await raw.send([begun(b"", Opcode.TEXT)])
            await raw.send_many(more(b""), count - 2)
            await raw.send([last(text)])

    async def run() -> None:
        async with linked(companion) as (link, _):
            for _ in range(2):
                assert await link.ask("stats") == {}

    asyncio.run(run())


@pytest.mark.parametrize(
    "pieces",
    [
        [columns_to(2)[:-1]],
        [columns_to(2)[:HEADER], columns_to(2)[HEADER:-1]],
        [columns_to(2), b"\0"],
        [b"", b""],
        [columns_to(2)[:HEADER], b""],
    ],
    ids=["cut short", "cut short in two", "a byte too many", "empty", "a header alone"],
)
def test_fragments_that_make_another_message_are_refused_as_a_whole(pieces: list[bytes]) -> None:
    async def companion(raw: RawCompanion) -> None:
        await raw.read()
        await raw.send(fragments(pieces))

    assert_bad_frame(companion, "protocol")


def test_the_largest_message_comes_in_fragments() -> None:
    """In more of them than the websocket lets wait unread: it stops reading in the middle of a message."""
    entries = [ColumnEntry(x, 0, THERE, 0xFFFF, 0xFFFF, 1, 1, Random(x).randbytes(16 * 8192)) for x in range(32)]

    async def companion(raw: RawCompanion) -> None:
        read = await raw.read()
        message = Columns(read.id, read.disk, entries).pack()
        await raw.send(fragments([message[:HEADER], *every(ENTRY + 16 * 8192)(message[HEADER:])]))

    async def run() -> None:
        async with linked(companion) as (link, _):
            found = await link.read(1, [ReadEntry(x, 0, 0xFFFF) for x in range(32)])
            assert found.entries == entries

    asyncio.run(run())


@pytest.mark.parametrize("cut", [every(4096 + ENTRY), every(20_001), at(3, 3, 16, 17)], ids=["4136", "20001", "header"])
def test_a_disk_of_a_companion_that_cuts(live: LiveBench, cut: Cut) -> None:
    live.companion.manners.cut = cut
    data = Random(5).randbytes(live.size)

    async def run() -> None:
        disk = live.open()
        await put(disk, 0, data)
        await disk.checkpoint()
        disk.release()
        again = live.open()
        assert await read_all(again) == data
        again.release()

    asyncio.run(run())
