"""``bbd serve``: open worlds, show their disks to NBD clients, and leave everything in order at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from bbd.cli.arguments import parse_size
from bbd.cli.companion import (
    DEFAULT_TIMEOUT,
    CaFile,
    Insecure,
    LiveTimeout,
    LiveUrl,
    Minecraft,
    TokenFile,
    find_companion,
)
from bbd.cli.loop import run
from bbd.cli.serving import DEFAULT_LISTEN, Addresses, Choice, Stop, Worlds, addresses_of, make_ready, serve_until
from bbd.cli.state import journals_folder
from bbd.disk.opening import Options
from bbd.errors import BbdError
from bbd.nbd.peers import Limits
from bbd.worlds.anvil.compression import CHOICES, type_of

LONGEST_BUSY_POLL: Final = 10_000
"""Microseconds. Whoever waits longer loses nothing by sleeping."""


def serve(
    *,
    world: Annotated[list[Path] | None, typer.Option(help="A world's folder; give it again for more worlds.")] = None,
    disk: Annotated[str | None, typer.Option(help="Serve only the disk of this name.")] = None,
    listen: Annotated[
        str | None, typer.Option(help=f"HOST:PORT. [default: {DEFAULT_LISTEN}, unless --unix is given]")
    ] = None,
    unix: Annotated[Path | None, typer.Option(help="A unix socket to listen on.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse writes, and write nothing.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End when the last client has gone.")] = False,
    cache: Annotated[str, typer.Option(help="Memory for cached and unwritten data, all disks together.")] = "256M",
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals. [default: user's state]")] = None,
    compression: Annotated[
        str | None, typer.Option(help=f"Of chunks: {', '.join(CHOICES)}. [default: what the disk was created with]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Over others' blocks, and past a lost journal.")] = False,
    busy_poll: Annotated[
        int,
        typer.Option(
            metavar="USEC",
            min=0,
            max=LONGEST_BUSY_POLL,
            help="Microseconds to wait awake for the next request of a client that sends one at a time, such as 50.",
        ),
    ] = 0,
    live: LiveUrl = None,
    token_file: TokenFile = None,
    minecraft: Minecraft = None,
    live_timeout: LiveTimeout = DEFAULT_TIMEOUT,
    insecure: Insecure = False,
    ca: CaFile = None,
) -> None:
    """Serve every disk of the worlds as an NBD export, until SIGTERM or Ctrl-C. A world that is not there is made."""
    companion = find_companion(live, token_file, timeout=live_timeout, minecraft=minecraft, insecure=insecure, ca=ca)
    if not world and companion is None:
        raise BbdError("nothing to serve: name a world's folder with --world, or a running server with --live")
    addresses = addresses_of(listen, unix)
    options = Options(journals_folder(journal), parse_size(cache), read_only=read_only, force=force)
    make_ready(options)
    if compression is not None:
        type_of(compression)
    limits = Limits(busy_poll=busy_poll / 1_000_000)
    worlds = Worlds(list(dict.fromkeys(path.absolute() for path in world or ())), companion)
    run(_serve(worlds, Choice(disk, compression), addresses, options, limits, once=once))


async def _serve(
    worlds: Worlds, choice: Choice, addresses: Addresses, options: Options, limits: Limits, *, once: bool
) -> None:
    stop = Stop()
    stop.on_signals()
    await serve_until(stop, worlds, choice, addresses, options, limits=limits, once=once)
