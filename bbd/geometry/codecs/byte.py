"""Codec ``byte``: one block a byte, 256 kinds of blocks.

Payload byte ``i`` of a section is the block with index ``i ^ 7``. A chunk keeps 8 such indices in a big-endian long
whose first entry sits in the lowest bits, so with this order the bytes in the region file equal the payload
(docs/format.md, "Codec byte").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import AIR_NAMES, SECTION_BLOCKS, Block
from bbd.geometry.palettes.palette256 import load_palette256

AIR = 256

# One 64-bit word is eight blocks in a row; swapping its bytes is the step from i to i ^ 7.
_WORD = np.dtype(np.uint64)


def _swapped(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The same bytes (of whole sections) with index ``i`` where ``i ^ 7`` was."""
    return data.view(_WORD).byteswap().view(np.uint8)


class ByteCodec:
    """Blocks by the palette of 256, 4096 bytes a section. See :class:`bbd.geometry.interfaces.Codec`."""

    name = "byte"
    number = 1
    section_size = SECTION_BLOCKS
    palettes: ClassVar[Sequence[str]] = ("palette256",)

    def __init__(self, palette: str = "palette256") -> None:
        if palette not in self.palettes:
            raise ValueError(f"codec byte has no palette {palette!r}")
        table = load_palette256()
        self.palette: Sequence[Block] = (*(Block(name) for name in table.names), Block(AIR_NAMES[0]))
        self._index = {name: byte for byte, name in enumerate(table.names)}
        self._index |= {alias: self._index[name] for alias, name in table.aliases.items()}
        self._index |= dict.fromkeys(AIR_NAMES, AIR)

    def encode(self, payload: bytes | memoryview) -> npt.NDArray[np.uint16]:
        """The palette index of a byte is the byte. Raises ``ValueError`` for a payload longer than a section."""
        if len(payload) == SECTION_BLOCKS:
            return _swapped(np.frombuffer(payload, dtype=np.uint8)).astype(np.uint16)
        if len(payload) > SECTION_BLOCKS:
            raise ValueError(f"a section holds {SECTION_BLOCKS} bytes, not {len(payload)}")
        indices = np.full(SECTION_BLOCKS, AIR, dtype=np.uint16)
        indices[: len(payload)] = np.frombuffer(payload, dtype=np.uint8)
        return np.ascontiguousarray(indices.reshape(-1, 8)[:, ::-1]).reshape(-1)

    def recognise(self, name: str, properties: Mapping[str, str]) -> int | None:
        """By name alone: a glazed terracotta turned around is still the same byte."""
        return self._index.get(name)

    def decode(self, indices: npt.NDArray[np.int32]) -> tuple[bytes, bytes | None]:
        """See the interface. Raises ``ValueError`` unless there are 4096 indices."""
        if indices.shape != (SECTION_BLOCKS,):
            raise ValueError(f"a section has {SECTION_BLOCKS} blocks, not {indices.shape}")
        # Seen as unsigned, -1 is large as well: one maximum finds air and strangers.
        unsigned = np.ascontiguousarray(indices, dtype=np.int32).view(np.uint32)
        if int(unsigned.max()) < AIR:
            return _swapped(unsigned.astype(np.uint8)).tobytes(), None
        lost = unsigned >= AIR
        known = np.where(lost, np.uint32(0), unsigned).astype(np.uint8)
        return _swapped(known).tobytes(), _swapped(lost.view(np.uint8)).tobytes()

    def decode_whole(self, indices: npt.NDArray[np.uint8]) -> bytes:
        """See the interface: the bytes as they are, in the other order."""
        return _swapped(indices).tobytes()

    def blocks_of(self, byte: int) -> Sequence[int]:
        """One block: ``byte ^ 7``."""
        return (byte ^ 7,)

    def byte_at(self, block: int) -> int | None:
        """Every block holds a byte: ``block ^ 7``."""
        return block ^ 7
