"""A world in memory, as a server has it: what stands there now, and what it has saved."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

ChunkAt: TypeAlias = tuple[int, int]
Blocks: TypeAlias = npt.NDArray[np.uint16]
Sections: TypeAlias = dict[int, Blocks]
AIR = 0
_AIRS = {"minecraft:air", "minecraft:cave_air", "minecraft:void_air"}


class UnknownBlock(Exception):
    """There is no such block."""


@dataclass
class FakeWorld:
    """Block states by number (0 is air), chunks by place, and the disks' files. ``unreadable`` chunks stand in the
    region file as these bytes. ``unknown`` names are no blocks of this server."""

    chunks: dict[ChunkAt, Sections] = field(default_factory=dict)
    saved: dict[ChunkAt, Sections] = field(default_factory=dict)
    unreadable: dict[ChunkAt, bytes] = field(default_factory=dict)
    files: dict[str, bytearray] = field(default_factory=dict)
    changes: dict[ChunkAt, int] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._states: list[dict[str, Any]] = [{"name": "minecraft:air"}]
        self._numbers = {_key(self._states[0]): AIR}
        self._clock = itertools.count(1)

    def state(self, said: Mapping[str, Any]) -> int:
        """The number of a state."""
        if said["name"] in self.unknown:
            raise UnknownBlock(said["name"])
        if said["name"] in _AIRS:
            return AIR
        key = _key(said)
        if key not in self._numbers:
            self._numbers[key] = len(self._states)
            self._states.append(dict(said))
        return self._numbers[key]

    def said(self, number: int) -> dict[str, Any]:
        """A state as it is told."""
        return self._states[number]

    def stamp(self, at: ChunkAt) -> int:
        """64 bits of the column's blocks; 0 for air all over."""
        digest = hashlib.blake2b(digest_size=8)
        empty = True
        for index, blocks in sorted(self.chunks.get(at, {}).items()):
            if index < 20 and blocks.any():
                digest.update(bytes([index]) + blocks.tobytes())
                empty = False
        return 0 if empty else int.from_bytes(digest.digest(), "little") or 1

    def put(self, at: ChunkAt, sections: Mapping[int, Blocks | None]) -> None:
        """Change sections; ``None`` is air."""
        chunk = self.chunks.setdefault(at, {})
        for index, blocks in sections.items():
            if blocks is None or not blocks.any():
                chunk.pop(index, None)
            else:
                chunk[index] = blocks
        if not chunk:
            del self.chunks[at]

    def set_block(self, x: int, y: int, z: int, said: Mapping[str, Any]) -> dict[str, Any]:
        """Change a block as somebody in the game does; return what was there."""
        at = x >> 4, z >> 4
        blocks = self.chunks.get(at, {}).get(y >> 4)
        fresh = np.zeros(4096, np.uint16) if blocks is None else blocks.copy()
        place = (y & 15) << 8 | (z & 15) << 4 | x & 15
        was = self.said(int(fresh[place]))
        fresh[place] = self.state(said)
        self.put(at, {y >> 4: fresh})
        return was

    def block(self, x: int, y: int, z: int) -> dict[str, Any]:
        """What stands there."""
        blocks = self.chunks.get((x >> 4, z >> 4), {}).get(y >> 4)
        return self.said(AIR if blocks is None else int(blocks[(y & 15) << 8 | (z & 15) << 4 | x & 15]))

    def save(self, at: ChunkAt) -> None:
        """Bring a chunk to disk."""
        if at in self.chunks:
            self.saved[at] = dict(self.chunks[at])
        else:
            self.saved.pop(at, None)
        self.changes[at[0] >> 5, at[1] >> 5] = next(self._clock)

    def crash(self) -> None:
        """Forget what was not saved."""
        self.chunks = {at: dict(sections) for at, sections in self.saved.items()}

    def regions(self) -> list[ChunkAt]:
        """Where chunks stand on disk."""
        return sorted({(x >> 5, z >> 5) for x, z in [*self.saved, *self.chunks, *self.unreadable]})

    def presence(self, region: ChunkAt) -> bytes:
        """A bit for each chunk of a region."""
        bits = 0
        for x, z in [*self.saved, *self.chunks, *self.unreadable]:
            if (x >> 5, z >> 5) == region:
                bits |= 1 << ((x & 31) + 32 * (z & 31))
        return bits.to_bytes(128, "little")

    def fingerprint(self, region: ChunkAt) -> list[int] | None:
        """What changes with a region's file."""
        return [8192, self.changes[region]] if region in self.changes else None


def state_text(said: Mapping[str, Any]) -> str:
    """A state as it stands in ``was`` and ``now``."""
    properties = sorted((said.get("properties") or {}).items())
    return str(said["name"]) + (
        "[" + ",".join(f"{key}={value}" for key, value in properties) + "]" if properties else ""
    )


def _key(said: Mapping[str, Any]) -> tuple[str, tuple[tuple[str, str], ...]]:
    return said["name"], tuple(sorted((said.get("properties") or {}).items()))
