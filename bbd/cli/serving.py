"""Serving: from worlds and addresses to exports that clients can have, until it is time to stop; then all in order."""

from __future__ import annotations

import asyncio
import functools
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from bbd.cli.allocator import collect_less_often, share_one_arena, use_huge_pages
from bbd.cli.arguments import format_size, parse_listen
from bbd.cli.companion import Companion
from bbd.cli.demo_world import make_demo
from bbd.cli.descriptors import allow_many_descriptors
from bbd.cli.hosting import Host, open_host
from bbd.cli.loop import on_a_thread, unless
from bbd.cli.mounting import mount_hint, tcp_uri, unix_uri
from bbd.cli.served import Served, announced, describe_served, uris_of
from bbd.cli.state import keep_copy
from bbd.disk.descriptor import descriptor_path, load_descriptor
from bbd.disk.disk import Disk
from bbd.disk.opening import Options
from bbd.errors import BbdError
from bbd.nbd.export import Device, Export
from bbd.nbd.peers import Limits
from bbd.nbd.server import NbdServer
from bbd.os_files import OsFiles
from bbd.worlds.anvil.level import read_level
from bbd.worlds.anvil.rewrite import LZ4_DATA_VERSION

if TYPE_CHECKING:
    from bbd.cli.live_hosting import LiveHost

DEFAULT_LISTEN: Final = "127.0.0.1:10809"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to listen: TCP (host, port), a unix socket, or both."""

    tcp: tuple[str, int] | None
    unix: Path | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which disk of the worlds to serve (``None``: all), and what to write its chunks with (``None``: as created)."""

    disk: str | None = None
    compression: str | None = None


@dataclass(frozen=True, slots=True)
class Worlds:
    """Where the disks are: folders, a running server, or both. ``live_folder`` is the server's world, if that is on
    this machine; other commands then find its disks."""

    folders: Sequence[Path]
    companion: Companion | None
    live_folder: Path | None = None

    @property
    def count(self) -> int:
        """How many worlds that are."""
        return len(self.folders) + (self.companion is not None)


