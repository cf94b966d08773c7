"""The options that this server knows: one handler function each, found by the table at the end.

A handler gets what haggling has settled so far and the option's data, and gives back the bytes to send, or refuses
with :class:`OptionError`.
Source: proto.md, "Option types" and "Option reply types".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from bbd.nbd import wire
from bbd.nbd.export import Export

MINIMUM_BLOCK_SIZE: Final = 1
PREFERRED_BLOCK_SIZE: Final = 4096
MAXIMUM_BLOCK_SIZE: Final = 32 << 20
"""Advertised limit of READ and WRITE, in bytes."""
UNNEGOTIATED_MAXIMUM: Final = 64 << 20
"""The same for clients that did not ask for block sizes: the protocol lets them expect more, nbdkit takes as much."""

_U16: Final = struct.Struct(">H")
_U32: Final = struct.Struct(">I")


class OptionError(Exception):
    """An option is refused with an error reply; haggling goes on."""

    def __init__(self, reply_type: int, message: str) -> None:
        super().__init__(message)
        self.reply_type = reply_type


@dataclass(frozen=True, slots=True)
class Chosen:
    """Haggling has ended in an export.

    ``transmission_flags`` are those that the client was told, ``max_length`` is the longest READ or WRITE in bytes.
    """

    export: Export
    transmission_flags: int
    max_length: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Haggling has ended the session, for ``reason`` (one line for the log)."""

    reason: str


@dataclass(slots=True)
class Haggle:
    """What haggling has settled so far."""

    exports: Sequence[Export]
    no_zeroes: bool = False
    outcome: Chosen | Ended | None = None


Handler: TypeAlias = Callable[[Haggle, bytes], bytes]


def option_reply(option: int, reply_type: int, data: bytes = b"") -> bytes:
    """One reply packet to ``option`` ("Fixed newstyle negotiation")."""
    return wire.OPTION_REPLY_HEADER.pack(wire.NBD_REP_MAGIC, option, reply_type, len(data)) + data


def transmission_flags(export: Export) -> int:
    """What the export can do ("Transmission flags")."""
    flags = (
        wire.NBD_FLAG_HAS_FLAGS
        | wire.NBD_FLAG_SEND_FLUSH
        | wire.NBD_FLAG_SEND_FUA
        | wire.NBD_FLAG_CAN_MULTI_CONN
        | wire.NBD_FLAG_SEND_CACHE
    )
    if export.device.read_only:
        return flags | wire.NBD_FLAG_READ_ONLY
    return flags | wire.NBD_FLAG_SEND_TRIM | wire.NBD_FLAG_SEND_WRITE_ZEROES | wire.NBD_FLAG_SEND_FAST_ZERO


def find_export(exports: Sequence[Export], name: str) -> Export | None:
    """The export of that name; the empty name is the first's as well."""
    for export in exports:
        if export.name == name:
            return export
    return exports[0] if exports and not name else None


def _require_export(exports: Sequence[Export], name: str) -> Export:
    if (export := find_export(exports, name)) is None:
        raise OptionError(wire.NBD_REP_ERR_UNKNOWN, "there is no export of that name; LIST tells those that are")
    return export


def parse_name(data: bytes) -> str:
    """An export name. Raises :class:`OptionError` if it is no string as the protocol defines it."""
    if len(data) > wire.MAX_STRING:
        raise OptionError(wire.NBD_REP_ERR_TOO_BIG, f"an export name has at most {wire.MAX_STRING} bytes")
    if b"\0" in data:
        raise OptionError(wire.NBD_REP_ERR_INVALID, "an export name has no NUL in it")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise OptionError(wire.NBD_REP_ERR_INVALID, "an export name is UTF-8") from None


