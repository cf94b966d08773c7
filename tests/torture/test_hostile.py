"""Clients that vanish, idle, don't read, or come and go by the thousand: the others are served, and nothing leaks."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.nbd_client import READ, WRITE, NbdClient
from tests.servers import BbdServer, free_port

pytestmark = pytest.mark.torture

MIB = 1 << 20
SIZE = 64 * MIB
GREETING = 18
SOFT_LIMIT = 256
"""Descriptors that the server has when it starts: fewer than it needs here, unless it asks for more."""
A_FEW = 8
"""Descriptors that a disk may take for its own files while it is written."""


@pytest.fixture
def server(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> Iterator[BbdServer]:
    """A server that was started as a login shell would start it, with few descriptors; this process has many."""
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (SOFT_LIMIT, hard))
    try:
        started = bbd_server("--world", world, "--cache", "32M", port=free_port())
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        yield started
        started.stop()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert "Traceback" not in started.output


def resident(server: BbdServer) -> int:
    """Bytes that the server has in memory now."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{server.process.pid}/status").read_text())
    assert found
    return int(found[1]) << 10


def descriptors(server: BbdServer) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def header(command: int, offset: int, length: int) -> bytes:
    return struct.pack(">IHHQQI", 0x25609513, 0, command, 7, offset, length)


EXPORT_NAME = struct.pack(">I8sII", 3, b"IHAVEOPT", 1, 0)


def in_transmission(server: BbdServer) -> socket.socket:
    """A raw connection that has negotiated the default export."""
    connection = server.connect()
    connection.sendall(EXPORT_NAME)
    wanted = GREETING + 10
    while wanted:
        wanted -= len(connection.recv(wanted))
    return connection


