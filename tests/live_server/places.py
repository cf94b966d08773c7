"""Where bytes are in a world, and what they are built of; waiting until the two sides agree."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from tests.conftest import RunBbd
from tests.nbd_client import NbdClient
from tests.players import Player

ROOT = Path(__file__).parents[2]
Block = tuple[int, int, int]
_TIMEOUT = 60.0


def blocks_of(bbd: RunBbd, world: Path, offset: int) -> list[Block]:
    """Where ``bbd where`` says that a byte is."""
    printed = bbd("where", world, str(offset), "--disk", "demo").stdout
    return [(int(x), int(y), int(z)) for x, y, z in re.findall(r"^\s+(-?\d+) (-?\d+) (-?\d+)", printed, re.MULTILINE)]


def names() -> list[str]:
    """The block of each byte value, as the game's client names it."""
    table = json.loads((ROOT / "bbd/geometry/palettes/palette256.json").read_text())
    return [entry["name"].removeprefix("minecraft:") for entry in table["byte_to_block"]]


def visit(player: Player, offset: int, at: Block) -> None:
    """Have the companion bring a player to a byte."""
    x, y, z = at
    player.do("say", words=f"/bbd where {offset}")
    player.do("near", x=x, y=y, z=z, distance=8)


def read_until(client: NbdClient, offset: int, wanted: bytes) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while (read := client.read(offset, len(wanted))) != wanted:
        assert time.monotonic() < deadline, f"the client still reads {read!r}, not {wanted!r}"
        time.sleep(0.05)