def parse_info_request(data: bytes) -> tuple[str, frozenset[int]]:
    """Name and information requests of INFO and GO. Raises :class:`OptionError` where the lengths don't add up."""
    malformed = OptionError(wire.NBD_REP_ERR_INVALID, "the lengths inside the option don't add up")
    if len(data) < _U32.size + _U16.size:
        raise malformed
    (name_length,) = _U32.unpack_from(data)
    if name_length > len(data) - _U32.size - _U16.size:
        raise malformed
    name_end = _U32.size + name_length
    (count,) = _U16.unpack_from(data, name_end)
    if len(data) != name_end + _U16.size + 2 * count:
        raise malformed
    requests = frozenset(struct.unpack_from(f">{count}H", data, name_end + _U16.size))
    return parse_name(data[_U32.size : name_end]), requests


def _export_name(haggle: Haggle, data: bytes) -> bytes:
    export = _require_export(haggle.exports, parse_name(data))
    flags = transmission_flags(export)
    haggle.outcome = Chosen(export, flags, UNNEGOTIATED_MAXIMUM)
    reply = wire.EXPORT_NAME_REPLY.pack(export.device.size, flags)
    return reply if haggle.no_zeroes else reply + wire.EXPORT_NAME_ZEROES


def _abort(haggle: Haggle, _data: bytes) -> bytes:
    haggle.outcome = Ended("the client aborted")
    return option_reply(wire.NBD_OPT_ABORT, wire.NBD_REP_ACK)


def _list(haggle: Haggle, data: bytes) -> bytes:
    if data:
        raise OptionError(wire.NBD_REP_ERR_INVALID, "LIST takes no data")
    replies = []
    for export in haggle.exports:
        name = export.name.encode()
        server = _U32.pack(len(name)) + name + export.description.encode()
        replies.append(option_reply(wire.NBD_OPT_LIST, wire.NBD_REP_SERVER, server))
    replies.append(option_reply(wire.NBD_OPT_LIST, wire.NBD_REP_ACK))
    return b"".join(replies)


def _describe(option: int, export: Export, flags: int, requests: frozenset[int]) -> bytes:
    infos = [wire.INFO_EXPORT.pack(wire.NBD_INFO_EXPORT, export.device.size, flags)]
    if wire.NBD_INFO_NAME in requests:
        infos.append(_U16.pack(wire.NBD_INFO_NAME) + export.name.encode())
    if wire.NBD_INFO_DESCRIPTION in requests:
        infos.append(_U16.pack(wire.NBD_INFO_DESCRIPTION) + export.description.encode())
    if wire.NBD_INFO_BLOCK_SIZE in requests:
        sizes = (MINIMUM_BLOCK_SIZE, PREFERRED_BLOCK_SIZE, MAXIMUM_BLOCK_SIZE)
        infos.append(wire.INFO_BLOCK_SIZE.pack(wire.NBD_INFO_BLOCK_SIZE, *sizes))
    replies = [option_reply(option, wire.NBD_REP_INFO, info) for info in infos]
    return b"".join(replies) + option_reply(option, wire.NBD_REP_ACK)


def _inform(option: int, haggle: Haggle, data: bytes) -> tuple[bytes, Chosen]:
    name, requests = parse_info_request(data)
    export = _require_export(haggle.exports, name)
    flags = transmission_flags(export)
    agreed = wire.NBD_INFO_BLOCK_SIZE in requests
    chosen = Chosen(export, flags, MAXIMUM_BLOCK_SIZE if agreed else UNNEGOTIATED_MAXIMUM)
    return _describe(option, export, flags, requests), chosen


def _info(haggle: Haggle, data: bytes) -> bytes:
    return _inform(wire.NBD_OPT_INFO, haggle, data)[0]


def _go(haggle: Haggle, data: bytes) -> bytes:
    reply, haggle.outcome = _inform(wire.NBD_OPT_GO, haggle, data)
    return reply


HANDLERS: Final[Mapping[int, Handler]] = {
    wire.NBD_OPT_EXPORT_NAME: _export_name,
    wire.NBD_OPT_ABORT: _abort,
    wire.NBD_OPT_LIST: _list,
    wire.NBD_OPT_INFO: _info,
    wire.NBD_OPT_GO: _go,
}
"""Every option that is not here is answered NBD_REP_ERR_UNSUP."""
