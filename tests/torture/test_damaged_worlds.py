"""Region files that something else has damaged, under the real server: EIO where bytes are unknown, nowhere else."""

from __future__ import annotations

import errno
import re
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient, NbdError

pytestmark = pytest.mark.torture

COLUMN = 64 << 10
COLUMNS = 6
SECTOR = 4096
SIZE = 2 << 20
CONTENT = Random(3).randbytes(COLUMNS * COLUMN)


def located(content: bytes | bytearray, index: int) -> tuple[int, int]:
    """(first sector, count) of a chunk. Column n of layout linear is chunk (n, 0), whose index in its region is n."""
    (location,) = struct.unpack_from(">I", content, 4 * index)
    return location >> 8, location & 0xFF


def cut_off(content: bytearray) -> set[int]:
    """The file ends in the middle of the chunk that lies last."""
    last = max(range(COLUMNS), key=lambda index: located(content, index))
    del content[located(content, last)[0] * SECTOR + 1000 :]
    return {last}


def overlapping(content: bytearray) -> set[int]:
    """Column 2 is said to lie where the chunk of column 1 does, one sector on."""
    sector, count = located(content, 1)
    struct.pack_into(">I", content, 4 * 2, (sector + 1) << 8 | count - 1)
    return {1, 2}


def garbage(content: bytearray) -> set[int]:
    """The chunk's compressed bytes are noise."""
    sector, count = located(content, 2)
    content[sector * SECTOR + 5 : (sector + count) * SECTOR] = Random(9).randbytes(count * SECTOR - 5)
    return {2}


def in_the_header(content: bytearray) -> set[int]:
    """The chunk is said to lie in the table of timestamps."""
    struct.pack_into(">I", content, 4 * 2, 1 << 8 | 1)
    return {2}


def broken_header(content: bytearray) -> set[int]:
    """The file ends within its header."""
    del content[1000:]
    return set(range(COLUMNS))


def read_error(client: NbdClient, offset: int) -> int | None:
    try:
        client.read(offset, 4096)
    except NbdError as error:
        return error.errno
    return None


def kept(world: Path, found: bytes) -> bool:
    """Whether bytes of the damaged region file stand somewhere aside: a chunk's, or all of them."""
    aside = [*(world / "bbd" / "quarantine").glob("*"), *(world / "region").glob("*.broken-*")]
    contents = [path.read_bytes() for path in aside]
    return any(len(content) >= 1000 and content in found for content in contents)


@pytest.mark.parametrize("how", [cut_off, overlapping, garbage, in_the_header, broken_header])
def test_a_client_gets_eio_there_and_bytes_elsewhere(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, how: Callable[[bytearray], set[int]]
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", str(SIZE), "--layout", "linear")
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        client.write(0, CONTENT)
    server.stop()
    region = world / "region" / "r.0.0.mca"
    content = bytearray(region.read_bytes())
    lost = how(content)
    found = bytes(content)
    region.write_bytes(found)

    server = bbd_server("--world", world)
    bad = max(lost)
    fresh = b"written over the damage".ljust(4096, b".")
    with NbdClient(server.connect()) as client:
        look(client, lost)
        assert client.read(COLUMNS * COLUMN, COLUMN) == bytes(COLUMN)
        for column in lost:
            assert re.search(rf"column {column}, chunk {column}, ?0\b", server.output), server.output
        assert region.read_bytes() == found, "reading changed the world"
        client.write(bad * COLUMN + 4096, fresh)
    server.stop()
    assert "Traceback" not in server.output
    assert kept(world, found), "what could not be read was thrown away"

    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        assert client.read(bad * COLUMN + 4096, 4096) == fresh
        assert read_error(client, bad * COLUMN) == errno.EIO
        look(client, lost, but_for=bad)
        client.write(bad * COLUMN, bytes([7]) * COLUMN)
        assert client.read(bad * COLUMN, COLUMN) == bytes([7]) * COLUMN


def look(client: NbdClient, lost: set[int], but_for: int = -1) -> None:
    """Every column is as it was, or EIO."""
    for column in set(range(COLUMNS)) - {but_for}:
        if column not in lost:
            assert client.read(column * COLUMN, COLUMN) == CONTENT[column * COLUMN : (column + 1) * COLUMN]
        elif but_for < 0:
            assert [read_error(client, column * COLUMN + at * 4096) for at in (0, 15)] == [errno.EIO, errno.EIO]
