"""Where worlds of both layouts keep their region files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bbd.errors import BbdError
from bbd.os_files import OsFiles
from bbd.worlds.anvil.folders import dimensions, region_folder
from bbd.worlds.anvil.world import AnvilWorld

OLD = {
    "minecraft:overworld": "region",
    "minecraft:the_nether": "DIM-1/region",
    "minecraft:the_end": "DIM1/region",
    "mod:deep/mine": "dimensions/mod/deep/mine/region",
}
NEW = {
    "minecraft:overworld": "dimensions/minecraft/overworld/region",
    "minecraft:the_nether": "dimensions/minecraft/the_nether/region",
    "minecraft:the_end": "dimensions/minecraft/the_end/region",
    "mod:deep/mine": "dimensions/mod/deep/mine/region",
}


@pytest.mark.parametrize("dimension", OLD)
@pytest.mark.parametrize(("made", "expected"), [("", OLD), ("region", OLD), (NEW["minecraft:overworld"], NEW)])
def test_the_layout_is_seen_by_the_overworld(
    tmp_path: Path, made: str, expected: dict[str, str], dimension: str
) -> None:
    (tmp_path / made).mkdir(parents=True, exist_ok=True)
    assert region_folder(OsFiles(), tmp_path, dimension) == tmp_path / expected[dimension]


@pytest.mark.parametrize("dimension", ["minecraft:overworld", "minecraft:the_end"])
def test_a_world_that_has_both_is_refused(tmp_path: Path, dimension: str) -> None:
    for layout in (OLD, NEW):
        (tmp_path / layout["minecraft:overworld"]).mkdir(parents=True)
        (tmp_path / layout[dimension]).mkdir(parents=True, exist_ok=True)
    with pytest.raises(BbdError, match=f"holds {dimension} twice"):
        next(AnvilWorld(tmp_path).present_chunks(dimension))


@pytest.mark.parametrize("dimension", ["", "overworld", "minecraft:", "../../etc:x", "a:../..", "a:b c"])
def test_what_is_no_dimension(tmp_path: Path, dimension: str) -> None:
    with pytest.raises(BbdError, match="is no dimension"):
        region_folder(OsFiles(), tmp_path, dimension)


@pytest.mark.parametrize("layout", [OLD, NEW])
def test_all_dimensions_of_a_world(tmp_path: Path, layout: dict[str, str]) -> None:
    for folder in [*layout.values(), "dimensions/mod/deep/mine/poi", "dimensions/mod/deep/entities", "dimensions/x"]:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "r.0.0.mca").touch()
    (tmp_path / "dimensions/stray.txt").touch()
    assert dimensions(OsFiles(), tmp_path) == sorted(layout)


def test_the_dimensions_of_a_world_without_any(tmp_path: Path) -> None:
    assert dimensions(OsFiles(), tmp_path) == []


def test_the_dimensions_of_a_world_that_has_both(tmp_path: Path) -> None:
    for layout in (OLD, NEW):
        (tmp_path / layout["minecraft:overworld"]).mkdir(parents=True)
    with pytest.raises(BbdError, match="twice"):
        dimensions(OsFiles(), tmp_path)
