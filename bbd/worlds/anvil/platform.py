"""The spawn platform: the chunk in which players arrive in a new world."""

from __future__ import annotations

import numpy as np

from bbd.geometry.interfaces import Block
from bbd.worlds.anvil.compression import RawChunk, compress
from bbd.worlds.anvil.rewrite import new_chunk
from bbd.worlds.anvil.section import blocks_states, uniform

SURFACE = 63
"""y of the platform's blocks; players stand one above."""

_AIR, _FLOOR, _LIGHT = Block("minecraft:air"), Block("minecraft:polished_andesite"), Block("minecraft:sea_lantern")
_MIDDLE, _REACH = 8, 3


def platform_chunk(cx: int, cz: int) -> RawChunk:
    """A chunk with 7 x 7 blocks of floor in its middle, the middle one a light."""
    blocks = np.zeros((16, 16, 16), np.uint16)
    floor = blocks[SURFACE & 15]
    floor[_MIDDLE - _REACH : _MIDDLE + _REACH + 1, _MIDDLE - _REACH : _MIDDLE + _REACH + 1] = 1
    floor[_MIDDLE, _MIDDLE] = 2
    states = {SURFACE >> 4: blocks_states([_AIR, _FLOOR, _LIGHT], blocks.reshape(-1))}
    return compress(new_chunk(cx, cz, states, uniform(_AIR)))
