"""One section of a chunk: 16 x 16 x 16 blocks as a palette and indices into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import Block, Codec
from bbd.worlds.anvil import nbt_write
from bbd.worlds.anvil.nbt_scan import (
    COMPOUND,
    LIST,
    LONG_ARRAY,
    STRING,
    Malformed,
    Tag,
    int_at,
    length_at,
    scan_compound,
    skip,
)
from bbd.worlds.anvil.packing import ENTRIES, bits_for, longs_for, pack, unpack
from bbd.worlds.anvil.palette import Palette, PaletteCache
from bbd.worlds.world import Payload

BIOMES = b"biomes"
BLOCK_STATES = b"block_states"
# Light is computed from blocks; "starlight." are the tags of servers that compute it in another way.
LIGHT = (b"BlockLight", b"SkyLight")
STARLIGHT = b"starlight."

VOID_BIOMES = nbt_write.compound(
    "biomes", [nbt_write.listing("palette", STRING, [nbt_write.string_payload("minecraft:the_void")])]
)
_COMPACT = 16


def is_light(name: bytes) -> bool:
    """Whether a tag of a section or a chunk was derived from its blocks by the light engine."""
    return name in LIGHT or name.startswith(STARLIGHT)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a scanned chunk whose bytes are ``data``; ``palette`` is ``None`` where it has no blocks at all
    (the game keeps such sections for their light) and ``longs`` where all blocks are the palette's first."""

    y: int
    tags: Sequence[Tag]
    palette: Palette | None
    longs: int | None

    def is_air(self, data: bytes) -> bool:
        """Whether there is nothing but air."""
        if self.palette is None or self.palette.air.all():
            return True
        if self.longs is None or not self.palette.air.any():
            return False
        air = np.zeros(1 << self.palette.bits, np.bool_)
        air[: len(self.palette.blocks)] = self.palette.air
        return bool(air[unpack(data, self.longs, self.palette.bits)].all())

    def block(self, data: bytes, index: int) -> Block:
        """The block with that index (``y << 8 | z << 4 | x``). Raises ``Malformed`` where the section says none."""
        if self.palette is None:
            return Block("minecraft:air")
        entry = 0 if self.longs is None else int(unpack(data, self.longs, self.palette.bits)[index])
        if entry >= len(self.palette.blocks):
            raise Malformed("a block is not in the palette of its section")
        return self.palette.blocks[entry]

    def entries(self, data: bytes) -> tuple[Sequence[Block], npt.NDArray[np.uint16]]:
        """The palette's blocks, and for each of the section's 4096 which one it is. Raises ``Malformed``."""
        if self.palette is None or self.longs is None:
            blocks = [Block("minecraft:air")] if self.palette is None else self.palette.blocks
            return blocks, np.zeros(ENTRIES, np.uint16)
        found = unpack(data, self.longs, self.palette.bits)
        if int(found.max()) >= len(self.palette.blocks):
            raise Malformed("a block is not in the palette of its section")
        return self.palette.blocks, found

    def decode(self, data: bytes, codec: Codec) -> tuple[bytes, bytes | None] | None:
        """What the blocks mean to the codec, as its ``decode`` says it; ``None`` for air all over."""
        if self.palette is None:
            return None
        table = self.palette.table(codec)
        if self.longs is None:
            return decoded(np.full(ENTRIES, table[0], np.int32), codec)
        return decoded(table[unpack(data, self.longs, self.palette.bits)], codec)


def decoded(indices: npt.NDArray[np.int32], codec: Codec) -> tuple[bytes, bytes | None] | None:
    """What ``decode`` of a codec says of 4096 of its palette indices; ``None`` for air all over."""
    air = len(codec.palette) - 1
    if int(indices[0]) == air and bool((indices == air).all()):
        return None
    return codec.decode(indices)


