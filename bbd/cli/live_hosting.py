"""Putting together the disks of a world that a server runs: from a companion's address to disks that can be served."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bbd.cli.activity import CountedDevice, tell_activity
from bbd.cli.companion import Companion
from bbd.cli.hosting import geometry_of, identity_of
from bbd.disk.descriptor import Descriptor, descriptor_path, load_descriptor
from bbd.disk.disk import Disk
from bbd.disk.journal_lock import JournalLock
from bbd.disk.opening import Options, Place, open_disk
from bbd.disk.sweep import Sweep
from bbd.errors import BbdError
from bbd.nbd.export import Device
from bbd.os_files import OsFiles
from bbd.worlds.live.bridge import Bridge
from bbd.worlds.live.files import LiveFiles
from bbd.worlds.live.opened import OpenDisk
from bbd.worlds.live.site import LiveSite


@dataclass
class LiveHost:
    """A bridge that is up, with the disks that are open over it. ``close`` lets go of it; closing the disks comes
    first."""

    path: Path
    bridge: Bridge
    disks: list[Disk] = field(default_factory=list)
    descriptors: list[Descriptor] = field(default_factory=list)
    opened: list[OpenDisk] = field(default_factory=list)
    _sweeps: list[Sweep] = field(default_factory=list)
    _telling: asyncio.Task[None] | None = None
    _files: list[LiveFiles] = field(default_factory=list)
    _undo: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def reload(self) -> list[Descriptor]:
        """The descriptors as they are now."""
        return [
            load_descriptor(files, descriptor_path(self.path, descriptor.name))
            for files, descriptor in zip(self._files, self.descriptors, strict=True)
        ]

    def attend(self) -> Mapping[str, Device]:
        """Begin what goes on while the disks are served: a slow look for changes, and notes of what clients do. Return
        the devices to serve, by name."""
        counted = [CountedDevice(disk) for disk in self.disks]
        notes = [functools.partial(opened.note, "activity") for opened in self.opened]
        self._telling = asyncio.create_task(tell_activity(list(zip(counted, notes, strict=True))))
        self._sweeps = [Sweep(disk) for disk in self.disks]
        return {disk.name: device for disk, device in zip(self.disks, counted, strict=True)}

    def hurry(self) -> None:
        """The end is near: wait for a companion that says nothing once, not again and again."""
        self.bridge.hurry()

    def leave(self) -> None:
        """End what :meth:`attend` began."""
        for sweep in self._sweeps:
            sweep.stop()
        if self._telling is not None:
            self._telling.cancel()

    def give_up(self) -> None:
        """The server is gone for good: who waits for it, or asks for it from now on, gets EIO at once."""
        self.bridge.stop()

    def close(self) -> None:
        """Say goodbye to the companion."""
        self._undo.close()


def open_live_host(
    companion: Companion,
    options: Options,
    *,
    only: str | None = None,
    loop: asyncio.AbstractEventLoop | None = None,
) -> LiveHost:
    """Connect to a companion and open its disks, or the one called ``only``. Blocks while journals are replayed.

    ``loop`` is the one that the disks will run on, by default this thread's. Raises :class:`BbdError` where something
    is in the way.
    """
    if loop is None:
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as undo:
        bridge = companion.bridge()
        undo.callback(bridge.stop)
        host = LiveHost(Path(companion.access.where), bridge)
        for name in _names(bridge, only):
            _open(host, name, options, undo, loop)
        host._undo = undo.pop_all()
        return host


def _names(bridge: Bridge, only: str | None) -> Sequence[str]:
    if only is not None:
        return [only]
    names = [str(disk["name"]) for disk in bridge.ask("disks")["disks"]]
    if not names:
        raise BbdError(
            f"the world of the companion at {bridge.access.url} has no disk: put one into it with bbd create --live"
        )
    return names


def _listener(disk: Disk, loop: asyncio.AbstractEventLoop | None) -> Callable[[Sequence[int] | None], None]:
    """Have the disk told, on the event loop, what others change."""

    def tell(columns: Sequence[int] | None) -> None:
        if loop is None:
            return  # no loop, nobody who reads
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(disk.changed, columns)

    return tell


def _open(
    host: LiveHost,
    name: str,
    options: Options,
    undo: contextlib.ExitStack,
    loop: asyncio.AbstractEventLoop | None,
) -> None:
    opened = OpenDisk(host.bridge, name)
    opened.open()
    files = LiveFiles(opened, host.path, OsFiles())
    descriptor = load_descriptor(files, descriptor_path(host.path, name))
    geometry = geometry_of(descriptor)
    if not options.read_only:
        undo.callback(JournalLock(options.journals / descriptor.id).release)
    site = LiveSite(opened, geometry)
    place = Place(files, host.path, descriptor, site, identity_of(descriptor, geometry))
    disk = open_disk(place, options)
    undo.callback(disk.release)
    disk.watch_changes()
    site.listen(_listener(disk, loop))
    host.disks.append(disk)
    host.descriptors.append(descriptor)
    host.opened.append(opened)
    host._files.append(files)
