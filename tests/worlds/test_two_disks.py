"""Two disks and other people's chunks in one region file, served at the same time."""

from __future__ import annotations

import random
from pathlib import Path
from threading import Thread

import pytest

from bbd.os_files import OsFiles
from bbd.worlds.anvil.compression import RawChunk
from bbd.worlds.anvil.region import RegionFile
from tests.conftest import RunBbd, StartServer
from tests.nbd_client import FUA, TRIM, NbdClient
from tests.worlds.region_model import assert_sound, chunks

SIZE = 20 * 65536
ORIGINS = {"one": "0,3", "two": "0,9"}
"""With the layout linear 32 chunks wide, each disk is in one row of the same region file."""
OTHERS = {index: RawChunk(9, random.Random(index).randbytes(3000 + 40 * index)) for index in range(0, 1024, 61)}


class Writer:
    """Random writes to one disk, and what it must hold after them."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.rng = random.Random(f"{name} {seed}")
        self.content = bytearray(SIZE)
        self.failed: BaseException | None = None

    def run(self, client: NbdClient) -> None:
        try:
            with client:
                for _ in range(120):
                    self._step(client)
                client.flush()
        except BaseException as error:
            self.failed = error
            raise

    def _step(self, client: NbdClient) -> None:
        offset = self.rng.randrange(SIZE)
        length = min(SIZE - offset, self.rng.choice([1, 100, 4096, 30_000, 200_000]))
        kind = self.rng.randrange(10)
        if kind == 0:
            client.command(TRIM, offset, length)
            self.content[offset : offset + length] = bytes(length)
        elif kind == 1:
            assert client.read(offset, length) == self.content[offset : offset + length]
        else:
            data = self.rng.randbytes(length)
            client.write(offset, data, FUA if kind == 2 else 0)
            self.content[offset : offset + length] = data


@pytest.mark.parametrize("compression", ["zlib", "lz4"])
def test_two_disks_in_one_region_file(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, compression: str) -> None:
    world = tmp_path / "w"
    for name, origin in ORIGINS.items():
        bbd("create", world, "--size", str(SIZE), "--disk", name, "--layout", "linear", "--origin", origin)
    region = world / "region/r.0.0.mca"
    taken = {3 * 32 + column for column in range(20)} | {9 * 32 + column for column in range(20)}
    others = {index: chunk for index, chunk in OTHERS.items() if index not in taken}
    file = RegionFile(OsFiles(), region)
    file.write(others)
    file.close()
    writers = [Writer(name, 1) for name in ORIGINS]
    server = bbd_server("--world", world, "--cache", "1M", "--compression", compression)
    threads = [Thread(target=one.run, args=(NbdClient(server.connect(), one.name),)) for one in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert [one.failed for one in writers] == [None, None]
    server.stop()
    content = region.read_bytes()
    assert_sound(content)
    found = chunks(content)
    assert {index: found[index] for index in others} == others
    kinds = {chunk.compression for index, chunk in found.items() if index in taken}
    assert kinds == {{"zlib": 2, "lz4": 4}[compression]}
    server = bbd_server("--world", world)
    for one in writers:
        with NbdClient(server.connect(), one.name) as client:
            assert client.read(0, SIZE) == one.content
