"""Looking up single bytes and blocks, without keeping anybody out of the world."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bbd.cli.hosting import geometry_of, one_disk, open_host
from bbd.cli.state import journals_folder
from bbd.disk.descriptor import Descriptor
from bbd.disk.disk import Disk
from bbd.disk.opening import Options
from bbd.errors import BbdError
from bbd.geometry.geometry import Geometry
from bbd.worlds.anvil.lock import holder
from bbd.worlds.anvil.world import AnvilWorld

logger = logging.getLogger("bbd.cli")


@dataclass(frozen=True, slots=True)
class Look:
    """A disk to look into; nothing of it is open between two looks."""

    world: Path
    descriptor: Descriptor
    journal: Path | None

    @property
    def geometry(self) -> Geometry:
        """Where its bytes are."""
        return geometry_of(self.descriptor)

    def value(self, offset: int) -> int:
        """The byte at ``offset``, the journal of a crash included. Raises ``OSError`` (EIO) where it is damaged."""
        if where := holder(self.world):
            logger.warning("the world is open %s; what is not in its files yet is not shown", where)
        options = Options(journals_folder(self.journal), cache=0, read_only=True, force=bool(where))
        host = open_host(self.world, options, only=self.descriptor.name, lock=False)
        try:
            return asyncio.run(_read_byte(host.disks[0], offset))
        finally:
            host.disks[0].release()
            host.close()

    def block(self, place: tuple[int, int, int]) -> tuple[str, Mapping[str, str]]:
        """Name and properties of the block that stands at x, y, z; air where no chunk is."""
        with AnvilWorld(self.world, writable=False) as anvil:
            return anvil.block_at(*place, self.descriptor.dimension) or ("minecraft:air", {})


async def _read_byte(disk: Disk, offset: int) -> int:
    return bytes((await disk.read(offset, 1))[0])[0]


def look(world: Path, disk: str | None, journal: Path | None) -> Look:
    """A disk of a world. Raises :class:`BbdError` where it isn't clear which."""
    return Look(world, one_disk(world, disk), journal)


def check_offset(offset: int, size: int) -> None:
    """Raise :class:`BbdError` for an offset outside the disk."""
    if not 0 <= offset < size:
        raise BbdError(f"offset {offset} is not on the disk: its bytes are 0 to {size - 1}")


def full_name(name: str, properties: Mapping[str, str]) -> str:
    """A block as the game's commands write it: ``minecraft:lever[powered=true]``."""
    listed = ",".join(f"{key}={value}" for key, value in sorted(properties.items()))
    return f"{name}[{listed}]" if listed else name


def show_value(value: int | None) -> str:
    """A byte for people: ``72 (0x48, 'H')``."""
    if value is None:
        return "unknown (damaged)"
    character = f", {chr(value)!r}" if 32 <= value < 127 else ""
    return f"{value} (0x{value:02x}{character})"
