"""A connection in transmission: order, promises, limits, and how it ends."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from bbd.nbd import wire
from bbd.nbd.export import Export
from bbd.nbd.peers import Limits
from tests.nbd.memory_device import SECTION, MemoryDevice, broken_disk
from tests.nbd.serving import Client, Serving, request, serving

SIZE = 64 << 20
LIMITS = Limits(close_grace=0.2, max_in_flight=8, max_in_flight_bytes=1 << 20)
READ, WRITE, FLUSH = wire.NBD_CMD_READ, wire.NBD_CMD_WRITE, wire.NBD_CMD_FLUSH
FUA = wire.NBD_CMD_FLAG_FUA


@pytest.fixture
def device() -> MemoryDevice:
    return MemoryDevice(SIZE)


@pytest.fixture(params=["uvloop", "asyncio"])
def served(device: MemoryDevice, request: pytest.FixtureRequest) -> Iterator[Serving]:
    plain = request.param == "asyncio"
    with serving(Export("demo", "", device), limits=LIMITS, plain_asyncio=plain) as running:
        yield running


@pytest.fixture
def client(served: Serving) -> Iterator[Client]:
    with Client(served) as connected:
        connected.go()
        yield connected


def close_gate(served: Serving, device: MemoryDevice) -> None:
    """From now on slow requests wait."""
    device.gate = served.call(asyncio.Event)


def open_gate(served: Serving, device: MemoryDevice) -> None:
    assert device.gate is not None
    served.call(device.gate.set)


@pytest.mark.parametrize("miss", [False, True])
@pytest.mark.parametrize("length", [1, 4096, 5000, 8192, 65536, 65537, 300_000, 3 << 20])
def test_what_was_written_is_read(client: Client, device: MemoryDevice, miss: bool, length: int) -> None:
    device.miss = miss
    payload = os.urandom(length)
    for offset in (0, 7, SIZE - length):
        assert client.write(offset, payload) == 0
        assert client.read(offset, length) == payload


def test_a_batch_is_answered_in_one_go(client: Client) -> None:
    data = [os.urandom(SECTION) for _ in range(100)]
    client.send(
        b"".join(request(WRITE, i * SECTION, SECTION, cookie=i) + piece for i, piece in enumerate(data))
        + b"".join(request(READ, i * SECTION, SECTION, cookie=i) for i in range(100))
    )
    for cookie in range(100):
        assert client.reply() == (0, cookie)
    for cookie, piece in enumerate(data):
        assert client.reply() == (0, cookie)
        assert client.receive(SECTION) == piece


def test_a_batch_is_answered_though_some_of_it_takes_time(
    served: Serving, client: Client, device: MemoryDevice
) -> None:
    data = [os.urandom(SECTION) for _ in range(40)]
    device.missing = {11 * SECTION, 12 * SECTION, 30 * SECTION}
    close_gate(served, device)
    client.send(b"".join(request(WRITE, i * SECTION, SECTION, cookie=i) + piece for i, piece in enumerate(data)))
    assert [client.reply()[1] for _ in range(37)] == [i for i in range(40) if i not in {11, 12, 30}]
    open_gate(served, device)
    assert {client.reply() for _ in range(3)} == {(0, 11), (0, 12), (0, 30)}
    client.send(b"".join(request(READ, i * SECTION, SECTION, cookie=i) for i in range(40)))
    for _ in range(40):
        error, cookie = client.reply()
        assert error == 0
        assert client.receive(SECTION) == data[cookie]


@pytest.mark.parametrize("command", [READ, WRITE])
def test_each_of_a_batch_that_fails_is_told_so(client: Client, device: MemoryDevice, command: int) -> None:
    device.failure = broken_disk()
    payload = bytes(SECTION if command == WRITE else 0)
    client.send(b"".join(request(command, i * SECTION, SECTION, cookie=i) + payload for i in range(8)))
    assert [client.reply() for _ in range(8)] == [(wire.NBD_EIO, cookie) for cookie in range(8)]


@pytest.mark.parametrize("writes", [1, 32])
def test_a_flush_is_foreseen_when_the_replies_are_on_their_way(
    client: Client, device: MemoryDevice, writes: int
) -> None:
    replied, answered = threading.Event(), list[bool]()
    device.ahead = lambda: answered.append(replied.wait(20))
    device.foresees_flush = True
    client.send(b"".join(request(WRITE, i * SECTION, SECTION, cookie=i) + bytes(SECTION) for i in range(writes)))
    for cookie in range(writes):
        assert client.reply() == (0, cookie)
    replied.set()
    assert client.ask(FLUSH) == 0
    device.foresees_flush = False
    assert all(answered)
    assert answered


def test_hits_overtake_misses(served: Serving, client: Client, device: MemoryDevice) -> None:
    close_gate(served, device)
    client.request(FLUSH, cookie=1)
    client.request(READ, 0, 4, cookie=2)
    assert client.reply() == (0, 2)
    assert client.receive(4) == bytes(4)
    open_gate(served, device)
    assert client.reply() == (0, 1)


def test_fua_flushes_before_the_reply(served: Serving, client: Client, device: MemoryDevice) -> None:
    device.recording = True
    for miss in (False, True):
        device.miss = miss
        close_gate(served, device)
        client.send(request(WRITE, 0, 4, flags=FUA, cookie=9) + b"data")
        served.wait_for(lambda: device.running == 1)
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.socket.recv(1)
        client.socket.settimeout(20)
        open_gate(served, device)
        assert client.reply() == (0, 9)
        assert device.calls[-1] == "flush"
        assert device.content()[:4] == b"data"
        device.calls.clear()


def test_quick_flushes_take_no_task(client: Client, device: MemoryDevice) -> None:
    device.recording = device.quick = True
    client.send(request(WRITE, 0, 4, flags=FUA, cookie=1) + b"data" + request(FLUSH, cookie=2))
    assert [client.reply(), client.reply()] == [(0, 1), (0, 2)]
    assert device.calls == ["try_write 0 4", "try_flush", "try_flush"]
    assert device.content()[:4] == b"data"


def test_a_fua_write_that_takes_time_is_flushed_after_it(client: Client, device: MemoryDevice) -> None:
    device.recording = device.quick = device.miss = True
    assert client.write(0, b"data", flags=FUA) == 0
    assert device.calls[-2:] == ["write 0 4", "flush"]


@pytest.mark.parametrize(
    ("command", "flags", "calls"),
    [
        (wire.NBD_CMD_TRIM, 0, ["trim 4096 8192"]),
        (wire.NBD_CMD_TRIM, FUA, ["trim 4096 8192", "flush"]),
        (wire.NBD_CMD_WRITE_ZEROES, 0, ["zero 4096 8192 punch"]),
        (wire.NBD_CMD_WRITE_ZEROES, FUA, ["zero 4096 8192 punch", "flush"]),
        (wire.NBD_CMD_WRITE_ZEROES, wire.NBD_CMD_FLAG_NO_HOLE, ["zero 4096 8192 keep"]),
        (wire.NBD_CMD_WRITE_ZEROES, wire.NBD_CMD_FLAG_FAST_ZERO, ["zero 4096 8192 punch"]),
        (wire.NBD_CMD_CACHE, FUA, ["prefetch 4096 8192"]),
    ],
)
def test_commands_reach_the_device(
    client: Client, device: MemoryDevice, command: int, flags: int, calls: list[str]
) -> None:
    device.recording = True
    assert client.ask(command, 4096, 8192, flags=flags) == 0
    assert device.calls == calls


def test_a_failed_write_is_not_flushed(client: Client, device: MemoryDevice) -> None:
    device.recording = device.miss = True
    device.failure = OSError(errno.ENOSPC, "full")
    assert client.write(0, b"data", flags=FUA) == wire.NBD_ENOSPC
    assert "flush" not in device.calls
    device.failure = None


def test_requests_in_flight_are_limited_in_number(served: Serving, client: Client, device: MemoryDevice) -> None:
    close_gate(served, device)
    client.send(b"".join(request(FLUSH, cookie=i) for i in range(100)))
    served.wait_for(lambda: device.running == LIMITS.max_in_flight)
    open_gate(served, device)
    assert sorted(client.reply() for _ in range(100)) == [(0, i) for i in range(100)]
    assert device.most_running == LIMITS.max_in_flight


def test_requests_in_flight_are_limited_in_bytes(served: Serving, client: Client, device: MemoryDevice) -> None:
    device.miss = True
    close_gate(served, device)
    length = LIMITS.max_in_flight_bytes // 2
    client.send(b"".join(request(READ, 0, length, cookie=i) for i in range(20)))
    served.wait_for(lambda: device.running == 2)
    open_gate(served, device)
    for _ in range(20):
        assert client.reply()[0] == 0
        client.receive(length)
    assert device.most_running_bytes == LIMITS.max_in_flight_bytes


def test_a_client_that_never_reads_is_not_read_either(served: Serving, client: Client, device: MemoryDevice) -> None:
    device.recording = True
    flood = b"".join(request(READ, 0, 1 << 20, cookie=i) for i in range(1000))
    client.send(flood)
    with Client(served) as other:  # others are served meanwhile
        other.go()
        assert other.read(0, 10) == bytes(10)
    begun = device.calls.count(f"try_read 0 {1 << 20}")
    assert 0 < begun < 20
    for cookie in range(1000):
        assert client.reply() == (0, cookie)
        assert client.receive(1 << 20).count(0) == 1 << 20


def test_a_client_that_never_reads_can_not_call_up_misses(
    served: Serving, client: Client, device: MemoryDevice
) -> None:
    device.miss = True
    client.send(b"".join(request(READ, 0, 1 << 19, cookie=i) for i in range(500)))
    with Client(served) as other:
        other.go()
        for _ in range(20):
            assert other.ask(FLUSH) == 0
    for cookie in range(500):
        assert client.reply() == (0, cookie)
        client.receive(1 << 19)


def test_disc_answers_what_is_in_flight(served: Serving, client: Client, device: MemoryDevice) -> None:
    close_gate(served, device)
    client.request(FLUSH, cookie=4)
    client.request(wire.NBD_CMD_DISC)
    served.wait_for(lambda: device.running == 1)
    open_gate(served, device)
    assert client.reply() == (0, 4)
    assert client.at_end()
    served.wait_for(lambda: served.server.connections == 0)


def test_disc_sends_all_replies_before_it(client: Client) -> None:
    client.send(request(READ, 0, 4 << 20, cookie=1) + request(wire.NBD_CMD_DISC))
    assert client.reply() == (0, 1)
    assert len(client.receive(4 << 20)) == 4 << 20
    assert client.at_end()


def test_a_client_that_does_not_read_after_disc_is_dropped(served: Serving, client: Client) -> None:
    client.send(request(READ, 0, 1000 << 10) + request(wire.NBD_CMD_DISC))
    served.wait_for(lambda: served.server.connections == 0)


def test_a_client_that_vanishes_lets_its_requests_finish(served: Serving, device: MemoryDevice) -> None:
    device.miss = True
    close_gate(served, device)
    client = Client(served)
    client.go()
    client.send(request(WRITE, 0, 4) + b"last" + request(READ, 0, 4))
    served.wait_for(lambda: device.running == 2)
    client.socket.close()
    open_gate(served, device)
    served.wait_for(lambda: served.server.connections == 0)
    assert device.content()[:4] == b"last"


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("reset", [False, True])
def test_abrupt_disconnects_leave_nothing_behind(served: Serving, device: MemoryDevice, tcp: bool, reset: bool) -> None:
    whole = request(WRITE, 0, 200_000) + bytes([7]) * 200_000
    for cut in (0, 1, 27, 28, 29, 5000, 70_000, 150_000, len(whole) - 1):
        client = Client(served, tcp=tcp)
        client.go()
        client.send(whole[:cut])
        if reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
    served.wait_for(lambda: served.server.connections == 0)
    assert not device.sections, "half a payload reached the device"
    assert not served.call(lambda: [task for task in asyncio.all_tasks() if "calling" not in repr(task)])


def test_disconnects_in_the_handshake_leave_nothing_behind(served: Serving) -> None:
    stream = wire.CLIENT_FLAGS.pack(3) + wire.OPTION_HEADER.pack(wire.IHAVEOPT, wire.NBD_OPT_GO, 6) + bytes(6)
    for cut in range(len(stream) + 1):
        client = Client(served)
        client.send(stream[:cut])
        client.socket.close()
    served.wait_for(lambda: served.server.connections == 0)


def test_requests_may_come_with_the_handshake(served: Serving) -> None:
    with Client(served) as client:
        name = wire.OPTION_HEADER.pack(wire.IHAVEOPT, wire.NBD_OPT_EXPORT_NAME, 4) + b"demo"
        client.send(wire.CLIENT_FLAGS.pack(3) + name + request(WRITE, 0, 10_000) + bytes([5]) * 10_000)
        client.send(request(READ, 9_999, 2, cookie=2))
        client.receive(wire.GREETING.size + wire.EXPORT_NAME_REPLY.size)
        assert client.reply() == (0, 1)
        assert client.reply() == (0, 2)
        assert client.receive(2) == b"\5\0"


def test_stop_finishes_what_is_in_flight(served: Serving, device: MemoryDevice) -> None:
    device.miss = True
    with Client(served) as busy, Client(served) as idle, Client(served) as haggling:
        busy.go()
        idle.go()
        haggling.hello()
        close_gate(served, device)
        busy.send(request(WRITE, 0, 4, cookie=1) + b"last")
        served.wait_for(lambda: device.running == 1)
        stopping = asyncio.run_coroutine_threadsafe(served.server.stop(), served.loop)
        assert idle.at_end()
        assert busy.ask(READ, 0, 4) == wire.NBD_ESHUTDOWN
        assert busy.write(0, b"late") == wire.NBD_ESHUTDOWN
        assert busy.write(0, bytes(100_000)) == wire.NBD_ESHUTDOWN
        assert haggling.option(wire.NBD_OPT_LIST)[0][0] == wire.NBD_REP_ERR_SHUTDOWN
        assert not stopping.done()
        with pytest.raises(OSError, match=r"refused|No such file"):
            Client(served)
        open_gate(served, device)
        assert busy.reply() == (0, 1)
        assert busy.at_end()
        assert haggling.at_end()
        stopping.result(20)
    assert device.content()[:4] == b"last"
    assert served.server.connections == 0
    served.run(served.server.stop())


def test_stop_does_not_wait_for_a_client_that_never_reads(served: Serving) -> None:
    with Client(served) as client:
        client.go()
        client.send(b"".join(request(READ, 0, 1 << 20) for _ in range(64)))
        served.run(served.server.stop())
    assert served.server.connections == 0


def test_stop_does_not_wait_for_half_a_payload(served: Serving, client: Client, device: MemoryDevice) -> None:
    client.send(request(WRITE, 0, 1 << 20) + bytes(1000))
    served.run(served.server.stop())
    assert client.at_end()
    assert not device.sections
