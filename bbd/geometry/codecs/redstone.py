"""Codec ``redstone``: a lever a bit, on a lamp that shows it.

A section is four storeys of 16 x 16 cells; a cell is, from bottom to top, a redstone lamp, smooth stone, a lever on
the floor, and air. Bit ``n`` of the payload (bit 0 is the most significant bit of byte 0) has x = ``n & 15``,
z = ``n >> 4 & 15`` and storey ``n >> 8``; its lever is at y = 4 * storey + 2 (docs/format.md, "Codec redstone").

The lamps are two blocks beneath their levers: a lever powers the block that it stands on, that block lights the lamp
below it, and no lever reaches the lamp of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import AIR_NAMES, SECTION_BLOCKS, Block

CELL_HEIGHT = 4
STOREYS = 16 // CELL_HEIGHT
STOREY_BITS = 256
SECTION_BYTES = STOREYS * STOREY_BITS // 8

LAMP, LIT_LAMP, STONE, LEVER, POWERED_LEVER, AIR = range(6)
LAMP_LEVEL, STONE_LEVEL, LEVER_LEVEL, AIR_LEVEL = range(CELL_HEIGHT)

_LAMP_NAME, _STONE_NAME, _LEVER_NAME = "minecraft:redstone_lamp", "minecraft:smooth_stone", "minecraft:lever"
_ON_THE_FLOOR = {"face": "floor", "facing": "north"}


class RedstoneCodec:
    """Levers and lamps, 128 bytes a section. See :class:`bbd.geometry.interfaces.Codec`.

    Only levers count when blocks are read: lamps, stone and air are scaffolding.
    """

    name = "redstone"
    number = 3
    section_size = SECTION_BYTES
    palettes: ClassVar[Sequence[str]] = ("lever",)
    palette: Sequence[Block] = (
        Block(_LAMP_NAME, {"lit": "false"}),
        Block(_LAMP_NAME, {"lit": "true"}),
        Block(_STONE_NAME),
        Block(_LEVER_NAME, _ON_THE_FLOOR | {"powered": "false"}),
        Block(_LEVER_NAME, _ON_THE_FLOOR | {"powered": "true"}),
        Block(AIR_NAMES[0]),
    )

    def __init__(self, palette: str = "lever") -> None:
        if palette not in self.palettes:
            raise ValueError(f"codec redstone has no palette {palette!r}")

    def encode(self, payload: bytes | memoryview) -> npt.NDArray[np.uint16]:
        """Whole cells, lit as their levers say. Raises ``ValueError`` for a payload longer than a section."""
        if len(payload) > SECTION_BYTES:
            raise ValueError(f"a section holds {SECTION_BYTES} bytes, not {len(payload)}")
        bits = np.unpackbits(np.frombuffer(payload, dtype=np.uint8))
        cells = np.full((CELL_HEIGHT, STOREYS * STOREY_BITS), AIR, dtype=np.uint16)
        cells[LAMP_LEVEL, : len(bits)] = LAMP + bits
        cells[STONE_LEVEL, : len(bits)] = STONE
        cells[LEVER_LEVEL, : len(bits)] = LEVER + bits
        return cells.reshape(CELL_HEIGHT, STOREYS, STOREY_BITS).swapaxes(0, 1).reshape(-1)

    def recognise(self, name: str, properties: Mapping[str, str]) -> int | None:
        """A lever is its ``powered``, whatever it hangs on; a lamp is its ``lit``. Both are false where they are
        missing, as in the game."""
        if name == _LEVER_NAME:
            return POWERED_LEVER if properties.get("powered") == "true" else LEVER
        if name == _LAMP_NAME:
            return LIT_LAMP if properties.get("lit") == "true" else LAMP
        if name == _STONE_NAME:
            return STONE
        return AIR if name in AIR_NAMES else None

    def decode(self, indices: npt.NDArray[np.int32]) -> tuple[bytes, bytes | None]:
        """See the interface; a byte is lost with any of its levers. Raises ``ValueError`` unless there are 4096
        indices."""
        if indices.shape != (SECTION_BLOCKS,):
            raise ValueError(f"a section has {SECTION_BLOCKS} blocks, not {indices.shape}")
        levers = indices.reshape(STOREYS, CELL_HEIGHT, STOREY_BITS)[:, LEVER_LEVEL].reshape(-1, 8)
        payload = np.packbits(levers == POWERED_LEVER, axis=1).reshape(-1)
        lost = ((levers != LEVER) & (levers != POWERED_LEVER)).any(axis=1)
        if not lost.any():
            return payload.tobytes(), None
        return np.where(lost, np.uint8(0), payload).tobytes(), lost.view(np.uint8).tobytes()

    def blocks_of(self, byte: int) -> Sequence[int]:
        """Eight levers in a row along x."""
        storey, within = divmod(8 * byte, STOREY_BITS)
        first = (CELL_HEIGHT * storey + LEVER_LEVEL) * STOREY_BITS + within
        return tuple(range(first, first + 8))

    def byte_at(self, block: int) -> int | None:
        """Levers hold bytes, all else is scaffolding."""
        storey, level = divmod(block // STOREY_BITS, CELL_HEIGHT)
        if level != LEVER_LEVEL:
            return None
        return (storey * STOREY_BITS + block % STOREY_BITS) // 8
