"""``bbd demo``: a small Minecraft server and the NBD server of the disks in its world, in one command."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from bbd.cli.companion import find_companion
from bbd.cli.demo_world import make_demo
from bbd.cli.game_server import command_line, running
from bbd.cli.hosting import load_disks
from bbd.cli.jar import find_jar
from bbd.cli.java import find_java
from bbd.cli.loop import run, unless
from bbd.cli.progress import waiting
from bbd.cli.serving import DEFAULT_LISTEN, Addresses, Choice, Stop, Worlds, addresses_of, make_ready, serve_until
from bbd.cli.state import journals_folder, state_folder
from bbd.disk.opening import Options
from bbd.errors import BbdError, WorldLocked
from bbd.nbd.sockets import tcp_failure
from bbd.worlds.anvil.lock import holder
from bbd.worlds.anvil.mounts import check_mount
from bbd.worlds.live.minecraft import DEFAULT_PORT

LOOPBACK: Final = "127.0.0.1"
SHOW_SECONDS: Final = 1.0
"""What is written appears in the game so soon, and not only when the writing is over."""


def demo(
    *,
    world: Annotated[Path, typer.Option(help="The world's folder. It is made if it is not there.")] = Path(
        "worlds/demo"
    ),
    listen: Annotated[
        str | None, typer.Option(help=f"HOST:PORT, for NBD. [default: {DEFAULT_LISTEN}, unless --unix is given]")
    ] = None,
    unix: Annotated[Path | None, typer.Option(help="A unix socket to listen on, for NBD.")] = None,
    minecraft_port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Where to join on this machine; 0 is any free port.")
    ] = DEFAULT_PORT,
) -> None:
    """Run a small Minecraft server on a world and serve its disks over NBD, to watch bytes change. Needs Java 25.

    To serve a world without the game, or one of a server that runs already, use bbd serve.
    """
    addresses = addresses_of(listen, unix)
    _check_address(LOOPBACK, minecraft_port, " (the game's: --minecraft-port)")
    if addresses.tcp is not None:
        _check_address(*addresses.tcp)
    if world.exists():
        _check_world(world)
    java, jar = find_java(), find_jar()
    options = Options(journals_folder(None), age=SHOW_SECONDS)
    make_ready(options)
    if not world.exists():
        run(make_demo(world, options))
    protected = not all(descriptor.edits == "accept" for descriptor in load_disks(world))
    token_file = state_folder() / "companion.token"
    command = command_line(java, jar, world, port=minecraft_port, token_file=token_file, protected=protected)
    run(_demo(command, token_file, world, addresses, options))


async def _demo(
    command: Sequence[str | Path], token_file: Path, world: Path, addresses: Addresses, options: Options
) -> None:
    stop = Stop()
    stop.on_signals()
    async with running(command, lost=stop.set_gone) as game:
        with waiting("Starting the game's server"):
            ready = await unless(stop, game.ready())
        if ready is None:
            return
        typer.echo(f"Join {ready.minecraft} with Minecraft {ready.version}: Multiplayer, Direct Connection.")
        typer.echo(f"The companion's bridge is {ready.bridge}, its token is in {token_file}.")
        worlds = Worlds([], find_companion(ready.bridge, token_file), world)
        await serve_until(stop, worlds, Choice(), addresses, options)


def _check_world(world: Path) -> None:
    """Raise :class:`BbdError` where the game's server could not open the world, or would find no disk there."""
    load_disks(world)
    check_mount(world)
    where = holder(world)
    if where is not None:
        raise WorldLocked(f"the world {world} is open {where}; close it there first")


def _check_address(host: str, port: int, hint: str = "") -> None:
    """Raise :class:`BbdError` where nobody can listen there, before anything is started for it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise BbdError(f"{tcp_failure(host, port, error)}{hint}") from None
