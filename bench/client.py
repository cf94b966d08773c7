"""A small NBD client that sends many prepared requests with one call: what fio can't be told to do.

Source: proto.md, "Newstyle negotiation" and "Transmission".
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bbd.nbd import wire
from bench.errors import BenchError

REQUEST = np.dtype(
    [("magic", ">u4"), ("flags", ">u2"), ("type", ">u2"), ("cookie", ">u8"), ("offset", ">u8"), ("length", ">u4")]
)
Requests = np.ndarray[Any, np.dtype[np.void]]
_REPLY = wire.SIMPLE_REPLY.size
_TIMEOUT = 120.0


def requests(kind: int, offsets: npt.NDArray[np.int64], length: int, *, payload: int = 0) -> Requests:
    """A request for each offset, with ``payload`` bytes behind each as field ``data`` if that is not 0."""
    fields = [*REQUEST.descr, ("data", f"V{payload}")] if payload else REQUEST.descr
    made = np.zeros(len(offsets), np.dtype(fields))
    made["magic"], made["type"] = wire.NBD_REQUEST_MAGIC, kind
    made["cookie"] = np.arange(len(offsets))
    made["offset"], made["length"] = offsets, length
    return made


FLUSH = requests(wire.NBD_CMD_FLUSH, np.zeros(1, np.int64), 0)


class Client:
    """A connection to the export ``name`` on the unix socket ``address``."""

    def __init__(self, address: Path, name: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_TIMEOUT)
        self._socket.connect(str(address))
        self._receive(wire.GREETING.size)
        option = wire.OPTION_HEADER.pack(wire.IHAVEOPT, wire.NBD_OPT_EXPORT_NAME, len(name))
        flags = wire.NBD_FLAG_C_FIXED_NEWSTYLE | wire.NBD_FLAG_C_NO_ZEROES
        self._socket.sendall(wire.CLIENT_FLAGS.pack(flags) + option + name.encode())
        self._receive(10)  # size and transmission flags

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, batch: Requests, data: int = 0) -> bytes:
        """Send requests; return all replies, each with ``data`` bytes, in the order in which they came.

        Raises :class:`BenchError` where one of them is an error.
        """
        self._socket.sendall(batch.view(np.uint8).data)
        replies = self._receive(len(batch) * (_REPLY + data))
        for start in range(0, len(replies), _REPLY + data):
            magic, error, _ = wire.SIMPLE_REPLY.unpack_from(replies, start)
            if magic != wire.NBD_SIMPLE_REPLY_MAGIC or error:
                raise BenchError(f"the server answers with error {error}")
        return replies

    def _receive(self, length: int) -> bytes:
        data = bytearray(length)
        view = memoryview(data)
        while view:
            got = self._socket.recv_into(view)
            if not got:
                raise BenchError("the server closed the connection")
            view = view[got:]
        return bytes(data)
