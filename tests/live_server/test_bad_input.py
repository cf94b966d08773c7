"""A running server's companion meets clients that are lost, broken or hostile; the disk's own client never notices."""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.conftest import RunBbd, StartServer
from tests.live_server.conftest import StartMinecraft
from tests.live_server.minecraft import MinecraftServer
from tests.nbd_client import NbdClient

AIR = {"name": "minecraft:air"}
BAD_FRAME, VERSION, UNAUTHORIZED, LIMIT = 4001, 4004, 4005, 4007
TOO_MUCH = {1009, LIMIT, None}
"""Who sends on while the connection is closed need not get the reason."""
_TIMEOUT = 20.0


class Stranger:
    """A connection that says what it likes."""

    def __init__(self, game: MinecraftServer, **more: Any) -> None:
        self._token = game.token.read_text().strip()
        deadline = time.monotonic() + _TIMEOUT
        while True:
            try:
                self.socket: ClientConnection = connect(game.bridge, compression=None, max_size=None, **more)
                break
            except InvalidMessage:
                # There are too many that say nothing, just now.
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def ask(self, number: int, do: str, **more: object) -> Any:
        self.socket.send(json.dumps({"id": number, "do": do, **more}))
        return json.loads(self.socket.recv(_TIMEOUT))

    def greet(self, **more: object) -> Any:
        return self.ask(1, "hello", **({"versions": [1], "token": self._token, "client": "a", "instance": "b"} | more))

    def opened(self) -> int:
        """Say hello and open the disk that nobody else uses; return its handle."""
        assert "ok" in self.greet()
        handle: int = self.ask(2, "open", disk="spare", palette=[{"name": "minecraft:stone"}, AIR])["ok"]["disk"]
        return handle

    def send(self, frame: str | bytes) -> None:
        """Send as much of it as the companion takes."""
        with suppress(ConnectionClosed):
            self.socket.send(frame)

    def ending(self) -> int | None:
        """The code with which the companion ends the connection, whatever it says before."""
        try:
            while True:
                self.socket.recv(_TIMEOUT)
        except ConnectionClosed as closed:
            return None if closed.rcvd is None else closed.rcvd.code


@contextmanager
def stranger(game: MinecraftServer, **more: Any) -> Iterator[Stranger]:
    one = Stranger(game, **more)
    try:
        yield one
    finally:
        one.socket.close_socket()


def code_of(answer: Any) -> str:
    code: str = answer["error"]["code"]
    return code


def header(kind: int, entries: int, request: int, disk: int) -> bytes:
    return struct.pack("<BBHIII", kind, 0, entries, request, disk, 0)


def read_of(x: int, z: int, mask: int = 1) -> bytes:
    return struct.pack("<iiII", x, z, mask, 0)


def write_of(size: int) -> bytes:
    return struct.pack("<iiIIIIIIQQ", 64, 0, 1, 1, 0, 0, size, 0, 0, 1)


