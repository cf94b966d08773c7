"""The colours of blocks: there for every block of every codec, and the ones that the game has."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from bbd.geometry import registry
from bbd.geometry.palettes.map_colors import load_map_colors

COLORS = load_map_colors()
TABLE = json.loads(resources.files("bbd.geometry.palettes").joinpath("palette256.json").read_text())


@pytest.mark.parametrize("codec", ["byte", "nibble", "redstone"])
def test_every_block_of_every_codec_has_an_entry(codec: str) -> None:
    for palette in registry.palette_names(codec):
        for block in registry.codec(codec, palette).palette[:-1]:
            assert block.name in COLORS


def test_dyed_blocks_have_the_colour_of_their_dye() -> None:
    for dye in TABLE["dye_order"]:
        found = {COLORS[f"minecraft:{dye}_{kind}"] for kind in ("concrete", "wool", "stained_glass")}
        assert len(found) == 1
    assert len({COLORS[f"minecraft:{dye}_concrete"] for dye in TABLE["dye_order"]}) == 16
    assert len({COLORS[f"minecraft:{dye}_terracotta"] for dye in TABLE["dye_order"]}) == 16


@pytest.mark.parametrize(
    ("block", "color"),
    [
        ("white_concrete", (0xFF, 0xFF, 0xFF)),
        ("red_wool", (0x99, 0x33, 0x33)),
        ("stone", (0x70, 0x70, 0x70)),
        ("gold_block", (0xFA, 0xEE, 0x4D)),
        ("oak_log", (0x8F, 0x77, 0x48)),
        ("redstone_lamp", (0x9F, 0x52, 0x24)),
        ("obsidian", (0x19, 0x19, 0x19)),
    ],
)
def test_some_that_are_well_known(block: str, color: tuple[int, int, int]) -> None:
    assert COLORS[f"minecraft:{block}"] == color


def test_only_glass_and_levers_are_looked_through() -> None:
    assert {name for name, color in COLORS.items() if color is None} == {"minecraft:glass", "minecraft:lever"}
