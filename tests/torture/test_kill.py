"""Killing the real process, again and again, under load: what it had flushed is there after every restart."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.nbd_client import TRIM, NbdClient
from tests.servers import BbdServer

pytestmark = pytest.mark.torture

ROUNDS = 20
SIZE = 24 << 20
UNIT = 4096
COLUMN = 16 * UNIT


class History:
    """What each unit of 4096 bytes may hold: the tag that was safe, and every tag written since."""

    def __init__(self) -> None:
        self.possible: list[list[int]] = [[0] for _ in range(SIZE // UNIT)]

    def wrote(self, unit: int, tag: int) -> None:
        self.possible[unit].append(tag)

    def flushed(self) -> None:
        for tags in self.possible:
            del tags[:-1]

    def found(self, unit: int, content: bytes) -> None:
        tag = int.from_bytes(content[:8], "little")
        assert content == unit_content(unit, tag), f"unit {unit} is torn"
        assert tag in self.possible[unit], f"unit {unit} holds {tag}, not one of {self.possible[unit]}"
        self.possible[unit] = [tag]


def unit_content(unit: int, tag: int) -> bytes:
    """Content that tells which write it was; tag 0 is a unit of zeros."""
    words = tag.to_bytes(8, "little"), unit.to_bytes(8, "little") if tag else bytes(8)
    return b"".join(word * (UNIT // 16) for word in words)


class Writer(threading.Thread):
    """Writes, trims and flushes until the server is gone. Every change is in the history before it is sent."""

    def __init__(self, server: BbdServer, history: History, random: Random, first_tag: int) -> None:
        super().__init__()
        self._server = server
        self._history = history
        self._random = random
        self.tag = first_tag
        self.flushes = 0

    def run(self) -> None:
        with contextlib.suppress(ConnectionError, OSError), NbdClient(self._server.connect()) as client:
            while True:
                self._step(client)

    def _step(self, client: NbdClient) -> None:
        kind = self._random.random()
        if kind < 0.1:
            client.flush()
            self._history.flushed()
            self.flushes += 1
        elif kind < 0.15:
            column = self._random.randrange(SIZE // COLUMN)
            for unit in range(column * 16, column * 16 + 16):
                self._history.wrote(unit, 0)
            client.command(TRIM, column * COLUMN, COLUMN)
        else:
            count = self._random.choice([1, 1, 1, 4, 64])
            unit = self._random.randrange(SIZE // UNIT - count)
            self.tag += 1
            for one in range(unit, unit + count):
                self._history.wrote(one, self.tag)
            client.write(unit * UNIT, b"".join(unit_content(one, self.tag) for one in range(unit, unit + count)))


@pytest.mark.parametrize(("codec", "rounds"), [("byte", ROUNDS), ("nibble", 5), ("redstone", 3)])
def test_killed_again_and_again_under_load(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, codec: str, rounds: int
) -> None:
    world = tmp_path / "world"
    bbd("create", world, "--size", str(SIZE), "--codec", codec)
    random = Random(20)
    history = History()
    tag = flushes = 0
    for _ in range(rounds):
        server = bbd_server("--world", world, "--cache", "8M")
        writer = Writer(server, history, random, tag)
        writer.start()
        time.sleep(random.uniform(0.1, 0.8))
        server.kill()
        writer.join(30)
        assert not writer.is_alive()
        tag, flushes = writer.tag, flushes + writer.flushes
        survivor = bbd_server("--world", world, "--cache", "8M")
        with NbdClient(survivor.connect()) as client:
            for start in range(0, SIZE, 1 << 20):
                content = client.read(start, 1 << 20)
                for at in range(0, 1 << 20, UNIT):
                    history.found((start + at) // UNIT, content[at : at + UNIT])
        if random.random() < 0.5:
            survivor.kill()
        else:
            survivor.stop()
    assert flushes > 0
    assert tag > rounds
