"""The real server on a file system that is full: a limit on the size of its files, set and lifted while it runs.

``RLIMIT_FSIZE`` fails the same calls as a full file system does (writes half done, no room to reserve), needs no root,
and can be changed from outside by ``prlimit``.
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient, NbdError
from tests.servers import BbdServer

pytestmark = pytest.mark.torture

MIB = 1 << 20
SIZE = 64 * MIB


@contextmanager
def full(server: BbdServer, size: int) -> Iterator[None]:
    """No file of the server grows beyond ``size`` bytes in the meantime."""
    pid = server.process.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def write_until_refused(client: NbdClient, noise: bytes, start: int) -> int:
    """Write MiB after MiB, a flush after each; return the MiB that was refused, by ENOSPC and nothing else."""
    for at in range(start, SIZE // MIB):
        try:
            client.write(at * MIB, piece(noise, at))
            client.flush()
        except NbdError as error:
            if error.errno != errno.ENOSPC:
                raise
            return at
    raise AssertionError("the file system never became full")


def piece(noise: bytes, at: int) -> bytes:
    return noise[at * 4099 :][:MIB]


@pytest.mark.parametrize("killed", [False, True], ids=["lifted", "killed"])
def test_enospc_reaches_the_client_and_nothing_flushed_is_lost(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, killed: bool
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE))
    noise = Random(5).randbytes(2 * MIB)
    server = bbd_server("--world", world, "--cache", "16M")
    with NbdClient(server.connect()) as client:
        for at in range(4):
            client.write(at * MIB, piece(noise, at))
        client.flush()
        with full(server, 3 * MIB):
            refused = write_until_refused(client, noise, 4)
            for at in range(refused):
                assert client.read(at * MIB, MIB) == piece(noise, at), "a read was wrong while there was no room"
            if killed:
                server.kill()
        if not killed:
            for at in range(refused, SIZE // MIB):
                client.write(at * MIB, piece(noise, at))
            client.flush()
            refused = SIZE // MIB
    if not killed:
        server.stop()
        assert "Traceback" not in server.output
    again = bbd_server("--world", world, "--cache", "16M")
    with NbdClient(again.connect()) as client:
        for at in range(refused):
            assert client.read(at * MIB, MIB) == piece(noise, at)


def test_a_stop_without_room_says_so_and_loses_nothing(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    """The journal still has the room that it took when it began; the world, which is a fifth larger, has not."""
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE))
    noise = Random(6).randbytes(2 * MIB)
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        client.write(0, b"the epoch begins")
        client.flush()
        with full(server, MIB + MIB // 10):
            client.write(0, noise[:MIB])
            client.write(20 * MIB, b"not flushed")
            server.process.terminate()
            assert server.process.wait(60) == 1
    assert "could not be brought into its world" in server.output
    assert "Traceback" not in server.output
    again = bbd_server("--world", world)
    with NbdClient(again.connect()) as client:
        assert client.read(0, MIB) == noise[:MIB]
        assert client.read(20 * MIB, 11) == b"not flushed"
