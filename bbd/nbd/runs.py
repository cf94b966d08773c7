"""Requests that are all alike but for their place, one behind the other: READs, or WRITEs, of the same length.

A client with many requests in flight sends them so. Parsed, answered and acknowledged by the dozen, each of them takes
half the time.
"""

from __future__ import annotations

import functools
import struct
from typing import Final, NamedTuple

from bbd.nbd import wire

LEAST: Final = 4
"""Fewer requests are no run: they are quicker one by one."""
MOST_BYTES: Final = 1 << 20
"""What the requests of a run read or write together at most: their replies wait in memory for the client."""

_HEADS: Final = {
    struct.unpack(">Q", wire.REQUEST.pack(wire.NBD_REQUEST_MAGIC, 0, command, bytes(8), 0, 0)[:8])[0]: command
    for command in (wire.NBD_CMD_READ, wire.NBD_CMD_WRITE)
}
"""What requests without flags begin with, as numbers."""
_HEADER: Final = struct.Struct(">Q8sQI")
"""A request's head, cookie, offset and length."""


class Run(NamedTuple):
    """Valid requests of one kind, without flags, in order.

    ``payloads`` are views of the receive buffer, none for READs; ``length`` is that of each request, in bytes, and
    ``stride`` what each takes in the stream.
    """

    command: int
    length: int
    stride: int
    cookies: list[bytes]
    offsets: list[int]
    payloads: list[memoryview]


def find_run(data: memoryview, position: int, end: int, readable: int, writable: int) -> Run | None:
    """The run that begins at ``position``, of what has come completely; ``None`` where there is no run.

    READs must lie within the first ``readable`` bytes of the disk, WRITEs within the first ``writable``.
    """
    room = end - position
    if room < LEAST * _HEADER.size:
        return None
    head, _, _, length = _HEADER.unpack_from(data, position)
    command = _HEADS.get(head)
    if command is None or not length:
        return None
    writes = command == wire.NBD_CMD_WRITE
    stride = _HEADER.size + length if writes else _HEADER.size
    count = min(room // stride, MOST_BYTES // length)
    if count < LEAST:
        return None
    cookies: list[bytes] = []
    offsets: list[int] = []
    last = (writable if writes else readable) - length
    requests = _cutter(length if writes else 0).iter_unpack(data[position : position + count * stride])
    for other_head, cookie, offset, other_length in requests:
        if other_head != head or other_length != length or offset > last:
            break
        cookies.append(cookie)
        offsets.append(offset)
    if len(offsets) < LEAST:
        return None
    payloads: list[memoryview] = []
    if writes:
        starts = range(position + _HEADER.size, position + len(offsets) * stride, stride)
        payloads = [data[start : start + length] for start in starts]
    return Run(command, length, stride, cookies, offsets, payloads)


@functools.lru_cache(maxsize=16)
def _cutter(payload: int) -> struct.Struct:
    """What reads headers with ``payload`` bytes behind each."""
    return struct.Struct(f"{_HEADER.format}{payload}x")
