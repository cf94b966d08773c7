"""File names: the short ones of 8 + 3 characters, and long ones spread over entries of their own.

Source: FAT specification, "FAT Directory Structure" and "FAT Long Directory Entries".
"""

from __future__ import annotations

import errno
from collections.abc import Collection
from typing import Final

_SHORT_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~")
_FORBIDDEN: Final = frozenset('"*/:<>?\\|\x7f')
_LONGEST: Final = 255
_CHARACTERS_EACH: Final = 13
_LAST: Final = 0x40
LONG_NAME: Final = 0x0F
"""The attributes of an entry that holds a part of a long name."""
_LOWER_BASE: Final = 0x08
_LOWER_EXTENSION: Final = 0x10


def check_name(name: str) -> str:
    """Return a name that a file can have; raise ``OSError`` (EINVAL) for another."""
    bad = any(ord(character) < 32 or character in _FORBIDDEN for character in name)
    if bad or not name.strip(". ") or name != name.rstrip(". ") or len(_utf16(name)) > 2 * _LONGEST:
        raise OSError(errno.EINVAL, "FAT can't have a file of that name", name)
    return name


def short_of_entry(entry: bytes) -> str:
    """The short name in an entry. Its letters may be meant as small ones (byte 12, Windows NT's use of it)."""
    raw = bytearray(entry[:11])
    if raw[0] == 0x05:
        raw[0] = 0xE5
    base, extension = raw[:8].decode("cp437").rstrip(), raw[8:].decode("cp437").rstrip()
    if entry[12] & _LOWER_BASE:
        base = base.lower()
    if entry[12] & _LOWER_EXTENSION:
        extension = extension.lower()
    return f"{base}.{extension}" if extension else base


def checksum(short: bytes) -> int:
    """What ties the parts of a long name to the 11 bytes of a short one."""
    total = 0
    for byte in short:
        total = ((total >> 1) + (total << 7) + byte) & 0xFF
    return total


def plain_short(name: str) -> bytes | None:
    """The 11 bytes of a name that, but for its letters' case, is a short one; else ``None``."""
    base, dot, extension = name.upper().rpartition(".") if "." in name else (name.upper(), "", "")
    if not 1 <= len(base) <= 8 or len(extension) > 3 or (dot and not extension):
        return None
    if not set(base + extension) <= _SHORT_CHARACTERS:
        return None
    return (base.ljust(8) + extension.ljust(3)).encode("ascii")


def make_short(name: str, taken: Collection[bytes]) -> bytes:
    """A short name (11 bytes) for a long one that is not among those ``taken``."""
    plain = plain_short(name)
    if plain is not None and plain not in taken:
        return plain
    base, _, extension = name.upper().lstrip(".").rpartition(".") if "." in name.lstrip(".") else (name.upper(), "", "")
    base = _simple(base) or "_"
    extension = _simple(extension)[:3]
    for number in range(1, 1_000_000):
        tail = f"~{number}"
        candidate = ((base[: 8 - len(tail)] + tail).ljust(8) + extension.ljust(3)).encode("ascii")
        if candidate not in taken:
            return candidate
    raise OSError(errno.ENOSPC, "the folder has no short name left", name)


def long_entries(name: str, short: bytes) -> list[bytes]:
    """The entries that hold a long name, in the order in which they stand before the short one's."""
    raw = _utf16(name)
    if len(raw) % (2 * _CHARACTERS_EACH):
        raw += b"\0\0"
    raw += b"\xff" * (-len(raw) % (2 * _CHARACTERS_EACH))
    parts = [raw[at : at + 2 * _CHARACTERS_EACH] for at in range(0, len(raw), 2 * _CHARACTERS_EACH)]
    total = checksum(short)
    entries = []
    for number, part in enumerate(parts, 1):
        order = number | _LAST if number == len(parts) else number
        head = bytes([order]) + part[:10] + bytes([LONG_NAME, 0, total])
        entries.append(head + part[10:22] + b"\0\0" + part[22:])
    return entries[::-1]


class LongName:
    """Puts a long name together from the entries of a folder, as they come."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._expected = 0
        self._checksum = -1

    def forget(self) -> None:
        """Begin anew."""
        self._parts = []
        self._expected = 0

    @property
    def entries(self) -> int:
        """How many entries it took so far."""
        return len(self._parts)

    def add(self, entry: bytes) -> None:
        """The next entry of a long name; one that doesn't follow the one before begins anew."""
        order = entry[0]
        if order & _LAST:
            self._parts = []
            self._expected, self._checksum = order & 0x3F, entry[13]
        if not self._expected or (order & 0x3F) != self._expected or entry[13] != self._checksum:
            self.forget()
            return
        self._parts.append(entry[1:11] + entry[14:26] + entry[28:32])
        self._expected -= 1

    def finish(self, short: bytes) -> str | None:
        """The name, if all of it came and belongs to this short one."""
        if not self._parts or self._expected or self._checksum != checksum(short):
            return None
        name = b"".join(reversed(self._parts)).decode("utf-16-le", "replace")
        return name.partition("\0")[0]


def _simple(text: str) -> str:
    return "".join(character if character in _SHORT_CHARACTERS else "_" for character in text if character not in ". ")


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le", "surrogatepass")
