"""Reaching a disk for a command, whoever has its world: in the world itself, or through the server that has it open."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn, Protocol

from bbd.cli.hosting import one_disk, open_host
from bbd.cli.served import find_server, uri_of
from bbd.cli.state import journals_folder
from bbd.disk.descriptor import Descriptor
from bbd.disk.disk import Disk
from bbd.disk.opening import Options
from bbd.errors import BbdError
from bbd.nbd.client import NbdClient, is_uri


class Store(Protocol):
    """A disk's bytes, reached by blocking calls. Errors: ``OSError``."""

    @property
    def name(self) -> str:
        """The disk's name."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at ``offset``."""

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes at ``offset``."""

    def zero(self, offset: int, length: int) -> None:
        """Make a range zeros that take no room."""

    def flush(self) -> None:
        """Return when all that was written is safe."""

    def data(self) -> Iterable[tuple[int, int]]:
        """(start, end) of the ranges that may hold something else than zeros, in order."""


class LocalStore:
    """A disk that this process has open; its event loop runs during the calls."""

    def __init__(self, disk: Disk, runner: asyncio.Runner) -> None:
        self._disk = disk
        self._runner = runner
        self.name = disk.name
        self.size = disk.size

    def read(self, offset: int, length: int) -> bytes:
        """See :class:`Store`."""
        return b"".join(self._runner.run(self._disk.read(offset, length))) if length else b""

    def write(self, offset: int, data: bytes) -> None:
        """See :class:`Store`."""
        if data:
            self._runner.run(self._disk.write(offset, data))

    def zero(self, offset: int, length: int) -> None:
        """See :class:`Store`."""
        if length:
            self._runner.run(self._disk.trim(offset, length))

    def flush(self) -> None:
        """See :class:`Store`."""
        self._runner.run(self._disk.flush())

    def data(self) -> Iterable[tuple[int, int]]:
        """See :class:`Store`: the columns that are in the world or in memory."""
        return self._disk.data()


class RemoteStore:
    """A disk behind a server, which does not tell where zeros are."""

    def __init__(self, client: NbdClient) -> None:
        self._client = client
        self.name = client.name
        self.size = client.size
        self.read = client.read
        self.write = client.write
        self.zero = client.zero
        self.flush = client.flush

    def data(self) -> Iterable[tuple[int, int]]:
        """See :class:`Store`."""
        return [(0, self.size)]


@contextlib.contextmanager
def reach(target: str, disk: str | None, journal: Path | None, *, read_only: bool) -> Iterator[Store]:
    """Open a disk as long as the context lasts: ``target`` is a world's folder, or a server's URI.

    A world that a bbd serves is reached through it. What was written is safe when the context ends without an error.
    Raises :class:`BbdError` where there is no way in.
    """
    with _ended_in_order():
        if is_uri(target):
            with _remote(target, read_only=read_only) as store:
                yield store
            return
        world = Path(target)
        descriptor = one_disk(world, disk)
        if (server := find_server(world, descriptor)) is not None:
            with _remote(uri_of(server), read_only=read_only) as store:
                yield store
            return
        with _local(world, descriptor, journal, read_only=read_only) as store:
            yield store


@contextlib.contextmanager
def _remote(uri: str, *, read_only: bool) -> Iterator[Store]:
    with NbdClient(uri) as client:
        if client.read_only and not read_only:
            raise BbdError(f"{uri} is served read-only: stop that server, and start it without --read-only")
        yield RemoteStore(client)
        if not read_only:
            client.flush()


@contextlib.contextmanager
def _local(world: Path, descriptor: Descriptor, journal: Path | None, *, read_only: bool) -> Iterator[Store]:
    options = Options(journals_folder(journal), read_only=read_only)
    host = open_host(world, options, only=descriptor.name)
    try:
        (disk,) = host.disks
        with asyncio.Runner() as runner:
            if not read_only and disk.read_only:
                raise BbdError(f"disk {disk.name!r} can only be read by this bbd: use the newer one that wrote it")
            try:
                yield LocalStore(disk, runner)
            finally:
                runner.run(disk.close())
    finally:
        host.close()


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM end a command as an exception does, so that disks are closed and half files go."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
