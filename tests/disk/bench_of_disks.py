"""A disk on a dictionary world, for tests: make it, open it, crash it, open it again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from bbd.disk.descriptor import Descriptor, descriptor_path, load_descriptor
from bbd.disk.disk import Disk
from bbd.disk.housekeeper import AGE_SECONDS
from bbd.disk.identity import Identity
from bbd.disk.opening import Options, Place, create_disk, open_disk
from bbd.files import Files
from bbd.nbd.buffers import Pieces
from bbd.os_files import OsFiles
from tests.disk.dict_site import DictSite

COLUMN = 16 * 4096


@dataclass
class Bench:
    """A world folder with one disk of ``size`` bytes."""

    root: Path
    size: int = 8 * COLUMN
    parity: int = 2
    edits: str = "repair"
    dimension: str = "minecraft:overworld"
    cache: int = 1 << 20
    age: float = AGE_SECONDS
    files: Files = field(default_factory=OsFiles)
    site: DictSite = field(default_factory=DictSite)

    def __post_init__(self) -> None:
        self.world.mkdir(parents=True, exist_ok=True)
        descriptor = Descriptor(
            name="disk", size=self.size, parity=self.parity, edits=self.edits, dimension=self.dimension
        )
        create_disk(self.files, self.world, descriptor)

    @property
    def world(self) -> Path:
        return self.root / "world"

    @property
    def options(self) -> Options:
        return Options(journals=self.root / "journals", cache=self.cache, age=self.age)

    @property
    def descriptor(self) -> Descriptor:
        return load_descriptor(self.files, descriptor_path(self.world, "disk"))

    def open(self, *, read_only: bool = False, force: bool = False) -> Disk:
        descriptor = self.descriptor
        identity = Identity(
            disk_id=descriptor.uuid_bytes,
            codec=1,
            layout=1,
            width_log2=0,
            parity=descriptor.parity,
            section_size=4096,
            accept_edits=descriptor.edits == "accept",
            checked=descriptor.checked,
        )
        place = Place(self.files, self.world, descriptor, self.site, identity)
        return open_disk(place, replace(self.options, read_only=read_only, force=force))


async def read_all(disk: Disk, offset: int = 0, length: int | None = None) -> bytes:
    """The bytes as one object."""
    return b"".join(await disk.read(offset, disk.size - offset if length is None else length))


async def put(disk: Disk, offset: int, data: bytes) -> None:
    """Write as a server does: at once if it can be, and every other run of whole sections in pieces."""
    if not offset % (2 * disk.block_size) and data and not len(data) % disk.block_size:
        taken = disk.try_write_pieces(offset, pieces(disk, offset, data))
    else:
        taken = disk.try_write(offset, memoryview(data))
    if not taken:
        await disk.write(offset, data)


def pieces(disk: Disk, offset: int, data: bytes) -> list[memoryview]:
    """A payload as a server hands it over when it is long."""
    payload = Pieces(offset, len(data), disk.piece_size)
    payload.put(memoryview(data))
    return payload.pieces
