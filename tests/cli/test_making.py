"""Where players arrive: near a new disk, never in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bbd.cli.making import spawn_chunk
from bbd.geometry import registry
from bbd.geometry.geometry import MAX_CHUNK, MIN_CHUNK, Geometry
from tests.conftest import RunBbd

ORIGINS = [(0, 0), (-64, 992), (MIN_CHUNK + 23, MIN_CHUNK + 23), (58592 * 32, 0)]


@pytest.mark.parametrize("layout", ["hilbert", "linear", "spiral"])
@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("columns", [1, 2, 8, 9, 10, 1000, 1024])
def test_players_arrive_beside_the_disk(layout: str, origin: tuple[int, int], columns: int) -> None:
    geometry = Geometry(registry.codec("byte"), registry.layout_for(layout, columns), origin)
    geometry.check_size(columns * 65536)
    x, z = spawn_chunk(geometry, columns)
    column = geometry.column_of(x, z)
    assert column is None or column >= columns
    assert all(MIN_CHUNK <= value <= MAX_CHUNK for value in (x, z))
    distance = max(abs(x - origin[0]), abs(z - origin[1]))
    assert distance <= (17 if layout == "spiral" else 1)


def test_a_quadrant_has_players_at_its_corner() -> None:
    for layout in ("hilbert", "linear"):
        assert spawn_chunk(Geometry(registry.codec("byte"), registry.layout_for(layout, 5)), 5) == (-1, -1)


def test_the_platform_stays_when_the_disk_around_the_origin_is_made(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "4M", "--layout", "spiral")
    (disk,) = json.loads(bbd("info", world, "--json").stdout)["disks"]
    assert (disk["from"], disk["to"]) == ([-48, 0, -48], [79, 303, 79])
    seen = json.loads(bbd("what", world, "8", "63", str(-4 * 16 + 8), "--json").stdout)
    assert (seen["role"], seen["block"]) == ("outside the disk", "minecraft:sea_lantern")


@pytest.mark.parametrize(
    ("codec", "options", "palette"),
    [
        ("byte", [], "palette256"),
        ("nibble", [], "concrete"),
        ("nibble", ["--palette", "wool"], "wool"),
        ("redstone", [], "lever"),
    ],
)
def test_the_palette_is_the_codecs(bbd: RunBbd, tmp_path: Path, codec: str, options: list[str], palette: str) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "64K", "--codec", codec, *options)
    assert json.loads((world / "bbd" / "w.json").read_text())["palette"] == palette


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--palette", "wool"], "palette256"),
        (["--codec", "nibble", "--palette", "silk"], "concrete, wool"),
        (["--codec", "redstone", "--palette", "concrete"], "lever"),
    ],
)
def test_a_palette_that_the_codec_has_not(bbd: RunBbd, tmp_path: Path, options: list[str], words: str) -> None:
    refused = bbd("create", tmp_path / "w", "--size", "64K", *options, check=False)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "w").exists()


def test_a_descriptor_with_an_unknown_palette(bbd: RunBbd, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "64K", "--codec", "nibble")
    path = world / "bbd" / "w.json"
    path.write_text(path.read_text().replace('"concrete"', '"silk"'))
    refused = bbd("info", world, check=False)
    assert refused.returncode == 1
    assert "concrete, wool" in refused.stderr
