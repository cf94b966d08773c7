"""The server as a whole: addresses, many clients, deadlines, and waiting for the last one."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from bbd.errors import BbdError
from bbd.nbd import wire
from bbd.nbd.export import Export
from bbd.nbd.peers import Limits
from bbd.nbd.server import NbdServer
from bbd.nbd.session import Session
from tests.nbd.memory_device import SECTION, MemoryDevice, export
from tests.nbd.serving import Client, go_data, serving


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name, for sockets."""
    with tempfile.TemporaryDirectory(prefix="nbd", dir="/tmp") as name:
        yield Path(name)


def message(error: pytest.ExceptionInfo[BbdError]) -> str:
    """The error's text, which is one line."""
    text = str(error.value)
    assert "\n" not in text
    return text


def listen_unix(path: Path) -> None:
    """Listen on a path and stop again."""

    async def run() -> None:
        server = NbdServer([export()])
        await server.listen_unix(path)
        assert path.is_socket()
        await server.stop()

    uvloop.run(run())


def test_the_socket_file_goes_with_the_server(folder: Path) -> None:
    listen_unix(folder / "s")
    assert not list(folder.iterdir())


def test_a_stale_socket_is_replaced(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "s"))
    assert (folder / "s").is_socket()
    listen_unix(folder / "s")


def test_a_living_socket_is_refused_and_left_alone(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(folder / "s"))
        living.listen()
        with pytest.raises(BbdError) as error:
            listen_unix(folder / "s")
        assert "another path" in message(error)
        assert (folder / "s").is_socket()


def test_a_file_that_is_no_socket_is_refused_and_left_alone(folder: Path) -> None:
    (folder / "s").write_text("dear diary")
    with pytest.raises(BbdError) as error:
        listen_unix(folder / "s")
    assert "another path" in message(error)
    assert (folder / "s").read_text() == "dear diary"


@pytest.mark.parametrize(("name", "advice"), [("no/folder", "make it first"), ("x" * 120, "a shorter one")])
def test_paths_where_no_socket_can_be(folder: Path, name: str, advice: str) -> None:
    with pytest.raises(BbdError) as error:
        listen_unix(folder / name)
    assert advice in message(error)


def test_a_socket_file_that_others_replaced_is_theirs(folder: Path) -> None:
    async def run() -> None:
        server = NbdServer([export()])
        await server.listen_unix(folder / "s")
        (folder / "s").unlink()
        (folder / "s").write_text("theirs")
        await server.stop()

    uvloop.run(run())
    assert (folder / "s").read_text() == "theirs"


def test_a_port_in_use_is_said_in_a_line() -> None:
    async def run(port: int) -> None:
        await NbdServer([export()]).listen_tcp("127.0.0.1", port)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BbdError) as error:
            uvloop.run(run(port))
    assert f"127.0.0.1:{port}" in message(error)
    assert "another port" in message(error)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours(host: str) -> None:
    async def run() -> None:
        await NbdServer([export()]).listen_tcp(host, 0)

    with pytest.raises(BbdError) as error:
        uvloop.run(run())
    assert host in message(error)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none(port: int) -> None:
    async def run() -> None:
        await NbdServer([export()]).listen_tcp("127.0.0.1", port)

    with pytest.raises(BbdError) as error:
        uvloop.run(run())
    assert "65535" in message(error)


def test_ipv6() -> None:
    async def run() -> tuple[str, int]:
        server = NbdServer([export()])
        address = await server.listen_tcp("::1", 0)
        await server.stop()
        return address

    host, port = uvloop.run(run())
    assert host == "::1"
    assert port > 0


@pytest.mark.parametrize(
    "exports",
    [
        [],
        [export(name="a"), export(name="a")],
        [export(name="x" * 4097)],
        [export(description="ü" * 2049)],
        [export(name="a\0b")],
    ],
)
def test_exports_that_can_not_be_told(exports: list[Export]) -> None:
    with pytest.raises(BbdError) as error:
        NbdServer(exports)
    assert message(error)


def test_hundreds_of_idle_clients_cost_next_to_nothing() -> None:
    with serving(export()) as served:
        clients = [Client(served) for _ in range(400)]
        for number, client in enumerate(clients):
            client.go()
            assert client.write(number * 10, b"hello") == 0
            assert client.write(0, bytes(100_000)) == 0
            assert client.write(0, bytes(SECTION * 30)) == 0
        assert served.server.connections == 400
        sessions = [found for found in gc.get_objects() if isinstance(found, Session)]
        held = [session._transmission for session in sessions if session._host is served.server._host]
        assert len(held) == 400
        assert all(not each._carried and each._buffer is None and each._lent is None for each in held)
        for client in clients:
            assert client.read(5, 1) == b"\0"
            client.socket.close()
        served.wait_for(lambda: served.server.connections == 0)


