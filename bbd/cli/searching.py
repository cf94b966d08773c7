"""Finding disks in a world from their check sections alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bbd.cli.progress import progress
from bbd.disk.check import CHECK_SIZE, CheckSection
from bbd.disk.column_map import ColumnMap
from bbd.errors import BbdError
from bbd.geometry import registry
from bbd.geometry.geometry import Geometry
from bbd.geometry.interfaces import Codec
from bbd.worlds.anvil.chunk import Chunk
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import CHECK_SECTION, ColumnUnreadable

_ID = slice(8, 24)
"""Where a check section keeps the disk's id (docs/format.md, "Check section")."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How a disk lies in a world, as its check sections and their places tell; ``layout`` and ``width_log2`` are what
    they keep of the layout."""

    dimension: str
    codec: str
    palette: str
    layout: int
    width_log2: int
    parity: int
    origin: tuple[int, int]

    @property
    def geometry(self) -> Geometry:
        """Raises :class:`BbdError` for a layout that isn't installed, or an origin that can't be."""
        layout = registry.layout_by_number(self.layout, self.width_log2)
        return Geometry(registry.codec(self.codec, self.palette), layout, self.origin)


@dataclass(slots=True)
class FoundDisk:
    """A disk that was found: where most of its columns say that it lies, those columns, and how many say otherwise
    (copies that were built elsewhere). ``generation`` is the highest of any of its columns."""

    disk_id: bytes
    placement: Placement
    columns: ColumnMap
    strays: int
    generation: int


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A chunk that does not say whose column it is: ``remains`` are the bytes where a check section would be, by each
    codec that knows some of them (the bytes it doesn't know are 0); ``readable`` is false where it can't be read at
    all."""

    dimension: str
    chunk: tuple[int, int]
    readable: bool
    remains: Sequence[bytes] = ()

    def is_of(self, disk_id: bytes) -> bool:
        """Whether what is left of a check section still tells that disk: half of its id."""
        return any(_alike(remains[_ID], disk_id) for remains in self.remains)


@dataclass(slots=True)
class Search:
    """What a world was found to hold: disks by id, and chunks with blocks in them that are in doubt."""

    disks: list[FoundDisk]
    doubtful: list[Doubtful]


@dataclass(slots=True)
class _Seen:
    columns: defaultdict[Placement, ColumnMap] = field(default_factory=lambda: defaultdict(ColumnMap))
    generation: int = 0

    def found(self, disk_id: bytes) -> FoundDisk:
        placement, columns = max(self.columns.items(), key=lambda item: len(item[1]))
        strays = sum(map(len, self.columns.values())) - len(columns)
        return FoundDisk(disk_id, placement, columns, strays, self.generation)


@dataclass(frozen=True, slots=True)
class _Kind:
    codec: Codec
    palette: str


def search(world: AnvilWorld, dimensions: Iterable[str]) -> Search:
    """Look at every chunk of the dimensions. Costs what the world holds, however large its disks are."""
    seen = defaultdict[bytes, _Seen](_Seen)
    doubtful = []
    kinds = [
        _Kind(registry.codec(name, palette), palette)
        for name in registry.codec_names()
        for palette in registry.palette_names(name)
    ]
    for dimension in dimensions:
        for cx, cz in progress(world.present_chunks(dimension), f"looking for check sections in {dimension}"):
            try:
                chunk = world.chunk_at(cx, cz, dimension)
            except ColumnUnreadable:
                doubtful.append(Doubtful(dimension, (cx, cz), readable=False))
                continue
            if chunk is None or chunk.is_blank():
                continue
            remains = []
            for payload, kind in _check_payloads(chunk, kinds):
                if (check := _check(payload, kind)) is None:
                    remains.append(payload)
                    continue
                if (placement := _placement(check, kind, dimension, (cx, cz))) is not None:
                    one = seen[check.disk_id.bytes]
                    one.columns[placement].add(check.column)
                    one.generation = max(one.generation, check.generation)
                break
            else:
                doubtful.append(Doubtful(dimension, (cx, cz), readable=True, remains=remains))
    return Search([one.found(disk_id) for disk_id, one in sorted(seen.items())], doubtful)


def _check_payloads(chunk: Chunk, kinds: Sequence[_Kind]) -> Iterator[tuple[bytes, _Kind]]:
    """What a chunk holds in the place of a check section, by every codec that knows some of it."""
    section = chunk.sections.get(CHECK_SECTION)
    for kind in kinds if section else ():
        found = section.decode(chunk.data, kind.codec) if section else None
        if found is not None and any(found[0][:CHECK_SIZE]):
            yield found[0][:CHECK_SIZE], kind


def _check(payload: bytes, kind: _Kind) -> CheckSection | None:
    """The check section that a payload is, if it is a whole one. Lost bytes read 0 and would not pass for others: its
    own CRC says so."""
    try:
        check = CheckSection.unpack(payload)
    except ValueError:
        return None
    return check if check.codec == kind.codec.number else None


def _alike(remains: bytes, disk_id: bytes) -> bool:
    return 2 * sum(a == b != 0 for a, b in zip(remains, disk_id, strict=True)) >= len(disk_id)


def _placement(check: CheckSection, kind: _Kind, dimension: str, chunk: tuple[int, int]) -> Placement | None:
    """Where a disk lies of which this chunk is this column; ``None`` where no disk can lie so."""
    try:
        x, z = registry.layout_by_number(check.layout, check.width_log2).chunk(check.column)
        placement = Placement(
            dimension=dimension,
            codec=kind.codec.name,
            palette=kind.palette,
            layout=check.layout,
            width_log2=check.width_log2,
            parity=check.parity,
            origin=(chunk[0] - x, chunk[1] - z),
        )
        return placement if placement.geometry.column_of(*chunk) == check.column else None
    except BbdError:
        return None