def reset(connection: socket.socket) -> None:
    """Close with a RST, as a machine that was switched off, or a firewall, would."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_disconnects_at_every_byte_of_a_write(server: BbdServer) -> None:
    """A write over the border of two sections, and a long one: the disk keeps the old bytes or the new, whole."""
    random = Random(1)
    before = descriptors(server)
    with NbdClient(server.connect()) as watcher:
        for length, positions in (
            (600, range(28 + 600)),
            (3 * MIB + 17, sorted({0, 27, 28, 29, *random.sample(range(3 * MIB), 20), 28 + 3 * MIB + 16})),
        ):
            offset = 5 * MIB - 300
            old = random.randbytes(length)
            watcher.write(offset, old)
            for cut in positions:
                connection = in_transmission(server)
                connection.sendall((header(WRITE, offset, length) + random.randbytes(length))[:cut])
                connection.close() if cut % 2 else reset(connection)
                if cut % 8 == 0 or length > MIB:
                    assert watcher.read(offset, length) == old
            assert watcher.read(offset, length) == old
            for _ in range(20):
                new = random.randbytes(length)
                connection = in_transmission(server)
                connection.sendall(header(WRITE, offset, length) + new)
                connection.close()
                _wait_for_all_of_it(watcher, offset, old, new)
                old = new
        wait_for(lambda: descriptors(server) <= before + A_FEW, "descriptors of clients that went are still open")


def _wait_for_all_of_it(watcher: NbdClient, offset: int, old: bytes, new: bytes) -> None:
    """The bytes turn from old to new; nothing in between is ever seen."""

    def arrived() -> bool:
        found = watcher.read(offset, len(new))
        assert found in {old, new}
        return found == new

    wait_for(arrived, "a write that was sent whole is lost")


def test_disconnects_at_every_byte_of_the_handshake(server: BbdServer) -> None:
    name = b"w"
    go = struct.pack(">I8sII", 3, b"IHAVEOPT", 7, 4 + len(name) + 4) + struct.pack(">I", len(name)) + name
    talk = go + struct.pack(">HH", 1, 3) + header(READ, 0, 4096)
    before = descriptors(server)
    for cut in range(len(talk) + 1):
        connection = server.connect()
        connection.sendall(talk[:cut])
        connection.close() if cut % 2 else reset(connection)
    wait_for(lambda: descriptors(server) <= before + A_FEW, "descriptors of clients that went are still open")
    with NbdClient(server.connect()) as client:
        assert client.read(0, 10) == bytes(10)


def test_a_thousand_idle_connections(server: BbdServer) -> None:
    """Some greeted, some in transmission, some in the middle of a header or of a payload."""
    with NbdClient(server.connect()) as client, contextlib.ExitStack() as stack:
        client.write(0, b"served")
        before, open_before = resident(server), descriptors(server)
        for number in range(1000):
            if number % 4 == 0:
                connection = server.connect()
                assert connection.recv(GREETING, socket.MSG_WAITALL)[:8] == b"NBDMAGIC"
            else:
                connection = in_transmission(server)
                if number % 4 == 2:
                    connection.sendall(header(READ, 0, 4096)[:13])
                elif number % 4 == 3:
                    connection.sendall(header(WRITE, 0, 4096) + bytes(100))
            stack.enter_context(connection)
        wait_for(lambda: descriptors(server) >= open_before + 1000, "not all of the thousand are taken")
        for at in range(100):
            client.write(at * 4096, b"still served")
            assert client.read(at * 4096, 12) == b"still served"
        with NbdClient(server.connect()) as late:
            assert late.read(0, 12) == b"still served"
        assert resident(server) - before < 24 * MIB
    wait_for(lambda: descriptors(server) <= open_before + A_FEW, "descriptors of clients that went are still open")


def test_payloads_that_are_announced_and_never_come(server: BbdServer) -> None:
    """A hundred clients that promise 32 MiB each hold next to nothing."""
    before = resident(server)
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(in_transmission(server))
            connection.sendall(header(WRITE, 0, 32 * MIB) + bytes(1000))
        with NbdClient(server.connect()) as client:
            assert client.read(0, 4096) == bytes(4096)
        assert resident(server) - before < 150 * MIB
    with NbdClient(server.connect()) as client:
        assert client.read(0, 4096) == bytes(4096)


@pytest.mark.parametrize("warm", [True, False], ids=["cached", "from the world"])
def test_a_client_that_never_reads(server: BbdServer, warm: bool) -> None:
    """It asks for gigabytes and takes no byte of them: no gigabyte is kept for it, and others don't wait for it."""
    with NbdClient(server.connect()) as client:
        noise = Random(2).randbytes(MIB)
        for at in range(4 if warm else 60):
            client.write(at * MIB, noise)
        client.flush()
        before = resident(server)
        deaf = in_transmission(server)
        with deaf:
            asked = _ask_until_refused(deaf, 4 if warm else 60)
            assert asked > 1000
            for at in range(200):
                assert client.read(at * 4096, 4096) == noise[at * 4096 % MIB :][:4096]
                client.write(62 * MIB + at * 4096, b"served")
            assert resident(server) - before < 160 * MIB
        assert client.read(MIB, 4096) == noise[:4096]


def _ask_until_refused(deaf: socket.socket, megabytes: int) -> int:
    """Send READs of a MiB until the server takes no more of them; return how many were taken whole."""
    deaf.settimeout(1)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while sent < 200_000:
            batch = b"".join(header(READ, (sent + at) % megabytes * MIB, MIB) for at in range(1000))
            deaf.sendall(batch)
            sent += 1000
    return sent


def test_ten_thousand_clients_come_and_go(server: BbdServer) -> None:
    """Memory and descriptors stay flat."""
    random = Random(3)

    def rounds(count: int) -> None:
        for _ in range(count):
            match random.randrange(5):
                case 0:
                    server.connect().close()
                case 1:
                    reset(server.connect())
                case 2:
                    with NbdClient(server.connect()) as client:
                        client.write(random.randrange(SIZE // 4096) * 4096, b"come and gone")
                case 3:
                    connection = in_transmission(server)
                    connection.sendall(header(READ, 0, 65536))
                    reset(connection)
                case _:
                    connection = in_transmission(server)
                    connection.sendall(header(2, 0, 0))  # DISC
                    assert connection.recv(1) == b""
                    connection.close()

    with NbdClient(server.connect()) as client:
        for at in range(0, SIZE, MIB):
            client.write(at, bytes([1]) * MIB)  # the cache is full from the start
    rounds(2000)
    settled = descriptors(server)
    before = resident(server)
    rounds(8000)
    wait_for(lambda: descriptors(server) <= settled + A_FEW, f"more descriptors than the {settled} at first and a few")
    # Sections and whole columns take turns in the cache, so what it takes of the system wavers by some MiB.
    assert resident(server) - before < 20 * MIB
