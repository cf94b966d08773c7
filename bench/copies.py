"""nbdcopy of an image with a real file system, in and out."""

from __future__ import annotations

import filecmp
import time
from collections.abc import Sequence
from pathlib import Path

from bench.commands import run
from bench.errors import BenchError
from bench.image import make_image
from bench.loads import Load
from bench.results import Measurement
from bench.server import Server


class Copy(Load):
    """An ext4 image as large as the disk, copied by nbdcopy with its default options."""

    def __init__(self, name: str, peers: Sequence[str]) -> None:
        self.name = name
        self.peers = peers
        self._image = Path()

    def prepare(self, place: Path, area: int) -> None:
        """Make the image."""
        self._image = place / "ext4.image"
        if not self._image.exists():
            make_image(self._image, area)

    def verify(self, server: Server, area: int) -> None:
        """Compare the image with what the disk holds."""
        back = self._image.with_name("back")
        run("nbdcopy", server.uri, back)
        same = filecmp.cmp(self._image, back, shallow=False)
        back.unlink()
        if not same:
            raise BenchError(f"{server.peer.name}: the image that was copied in is not the one that comes out")


class CopyIn(Copy):
    """Into the disk, with a flush at the end."""

    writes = True

    def measure(self, server: Server, area: int, seconds: float) -> Measurement:
        return _timed(area, "--flush", self._image, server.uri)


class CopyOut(Copy):
    """Out of a disk that holds it."""

    def begin(self, server: Server) -> bool:
        """Copy it in."""
        run("nbdcopy", self._image, server.uri)
        return True

    def measure(self, server: Server, area: int, seconds: float) -> Measurement:
        return _timed(area, server.uri, "null:")


def _timed(size: int, *arguments: str | Path) -> Measurement:
    start = time.perf_counter()
    run("nbdcopy", *arguments)
    return Measurement(size / (time.perf_counter() - start))
