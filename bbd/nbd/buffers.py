"""Where input goes: a buffer that many connections share, and what becomes of payloads too long for it.

A buffer protocol asks for a buffer, and gets it back filled, in one go on one thread. So all connections of a server
can receive into the same memory, and a connection that is idle owns none.
"""

from __future__ import annotations

from typing import Final

from bbd.blocks import fresh

ARENA_SIZE: Final = 256 << 10
"""Bytes of the shared buffer: more than 32 writes of 4 KiB, and more than a socket holds by default."""

_FIRST_GRANT: Final = 1 << 20
_GROWTH: Final = 4


class Arena:
    """The buffer that all connections receive into, and one spare for large payloads."""

    def __init__(self, size: int = ARENA_SIZE) -> None:
        self.view = memoryview(bytearray(size))
        self._spare = bytearray()

    def grant(self, length: int) -> bytearray:
        """A buffer of ``length`` bytes with anything in it."""
        buffer, self._spare = self._spare, bytearray()
        return buffer if len(buffer) == length else bytearray(length)

    def give_back(self, buffer: bytearray) -> None:
        """Keep a granted buffer, of which no view is in use, for the next of its length."""
        if len(buffer) <= _FIRST_GRANT:
            self._spare = buffer


class Buffer:
    """A payload that is received into a buffer of its own.

    The buffer grows with what has come, so that a client that announces much and sends little holds little.
    """

    def __init__(self, arena: Arena, length: int) -> None:
        self.length = length
        self._arena = arena
        self._buffer = arena.grant(min(length, _FIRST_GRANT))
        self._filled = 0

    @property
    def complete(self) -> bool:
        """Whether every byte has come."""
        return self._filled == self.length

    def room(self) -> memoryview:
        """Where the next bytes go; never empty before the payload is complete."""
        if self._filled == len(self._buffer) < self.length:
            grown = bytearray(min(self.length, _GROWTH * self._filled))
            grown[: self._filled] = self._buffer
            self._buffer = grown
        return memoryview(self._buffer)[self._filled :]

    def put(self, data: memoryview) -> None:
        """Take bytes that came another way; no more than there is room for."""
        self.room()[: len(data)] = data
        self._filled += len(data)

    def received(self, count: int) -> None:
        """``count`` bytes were put into :meth:`room`."""
        self._filled += count

    def view(self) -> memoryview:
        """The bytes so far."""
        return memoryview(self._buffer)[: self._filled]

    def take(self) -> bytearray:
        """The complete payload's buffer, to keep."""
        return self._buffer

    def give_back(self) -> None:
        """The buffer is used no more."""
        self._arena.give_back(self._buffer)


class Pieces:
    """A payload of ``length`` bytes, to be written at ``offset``, that is received into pieces that nobody else has.

    They end where the disk has a multiple of ``size`` bytes, and are taken as bytes come for them.
    """

    def __init__(self, offset: int, length: int, size: int) -> None:
        self.length = length
        self.pieces: list[memoryview] = []
        self._position = offset
        self._end = offset + length
        self._size = size
        self._room = memoryview(b"")

    @property
    def complete(self) -> bool:
        """Whether every byte has come."""
        return not self._room and self._position == self._end

    def room(self) -> memoryview:
        """Where the next bytes go; never empty before the payload is complete."""
        if not self._room:
            length = min(self._end - self._position, self._size - self._position % self._size)
            self._position += length
            self._room = fresh(length)
            self.pieces.append(self._room)
        return self._room

    def put(self, data: memoryview) -> None:
        """Take bytes that came another way; no more than the payload has."""
        while data:
            room = self.room()
            count = min(len(room), len(data))
            room[:count] = data[:count]
            self.received(count)
            data = data[count:]

    def received(self, count: int) -> None:
        """``count`` bytes were put into :meth:`room`."""
        self._room = self._room[count:]
