"""Which companion a command means: the options ``--live`` and what goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from bbd.cli.arguments import parse_listen
from bbd.errors import BbdError
from bbd.worlds.live.access import Access, make_access
from bbd.worlds.live.minecraft import DEFAULT_PORT, look

if TYPE_CHECKING:
    from bbd.worlds.live.bridge import Bridge

DEFAULT_TIMEOUT: Final = 30.0
_PING_SECONDS: Final = 2.0

LiveUrl: TypeAlias = Annotated[
    str | None, typer.Option("--live", metavar="URL", help="A running server's companion: ws://HOST:PORT, or wss://.")
]
TokenFile: TypeAlias = Annotated[
    Path | None, typer.Option(help="With --live: the file with the companion's token, readable by nobody else.")
]
Minecraft: TypeAlias = Annotated[
    str | None, typer.Option(metavar="HOST[:PORT]", help="With --live: the game's address, to tell how the server is.")
]
LiveTimeout: TypeAlias = Annotated[
    float, typer.Option(min=0.1, help="With --live: seconds that requests wait for the server, before they fail.")
]
Insecure: TypeAlias = Annotated[
    bool, typer.Option("--insecure", help="With --live: send the token in the clear, even to another machine.")
]
CaFile: TypeAlias = Annotated[
    Path | None, typer.Option("--ca", help="With --live wss://: certificates to trust, instead of the system's.")
]


@dataclass(frozen=True, slots=True)
class Companion:
    """A companion, and how long to wait for it. ``game`` is where the game itself answers."""

    access: Access
    timeout: float = DEFAULT_TIMEOUT
    game: tuple[str, int] | None = None

    def bridge(self) -> Bridge:
        """Connect. Raises :class:`BbdError` where that can't be."""
        from bbd.worlds.live.bridge import Bridge  # noqa: PLC0415  # offline commands start faster without it

        bridge = Bridge(self.access, self.timeout, self.news if self.game is not None else None)
        bridge.start()
        return bridge

    async def news(self) -> str:
        """How the game's server is; ``game`` must be known."""
        assert self.game is not None
        host, port = self.game
        found = await look(host, port, _PING_SECONDS)
        return f"{host}:{port}: {found if isinstance(found, str) else found.line()}"


def find_companion(
    url: str | None,
    token_file: Path | None,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    minecraft: str | None = None,
    insecure: bool = False,
    ca: Path | None = None,
) -> Companion | None:
    """The companion that the options name, ``None`` without ``--live``. Raises :class:`BbdError`."""
    if url is None:
        for given, name in ((token_file, "--token-file"), (minecraft, "--minecraft"), (ca, "--ca")):
            if given is not None:
                raise BbdError(f"{name} goes with --live ws://HOST:PORT")
        return None
    if token_file is None:
        raise BbdError("--live needs --token-file: a copy of the file that the companion made at its first start")
    access = make_access(url, token_file, insecure=insecure, ca=ca)
    return Companion(access, timeout, parse_game(minecraft) if minecraft else None)


def parse_game(text: str) -> tuple[str, int]:
    """``HOST`` or ``HOST:PORT`` of a Minecraft server. Raises :class:`BbdError`."""
    with_port = ":" in text if not text.startswith("[") else "]:" in text
    return parse_listen(text if with_port else f"{text}:{DEFAULT_PORT}")
