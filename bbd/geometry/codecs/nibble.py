"""Codec ``nibble``: two blocks a byte, sixteen kinds of blocks.

Payload byte ``i`` of a section is the pair of blocks from index ``2 (i ^ 7)``, the lower four bits first. A chunk
keeps 16 such indices in a big-endian long whose first entry sits in the lowest bits, so with this order, and a chunk
palette in the codec's order, the bytes in the region file equal the payload (docs/format.md, "Codec nibble").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import AIR_NAMES, SECTION_BLOCKS, Block
from bbd.geometry.palettes.palette256 import load_palette256

AIR = 16
SECTION_BYTES = SECTION_BLOCKS // 2


class NibbleCodec:
    """Blocks in the sixteen dye colours, 2048 bytes a section. See :class:`bbd.geometry.interfaces.Codec`.

    ``palette`` is ``concrete`` or ``wool``; anything else raises ``ValueError``.
    """

    name = "nibble"
    number = 2
    section_size = SECTION_BYTES
    palettes: ClassVar[Sequence[str]] = ("concrete", "wool")

    def __init__(self, palette: str = "concrete") -> None:
        if palette not in self.palettes:
            raise ValueError(f"codec nibble has no palette {palette!r}")
        names = load_palette256().nibble[palette]
        self.palette: Sequence[Block] = (*(Block(name) for name in names), Block(AIR_NAMES[0]))
        self._index = {name: value for value, name in enumerate(names)} | dict.fromkeys(AIR_NAMES, AIR)

    def encode(self, payload: bytes | memoryview) -> npt.NDArray[np.uint16]:
        """The palette index of four bits is their value. Raises ``ValueError`` for a payload longer than a section."""
        if len(payload) > SECTION_BYTES:
            raise ValueError(f"a section holds {SECTION_BYTES} bytes, not {len(payload)}")
        pairs = np.full((SECTION_BYTES, 2), AIR, dtype=np.uint16)
        data = np.frombuffer(payload, dtype=np.uint8)
        pairs[: len(data), 0] = data & 15
        pairs[: len(data), 1] = data >> 4
        return np.ascontiguousarray(pairs.reshape(-1, 8, 2)[:, ::-1]).reshape(-1)

    def recognise(self, name: str, properties: Mapping[str, str]) -> int | None:
        """By name alone: none of these blocks has properties."""
        return self._index.get(name)

    def decode(self, indices: npt.NDArray[np.int32]) -> tuple[bytes, bytes | None]:
        """See the interface; a byte is lost with either of its blocks. Raises ``ValueError`` unless there are 4096
        indices."""
        if indices.shape != (SECTION_BLOCKS,):
            raise ValueError(f"a section has {SECTION_BLOCKS} blocks, not {indices.shape}")
        # Seen as unsigned, -1 is large as well: one maximum finds air and strangers.
        unsigned = np.ascontiguousarray(indices, dtype=np.int32).view(np.uint32)
        pairs = unsigned.reshape(-1, 8, 2)[:, ::-1].reshape(-1, 2)
        values = pairs[:, 0] | pairs[:, 1] << np.uint32(4)
        if int(unsigned.max()) < AIR:
            return values.astype(np.uint8).tobytes(), None
        lost = (pairs[:, 0] >= AIR) | (pairs[:, 1] >= AIR)
        return np.where(lost, np.uint32(0), values).astype(np.uint8).tobytes(), lost.view(np.uint8).tobytes()

    def decode_whole(self, indices: npt.NDArray[np.uint8]) -> bytes:
        """See the interface: two blocks are a 16-bit number here, whose lower byte takes up the other's bits."""
        pairs = indices.view(np.dtype("<u2"))
        values = (pairs | pairs >> np.uint16(4)).astype(np.uint8)
        return values.view(np.uint64).byteswap().tobytes()

    def blocks_of(self, byte: int) -> Sequence[int]:
        """Two blocks, the one of the upper four bits first."""
        low = 2 * (byte ^ 7)
        return (low + 1, low)

    def byte_at(self, block: int) -> int | None:
        """Every block holds a half of a byte."""
        return block >> 1 ^ 7
