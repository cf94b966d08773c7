"""A chunk as the game saved it: its bytes, where its tags lie in them, and its sections.

The format is that of 1.18 and later (DataVersion 2860): one root compound with a list ``sections``. Anything that is
no such thing is :class:`~bbd.worlds.world.ColumnUnreadable`, and nothing else is raised.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import Block, Codec
from bbd.worlds.anvil.decoding import Decoding
from bbd.worlds.anvil.nbt_scan import (
    COMPOUND,
    LIST,
    Malformed,
    Reader,
    Tag,
    list_at,
    malformed_as_unreadable,
    scan_compound,
)
from bbd.worlds.anvil.outline import NotLean, Outline, Outliner
from bbd.worlds.anvil.palette import PaletteCache
from bbd.worlds.anvil.section import Section, read_section
from bbd.worlds.world import STORED_SECTIONS


class Chunk:
    """``data`` is the uncompressed NBT, ``body`` where the root's first tag begins, ``tags`` the root's tags,
    and ``outline`` where its blocks are, if it could be read in the lean way."""

    def __init__(
        self, data: bytes, body: int, tags: Sequence[Tag], palettes: PaletteCache, outline: Outline | None
    ) -> None:
        self.data = data
        self.body = body
        self.tags = tags
        self._palettes = palettes
        self.outline = outline

    @classmethod
    def parse(cls, data: bytes, palettes: PaletteCache) -> Chunk:
        """Read a chunk, in the lean way if it looks as expected. Bytes behind its root compound don't matter."""
        try:
            outliner = Outliner(data)
            body, tags = _root(data, outliner.read)
            return cls(data, body, tags, palettes, outliner.recognised(palettes))
        except (NotLean, Malformed, IndexError, struct.error):
            return cls.scan(data, palettes)

    @classmethod
    def scan(cls, data: bytes, palettes: PaletteCache) -> Chunk:
        """The same in the general way, which every chunk can be read by."""
        with malformed_as_unreadable():
            sections: dict[int, Section] = {}
            body, tags = _root(data, lambda data, position: _read_sections(data, position, palettes, sections))
        chunk = cls(data, body, tags, palettes, None)
        chunk.sections = sections
        return chunk

    @cached_property
    def sections(self) -> Mapping[int, Section]:
        """The sections by their Y (height of the lowest block, divided by 16)."""
        sections: dict[int, Section] = {}
        (payload,) = (tag.payload for tag in self.tags if tag.name == b"sections")
        with malformed_as_unreadable():
            _read_sections(self.data, payload, self._palettes, sections)
        return sections

    def stored_sections(self, codec: Codec) -> tuple[list[bytes | None], dict[int, bytes]]:
        """What the disk's sections, Y 0 to 19, hold: payloads, and which of their bytes are lost
        (:class:`~bbd.worlds.world.StoredColumn`)."""
        if self.outline is not None:
            decoding = Decoding(self.data, self.outline, codec)
            return decoding.payloads, decoding.lost
        payloads: list[bytes | None] = [None] * STORED_SECTIONS
        lost: dict[int, bytes] = {}
        for y in range(STORED_SECTIONS):
            section = self.sections.get(y)
            found = section.decode(self.data, codec) if section else None
            if found is not None:
                payloads[y] = found[0]
                if found[1] is not None:
                    lost[y] = found[1]
        return payloads, lost

    def block(self, x: int, y: int, z: int) -> Block:
        """The block at world or chunk coordinates x and z, and height y; air outside of every section."""
        section = self.sections.get(y >> 4)
        if section is None:
            return Block("minecraft:air")
        with malformed_as_unreadable():
            return section.block(self.data, (y & 15) << 8 | (z & 15) << 4 | x & 15)

    def section_blocks(self, y: int) -> tuple[Sequence[Block], npt.NDArray[np.uint16]] | None:
        """The kinds of blocks in the section at Y, and 4096 indices into them, in block order; ``None`` where there
        is no such section, or nothing but air in it."""
        section = self.sections.get(y)
        if section is None:
            return None
        with malformed_as_unreadable():
            return None if section.is_air(self.data) else section.entries(self.data)

    def is_blank(self) -> bool:
        """Whether the disk's sections, Y 0 to 19, are all air."""
        return all(self.sections[y].is_air(self.data) for y in range(STORED_SECTIONS) if y in self.sections)


def _root(data: bytes, sections: Reader) -> tuple[int, list[Tag]]:
    """Where the root's first tag begins, and its tags."""
    if data[0] != COMPOUND:
        raise Malformed("it does not begin with a compound")
    body = 3 + (data[1] << 8 | data[2])
    tags, _ = scan_compound(data, body, {b"sections": (LIST, sections)})
    names = {tag.name for tag in tags}
    if b"sections" not in names:
        if b"Level" in names:
            raise Malformed("it was saved by a Minecraft older than 1.18; open the world in a newer one first")
        raise Malformed("it has no sections")
    return body, tags


def _read_sections(data: bytes, position: int, palettes: PaletteCache, sections: dict[int, Section]) -> int:
    count, position = list_at(data, position, COMPOUND)
    for _ in range(count):
        section, position = read_section(data, position, palettes)
        if section.y in sections:
            raise Malformed(f"it has two sections with Y {section.y}")
        sections[section.y] = section
    return position
