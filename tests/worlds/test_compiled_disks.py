"""Whole disks that the game saved, read with machine code and without it: the same bytes, damage and edits."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from bbd.cli.hosting import geometry_of, load_disks
from bbd.disk.disk import Disk
from bbd.worlds.anvil import coder
from bbd.worlds.anvil.compiled.loading import Loader
from bbd.worlds.anvil.site import AnvilSite
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnWrite, DataColumn, SectionWrite
from bench.game import save_as_game
from bench.plan import Plan
from bench.units import MIB
from bench.worlds import new_world, region_files, with_disk, write_all

pytest.importorskip("numba")
pytestmark = pytest.mark.slow
SECTION = {"bbd": 4096, "bbd-nibble": 2048}


@pytest.fixture(scope="module")
def loaded() -> Loader:
    loader = Loader(1)
    loader.ask()
    assert loader.wait(300)
    return loader


@contextmanager
def site_in(folder: Path) -> Iterator[AnvilSite]:
    (descriptor,) = load_disks(folder / "world")
    with AnvilWorld(folder / "world") as anvil:
        yield anvil.site(geometry_of(descriptor), descriptor.dimension, descriptor.compression)


def change(folder: Path, size: int) -> None:
    """Edits that parity mends, and such that it doesn't; and blocks that are no bytes."""
    rng = random.Random(1)

    def sections(count: int, length: int) -> Sequence[SectionWrite]:
        return [*(rng.randbytes(length) for _ in range(count)), *[KEEP] * (20 - count)]

    writes = {3: sections(1, size), 5: sections(5, size), 7: sections(1, size // 2), 9: sections(6, size // 2)}
    writes[11] = [*[KEEP] * 16, None, *[KEEP] * 3]
    with site_in(folder) as site:
        site.write({column: ColumnWrite(one) for column, one in writes.items()})


def decoded(folder: Path) -> int:
    """How many columns machine code decodes."""
    with site_in(folder) as site:
        return sum(isinstance(reading, DataColumn) for _ in range(2) for _, reading in site.read_data(range(16)))


async def everything(disk: Disk) -> list[bytes | str]:
    """Each section of the disk, or why there is none."""
    found: list[bytes | str] = []
    for offset in range(0, disk.size, 2048):
        try:
            found.append(b"".join(await disk.read(offset, 2048)))
        except OSError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize("kind", SECTION)
def test_a_disk_is_the_same(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: Loader) -> None:
    content = os.urandom(MIB // 2) + b"words and words; " * 20_000
    content += bytes(MIB - len(content))
    with new_world(kind, Plan(1, 1.0, MIB, tmp_path, lambda _: None)) as folder:
        with_disk(folder, partial(write_all, content=content))
        save_as_game(folder / "world", region_files(folder))
        for damaged in (False, True):
            if damaged:
                change(folder, SECTION[kind])
                save_as_game(folder / "world", region_files(folder))
            files = {file: file.read_bytes() for file in region_files(folder)}
            seen = []
            for loader, least in ((Loader(1 << 30), 0), (loaded, 16)):
                for file, before in files.items():
                    file.write_bytes(before)
                monkeypatch.setattr(coder, "LOADER", loader)
                assert (decoded(folder) > 0) == (least > 0)
                assert damaged or decoded(folder) >= least
                seen.append(with_disk(folder, everything))
            plain, compiled = seen
            assert compiled == plain
            assert any(isinstance(one, str) for one in plain) == damaged
            assert damaged or b"".join(one for one in plain if isinstance(one, bytes)) == content
