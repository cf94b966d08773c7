"""Payloads of all sections of an outlined chunk.

Sections whose palette has nothing but blocks that hold bytes, none of them air, are decoded together, a byte a block.
All others (a check section, which ends in air; damage; blocks of redstone) go one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.outline import Outline, Place
from bbd.worlds.anvil.packing import ENTRIES, bits_for, unpack_many
from bbd.worlds.anvil.section import decoded
from bbd.worlds.world import STORED_SECTIONS


class Decoding:
    """Decodes once: ``payloads`` and ``lost`` are those of :class:`~bbd.worlds.world.StoredColumn`."""

    def __init__(self, data: bytes, outline: Outline, codec: Codec) -> None:
        self.payloads: list[bytes | None] = [None] * STORED_SECTIONS
        self.lost: dict[int, bytes] = {}
        self._outline = outline
        self._codec = codec
        self._meaning = outline.known.meaning(codec)
        self._low = self._meaning.low.take(outline.numbers).tobytes()
        self._whole = self._meaning.whole.take(outline.numbers).tobytes()
        widths = defaultdict[int, list[Place]](list)
        for place in outline.places:
            if 0 <= place.y < STORED_SECTIONS:
                widths[0 if place.longs is None else bits_for(place.kinds)].append(place)
        for place in widths.pop(0, ()):
            self._decode_uniform(place)
        together: list[tuple[int, bytes]] = []
        for bits, places in widths.items():
            together += self._unpacked(data, bits, places)
        self._decode_together(together)

    def _unpacked(self, data: bytes, bits: int, places: Sequence[Place]) -> list[tuple[int, bytes]]:
        """Y and palette indices of the codec for the sections that can be decoded together; the others are decoded."""
        found = unpack_many(data, [place.longs for place in places if place.longs is not None], bits)
        highest = found.max(axis=1).tolist()
        content = found.tobytes() if bits <= 8 else b""
        together = []
        for section, place in enumerate(places):
            if content and highest[section] < place.kinds and self._is_whole(place):
                low = self._low[place.entries : place.entries + place.kinds].ljust(256, b"\0")
                blocks = content[section * ENTRIES : (section + 1) * ENTRIES]
                together.append((place.y, blocks.translate(low)))
            else:
                self._keep(place.y, decoded(self._table(place)[found[section]], self._codec))
        return together

    def _is_whole(self, place: Place) -> bool:
        if self._is_read(place) or self._meaning.decode_whole is None:
            return False
        return self._whole.find(0, place.entries, place.entries + place.kinds) < 0

    def _is_read(self, place: Place) -> bool:
        return place.y in self._outline.read

    def _table(self, place: Place) -> npt.NDArray[np.int32]:
        """The codec's index for each possible palette index; see ``Palette.table``."""
        if self._is_read(place):
            return self._outline.read[place.y].table(self._codec)
        table = np.full(1 << bits_for(place.kinds), -1, np.int32)
        numbers = self._outline.numbers[place.entries : place.entries + place.kinds]
        table[: place.kinds] = self._meaning.indices.take(numbers)
        return table

    def _decode_uniform(self, place: Place) -> None:
        known = self._meaning.indices
        index = int(self._table(place)[0] if self._is_read(place) else known[self._outline.numbers[place.entries]])
        uniform = self._meaning.uniform
        if index not in uniform:
            uniform[index] = decoded(np.full(ENTRIES, index, np.int32), self._codec)
        self._keep(place.y, uniform[index])

    def _keep(self, y: int, found: tuple[bytes, bytes | None] | None) -> None:
        if found is not None:
            self.payloads[y] = found[0]
            if found[1] is not None:
                self.lost[y] = found[1]

    def _decode_together(self, together: Sequence[tuple[int, bytes]]) -> None:
        if together and self._meaning.decode_whole is not None:
            blocks = np.frombuffer(b"".join([blocks for _, blocks in together]), np.uint8)
            payload, size = self._meaning.decode_whole(blocks), self._codec.section_size
            for place, (y, _) in enumerate(together):
                self.payloads[y] = payload[place * size : (place + 1) * size]
