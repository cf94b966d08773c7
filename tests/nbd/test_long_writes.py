"""A payload that comes in many pieces: seen when it is whole, and let go of when its client goes first."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from typing import TypeVar

import pytest

from bbd.nbd import wire
from bbd.nbd.buffers import Pieces
from bbd.nbd.export import Export
from bbd.nbd.transmission import MAX_COPIED_PAYLOAD
from tests.nbd.memory_device import MemoryDevice
from tests.nbd.serving import Client, Serving, request, serving

SIZE = 64 << 20
WRITE = wire.NBD_CMD_WRITE
Kind = TypeVar("Kind")


@pytest.fixture
def device() -> MemoryDevice:
    return MemoryDevice(SIZE)


@pytest.fixture(params=["uvloop", "asyncio"])
def served(device: MemoryDevice, request: pytest.FixtureRequest) -> Iterator[Serving]:
    with serving(Export("demo", "", device), plain_asyncio=request.param == "asyncio") as running:
        yield running


def alive(kind: type[Kind]) -> list[Kind]:
    """The objects of a class that something holds."""
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, kind)]


@pytest.mark.parametrize("offset", [0, 5])
def test_a_long_write_is_seen_only_when_it_is_whole(served: Serving, device: MemoryDevice, offset: int) -> None:
    length = 8 << 20
    payload = os.urandom(length)
    with Client(served) as reader:
        reader.go()
        gone, client = Client(served), Client(served)
        for writer in (gone, client):
            writer.go()
            writer.send(request(WRITE, offset, length, cookie=3) + payload[:-1])
        assert reader.read(offset, length) == bytes(length)
        gone.socket.close()
        served.wait_for(lambda: served.server.connections == 2)
        assert not device.sections
        client.send(payload[-1:])
        assert client.reply() == (0, 3)
        assert reader.read(offset, length) == payload
        client.socket.close()


def test_what_a_vanished_client_had_sent_is_let_go_of(served: Serving) -> None:
    client = Client(served)
    client.go()
    client.send(request(WRITE, 0, 8 << 20) + bytes(4 << 20))
    served.wait_for(lambda: any(each.pieces for each in alive(Pieces)))
    client.socket.close()
    served.wait_for(lambda: served.server.connections == 0)
    served.wait_for(lambda: not any(each.pieces for each in alive(Pieces)))


@pytest.mark.parametrize(
    ("length", "clients", "awake"), [(MAX_COPIED_PAYLOAD, 1, False), (1 << 20, 1, True), (1 << 20, 2, False)]
)
def test_the_rest_of_a_long_payload_of_a_lone_client_is_awaited_awake(
    served: Serving, monkeypatch: pytest.MonkeyPatch, *, length: int, clients: int, awake: bool
) -> None:
    spinner, touched = served.server._host.payload_spinner, list[bool]()
    touch = spinner.touch

    def noted() -> None:
        touched.append(True)
        touch()

    monkeypatch.setattr(spinner, "touch", noted)
    data = os.urandom(length)
    with contextlib.ExitStack() as stack:
        *_, client = [stack.enter_context(Client(served)) for _ in range(clients)]
        client.go()
        served.wait_for(lambda: served.server.connections == clients)
        client.send(request(WRITE, 0, length) + data[:-100_000])
        client.send(data[-100_000:])
        assert client.reply() == (0, 1)
        assert bool(touched) is awake
        assert client.read(0, length) == data
