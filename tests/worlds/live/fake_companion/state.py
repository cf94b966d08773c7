"""What the parts of the companion share: its limits and manners, what happened, and the disks that are open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from bbd.worlds.live.codes import Code
from tests.worlds.live.fake_world import ChunkAt

if TYPE_CHECKING:
    from tests.worlds.live.fake_companion.client import Client

TOKEN = "5ec2e7" + "0" * 58
_NOT_SAID = 0xFFFF
LIMITS = {
    "text": 1 << 20,
    "binary": 8 << 20,
    "requests": 64,
    "columns": 32,
    "read_columns": 256,
    "write_bytes": 32 << 20,
}


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: Code, message: str = "", **more: object) -> None:
        super().__init__(message or code.word)
        self.code = code
        self.more = more


@dataclass
class Manners:
    """How it behaves; may be changed at any time. ``delay`` is in seconds, of every answer."""

    delay: float = 0.0
    mute: bool = False
    """Hear everything, answer nothing."""
    confirm: bool = True
    confirm_error: Code | None = None
    version: int = 1
    capabilities: tuple[str, ...] = ("create", "pause")
    approve: bool = True
    protected: bool = True
    garbage: bytes | str | None = None
    """Sent in the place of the next answer."""
    backwards: bool = False
    """Answer READs that come together in the opposite order."""
    cut: Callable[[bytes], Sequence[bytes]] | None = None
    """Send binary frames in these fragments, and an empty one."""
    refuse: dict[str, tuple[Code, str]] = field(default_factory=dict)
    """Answer these requests in text with an error and its message."""


@dataclass
class Counts:
    """What happened."""

    hellos: int = 0
    reads: int = 0
    written: int = 0
    conflicts: int = 0
    notes: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(eq=False)
class OpenDisk:
    name: str
    handle: int
    client: Client
    palette: list[int]
    agreed: int
    applied: dict[ChunkAt, int] = field(default_factory=dict)
    unconfirmed: dict[ChunkAt, tuple[int, int]] = field(default_factory=dict)
    table: np.ndarray[Any, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.table = np.full(1 << 16, _NOT_SAID, np.uint16)
        self.table[self.palette] = np.arange(len(self.palette))

    def index(self, numbers: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], list[int]]:
        """Indices of states, and the states that had to be appended."""
        found, fresh = self.table[numbers], []
        if int(found.max()) == _NOT_SAID:
            fresh = np.unique(numbers[found == _NOT_SAID]).tolist()
            self.table[fresh] = np.arange(len(self.palette), len(self.palette) + len(fresh))
            self.palette += fresh
            found = self.table[numbers]
        return found, fresh


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # switches are thrown on other threads
        await asyncio.sleep(0.005)
