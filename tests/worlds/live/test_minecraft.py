"""Asking a server how it is, before and while there is no bridge."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from bbd.cli.companion import Companion
from bbd.errors import BbdError
from bbd.worlds.live.access import Access
from bbd.worlds.live.minecraft import ServerStatus, look
from tests.servers import free_port
from tests.worlds.live.fake_companion import TOKEN

SAID = {
    "version": {"name": "26.1.2", "protocol": 775},
    "players": {"online": 3, "max": 20},
    "description": {"text": "a server"},
}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The server list ping, as far as a short answer takes it."""
    while length := await reader.read(1):
        packet = await reader.readexactly(length[0])
        if packet == b"\0":
            text = json.dumps(SAID).encode()
            body = b"\0" + varint(len(text)) + text
            writer.write(varint(len(body)) + body)
        elif packet[0] == 1:
            writer.write(length + packet)
    writer.close()


def varint(value: int) -> bytes:
    low, high = value & 127, value >> 7
    return bytes([low | 128]) + varint(high) if high else bytes([low])


def test_a_server_that_answers() -> None:
    async def play() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        found = await look("127.0.0.1", server.sockets[0].getsockname()[1], 5)
        assert isinstance(found, ServerStatus)
        assert (found.version, found.protocol, found.players, found.most_players) == ("26.1.2", 775, 3, 20)
        assert found.line().startswith("Minecraft 26.1.2 (protocol 775), 3 of 20 players, ")
        server.close()

    asyncio.run(play())


def test_servers_that_don_t() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 no\r\n\r\n" * 20)
        writer.close()

    async def play() -> None:
        assert isinstance(await look("127.0.0.1", free_port(), 5), str)
        for handler, patience in ((mute, 0.3), (babble, 5)):
            server = await asyncio.start_server(handler, "127.0.0.1", 0)
            assert isinstance(await look("127.0.0.1", server.sockets[0].getsockname()[1], patience), str)
            server.close()

    asyncio.run(play())


def test_who_waits_is_told_how_the_game_is(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        game = server.sockets[0].getsockname()[:2]
        companion = Companion(Access("127.0.0.1", free_port(), False, TOKEN), 0.5, game)
        with pytest.raises(BbdError, match="is the server running"):
            await asyncio.to_thread(companion.bridge)
        server.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())
    assert "Minecraft 26.1.2 (protocol 775), 3 of 20 players" in caplog.text
