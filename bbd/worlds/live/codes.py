"""The bridge's errors, by number and name (companion-mod/PROTOCOL.md, "Errors")."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final


class Code(IntEnum):
    """An error's number; its name in text frames is :attr:`word`."""

    BAD_FRAME = 1
    BAD_REQUEST = 2
    UNKNOWN_REQUEST = 3
    VERSION = 4
    UNAUTHORIZED = 5
    TOO_LATE = 6
    LIMIT = 7
    TAKEN_OVER = 8
    NO_SUCH_DISK = 9
    IN_USE = 10
    BAD_PALETTE = 11
    NOT_OPEN = 12
    OUTSIDE = 13
    CONFLICT = 14
    UNREADABLE = 15
    IO = 16
    NO_SPACE = 17
    READ_ONLY = 18
    NOT_ALLOWED = 19
    APPROVAL_NEEDED = 20
    EXISTS = 21
    NO_SUCH_FILE = 22
    DAMAGED = 23
    STOPPING = 24
    INTERNAL = 25

    @property
    def word(self) -> str:
        """Its name on the wire."""
        return self.name.lower()


DONE: Final = 0
CLOSE_BASE: Final = 4000
"""A connection that ends because of an error is closed with this and the error's number."""
_BY_WORD: Final = {code.word: code for code in Code}
_ERRNO: Final = {
    Code.NO_SPACE: errno.ENOSPC,
    Code.READ_ONLY: errno.EROFS,
    Code.NOT_ALLOWED: errno.EPERM,
    Code.NO_SUCH_FILE: errno.ENOENT,
}
TROUBLES: Final[Mapping[Code | None, str]] = {
    Code.NO_SPACE: "the server's file system is full, make room there",
    Code.IO: "the server's file system failed, look into its log",
    Code.READ_ONLY: "the server can't write its world, look at the owner and mode of its folder",
}
"""Errors of the server's machine, which must not be taken for those of this one, and what to do about them."""


class BridgeError(OSError):
    """The companion refused a request. ``code`` is ``None`` for an error that only a newer protocol knows; ``message``
    is the companion's, ``more`` holds what else it said. Its ``errno`` is what a disk's client may be told, its
    ``strerror`` what a person may read."""

    def __init__(self, code: Code | None, message: str, more: Mapping[str, Any] | None = None) -> None:
        number = _ERRNO.get(code, errno.EIO) if code else errno.EIO
        super().__init__(number, f"{TROUBLES.get(code, 'the server says')}: {message}")
        self.code = code
        self.message = message
        self.more = more or {}


class Refusal(Exception):
    """A frame that is not as the protocol says, and the error that its receiver answers with."""

    def __init__(self, why: str, code: Code = Code.BAD_FRAME) -> None:
        super().__init__(why)
        self.code = code


def code_of_word(word: str) -> Code | None:
    """The error of that name; ``None`` for one of a newer protocol."""
    return _BY_WORD.get(word)


def code_of_close(number: int | None) -> Code | None:
    """The error that a connection was closed with, by the websocket's close code; ``None`` for any other end."""
    try:
        return Code((number or 0) - CLOSE_BASE)
    except ValueError:
        return None
