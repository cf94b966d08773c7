"""``bbd status``: what a Minecraft server says of itself, and what its companion says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from bbd.cli.arguments import format_size
from bbd.cli.companion import CaFile, Companion, Insecure, LiveUrl, TokenFile, find_companion, parse_game
from bbd.errors import BbdError
from bbd.worlds.live.minecraft import ServerStatus, look

PATIENCE = 5.0


def status(
    server: Annotated[str | None, typer.Argument(metavar="[HOST[:PORT]]", help="The game's address.")] = None,
    *,
    live: LiveUrl = None,
    token_file: TokenFile = None,
    insecure: Insecure = False,
    ca: CaFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """Show how a Minecraft server is, and with --live what bbd's companion in it does. Exit code 1: one is down."""
    companion = find_companion(live, token_file, timeout=PATIENCE, insecure=insecure, ca=ca)
    if server is None and companion is None:
        raise BbdError("whose status? Give a server's address, a companion's with --live, or both")
    document: dict[str, Any] = {}
    if server is not None:
        document["game"] = _game(server)
    if companion is not None:
        document["companion"] = _companion(companion)
    if as_json:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(document)
    if any("error" in part for part in document.values()):
        raise typer.Exit(1)


def _game(server: str) -> dict[str, Any]:
    host, port = parse_game(server)
    found = asyncio.run(look(host, port, PATIENCE))
    told = {**asdict(found), "line": found.line()} if isinstance(found, ServerStatus) else {"error": found}
    return {"address": f"{host}:{port}", **told}


def _companion(companion: Companion) -> dict[str, Any]:
    try:
        bridge = companion.bridge()
    except BbdError as error:
        return {"address": companion.access.url, "error": str(error)}
    try:
        hello = bridge.hello()
        said = bridge.ask("stats")
        stats = {disk["name"]: disk for disk in said.pop("disks", ())}
        disks = [{**disk, "stats": stats.get(disk["name"])} for disk in bridge.ask("disks")["disks"]]
    finally:
        bridge.stop()
    told = {key: hello.get(key) for key in ("companion", "server", "capabilities")}
    return {"address": companion.access.url, **told, "disks": disks, "stats": dict(said)}


def _print(document: Mapping[str, Any]) -> None:
    game, companion = document.get("game"), document.get("companion")
    if game is not None:
        typer.echo(f"{game['address']}: {game.get('line') or game['error']}")
    if companion is None:
        return
    if "error" in companion:
        typer.echo(companion["error"])
        return
    server = companion["server"] or {}
    typer.echo(
        f"{companion['address']}: {companion['companion']} in {server.get('name')} {server.get('version')}, Minecraft "
        f"{server.get('minecraft')}; {_ticks(companion['stats'].get('tick') or {})}"
    )
    if not companion["disks"]:
        typer.echo("  its world has no disk")
    for disk in companion["disks"]:
        typer.echo(f"  {_disk(disk)}")


def _ticks(tick: Mapping[str, Any]) -> str:
    return f"{tick.get('per_second')} ticks a second, {tick.get('mean_ms')} ms (95 of 100 in {tick.get('p95_ms')} ms)"


def _disk(disk: Mapping[str, Any]) -> str:
    line = f"{disk['name']}  {format_size(disk['size'])} in {disk['dimension']}"
    line += ", protected" if disk.get("protected") else ", open to players"
    stats = disk.get("stats")
    if not disk.get("open") or stats is None:
        return f"{line}; {'served' if disk.get('open') else 'not served'}"
    names = ("waiting", "unconfirmed", "conflicts", "cancelled", "edits", "unseen", "errors")
    counts = ", ".join(f"{stats[name]} {name}" for name in names if stats.get(name))
    rates = f"{stats.get('read_per_second', 0)} sections read and {stats.get('written_per_second', 0)} written a second"
    return f"{line}; served: {rates}" + (f"; {counts}" if counts else "") + ("; paused" if stats.get("paused") else "")
