"""The header of a region file: where each chunk lies, and when it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bbd.worlds.anvil.sectors import HEADER_SECTORS, SECTOR_SIZE, overlapping

CHUNKS = 1024
HEADER_SIZE = HEADER_SECTORS * SECTOR_SIZE

Table: TypeAlias = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Tables:
    """What the header says, and what follows from it. Replaced as a whole, never changed."""

    locations: Table
    timestamps: Table
    overlapping: frozenset[int]
    present: int

    @classmethod
    def of(cls, locations: Table, timestamps: Table) -> Tables:
        present = int.from_bytes(np.packbits(locations != 0, bitorder="little").tobytes(), "little")
        return cls(locations, timestamps, overlapping(locations), present)

    @classmethod
    def parse(cls, header: bytes) -> Tables:
        """From a header, or from no bytes at all."""
        tables = np.frombuffer(header.ljust(HEADER_SIZE, b"\0"), ">u4").astype(np.uint32)
        return cls.of(tables[:CHUNKS].copy(), tables[CHUNKS:].copy())

    def header(self) -> bytes:
        return self.locations.astype(">u4").tobytes() + self.timestamps.astype(">u4").tobytes()
