"""What a Minecraft server tells anybody who asks: the list ping of the game (by ``mcstatus``)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

DEFAULT_PORT: Final = 25565


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server's answer; ``latency`` is in milliseconds."""

    version: str
    protocol: int
    players: int
    most_players: int
    latency: float

    def line(self) -> str:
        """It for people."""
        who = f"{self.players} of {self.most_players} players"
        return f"Minecraft {self.version} (protocol {self.protocol}), {who}, {self.latency:.1f} ms"


async def look(host: str, port: int, patience: float) -> ServerStatus | str:
    """Ask a server, for at most ``patience`` seconds; what it says, or why it says nothing."""
    from mcstatus import JavaServer  # noqa: PLC0415  # commands that ask nobody start faster without it

    try:
        async with asyncio.timeout(patience):
            said = await JavaServer(host, port, timeout=patience).async_status(tries=1)
    except TimeoutError:
        return "no answer"
    except (OSError, ValueError, KeyError) as error:  # a server may answer with anything
        return getattr(error, "strerror", None) or "no answer of a Minecraft server"
    return ServerStatus(
        said.version.name, said.version.protocol, said.players.online, said.players.max, float(said.latency)
    )
