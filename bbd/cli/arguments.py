"""What a person types, turned into values: sizes, origins, addresses."""

from __future__ import annotations

import re
from typing import Final

from bbd.errors import BbdError

_UNITS: Final = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60}
_SIZE = re.compile(r"(\d+)\s*([KMGTPE]?)(?:iB|B)?", re.IGNORECASE)
_ORIGIN = re.compile(r"\s*(-?\d+)\s*,\s*(-?\d+)\s*")
_ADDRESS = re.compile(r"(?:\[([^\]]+)\]|([^:\[\]]*)):(\d{1,5})")
MAX_EXPORT: Final = (1 << 63) - 1


def parse_size(text: str) -> int:
    """A size in bytes: ``4096000``, ``64M``, ``1T`` (powers of 1024). Raises :class:`BbdError`."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise BbdError(f"{text!r} is no size: give bytes, or a number with K, M, G or T (64M is 67108864)")
    size = int(match[1]) << _UNITS[match[2].upper()]
    if size > MAX_EXPORT:
        raise BbdError(f"{text!r} is more than NBD can tell: at most {MAX_EXPORT} bytes")
    return size


def parse_origin(text: str) -> tuple[int, int]:
    """Chunk coordinates ``CX,CZ``. Raises :class:`BbdError`."""
    match = _ORIGIN.fullmatch(text)
    if not match:
        raise BbdError(f"{text!r} is no origin: give chunk coordinates as CX,CZ (0,0 or -64,32)")
    return int(match[1]), int(match[2])


def parse_listen(text: str) -> tuple[str, int]:
    """``HOST:PORT``, ``:PORT`` (loopback) or ``[IPV6]:PORT``. Raises :class:`BbdError`."""
    match = _ADDRESS.fullmatch(text.strip())
    if not match or int(match[3]) > 65535:
        raise BbdError(f"{text!r} is no address: give HOST:PORT, for instance 127.0.0.1:10809")
    return match[1] or match[2] or "127.0.0.1", int(match[3])


def format_size(size: int) -> str:
    """A size for people: ``64 MiB``, ``4096000 bytes (3.9 MiB)``."""
    for unit, shift in (("EiB", 60), ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if size >= 1 << shift:
            if size % (1 << shift) == 0:
                return f"{size >> shift} {unit}"
            return f"{size} bytes ({size / (1 << shift):.1f} {unit})"
    return f"{size} bytes"
