"""What a request does to a device when it can't be answered on the spot, and which error value a failure becomes."""

from __future__ import annotations

import errno
import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

from bbd.nbd import wire
from bbd.nbd.export import Device, Part

logger = logging.getLogger("bbd.nbd")

_ERROR_VALUES: Final = {
    errno.EPERM: wire.NBD_EPERM,
    errno.EACCES: wire.NBD_EPERM,
    errno.EROFS: wire.NBD_EPERM,
    errno.ENOMEM: wire.NBD_ENOMEM,
    errno.EINVAL: wire.NBD_EINVAL,
    errno.ENOSPC: wire.NBD_ENOSPC,
    errno.EDQUOT: wire.NBD_ENOSPC,
    errno.EFBIG: wire.NBD_ENOSPC,
    errno.ESHUTDOWN: wire.NBD_ESHUTDOWN,
}


def error_value(error: Exception) -> int:
    """The protocol's value for a failure of a device ("Error values"). What is no ``OSError`` is a fault of ours: it
    is logged with its traceback and the client sees EIO."""
    if isinstance(error, OSError):
        return _ERROR_VALUES.get(error.errno or 0, wire.NBD_EIO)
    logger.error("a request failed because of a fault in bbd; the client got EIO", exc_info=error)
    return wire.NBD_EIO


class Work(NamedTuple):
    """A valid request that takes time. A WRITE without a payload has been taken by the device already."""

    command: int
    flags: int
    cookie: bytes
    offset: int
    length: int
    payload: bytearray | None

    @property
    def weight(self) -> int:
        """Bytes of memory that it holds while it is in flight."""
        return self.length if self.command in {wire.NBD_CMD_READ, wire.NBD_CMD_WRITE} else 0


async def execute(device: Device, work: Work) -> Sequence[Part]:
    """Carry out a request and return the data of its reply, which only a READ has.

    With FUA set on a command that changes bytes, they are on stable storage at return. Errors: what the device raises.
    """
    match work.command:
        case wire.NBD_CMD_READ:
            return await device.read(work.offset, work.length)
        case wire.NBD_CMD_CACHE:
            await device.prefetch(work.offset, work.length)
        case wire.NBD_CMD_FLUSH:
            await device.flush()
        case _:
            await _change(device, work)
            if work.flags & wire.NBD_CMD_FLAG_FUA:
                await device.flush()
    return ()


async def _change(device: Device, work: Work) -> None:
    match work.command:
        case wire.NBD_CMD_WRITE:
            if work.payload is not None:
                await device.write(work.offset, work.payload)
        case wire.NBD_CMD_TRIM:
            await device.trim(work.offset, work.length)
        case wire.NBD_CMD_WRITE_ZEROES:
            may_punch = not work.flags & wire.NBD_CMD_FLAG_NO_HOLE
            await device.zero(work.offset, work.length, may_punch=may_punch)