def test_bad_clients_and_a_good_one(
    bbd: RunBbd, minecraft: StartMinecraft, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "world"
    bbd("create", world, "--disk", "demo", "--size", "1M")
    bbd("create", world, "--disk", "spare", "--size", "1M", "--origin", "64,0")
    game = minecraft(world)
    served = bbd_server("--live", game.bridge, "--token-file", game.token, "--disk", "demo")
    good = NbdClient(served.connect(), "demo")
    data = Random(1).randbytes(1 << 20)
    good.write(0, data)
    for misbehave in (lost, strange_frames, out_of_order, greedy, broken_off, noisy):
        misbehave(game)
        at = Random(misbehave.__name__).randrange(len(data) - 4096)
        good.write(at, data[at : at + 4096])
        good.flush()
        assert good.read(0, len(data)) == data, misbehave
    second = bbd("serve", "--live", game.bridge, "--token-file", game.token, "--unix", tmp_path / "n", check=False)
    assert (second.returncode, second.stderr.count("\n")) == (1, 1)
    assert "in use" in second.stderr
    other = bbd(
        *("serve", "--live", game.bridge, "--token-file", game.token, "--unix", tmp_path / "n"),
        *("--journal", tmp_path / "other", "--disk", "demo"),
        check=False,
    )
    assert (other.returncode, other.stderr.count("\n")) == (1, 1)
    assert "only one bbd can serve it" in other.stderr
    unknown = bbd(
        *("serve", "--live", game.bridge, "--token-file", game.token, "--unix", tmp_path / "n", "--disk", "none"),
        check=False,
    )
    assert (unknown.returncode, unknown.stderr.count("\n")) == (1, 1)
    assert "has no such disk" in unknown.stderr
    served.stop()
    game.stop()
    assert "\tat " not in game.output, "a hostile client filled the log"
    assert "a fault of the companion" not in game.output
    assert bbd("check", world).returncode == 0


def lost(game: MinecraftServer) -> None:
    """No token, a wrong one, another version, another place, a browser."""
    for wrong in ({"token": None}, {"token": "ab" * 32}):
        with stranger(game) as one:
            assert code_of(one.greet(**wrong)) in {"unauthorized", "bad_request"}
            assert one.ending() in {UNAUTHORIZED, 4002}
    with stranger(game) as one:
        answer = one.greet(versions=[2, 7])
        assert (code_of(answer), answer["error"]["versions"]) == ("version", [1])
        assert one.ending() == VERSION
    with stranger(game) as one:
        assert code_of(one.ask(1, "disks")) == "bad_frame"
        assert one.ending() == BAD_FRAME
    with stranger(game) as one:
        assert "ok" in one.greet()
        assert code_of(one.ask(2, "open", disk="none", palette=[AIR])) == "no_such_disk"
        assert code_of(one.ask(2, "open", disk="../level", palette=[AIR])) == "no_such_disk"
        assert code_of(one.ask(2, "open", disk="demo", palette=[AIR])) == "in_use"
        assert code_of(one.ask(2, "fly")) == "unknown_request"
    for headers in ({"Origin": "http://localhost"}, {"Host": "example.org"}):
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            Stranger(game, additional_headers=headers)


def strange_frames(game: MinecraftServer) -> None:
    """Cut, too long, with more behind, of unknown kinds, with wrong flags."""
    frames: list[str | bytes] = [
        *(b"", b"\x01", header(1, 1, 3, 1), header(1, 1, 3, 1) + read_of(64, 0)[:-1]),
        *(header(1, 1, 3, 1) + read_of(64, 0) + b"\0", header(9, 1, 3, 1) + read_of(64, 0)),
        *(header(0x81, 1, 3, 1) + read_of(64, 0), header(1, 0, 3, 1), header(1, 2, 3, 1) + 2 * read_of(64, 0)),
        *(header(1, 33, 3, 1) + b"".join(read_of(64, z) for z in range(33)), header(1, 1, 0, 1) + read_of(64, 0)),
        *(header(2, 1, 3, 1) + bytes(48), header(2, 1, 3, 1) + write_of(1 << 31)),
        *("", "{", "[1]", '{"id": 0, "do": "disks"}', '{"id": 5, "id": 6, "do": "disks"}', '{"do": "disks"}'),
        "[" * 100000,
    ]
    for frame in frames:
        with stranger(game) as one:
            one.opened()
            one.send(frame)
            assert one.ending() == BAD_FRAME, frame[:40]
    for large in ("x" * (1 << 21), bytes((8 << 20) + 1)):
        with stranger(game) as one:
            one.opened()
            one.send(large)
            assert one.ending() in TOO_MUCH


def out_of_order(game: MinecraftServer) -> None:
    """What comes before its time, or twice, or for something that is not there."""
    with stranger(game) as one:
        one.send(header(1, 1, 1, 1) + read_of(64, 0))
        assert one.ending() == BAD_FRAME
    with stranger(game) as one:
        one.opened()
        assert code_of(one.greet()) in {"unknown_request", "bad_request"}
        one.send(header(1, 1, 7, 999) + read_of(64, 0))
        answer = json.loads(one.socket.recv(_TIMEOUT))
        assert (answer["id"], code_of(answer)) == (7, "not_open")
    with stranger(game) as one:
        handle = one.opened()
        one.send(header(1, 1, 9, handle) + read_of(0, 0))
        assert code_of(json.loads(one.socket.recv(_TIMEOUT))) == "outside"
        assert code_of(one.ask(10, "file_read", disk=handle, file="../level.dat", at=0, size=9)) == "not_allowed"
        assert code_of(one.ask(11, "file_read", disk=handle, file="demo.json", at=0, size=9)) == "not_allowed"
        assert "ok" in one.ask(12, "close", disk=handle)
        one.send(header(1, 1, 13, handle) + read_of(64, 0))
        assert code_of(json.loads(one.socket.recv(_TIMEOUT))) == "not_open"


def greedy(game: MinecraftServer) -> None:
    """More at once than was agreed, and answers that nobody reads."""
    with stranger(game) as one:
        handle = one.opened()
        one.ask(3, "pause", disk=handle)
        write = write_of(4096) + bytes(4096)
        for number in range(10, 10 + 300):
            one.send(header(2, 1, number, handle) + write)
        assert one.ending() in TOO_MUCH


def broken_off(game: MinecraftServer) -> None:
    """In the middle of a handshake, of a frame, of what it asked for; and too many that say nothing."""
    address = "127.0.0.1", int(game.bridge.rpartition(":")[2])
    for _ in range(20):
        with socket.create_connection(address, _TIMEOUT) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgr")
    with stranger(game) as one:
        handle = one.opened()
        one.send(header(1, 1, 3, handle) + read_of(64, 0))
        # A header that promises a mebibyte, and then nothing.
        one.socket.socket.sendall(b"\x82\xff" + (1 << 20).to_bytes(8, "big") + os.urandom(100))
    silent = [socket.create_connection(address, _TIMEOUT) for _ in range(12)]
    for raw in silent:
        raw.close()


def noisy(game: MinecraftServer) -> None:
    """Noise, as websocket frames and as bytes."""
    random = Random(6)
    for _ in range(20):
        with stranger(game) as one:
            one.opened()
            one.send(bytes([random.choice([1, 2])]) + random.randbytes(random.randrange(300)))
            assert one.ending() == BAD_FRAME
    with stranger(game) as one:
        one.opened()
        one.socket.socket.sendall(random.randbytes(5000))
        one.ending()
