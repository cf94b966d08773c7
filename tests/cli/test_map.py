"""``bbd map``, on worlds whose blocks are known."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from bbd.cli.create import describe
from bbd.cli.hosting import open_host
from bbd.cli.making import make_disk
from bbd.cli.map import parse_scale
from bbd.disk.opening import Options
from bbd.errors import BbdError
from bbd.web.picture import AIR, UNALLOCATED
from tests.conftest import RunBbd, StartServer
from tests.nbd_client import NbdClient

COLUMN, SECTION = 65536, 4096
RED, BLUE, GLASS = 0x0E, 0x0B, 0x84
PAINTED = SECTION + 256 * 15 + 16 * 5 + (2 ^ 7)
"""x 2, y 15, z 5 of the second section."""
COLORS = {RED: (0x99, 0x33, 0x33), BLUE: (0x33, 0x4C, 0xB2)}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Columns 0 and 3 of a line of four, of 16 x 16 blocks, at x 32 and z -16."""
    world = tmp_path_factory.mktemp("map") / "world"
    descriptor = describe(
        name="world", size=4 * COLUMN, codec="byte", layout="linear", origin=(2, -1), parity=2, edits="repair"
    )
    make_disk(world, descriptor)
    first = bytearray([RED]) * SECTION + bytearray(SECTION)
    first[PAINTED] = BLUE
    top = bytearray([BLUE]) * SECTION
    top[-256:] = bytes([GLASS]) * 256
    asyncio.run(_write(world, {0: bytes(first), 3 * COLUMN + 15 * SECTION: bytes(top)}))
    return world


async def _write(world: Path, content: dict[int, bytes]) -> None:
    host = open_host(world, Options(world.parent / "journals"))
    try:
        (disk,) = host.disks
        for offset, data in content.items():
            await disk.write(offset, data)
        await disk.close()
    finally:
        host.close()


def drawn(bbd: RunBbd, tmp_path: Path, world: Path, *options: str) -> npt.NDArray[np.uint8]:
    picture = tmp_path / "map.png"
    done = bbd("map", world, "-o", picture, *options)
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    assert f"{picture}: {pixels.shape[1]} x {pixels.shape[0]}" in done.stdout
    assert done.stderr == ""
    return pixels


def test_a_disk_from_above(bbd: RunBbd, world: Path, tmp_path: Path) -> None:
    place = json.loads(bbd("where", world, str(PAINTED), "--json").stdout)["blocks"][0]
    assert (place["x"], place["y"], place["z"]) == (34, 31, -11)
    pixels = drawn(bbd, tmp_path, world)
    assert pixels.shape == (16, 64, 3)
    assert tuple(pixels[5, 2]) == COLORS[BLUE]
    white = np.delete(pixels[:, :16].reshape(256, 3), 5 * 16 + 2, axis=0)
    assert (white == 255).all(), "zeros between other bytes are white concrete"
    assert (pixels[:, 16:48] == UNALLOCATED).all(), "columns that are all zeros"
    assert (pixels[:, 48:] == COLORS[BLUE]).all(), "glass is looked through"


def test_layers_and_tops(bbd: RunBbd, world: Path, tmp_path: Path) -> None:
    layer = drawn(bbd, tmp_path, world, "--layer", "0")
    assert (layer[:, :16] == COLORS[RED]).all()
    assert (layer[:, 48:] == AIR).all()
    assert (drawn(bbd, tmp_path, world, "--top", "15")[:, :16] == COLORS[RED]).all()
    parity = drawn(bbd, tmp_path, world, "--top", "319")
    assert (parity[:, 48:] != COLORS[BLUE]).any(), "parity sections stand above the data"


def test_scales(bbd: RunBbd, world: Path, tmp_path: Path) -> None:
    large, whole, small = (drawn(bbd, tmp_path, world, "--scale", scale) for scale in ("3", "1", "1/16"))
    assert (large == whole.repeat(3, axis=0).repeat(3, axis=1)).all()
    assert small.shape == (1, 4, 3)
    assert tuple(small[0, 3]) == COLORS[BLUE]


@pytest.mark.parametrize("text", ["0", "65", "1/3", "1/32", "2/4", "1/", "/4", "x", "", "-1", "1.5"])
def test_what_is_no_scale(text: str) -> None:
    with pytest.raises(BbdError, match="no scale"):
        parse_scale(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--layer", "320"], "y 320"),
        (["--top", "-1"], "y -1"),
        (["--scale", "7/3"], "no scale"),
        (["-o", "map.docx"], "what kind of picture"),
        (["-o", "map"], "what kind of picture"),
        (["--disk", "other"], "no disk"),
    ],
)
def test_what_it_refuses(bbd: RunBbd, world: Path, tmp_path: Path, options: list[str], words: str) -> None:
    done = bbd("map", world, "-o", tmp_path / "map.png", *options, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "map.png").exists()


def test_an_empty_disk(bbd: RunBbd, tmp_path: Path) -> None:
    bbd("create", tmp_path / "w", "--size", "1M")
    assert "is empty" in bbd("map", tmp_path / "w", "-o", tmp_path / "map.png", check=False).stderr


def test_a_world_that_is_served_is_drawn_with_a_warning(
    bbd: RunBbd, bbd_server: StartServer, world: Path, tmp_path: Path
) -> None:
    bbd_server("--world", world)
    done = bbd("map", world, "-o", tmp_path / "map.png")
    assert "is open" in done.stderr
    assert Image.open(tmp_path / "map.png").size == (64, 16)


def test_a_large_disk_that_holds_little_is_a_small_picture(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path
) -> None:
    world = tmp_path / "large"
    bbd("create", world, "--size", "1T")
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        client.write(0, b"first")
        client.write((1 << 40) - 5, b"last!")
    server.stop()
    assert "--scale" in bbd("map", world, "-o", tmp_path / "m.png", "--scale", "64", check=False).stderr
    pixels = drawn(bbd, tmp_path, world, "--scale", "1/16")
    assert pixels[0, 0].tolist() != list(UNALLOCATED)
    assert (pixels.reshape(-1, 3) != UNALLOCATED).any(axis=1).sum() == 2
