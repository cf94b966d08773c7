"""The two interfaces of the geometry: a codec (bytes to blocks) and a layout (columns to chunks).

Both are pure: no state, no I/O, safe from any thread. Each implementation is one file with one class and registers
under an entry point (``bbd.codecs``, ``bbd.layouts``); nothing else changes to add one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

SECTION_BLOCKS = 4096
AIR_NAMES = ("minecraft:air", "minecraft:cave_air", "minecraft:void_air")
"""The first is the one to write."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block state: its full name (``minecraft:lever``) and the properties that differ from the defaults or matter
    to the codec."""

    name: str
    properties: Mapping[str, str] = field(default_factory=dict)


class Codec(Protocol):
    """Bytes of one section (16 x 16 x 16 blocks) to its blocks and back.

    Block indices count as the game does: ``y << 8 | z << 4 | x`` within the section.
    A codec must not depend on anything outside the section, and every payload must come back from its own blocks.
    The class is called with the name of one of its palettes.
    """

    name: str
    number: int
    """Its number in the check section: ``byte`` 1, ``nibble`` 2, ``redstone`` 3."""
    palettes: ClassVar[Sequence[str]]
    """Names of the sets of blocks that it can be made with, as a descriptor keeps them; the first is the default."""
    section_size: int
    """Payload bytes of a section."""
    palette: Sequence[Block]
    """Every block it writes, air last, at most 65535 of them."""

    def encode(self, payload: bytes | memoryview) -> npt.NDArray[np.uint16]:
        """4096 palette indices, in block order. A payload shorter than ``section_size`` leaves the blocks of the
        bytes it lacks as air."""

    def recognise(self, name: str, properties: Mapping[str, str]) -> int | None:
        """The palette index of a block found in a world (aliases and missing default properties included), the
        index of air for air, or ``None`` for a block that is no part of a payload."""

    def decode(self, indices: npt.NDArray[np.int32]) -> tuple[bytes, bytes | None]:
        """The payload of 4096 palette indices (-1: not recognised), and which bytes are lost: ``None`` for none,
        else a byte per payload byte, not 0 where a block of it is air or unrecognised (such bytes read 0)."""

    def blocks_of(self, byte: int) -> Sequence[int]:
        """Block indices that hold payload byte ``byte`` of a section, most significant bits first."""

    def byte_at(self, block: int) -> int | None:
        """The payload byte that block index ``block`` holds a part of; ``None`` for scaffolding."""


@runtime_checkable
class WholeCodec(Codec, Protocol):
    """A codec that can also decode sections together in which nothing is lost. It need not: it is but faster."""

    def decode_whole(self, indices: npt.NDArray[np.uint8]) -> bytes:
        """The payloads, one behind the other, of any number of sections of which every block is in the palette and
        none is air: their palette indices in block order. Or of the first blocks of one, a multiple of 64."""


class Layout(Protocol):
    """Column numbers to chunks, relative to the disk's origin, size-independent: column n stays where it is when the
    disk grows. All chunks have coordinates >= 0, so the chunk at (-1, -1) is never the disk's, unless the layout
    says otherwise in its own documentation."""

    name: str
    number: int
    """Its number in the check section: ``hilbert`` 1, ``linear`` 2, ``spiral`` 3."""
    origin_multiple: int
    """The origin's chunk coordinates must be multiples of this."""

    @property
    def width_log2(self) -> int:
        """What a check section keeps of the parameters: log2 of the width in chunks, 0 for a layout without one."""

    def parameters(self) -> Mapping[str, int]:
        """What the constructor takes to make this layout again, as the descriptor keeps it: ``{"width": 32}``."""

    @classmethod
    def for_size(cls, columns: int) -> Self:
        """The layout with the parameters that suit a new disk of so many columns."""

    @classmethod
    def from_width_log2(cls, width_log2: int) -> Self:
        """The layout whose ``width_log2`` a check section gives. Raises ``ValueError`` where none has it."""

    def chunk(self, column: int) -> tuple[int, int]:
        """Chunk coordinates (x, z) of a column, relative to the origin."""

    def column(self, x: int, z: int) -> int | None:
        """The column at a chunk relative to the origin; ``None`` where no disk of this layout can reach."""

    def rectangles(self, columns: int) -> Iterator[tuple[int, int, int, int]]:
        """The chunks of columns 0…columns-1 as disjoint rectangles (x, z, width, depth), at most some hundreds."""
