"""A small blocking NBD client, written from the specification and from nothing of bbd's."""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import Self

READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES = range(7)
FUA = 1


class NbdError(OSError):
    """The server answered a request with an error number of the protocol."""


class NbdClient:
    """One connection to an export, over a socket that has just been connected."""

    def __init__(self, connection: socket.socket, export: str = "") -> None:
        self._socket = connection
        self._cookie = 0
        magic, option_magic, _flags = struct.unpack(">8s8sH", self._receive(18))
        assert (magic, option_magic) == (b"NBDMAGIC", b"IHAVEOPT")
        name = export.encode()
        self._socket.sendall(struct.pack(">I8sII", 3, b"IHAVEOPT", 1, len(name)) + name)
        self.size, self.flags = struct.unpack(">QH", self._receive(10))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def read(self, offset: int, length: int) -> bytes:
        self._request(READ, offset, length)
        return self._answer(length)

    def write(self, offset: int, data: bytes, flags: int = 0) -> None:
        self._request(WRITE, offset, len(data), data, flags)
        self._answer()

    def command(self, command: int, offset: int = 0, length: int = 0, flags: int = 0) -> None:
        """Any command without payload either way."""
        self._request(command, offset, length, flags=flags)
        self._answer()

    def flush(self) -> None:
        self.command(FLUSH)

    def _request(self, command: int, offset: int, length: int, data: bytes = b"", flags: int = 0) -> None:
        self._cookie += 1
        head = struct.pack(">IHHQQI", 0x25609513, flags, command, self._cookie, offset, length)
        self._socket.sendall(head + data)

    def _answer(self, length: int = 0) -> bytes:
        magic, error, cookie = struct.unpack(">IIQ", self._receive(16))
        assert (magic, cookie) == (0x67446698, self._cookie)
        if error:
            raise NbdError(error, "the server answered with an error")
        return self._receive(length)

    def _receive(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            more = self._socket.recv(min(length - len(data), 1 << 20))
            if not more:
                raise ConnectionError("the server closed the connection")
            data += more
        return bytes(data)