def read_section(data: bytes, position: int, palettes: PaletteCache) -> tuple[Section, int]:
    """The section whose compound begins at ``position``, and the position behind it. Raises ``Malformed``,
    ``IndexError``."""
    states = _States(palettes)
    tags, end = scan_compound(data, position, {BLOCK_STATES: (COMPOUND, states.read)})
    y = next((int_at(data, tag) for tag in tags if tag.name == b"Y"), None)
    if y is None:
        raise Malformed("a section has no Y")
    return Section(y, tags, states.palette, states.longs), end


class _States:
    """Reads ``block_states``."""

    def __init__(self, palettes: PaletteCache) -> None:
        self._palettes = palettes
        self._longs: tuple[int, int] | None = None
        self.palette: Palette | None = None
        self.longs: int | None = None

    def read(self, data: bytes, position: int) -> int:
        _, end = scan_compound(
            data, position, {b"palette": (LIST, self._read_palette), b"data": (LONG_ARRAY, self._read_data)}
        )
        self.longs = self._position_of_longs()
        return end

    def _read_palette(self, data: bytes, position: int) -> int:
        self.palette, end = self._palettes.read(data, position)
        return end

    def _read_data(self, data: bytes, position: int) -> int:
        self._longs = (position + 4, length_at(data, position))
        return skip(data, LONG_ARRAY, position)

    def _position_of_longs(self) -> int | None:
        if self.palette is None:
            raise Malformed("a section has blocks but no palette")
        if len(self.palette.blocks) == 1:
            return None
        if self._longs is None or self._longs[1] != longs_for(self.palette.bits):
            raise Malformed("a section's blocks don't fit its palette")
        return self._longs[0]


class SectionWriter:
    """Writes payloads as ``block_states`` tags with a codec's blocks.

    A section of up to 16 kinds of blocks gets a palette of its own, any other the whole of the codec's palette without
    air, which stays the same from section to section and so can be compressed and recognised well.
    """

    def __init__(self, codec: Codec) -> None:
        self._encode: Callable[[Payload], npt.NDArray[np.uint16]] = codec.encode
        self._entries = [_entry(block) for block in codec.palette]
        self._whole = len(codec.palette) - 1
        self._whole_palette = nbt_write.listing("palette", COMPOUND, self._entries[: self._whole])
        self.air = uniform(codec.palette[-1])

    def write(self, payload: Payload | None) -> bytes:
        """The tag; it equals :attr:`air` exactly where every block is air."""
        if not payload:
            return self.air
        indices = self._encode(payload)
        kinds = np.flatnonzero(np.bincount(indices, minlength=len(self._entries)))
        if len(kinds) > _COMPACT and kinds[-1] < self._whole:
            return _states(self._whole_palette, indices, self._whole)
        palette = nbt_write.listing("palette", COMPOUND, [self._entries[kind] for kind in kinds.tolist()])
        if len(kinds) == 1:
            return nbt_write.compound("block_states", [palette])
        places = np.zeros(len(self._entries), np.uint16)
        places[kinds] = np.arange(len(kinds), dtype=np.uint16)
        return _states(palette, places[indices], len(kinds))


def uniform(block: Block) -> bytes:
    """The ``block_states`` tag of a section of one kind of block."""
    return nbt_write.compound("block_states", [nbt_write.listing("palette", COMPOUND, [_entry(block)])])


def blocks_states(blocks: Sequence[Block], indices: npt.NDArray[np.uint16]) -> bytes:
    """The ``block_states`` tag of 4096 indices into ``blocks``, of which there must be at least two."""
    palette = nbt_write.listing("palette", COMPOUND, [_entry(block) for block in blocks])
    return _states(palette, indices, len(blocks))


def _states(palette: bytes, indices: npt.NDArray[np.uint16], kinds: int) -> bytes:
    return nbt_write.compound("block_states", [palette, nbt_write.long_array("data", pack(indices, bits_for(kinds)))])


def _entry(block: Block) -> bytes:
    tags = [nbt_write.string("Name", block.name)]
    if block.properties:
        states = [nbt_write.string(name, value) for name, value in sorted(block.properties.items())]
        tags.append(nbt_write.compound("Properties", states))
    return nbt_write.compound_payload(tags)