class Stop(asyncio.Event):
    """Set when serving is to end; ``gone``: because the server that runs the world is gone, for good."""

    def __init__(self) -> None:
        super().__init__()
        self.gone = False

    def on_signals(self) -> None:
        """Have SIGTERM and Ctrl-C set it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self.set)

    def set_gone(self) -> None:
        """Set it; disks need not wait for their world any more."""
        self.gone = True
        self.set()


def addresses_of(listen: str | None, unix: Path | None) -> Addresses:
    """Where to listen, from the options. Raises :class:`BbdError`."""
    if listen is None and unix is None:
        listen = DEFAULT_LISTEN
    return Addresses(parse_listen(listen) if listen else None, unix)


def make_ready(options: Options) -> None:
    """Set what a process that serves wants of the C library and the system."""
    share_one_arena()
    collect_less_often()
    use_huge_pages(options.cache)
    allow_many_descriptors()


async def serve_until(
    stop: Stop,
    worlds: Worlds,
    choice: Choice,
    addresses: Addresses,
    options: Options,
    *,
    limits: Limits | None = None,
    once: bool = False,
) -> None:
    """Open the disks, serve them until ``stop`` or (with ``once``) the last client has gone, and close them in order.

    Errors: :class:`BbdError`, ``OSError``; whatever was opened is closed by then."""
    hosts: list[Host] = []
    live: LiveHost | None = None
    try:
        share = _share(options, worlds.count)
        for world in worlds.folders:
            host = await _open(world, choice, share)
            hosts.append(host)
        if worlds.companion is not None:
            live = await _open_live(worlds.companion, choice, share, stop)
            if live is None:
                return
        disks = [disk for host in hosts for disk in host.disks] + (live.disks if live else [])
        for disk in disks:
            await disk.start()
        attended = live.attend() if live else {}
        exports = [_export(disk, disk) for host in hosts for disk in host.disks]
        exports += [_export(disk, attended[disk.name]) for disk in (live.disks if live else ())]
        server = NbdServer(exports, limits=limits or Limits())
        try:
            bound = await _listen(server, addresses, disks)
            entries = _entries(hosts, addresses.unix, bound)
            if live is not None and worlds.live_folder is not None:
                entries += _entries_of(worlds.live_folder, live, addresses.unix, bound)
            with announced(entries):
                await _until(stop, server, once=once)
        finally:
            if live is not None:
                live.give_up() if stop.gone else live.hurry()
            await server.stop()
            if live is not None:
                live.leave()
            await _close_all(disks)
            _keep_copies(hosts, live)
    finally:
        if live is not None:
            live.close()
        for host in hosts:
            host.close()


async def _open(world: Path, choice: Choice, options: Options) -> Host:
    if not world.exists():
        if options.read_only:
            raise BbdError(f"{world} does not exist, and --read-only makes nothing")
        await make_demo(world, options)
    host = open_host(world, options, only=choice.disk, compression=choice.compression)
    if not options.read_only and _needs_newer_game(host, choice):
        typer.echo(f"{world} was last saved by an older game: with LZ4 in it, it needs Minecraft 1.20.5 or later.")
    return host


async def _open_live(companion: Companion, choice: Choice, options: Options, stop: Stop) -> LiveHost | None:
    """The disks of a running server; ``None`` where it was not to be waited for any longer."""
    from bbd.cli.live_hosting import open_live_host  # noqa: PLC0415  # offline worlds are served sooner without

    if companion.game is not None:
        typer.echo(await companion.news())
    loop = asyncio.get_running_loop()
    opening = functools.partial(open_live_host, companion, options, only=choice.disk, loop=loop)
    return await unless(stop, on_a_thread(opening))


def _needs_newer_game(host: Host, choice: Choice) -> bool:
    """Whether chunks will be written that the game which saved the world last could not read."""
    written = {choice.compression or descriptor.compression for descriptor in host.descriptors}
    return "lz4" in written and read_level(host.path).data_version < LZ4_DATA_VERSION


def _keep_copies(hosts: Sequence[Host], live: LiveHost | None) -> None:
    """Keep what the descriptors say after a clean stop where no game can lose it."""
    for descriptor in live.reload() if live else ():
        keep_copy(descriptor)
    for host in hosts:
        for descriptor in host.descriptors:
            keep_copy(load_descriptor(OsFiles(), descriptor_path(host.path, descriptor.name)))


def _share(options: Options, worlds: int) -> Options:
    return replace(options, cache=options.cache // worlds)


def _export(disk: Disk, device: Device) -> Export:
    return Export(disk.name, f"{format_size(disk.size)} of Minecraft blocks", device)


def _entries(hosts: Sequence[Host], unix: Path | None, tcp: tuple[str, int] | None) -> list[Served]:
    return [entry for host in hosts for entry in _entries_of(host.path, host, unix, tcp)]


def _entries_of(world: Path, host: Host | LiveHost, unix: Path | None, tcp: tuple[str, int] | None) -> list[Served]:
    return [
        describe_served(world, descriptor, uris_of(disk.name, unix, tcp), read_only=disk.read_only)
        for descriptor, disk in zip(host.descriptors, host.disks, strict=True)
    ]


async def _listen(server: NbdServer, addresses: Addresses, disks: Sequence[Disk]) -> tuple[str, int] | None:
    """Listen, and say where; return the TCP address that was bound."""
    bound = None
    if addresses.unix is not None:
        await server.listen_unix(addresses.unix)
        for disk in disks:
            _announce(disk, unix_uri(addresses.unix, disk.name))
    if addresses.tcp is not None:
        bound = host, port = await server.listen_tcp(*addresses.tcp)
        for disk in disks:
            _announce(disk, tcp_uri(host, port, disk.name))
        hint = mount_hint(disks[0].name, host=host, port=port)
    else:
        hint = mount_hint(disks[0].name, socket=addresses.unix)
    typer.echo("Mount it on this machine:")
    for line in hint:
        typer.echo(f"  {line}")
    typer.echo("Serving. Ctrl-C stops, and leaves everything in the world.")
    return bound


def _announce(disk: Disk, uri: str) -> None:
    mode = ", read-only" if disk.read_only else ""
    typer.echo(f"{disk.name} ({format_size(disk.size)}{mode}): {uri}")


async def _until(stop: Stop, server: NbdServer, *, once: bool) -> None:
    waits: list[asyncio.Task[object]] = [asyncio.create_task(stop.wait())]
    if once:
        waits.append(asyncio.create_task(server.wait_idle_after_use()))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _close_all(disks: Sequence[Disk]) -> None:
    """Close every disk, whatever the others do; then tell the first failure."""
    failures = [result for result in await asyncio.gather(*map(_close, disks), return_exceptions=True) if result]
    if failures:
        raise failures[0]


async def _close(disk: Disk) -> None:
    try:
        await disk.close()
    except OSError as error:
        raise BbdError(
            f"disk {disk.name!r} could not be brought into its world ({error.strerror or error}); what was flushed is "
            "in the journal, and the next bbd serve brings it in"
        ) from error
