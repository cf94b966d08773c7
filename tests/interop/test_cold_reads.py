"""CACHE and reading ahead, through libnbd: what was brought into memory is not read from the world again."""

from __future__ import annotations

import os
from pathlib import Path

from tests.interop.conftest import RunTool
from tests.servers import BBD, BbdServer

MIB = 1 << 20

_CACHE_ONLY = """
import nbd, pathlib, sys
uri, world, image = sys.argv[1:]
expected = pathlib.Path(image).read_bytes()
h = nbd.NBD()
h.connect_uri(uri)
assert h.can_cache()
h.cache(1 << 20, 2 << 20)
for region in pathlib.Path(world).rglob("r.*.mca"):
    size = region.stat().st_size
    with region.open("r+b") as file:
        file.seek(8192)
        file.write(bytes(size - 8192))
for offset in range(2 << 20, 3 << 20, 4096):
    assert h.pread(4096, offset) == expected[offset:offset + 4096], offset
try:
    h.pread(4096, 5 << 20)
except nbd.Error as error:
    assert error.errno == "EIO", error
else:
    raise AssertionError("what was not cached can't be read any more")
h.shutdown()
"""


def test_what_cache_brought_needs_the_world_no_more(tmp_path: Path, tool: RunTool) -> None:
    image, world = tmp_path / "image", tmp_path / "world"
    image.write_bytes(os.urandom(8 * MIB))
    tool(BBD, "import", image, world, "--journal", tmp_path / "journals")
    arguments = ("--world", world, "--read-only", "--journal", tmp_path / "journals")
    server = BbdServer(*arguments)
    try:
        tool("/usr/bin/python3", "-c", _CACHE_ONLY, server.uri(), world, image)
    finally:
        server.kill()


def test_copies_of_a_cold_disk_are_right(tmp_path: Path, tool: RunTool) -> None:
    image, world, copy = tmp_path / "image", tmp_path / "world", tmp_path / "copy"
    image.write_bytes(os.urandom(5 * MIB) + bytes(9 * MIB) + os.urandom(10 * MIB))
    tool(BBD, "import", image, world, "--journal", tmp_path / "journals")
    for cache in ("1M", "64M"):
        arguments = ("--world", world, "--read-only", "--journal", tmp_path / "journals", "--cache", cache)
        server = BbdServer(*arguments)
        try:
            for options in ([], ["--connections=1", "--requests=1", "--request-size=4096"]):
                tool("nbdcopy", *options, server.uri(), copy)
                assert copy.read_bytes() == image.read_bytes()
        finally:
            server.kill()
