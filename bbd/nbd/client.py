"""A small blocking NBD client: one connection, one request at a time, for commands that reach a disk being served.

It speaks fixed newstyle with GO and simple replies, over TCP and unix sockets, as the NBD URI specification names
them. Source: proto.md, "Newstyle negotiation", "Transmission phase"; uri.md.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from bbd.errors import BbdError
from bbd.nbd import wire

DEFAULT_PORT: Final = 10809
LONGEST: Final = 4 << 20
"""Bytes of one READ or WRITE; longer ones are split."""
LONGEST_ZERO: Final = 1 << 31
"""Bytes of one WRITE_ZEROES, whose length is a u32."""
_TIMEOUT: Final = 600.0
_LONGEST_OPTION_REPLY: Final = 1 << 20


class NbdClient:
    """A connection to the export that ``uri`` names (``nbd://host:port/name``, ``nbd+unix:///name?socket=path``).

    ``size`` is in bytes, ``name`` the export's. Raises :class:`BbdError` where there is no such server or export; the
    methods raise ``OSError`` with the errno that the server answered, or that of a broken connection.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._cookie = 0
        parts = urlsplit(uri)
        self.name = unquote(parts.path.removeprefix("/"))
        self._socket = _connect(parts, uri)
        try:
            self.size, self._flags = self._negotiate()
        except (OSError, struct.error, ValueError) as error:
            self._socket.close()
            raise BbdError(f"{uri} does not answer as an NBD server does: {error}") from error
        except BbdError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def read_only(self) -> bool:
        """Whether the export refuses writes."""
        return bool(self._flags & wire.NBD_FLAG_READ_ONLY)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at ``offset``."""
        parts = [
            self._request(wire.NBD_CMD_READ, at, min(LONGEST, offset + length - at), answer=True)
            for at in range(offset, offset + length, LONGEST)
        ]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, offset: int, data: bytes) -> None:
        """Put ``data`` at ``offset``."""
        for start in range(0, len(data), LONGEST):
            piece = data[start : start + LONGEST]
            self._request(wire.NBD_CMD_WRITE, offset + start, len(piece), piece)

    def zero(self, offset: int, length: int) -> None:
        """Make the range zeros; they may take no room."""
        if not self._flags & wire.NBD_FLAG_SEND_WRITE_ZEROES:
            self.write(offset, bytes(length))
            return
        for at in range(offset, offset + length, LONGEST_ZERO):
            self._request(wire.NBD_CMD_WRITE_ZEROES, at, min(LONGEST_ZERO, offset + length - at))

    def flush(self) -> None:
        """Return when all that was written is safe."""
        if self._flags & wire.NBD_FLAG_SEND_FLUSH:
            self._request(wire.NBD_CMD_FLUSH, 0, 0)

    def close(self) -> None:
        """Say goodbye."""
        try:
            self._socket.sendall(self._head(wire.NBD_CMD_DISC, 0, 0))
        except OSError:
            pass  # the server has gone first
        finally:
            self._socket.close()

    # -- haggling -------------------------------------------------------------------------------------------------

    def _negotiate(self) -> tuple[int, int]:
        magic, option_magic, flags = wire.GREETING.unpack(self._receive(wire.GREETING.size))
        if (magic, option_magic) != (wire.NBDMAGIC, wire.IHAVEOPT) or not flags & wire.NBD_FLAG_FIXED_NEWSTYLE:
            raise ValueError("its greeting is another's")
        name = self.name.encode()
        data = struct.pack(">I", len(name)) + name + struct.pack(">H", 0)
        self._socket.sendall(
            wire.CLIENT_FLAGS.pack(flags & wire.NBD_FLAG_C_FIXED_NEWSTYLE)
            + wire.OPTION_HEADER.pack(wire.IHAVEOPT, wire.NBD_OPT_GO, len(data))
            + data
        )
        return self._await_go()

    def _await_go(self) -> tuple[int, int]:
        found: tuple[int, int] | None = None
        while True:
            magic, _, kind, length = wire.OPTION_REPLY_HEADER.unpack(self._receive(wire.OPTION_REPLY_HEADER.size))
            if magic != wire.NBD_REP_MAGIC or length > _LONGEST_OPTION_REPLY:
                raise ValueError("its reply to GO is none")
            data = self._receive(length)
            if kind & wire.NBD_REP_FLAG_ERROR:
                words = data.decode(errors="replace") or f"error {kind & ~wire.NBD_REP_FLAG_ERROR}"
                raise BbdError(f"{self.uri}: the server refuses export {self.name!r}: {words}")
            if kind == wire.NBD_REP_ACK and found is not None:
                return found
            if kind == wire.NBD_REP_INFO and data[:2] == struct.pack(">H", wire.NBD_INFO_EXPORT):
                _, size, flags = wire.INFO_EXPORT.unpack(data)
                found = size, flags

    # -- requests -------------------------------------------------------------------------------------------------

    def _head(self, kind: int, offset: int, length: int) -> bytes:
        self._cookie += 1
        return wire.REQUEST.pack(wire.NBD_REQUEST_MAGIC, 0, kind, self._cookie.to_bytes(8, "big"), offset, length)

    def _request(self, kind: int, offset: int, length: int, data: bytes = b"", *, answer: bool = False) -> bytes:
        self._socket.sendall(self._head(kind, offset, length))
        if data:
            self._socket.sendall(data)
        magic, error, cookie = wire.SIMPLE_REPLY.unpack(self._receive(wire.SIMPLE_REPLY.size))
        if magic != wire.NBD_SIMPLE_REPLY_MAGIC or int.from_bytes(cookie, "big") != self._cookie:
            raise OSError(errno.EPROTO, "the server's reply is none", self.uri)
        if error:
            raise OSError(error, os.strerror(error), self.uri)
        return self._receive(length) if answer else b""

    def _receive(self, length: int) -> bytes:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            if not (got := self._socket.recv_into(view)):
                raise ConnectionResetError(errno.ECONNRESET, "the server closed the connection")
            view = view[got:]
        return bytes(data)


def is_uri(text: str) -> bool:
    """Whether a target is an NBD URI, and not the path of a world."""
    return text.startswith(("nbd://", "nbd+unix://"))


def _connect(parts: SplitResult, uri: str) -> socket.socket:
    try:
        if parts.scheme == "nbd+unix":
            return _connect_unix(parts, uri)
        if parts.scheme == "nbd" and parts.hostname:
            return socket.create_connection((parts.hostname, parts.port or DEFAULT_PORT), timeout=_TIMEOUT)
    except OSError as error:
        raise BbdError(f"{uri} can't be reached ({error.strerror or error}): is the server running?") from error
    raise BbdError(f"{uri} is no URI that can be reached: give nbd://HOST/NAME or nbd+unix:///NAME?socket=PATH")


def _connect_unix(parts: SplitResult, uri: str) -> socket.socket:
    paths = parse_qs(parts.query).get("socket")
    if not paths:
        raise BbdError(f"{uri} names no socket: give nbd+unix:///NAME?socket=PATH")
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_TIMEOUT)
        connection.connect(paths[0])
    except OSError:
        connection.close()
        raise
    return connection
