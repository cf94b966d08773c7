"""The file system of the game's server is full: nothing is confirmed that is not there, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path
from random import Random

from tests.conftest import RunBbd, StartServer
from tests.live_server.conftest import StartMinecraft
from tests.live_server.minecraft import MinecraftServer
from tests.nbd_client import NbdClient
from tests.waiting import wait_until

MIB = 1 << 20
SIZE = 8 * MIB
WRITTEN = 4 * MIB
ROOM = 24 * MIB
FULL = "the server's file system is full, make room there"
_TIMEOUT = 60.0
_OWN_FOLDER = f'mount -t tmpfs -o size={ROOM} none "$1" && cp -a "$2/." "$1" && shift 2 && exec "$@"'


class SmallRoom:
    """A server whose world is a copy of another one, in a small file system of its own that goes when it does."""

    def __init__(self, minecraft: StartMinecraft, original: Path, world: Path) -> None:
        world.mkdir()
        root = [] if os.geteuid() == 0 else ["--map-root-user"]
        own: list[str | Path] = ["unshare", "--mount", *root, "sh", "-c", _OWN_FOLDER, "sh", world, original]
        self.game: MinecraftServer = minecraft(world, within=own)
        self.world = Path(f"/proc/{self.game.process.pid}/root") / world.relative_to("/")
        assert shutil.disk_usage(self.world).total == ROOM

    def fill(self) -> None:
        """Leave no room."""
        for name, piece in (("ballast", bytes(1 << 16)), ("ballast.rest", bytes(512))):
            with (self.world / name).open("ab", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(piece)
        assert shutil.disk_usage(self.world).free == 0

    def make_room(self) -> None:
        """Have all of it again."""
        for ballast in self.world.glob("ballast*"):
            ballast.unlink()


def test_the_servers_file_system_is_full(
    bbd: RunBbd, minecraft: StartMinecraft, bbd_server: StartServer, tmp_path: Path
) -> None:
    bbd("create", tmp_path / "original", "--disk", "demo", "--size", str(SIZE))
    room = SmallRoom(minecraft, tmp_path / "original", tmp_path / "world")
    live = ("--live", room.game.bridge, "--token-file", str(room.game.token))
    data = bytearray(Random(1).randbytes(WRITTEN)).ljust(SIZE, b"\0")

    def stats() -> dict[str, int]:
        said = json.loads(bbd("status", *live, "--json").stdout)
        found: dict[str, int] = said["companion"]["disks"][0]["stats"]
        return found

    served = bbd_server(*live)
    with NbdClient(served.connect(), "demo") as client:
        client.write(0, bytes(data[:WRITTEN]))
        client.flush()
        wait_until(lambda: stats()["confirmed"] >= WRITTEN >> 16)
        confirmed = stats()["confirmed"]
        room.fill()
        data[:MIB] = data[MIB : 2 * MIB]
        client.write(0, bytes(data[:MIB]))
        client.flush()
        wait_until(lambda: "checkpoint: " in served.output)
        assert FULL in served.output
        assert client.read(0, SIZE) == data
        said = stats()
        assert said["errors"] > 0
        assert said["confirmed"] == confirmed
        room.make_room()
        wait_until(lambda: stats()["confirmed"] >= confirmed + (MIB >> 16) and not stats()["unconfirmed"])
    served.stop()
    assert offline(bbd, bbd_server, room, tmp_path / "first") == data

    # And a stop while there is no room: what was flushed is in the journal.
    served = bbd_server(*live)
    with NbdClient(served.connect(), "demo") as client:
        client.write(0, bytes(data[:1]))
        client.flush()
        room.fill()
        # Columns that free no sectors, and more of them than the sectors that are free since the rewriting above.
        data[WRITTEN:] = data[:WRITTEN][::-1]
        client.write(WRITTEN, bytes(data[WRITTEN:]))
        client.flush()
        served.process.terminate()
        assert served.process.wait(_TIMEOUT) == 1
    assert f"could not be brought into its world ({FULL}" in served.output
    # The next bbd finds it in the server's memory, and believes nothing that is not in the files.
    refused = bbd("serve", *live, "--unix", tmp_path / "refused.sock", check=False)
    assert refused.returncode == 1
    assert "in memory that it can't save" in refused.stderr
    assert FULL in refused.stderr
    room.make_room()
    again = bbd_server(*live)
    with NbdClient(again.connect(), "demo") as client:
        assert client.read(0, SIZE) == data
    again.stop()
    assert offline(bbd, bbd_server, room, tmp_path / "second") == data
    room.game.stop()


def offline(bbd: RunBbd, bbd_server: StartServer, room: SmallRoom, folder: Path) -> bytes:
    """What the disk holds in a copy of the world as it lies in its files."""
    shutil.copytree(room.world, folder)
    assert bbd("check", folder).returncode == 0
    served = bbd_server("--world", folder)
    with NbdClient(served.connect(), "demo") as client:
        content = client.read(0, SIZE)
    served.stop()
    return content
