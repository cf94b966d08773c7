"""What stitched chunks with the same kinds of sections have in common: constants, sizes, and a part of the checksum."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import mul
from typing import Final

from isal import isal_zlib

from bbd.worlds.anvil.adler import MODULUS, Sums
from bbd.worlds.anvil.templates import AIR, END, HEAD, Part, Templates

COORDINATE: Final = struct.Struct(">i")
CHECKSUM: Final = struct.Struct(">I")


class Shape:
    """``kinds`` are those of the sections from Y 0 on (:mod:`~bbd.worlds.anvil.templates`).

    ``constants`` and payloads follow each other in turns, first a constant, last the checksum; ``fields`` cuts them
    apart. The payloads are the chunk's x, its z, and the longs of each section that has any; those at ``heads`` are of
    sections that hold but a head. ``size`` is that of all.
    """

    def __init__(self, templates: Templates, kinds: tuple[int, ...]) -> None:
        before_x, between, rest = templates.root
        constants, sizes = [before_x, between], [COORDINATE.size] * 2
        below = AIR
        for y, kind in enumerate((*kinds, END)):
            part = templates.part(y, kind, below)
            rest = Part(rest.packed + part.packed, rest.sums + part.sums)
            if kind in templates.payload_sizes:
                constants.append(rest)
                sizes.append(templates.payload_sizes[kind])
                rest = Part(b"", Sums())
            below = kind
        constants.append(rest)
        self.kinds = kinds
        longs = [kind for kind in kinds if kind in templates.payload_sizes]
        self.heads = [at for at, kind in enumerate(longs, 2) if kind == HEAD]
        self.constants = tuple(part.packed for part in constants)
        fields = [
            f"{len(packed)}s{size}s" for packed, size in zip(self.constants, [*sizes, CHECKSUM.size], strict=True)
        ]
        self.fields = struct.Struct("".join(fields))
        self.size = self.fields.size
        self._weigh([part.sums for part in constants], sizes)

    def _weigh(self, constants: Sequence[Sums], sizes: Sequence[int]) -> None:
        """Prepare :meth:`checksum`: what the constant parts add to it, and how many bytes follow each payload."""
        total = constants[0]
        for size, sums in zip(sizes, constants[1:], strict=True):
            total = total + Sums(size=size) + sums
        self._weights: list[int] = []
        follow = total.size - constants[0].size
        for size, sums in zip(sizes, constants[1:], strict=True):
            follow -= size
            self._weights.append(follow)
            follow -= sums.size
        # An Adler-32 begins with 1 and counts itself once a byte; both are taken off here, for all payloads at once.
        self._first = total.first + 1 - len(sizes)
        self._second = total.second + total.size - sum(sizes) - sum(self._weights)

    def checksum(self, payloads: Sequence[bytes | memoryview]) -> int:
        """The Adler-32 of the whole; see :mod:`~bbd.worlds.anvil.adler`."""
        return self.checksum_of(list(map(isal_zlib.adler32, payloads)))

    def checksum_of(self, values: Sequence[int]) -> int:
        """The same from the payloads' own."""
        firsts = [value & 0xFFFF for value in values]
        total = sum(firsts)
        second = self._second + (sum(values) - total >> 16) + sum(map(mul, firsts, self._weights))
        return int(second % MODULUS << 16 | (self._first + total) % MODULUS)
