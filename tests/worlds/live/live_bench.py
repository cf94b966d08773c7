"""A disk in a fake companion's world, for tests: make it, open it, crash it, open it again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bbd.cli.companion import Companion
from bbd.cli.create import describe
from bbd.cli.live_hosting import LiveHost, open_live_host
from bbd.disk.allocation import AllocationFile
from bbd.disk.descriptor import Descriptor
from bbd.disk.disk import Disk
from bbd.disk.opening import Options
from bbd.os_files import OsFiles
from bbd.worlds.live.access import Access
from tests.worlds.live.fake_companion import TOKEN, FakeCompanion
from tests.worlds.live.fake_world import FakeWorld

NAME = "disk"


@dataclass
class LiveBench:
    """A companion with one disk of ``size`` bytes; each :meth:`open` makes a bridge of its own."""

    root: Path
    size: int = 8 << 16
    codec: str = "byte"
    dimension: str = "minecraft:overworld"
    edits: str = "repair"
    cache: int = 1 << 20
    timeout: float = 20
    companion: FakeCompanion = field(default_factory=lambda: FakeCompanion(FakeWorld()))
    host: LiveHost | None = None

    def __post_init__(self) -> None:
        self.descriptor = describe(
            name=NAME,
            size=self.size,
            codec=self.codec,
            layout="linear",
            origin=(-2, 3),
            parity=None,
            edits=self.edits,
            dimension=self.dimension,
        )
        put_files(self.companion.world, self.descriptor, self.root)
        self.companion.start()

    @property
    def access(self) -> Access:
        return Access("127.0.0.1", self.companion.port, False, TOKEN)

    def open(self) -> Disk:
        """Open the disk as a new process would. What was open before must have been closed or released."""
        self.let_go()
        options = Options(journals=self.root / "journals", cache=self.cache)
        self.host = open_live_host(Companion(self.access, self.timeout), options)
        (disk,) = self.host.disks
        return disk

    def let_go(self) -> None:
        """End the bridge."""
        if self.host is not None:
            self.host.close()
            self.host = None

    def stop(self) -> None:
        self.let_go()
        self.companion.kill()


def put_files(world: FakeWorld, descriptor: Descriptor, folder: Path) -> None:
    """A new disk's files, as the companion makes them when it creates one."""
    path = folder / f"{descriptor.name}.columns"
    path.parent.mkdir(parents=True, exist_ok=True)
    AllocationFile(OsFiles(), path, descriptor.uuid_bytes).create()
    world.files[path.name] = bytearray(path.read_bytes())
    world.files[f"{descriptor.name}.json"] = bytearray(descriptor.to_json())