def test_all_exports_on_all_addresses() -> None:
    first, second = export(1 << 20, "first"), export(2 << 20, "second")
    with serving(first, second) as served:
        for tcp in (False, True):
            for name, mark in (("first", b"1"), ("second", b"2")):
                with Client(served, tcp=tcp) as client:
                    client.go(name)
                    assert client.write(0, mark) == 0
        assert isinstance(first.device, MemoryDevice)
        assert first.device.content()[:1] == b"1"
        with Client(served) as client:
            client.go("")
            assert client.read(0, 1) == b"1"


def test_a_write_on_one_connection_is_read_on_another() -> None:
    with serving(export()) as served, Client(served) as one, Client(served, tcp=True) as two:
        one.go()
        two.go()
        for number in range(50):
            writer, reader = (one, two) if number % 2 else (two, one)
            data = os.urandom(9000)
            assert writer.write(number, data) == 0
            assert reader.read(number, 9000) == data


@pytest.mark.parametrize("said", [b"", wire.CLIENT_FLAGS.pack(3)])
def test_silence_in_the_handshake_has_an_end(said: bytes) -> None:
    with serving(export(), limits=Limits(handshake_timeout=0.2)) as served, Client(served) as client:
        client.receive(wire.GREETING.size)
        client.send(said)
        assert client.at_end()


def test_silence_in_transmission_has_none() -> None:
    with serving(export(), limits=Limits(handshake_timeout=0.2)) as served, Client(served) as client:
        client.go()
        served.run(asyncio.sleep(0.5))
        assert client.read(0, 1) == b"\0"


def test_no_deadline_at_all() -> None:
    with serving(export(), limits=Limits(handshake_timeout=None)) as served, Client(served) as client:
        client.go()
        assert client.read(0, 1) == b"\0"


def test_a_flood_of_options_is_answered_as_fast_as_it_is_read() -> None:
    exports = [export(4096, f"{number}" + "x" * 200) for number in range(200)]
    with serving(*exports) as served, Client(served) as flooding:
        flooding.hello()
        flooding.socket.settimeout(0.5)
        flood = wire.OPTION_HEADER.pack(wire.IHAVEOPT, wire.NBD_OPT_LIST, 0) * 1000
        with pytest.raises(TimeoutError):
            flooding.send(flood * 4000)
        with Client(served) as other:
            other.go("")
            assert other.read(0, 1) == b"\0"


def test_waiting_for_the_last_client() -> None:
    with serving(export()) as served:
        waiting = asyncio.run_coroutine_threadsafe(served.server.wait_idle_after_use(), served.loop)
        with Client(served) as looking:
            looking.hello()
            looking.option(wire.NBD_OPT_INFO, go_data(""))
            looking.option(wire.NBD_OPT_ABORT)
        served.wait_for(lambda: served.server.connections == 0)
        assert not waiting.done(), "who only looks is no client"
        with Client(served) as one:
            one.go()
            with Client(served) as two:
                two.go()
            served.wait_for(lambda: served.server.connections == 1)
            assert not waiting.done()
        waiting.result(20)


def test_waiting_includes_requests_of_the_client_that_has_gone() -> None:
    disk = export()
    assert isinstance(disk.device, MemoryDevice)
    with serving(disk) as served:
        waiting = asyncio.run_coroutine_threadsafe(served.server.wait_idle_after_use(), served.loop)
        disk.device.gate = served.call(asyncio.Event)
        with Client(served) as client:
            client.go()
            client.request(wire.NBD_CMD_FLUSH)
            served.wait_for(lambda: isinstance(disk.device, MemoryDevice) and disk.device.running == 1)
        assert served.server.connections == 1
        assert not waiting.done()
        served.call(disk.device.gate.set)
        waiting.result(20)


def test_tcp_connections_send_at_once_and_notice_a_dead_peer() -> None:
    with serving(export()) as served, Client(served, tcp=True) as client:
        client.go()
        (session,) = served.server._host.peers._transmitting
        assert isinstance(session, Session)
        stream = session._transport.get_extra_info("socket")
        assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert stream.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
