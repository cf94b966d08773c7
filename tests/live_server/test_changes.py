"""What others change in a disk's place, told or not, and chunks that can't be read: nothing is lost silently."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from bbd.geometry.geometry import Geometry
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.registry import codec
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnWrite, read_column
from tests.conftest import RunBbd, StartServer
from tests.live_server.conftest import Attach, Join, StartMinecraft
from tests.live_server.places import blocks_of, names, visit
from tests.nbd_client import NbdClient, NbdError
from tests.servers import free_port
from tests.waiting import wait_until

SIZE = 1 << 20
COLUMN = 1 << 16
SECTION = 4096
GEOMETRY = Geometry(codec("byte"), HilbertLayout(), (0, 0))


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return tmp_path / "world"


def stats(bbd: RunBbd, *live: str | Path) -> dict[str, int]:
    """What ``bbd status`` says of the disk."""
    found: dict[str, int] = json.loads(bbd("status", *live, "--json").stdout)["companion"]["disks"][0]["stats"]
    return found


def alter(world: Path, column: int, index: int, change: Callable[[bytearray], None]) -> None:
    """Change blocks as another program would, which knows nothing of disks; the world is nobody's just now."""
    with AnvilWorld(world) as anvil:
        site = anvil.site(GEOMETRY)
        stored = read_column(site, column)
        assert stored is not None
        payload = bytearray(stored.payloads[index] or b"")
        change(payload)
        entries = [KEEP] * 20
        site.write({column: ColumnWrite([*entries[:index], bytes(payload), *entries[index + 1 :]], stored.base)})


def break_chunk(world: Path, column: int) -> bytes:
    """Damage a column's chunk; return its region file's bytes."""
    x, z = GEOMETRY.chunk_of(column)
    region = world / f"region/r.{x >> 5}.{z >> 5}.mca"
    content = bytearray(region.read_bytes())
    at = 4 * ((x & 31) + 32 * (z & 31))
    start = int.from_bytes(content[at : at + 3], "big") * 4096
    content[start + 5 : start + 69] = bytes(64)
    region.write_bytes(content)
    return bytes(content)


def test_a_change_that_nobody_told_is_merged(
    bbd: RunBbd, minecraft: StartMinecraft, bbd_server: StartServer, world: Path
) -> None:
    """Made while the server was down and the client wrote on, into the same section."""
    bbd("create", world, "--disk", "demo", "--size", str(SIZE), "--edits", "accept")
    port = str(free_port())
    game = minecraft(world, "--bridge-port", port)
    live = ("--live", game.bridge, "--token-file", game.token)
    served = bbd_server(*live, "--live-timeout", "90")
    data = bytearray(Random(1).randbytes(SIZE))
    with NbdClient(served.connect(), "demo") as client:
        client.write(0, bytes(data))
        wait_until(
            lambda: (
                json.loads(bbd("status", *live, "--json").stdout)["companion"]["disks"][0]["stats"]["confirmed"] >= 16
            )
        )
        assert client.read(0, SIZE) == data
        game.stop()
        data[7] ^= 1
        alter(world, 0, 0, lambda payload: payload.__setitem__(7, data[7]))
        data[COLUMN + SECTION + 9] ^= 1
        alter(world, 1, 1, lambda payload: payload.__setitem__(9, data[COLUMN + SECTION + 9]))
        data[10:20] = b"by clients"
        client.write(10, b"by clients")
        client.flush()
        game = minecraft(world, "--bridge-port", port)
        wait_until(lambda: client.read(0, SIZE) == data)
    wait_until(lambda: served.output.count("edited") >= 2)
    served.stop()
    game.stop()
    checked = bbd("check", world)
    assert "16 sound, 0 edited" in checked.stdout
    with NbdClient(bbd_server("--world", world).connect(), "demo") as offline:
        assert offline.read(0, SIZE) == data


def test_an_explosion_and_a_thief(
    bbd: RunBbd, minecraft: StartMinecraft, attach: Attach, join: Join, world: Path
) -> None:
    """In a disk that is open to players and repairs itself: the client reads what it wrote, the blocks come back."""
    bbd("create", world, "--disk", "demo", "--size", str(SIZE))
    place = blocks_of(bbd, world, 2048)[0]
    game = minecraft(world, "--unprotected")
    player = join(game)
    served, client = attach(game)
    data = Random(2).randbytes(SIZE)
    client.write(0, data)
    client.flush()
    visit(player, 2048, place)
    player.see(place, names()[data[2048]])
    player.do("say", words="/thief on")
    player.do("say", words="/boom 6")
    assert int(player.do("heard", words="blocks are gone").split()[0]) > 100
    wait_until(lambda: client.read(0, SIZE) == data)
    wait_until(lambda: "told again from parity" in served.output)
    player.do("say", words="/thief off")
    player.see(place, names()[data[2048]])
    assert stats(bbd, "--live", game.bridge, "--token-file", game.token)["edits"] > 100
    served.stop()
    game.stop()
    assert "16 sound" in bbd("check", world).stdout


def test_a_chunk_of_the_disk_that_cannot_be_read(
    bbd: RunBbd, minecraft: StartMinecraft, attach: Attach, bbd_server: StartServer, join: Join, world: Path
) -> None:
    """It is EIO, and stays as it is though a player looks at it, until a client writes there: then it is set aside."""
    bbd("create", world, "--disk", "demo", "--size", str(SIZE))
    data = Random(3).randbytes(SIZE)
    served = bbd_server("--world", world)
    with NbdClient(served.connect(), "demo") as client:
        client.write(0, data)
    served.stop()
    damaged = break_chunk(world, 0)
    game = minecraft(world)
    player = join(game)
    beside = blocks_of(bbd, world, COLUMN)[0]
    player.see(beside, names()[data[COLUMN]])
    served, client = attach(game)
    with pytest.raises(NbdError) as failed:
        client.read(0, SECTION)
    assert failed.value.errno == errno.EIO
    assert client.read(COLUMN, SIZE - COLUMN) == data[COLUMN:]
    assert (world / "region/r.0.0.mca").read_bytes() == damaged
    fresh = Random(4).randbytes(SECTION)
    client.write(SECTION, fresh)
    client.flush()
    wait_until(lambda: "its chunk's bytes are kept in" in served.output)
    served.stop()
    game.stop()
    (kept,) = (world / "bbd/quarantine").iterdir()
    assert kept.read_bytes()[1:].startswith(bytes(64))
    served = bbd_server("--world", world)
    with NbdClient(served.connect(), "demo") as client:
        assert client.read(SECTION, SECTION) == fresh
        with pytest.raises(NbdError) as failed:
            client.read(0, SECTION)
        assert failed.value.errno == errno.EIO
        assert client.read(COLUMN, SIZE - COLUMN) == data[COLUMN:]
