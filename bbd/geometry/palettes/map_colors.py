"""The colours that the game's own maps give to the blocks of all codecs (``map_colors.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources


@cache
def load_map_colors() -> Mapping[str, tuple[int, int, int] | None]:
    """Red, green and blue (0 to 255) by a block's full name; ``None`` for blocks that maps look through."""
    text = resources.files(__package__).joinpath("map_colors.json").read_text(encoding="utf-8")
    return {name: _rgb(color) if color else None for name, color in json.loads(text)["colors"].items()}


def _rgb(color: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(color)
    return red, green, blue
