"""The bridge cut, slow and silent: clients wait, get EIO in time, and all goes on when it is back."""

from __future__ import annotations

import errno
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.live_server.conftest import StartMinecraft
from tests.live_server.minecraft import MinecraftServer
from tests.live_server.proxy import Proxy
from tests.nbd_client import NbdClient, NbdError

MIB = 1 << 20
SIZE = 4 * MIB
PATIENCE = "6"
"""What a silent line costs each test, in seconds; enough for all else on a busy machine."""
_TIMEOUT = 60.0


DATA = Random(1).randbytes(SIZE)


@pytest.fixture
def world(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> Path:
    """A world with a disk that is full."""
    bbd("create", tmp_path / "world", "--disk", "demo", "--size", str(SIZE))
    served = bbd_server("--world", tmp_path / "world")
    with NbdClient(served.connect()) as client:
        client.write(0, DATA)
    served.stop()
    return tmp_path / "world"


@pytest.fixture
def game(minecraft: StartMinecraft, world: Path) -> MinecraftServer:
    return minecraft(world)


@pytest.fixture
def line(game: MinecraftServer) -> Iterator[Proxy]:
    with Proxy(int(game.bridge.rpartition(":")[2])) as proxy:
        yield proxy


def test_fio_over_a_line_that_is_cut_and_slow(
    bbd_server: StartServer, game: MinecraftServer, line: Proxy, tmp_path: Path
) -> None:
    served = bbd_server("--live", line.url, "--token-file", game.token, "--cache", "1M")
    line.delay = 0.002
    fio = subprocess.Popen(
        [
            *("fio", "--name=live", "--ioengine=nbd", f"--uri={served.uri('demo')}", "--rw=randwrite", "--bs=4k"),
            *("--iodepth=16", f"--size={SIZE}", "--verify=crc32c", "--verify_fatal=1", "--verify_state_save=0"),
            "--fsync=64",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
    )
    cuts = 0
    try:
        while cuts < 5:
            time.sleep(0.6)
            line.cut()
            cuts += 1
        output, _ = fio.communicate(timeout=100)
        assert fio.returncode == 0, output
    finally:
        fio.kill()
        fio.wait(30)
    assert "is back, after" in served.output
    served.stop()
    assert "Traceback" not in served.output


def test_a_silent_line(bbd: RunBbd, bbd_server: StartServer, game: MinecraftServer, line: Proxy, world: Path) -> None:
    """Who waits gets EIO, and bytes the next time; what is flushed meanwhile comes into the world afterwards."""
    served = bbd_server("--live", line.url, "--token-file", game.token, "--live-timeout", PATIENCE)
    with NbdClient(served.connect(), "demo") as client:
        begin(client)
        line.silence()
        assert failure(client, SIZE - 65536) == errno.EIO
        # As long as memory has what they need, writes and flushes wait for nobody.
        client.write(4090, b"meanwhile")
        client.flush()
        line.restore()
        assert read_again(client, MIB) == DATA[MIB:]
        client.write(8190, b"afterwards")
    served.stop()
    game.stop()
    assert bbd("check", world).returncode == 0
    with NbdClient(bbd_server("--world", world).connect(), "demo") as offline:
        expected = bytearray(DATA)
        expected[4090:4099], expected[8190:8200] = b"meanwhile", b"afterwards"
        assert offline.read(0, SIZE) == expected


def begin(client: NbdClient) -> None:
    """Have some bytes in memory, and the epoch begun: the descriptor in the world says that the disk is in use."""
    assert client.read(0, MIB) == DATA[:MIB]
    client.write(0, DATA[:1])
    client.flush()


def failure(client: NbdClient, offset: int) -> int | None:
    with pytest.raises(NbdError) as failed:
        client.read(offset, 512)
    return failed.value.errno


def read_again(client: NbdClient, offset: int) -> bytes:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            return client.read(offset, SIZE - offset)
        except NbdError:
            assert time.monotonic() < deadline, "the line is back, and nothing goes on"


def test_a_stop_while_the_line_is_silent(bbd_server: StartServer, game: MinecraftServer, line: Proxy) -> None:
    """SIGTERM with a client that waits, and with bytes that the server does not take: it ends, and nothing is lost."""
    options = ("--live", line.url, "--token-file", game.token, "--live-timeout", PATIENCE)
    served = bbd_server(*options)
    with NbdClient(served.connect(), "demo") as client:
        begin(client)
        line.silence()
        client.write(4090, b"flushed")
        client.flush()
        client.write(8190, b"not flushed")
        with NbdClient(served.connect(), "demo") as other:
            waiting = threading.Thread(target=failure, args=(other, SIZE - 65536))
            waiting.start()
            time.sleep(0.2)
            served.process.terminate()
            assert served.process.wait(_TIMEOUT) == 1
            waiting.join(_TIMEOUT)
    assert "could not be brought into its world" in served.output
    assert "Traceback" not in served.output
    line.restore()
    again = bbd_server(*options)
    with NbdClient(again.connect(), "demo") as client:
        expected = bytearray(DATA)
        expected[4090:4097], expected[8190:8201] = b"flushed", b"not flushed"
        assert client.read(0, SIZE) == expected
    again.stop()
