"""Stitched chunks: zlib streams whose payload bytes stand in them as they are (docs/format.md, "Stitched chunks").

Around the payloads lie constant parts (:mod:`~bbd.worlds.anvil.templates`), so writing one is putting its parts in a
row, and reading one is cutting it up, once its constant parts are found to be where they must. What doesn't fit here is
left to the general way, which reads these chunks too: to everybody else they are zlib like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Final, TypeAlias, TypeGuard

from isal import isal_zlib

from bbd.files import Bytes
from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.compression import ZLIB, PartedChunk, RawChunk
from bbd.worlds.anvil.head_section import HEAD_BYTES
from bbd.worlds.anvil.shapes import CHECKSUM, COORDINATE, Shape
from bbd.worlds.anvil.templates import AIR, FULL, HEAD, ZLIB_HEAD, Templates, repeated, templates_for
from bbd.worlds.world import CHECK_SECTION, KEEP, STORED_SECTIONS, Payload, SectionWrite

_SHAPES_KEPT: Final = 1024

Cell: TypeAlias = tuple[int, Payload | None]
"""A section: its kind, and its longs where they are not constant."""

ALL_AIR: Final[Sequence[Cell]] = [(AIR, None)] * STORED_SECTIONS


@dataclass(frozen=True, slots=True)
class Stitched:
    """What a stitched chunk holds; nobody else has anything in it. ``payloads`` and ``lost`` are those of
    :class:`~bbd.worlds.world.StoredColumn`."""

    cells: Sequence[Cell]
    payloads: Sequence[bytes | None]
    lost: Mapping[int, bytes]


class Stitcher:
    """Writes and reads the stitched chunks of the codec whose ``templates`` it has. Any thread may call."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._size = templates.payload_sizes[FULL]
        self._shape = lru_cache(_SHAPES_KEPT)(partial(Shape, self._templates))
        self._varied = lru_cache(_SHAPES_KEPT)(self._shape_for)
        self._kinds = {0: AIR, self._size: FULL, HEAD_BYTES: HEAD}
        self._uniform_sums = frozenset(isal_zlib.adler32(bytes([byte]) * self._size) for byte in range(256))
        # The shape that a chunk of a size had last is likely that of the next.
        self._seen: dict[int, Shape] = {}

    def cells(self, sections: Sequence[SectionWrite], kept: Sequence[Cell | None] = ALL_AIR) -> list[Cell] | None:
        """What a write's sections become, those it keeps as they are in ``kept``; ``None`` where a stitched chunk
        can't hold one: for the size of its payload, or as ``kept`` has ``None`` for it."""
        cells: list[Cell] = []
        for y, payload in enumerate(sections):
            if not payload:
                cells.append((AIR, None))
            elif payload is KEEP:
                cell = kept[y]
                if cell is None:
                    return None
                cells.append(cell)
            elif len(payload) == self._size:
                # Looked at in three places first: nearly every payload of many values differs there.
                first = payload[0]
                if first == payload[-1] == payload[self._size >> 1] and bytes(payload) == repeated(first, self._size):
                    cells.append(self._uniform(first, payload))
                else:
                    cells.append((FULL, payload))
            elif len(payload) == HEAD_BYTES:
                cells.append((HEAD, self._templates.head.pack(bytes(payload))))
            else:
                return None
        return cells

    def packed_heads(self, columns: Iterable[Sequence[SectionWrite]]) -> dict[bytes, bytes]:
        """The longs of the columns' check sections, by payload: packed together, which takes a fraction of the time."""
        checks = [bytes(check) for sections in columns if _is_head(check := sections[CHECK_SECTION])]
        return dict(zip(checks, self._templates.head.pack_many(checks), strict=True))

    def varied_chunk(
        self,
        cx: int,
        cz: int,
        sections: Sequence[SectionWrite],
        kept: Sequence[Cell | None],
        heads: Mapping[bytes, bytes],
    ) -> PartedChunk | None:
        """What :meth:`chunk` makes of :meth:`cells`, in short, for most columns: those that have no uniform section,
        keep nothing but air, and whose heads are in ``heads``. ``None`` for any other."""
        if kept is not ALL_AIR and any(item is KEEP and kept[y] != ALL_AIR[y] for y, item in enumerate(sections)):
            return None
        shape = self._varied(tuple([len(item) if item and item is not KEEP else 0 for item in sections]))
        if shape is None:
            return None
        payloads = [COORDINATE.pack(cx), COORDINATE.pack(cz), *[item for item in sections if item and item is not KEEP]]
        for at in shape.heads:
            head = payloads[at]
            packed = heads.get(head) if isinstance(head, bytes) else None
            if packed is None:
                return None
            payloads[at] = packed
        sums = list(map(isal_zlib.adler32, payloads))
        # A uniform section would have one of these; what has one by chance goes the longer way.
        if not self._uniform_sums.isdisjoint(sums):
            return None
        return _put_together(shape, payloads, shape.checksum_of(sums))

    def kept(self, payloads: Sequence[bytes | None], lost: Mapping[int, bytes]) -> list[Cell | None]:
        """The sections of a chunk that wasn't stitched; ``None`` for one whose blocks are not all a payload's."""
        found = [self.cells([self._known(payload, lost.get(y))]) for y, payload in enumerate(payloads)]
        return [cells[0] if cells else None for cells in found]

    def chunk(self, cx: int, cz: int, cells: Sequence[Cell]) -> PartedChunk:
        """The chunk at these coordinates with these sections."""
        shape = self._shape(tuple([kind for kind, _ in cells]))
        payloads = [COORDINATE.pack(cx), COORDINATE.pack(cz), *[longs for _, longs in cells if longs is not None]]
        return _put_together(shape, payloads, shape.checksum(payloads))

    def parse(self, cx: int, cz: int, raw: RawChunk) -> Stitched | None:
        """Cut up the chunk at these coordinates; ``None`` for any that isn't exactly a stitched one of this codec.

        The checksum of the stream is looked at only where the chunk has no check section: that one has better.
        """
        if raw.compression != ZLIB or raw.data[: len(ZLIB_HEAD)] != ZLIB_HEAD:
            return None
        data = raw.data
        shape = self._seen.get(len(data))
        fields = shape.fields.unpack(data) if shape else ()
        if not shape or fields[::2] != shape.constants:
            shape = self._found(data)
            if shape is None:
                return None
            if len(self._seen) >= _SHAPES_KEPT:
                self._seen.clear()
            self._seen[len(data)] = shape
            fields = shape.fields.unpack(data)
        payloads = fields[1:-1:2]
        if payloads[:2] != (COORDINATE.pack(cx), COORDINATE.pack(cz)):
            return None
        if shape.kinds[CHECK_SECTION] != HEAD and CHECKSUM.pack(shape.checksum(payloads)) != fields[-1]:
            return None
        return self._stitched(shape, payloads[2:])

    def _known(self, payload: bytes | None, lost: bytes | None) -> bytes | None:
        """As much of a payload as is known, if that is all of it or a head."""
        if payload is None or lost is None:
            return payload
        return payload[:HEAD_BYTES] if lost == self._templates.head.lost else payload[:1]

    def _shape_for(self, sizes: Sequence[int]) -> Shape | None:
        """The shape of a chunk with payloads of these sizes, none of them uniform; ``None`` where some other size is
        among them, or no full one."""
        if self._size not in sizes or not self._kinds.keys() >= set(sizes):
            return None
        return self._shape(tuple([self._kinds[size] for size in sizes]))

    def _uniform(self, byte: int, payload: Payload) -> Cell:
        kind, odd = divmod(byte, self._templates.step)
        return (FULL, payload) if odd else (kind, None)

    def _found(self, data: Bytes) -> Shape | None:
        """The shape that a chunk has, by one look at each section."""
        position = sum(len(part.packed) for part in self._templates.root) + 2 * COORDINATE.size
        kinds = [AIR]
        for y in range(STORED_SECTIONS):
            kind = self._templates.kind_at(data, position, y, kinds[-1])
            if kind is None:
                return None
            position += len(self._templates.part(y, kind, kinds[-1]).packed)
            position += self._templates.payload_sizes.get(kind, 0)
            kinds.append(kind)
        shape = self._shape(tuple(kinds[1:]))
        fits = shape.size == len(data) and shape.fields.unpack(data)[::2] == shape.constants
        return shape if fits else None

    def _stitched(self, shape: Shape, longs: Iterable[bytes]) -> Stitched | None:
        cells: list[Cell] = []
        payloads: list[bytes | None] = []
        lost: dict[int, bytes] = {}
        rest = iter(longs)
        for y, kind in enumerate(shape.kinds):
            if kind == FULL:
                payload = next(rest)
                cells.append((FULL, payload))
                payloads.append(payload)
            elif kind == AIR:
                cells.append((AIR, None))
                payloads.append(None)
            elif kind == HEAD:
                packed = next(rest)
                head = self._templates.head.unpack(packed)
                if head is None:
                    return None
                cells.append((HEAD, packed))
                payloads.append(head + self._templates.head.above)
                lost[y] = self._templates.head.lost
            else:
                cells.append((kind, None))
                payloads.append(repeated(kind * self._templates.step, self._size))
        return Stitched(cells, payloads, lost)


def _is_head(payload: SectionWrite) -> TypeGuard[Payload]:
    return payload is not None and payload is not KEEP and len(payload) == HEAD_BYTES


def _put_together(shape: Shape, payloads: Sequence[Payload], checksum: int) -> PartedChunk:
    parts: list[Bytes] = [b""] * (2 * len(payloads) + 2)
    parts[0::2] = shape.constants
    parts[1:-1:2] = payloads
    parts[-1] = CHECKSUM.pack(checksum)
    return PartedChunk(parts, shape.size)


def stitcher_for(codec: Codec) -> Stitcher | None:
    """The one for a codec, always the same; ``None`` where stitching doesn't suit it."""
    templates = templates_for(codec)
    return _stitcher(templates) if templates else None


@cache
def _stitcher(templates: Templates) -> Stitcher:
    return Stitcher(templates)
