"""The blocks that stand for values: 256 for the bytes of codec ``byte``, and the sets of sixteen of codec ``nibble``
(``palette256.json``, part of format 1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Palette256:
    """The palette as the file gives it.

    ``names[b]`` is the full name of the block for byte ``b``. ``aliases`` maps the full name of a block that the game
    may have made of one of them (copper that lost its wax) to the name that it stands for when it is read.
    ``nibble`` gives, for each palette of codec ``nibble``, the full names of the blocks for 0 to 15, in dye order.
    ``min_data_version`` is the oldest DataVersion that knows all of them.
    """

    names: tuple[str, ...]
    aliases: Mapping[str, str]
    nibble: Mapping[str, tuple[str, ...]]
    min_data_version: int


@cache
def load_palette256() -> Palette256:
    """Read the palette that came with the package."""
    text = resources.files(__package__).joinpath("palette256.json").read_text(encoding="utf-8")
    table = json.loads(text)
    return Palette256(
        names=tuple(entry["name"] for entry in table["byte_to_block"]),
        aliases=dict(table["alias_on_read"]),
        nibble={palette: tuple(names) for palette, names in table["nibble"].items()},
        min_data_version=table["min_data_version"],
    )
