"""A scan over NBT bytes: where tags begin and end, and no more.

NBT is the game's tag format (big-endian; a named tag is u8 type, u16 name length, name, payload; a compound ends with
type 0). Whoever rewrites a chunk copies the spans of the tags that it doesn't know, byte for byte.

Positions are indices into the scanned bytes. Bytes that are no NBT raise :class:`Malformed` or ``IndexError`` (behind
the end); :func:`malformed_as_unreadable` turns both into the one error that a world may raise.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

from bbd.worlds.anvil.damage import unreadable

END, BYTE, SHORT, INT, LONG, FLOAT, DOUBLE = range(7)
BYTE_ARRAY, STRING, LIST, COMPOUND, INT_ARRAY, LONG_ARRAY = range(7, 13)

_FIXED: Mapping[int, int] = {BYTE: 1, SHORT: 2, INT: 4, LONG: 8, FLOAT: 4, DOUBLE: 8}
_ARRAY_ITEMS: Mapping[int, int] = {BYTE_ARRAY: 1, INT_ARRAY: 4, LONG_ARRAY: 8}
_MAX_DEPTH = 200
"""Far deeper than the tags of any chunk, and not too deep for Python's own stack."""

_LENGTH = struct.Struct(">i")

Reader: TypeAlias = Callable[[bytes, int], int]
"""Takes the bytes and the position of a payload, keeps what it wants, returns the position behind the payload."""


class Malformed(ValueError):
    """The bytes are no NBT, or not what should be there."""


class Tag(NamedTuple):
    """A named tag: bytes ``start`` to ``end`` hold all of it, its payload begins at ``payload``."""

    kind: int
    name: bytes
    start: int
    payload: int
    end: int


@contextmanager
def malformed_as_unreadable() -> Iterator[None]:
    """Whatever scanning can raise becomes :class:`~bbd.worlds.world.ColumnUnreadable`."""
    try:
        yield
    except (Malformed, IndexError, struct.error) as error:
        why = str(error) if isinstance(error, Malformed) else "it ends in the middle of a tag"
        raise unreadable(f"its NBT is malformed: {why}") from error


def length_at(data: bytes, position: int) -> int:
    """The length of a list or an array."""
    length: int = _LENGTH.unpack_from(data, position)[0]
    if length < 0:
        raise Malformed("a list has a negative length")
    return length


def string_at(data: bytes, position: int) -> tuple[str, int]:
    """A string's text and the position behind it. What is no UTF-8 reads as replacement characters."""
    start = position + 2
    end = start + (data[position] << 8 | data[position + 1])
    return data[start : _inside(data, end)].decode("utf-8", "replace"), end


def list_at(data: bytes, position: int, kind: int) -> tuple[int, int]:
    """How many items a list of ``kind`` has, and where the first begins. An empty list may be of any kind."""
    count = length_at(data, position + 1)
    if count and data[position] != kind:
        raise Malformed(f"a list holds tags of type {data[position]} instead of {kind}")
    return count, position + 5


def skip(data: bytes, kind: int, position: int, depth: int = 0) -> int:
    """The position behind a payload of ``kind``."""
    if size := _FIXED.get(kind):
        return _inside(data, position + size)
    if kind == STRING:
        return _inside(data, position + 2 + (data[position] << 8 | data[position + 1]))
    if item := _ARRAY_ITEMS.get(kind):
        return _inside(data, position + 4 + item * length_at(data, position))
    if depth >= _MAX_DEPTH:
        raise Malformed("its tags are nested too deep")
    if kind == LIST:
        return _skip_list(data, position, depth + 1)
    if kind == COMPOUND:
        return _skip_compound(data, position, depth + 1)
    raise Malformed(f"there is no tag type {kind}")


def scan_compound(data: bytes, position: int, readers: Mapping[bytes, tuple[int, Reader]]) -> tuple[list[Tag], int]:
    """The tags of a compound, in order, and the position behind it.

    ``readers`` maps names to the type that a tag of that name must have and to who reads its payload. Raises
    :class:`Malformed` for another type, and for a name of ``readers`` that comes twice.
    """
    tags: list[Tag] = []
    while kind := data[position]:
        payload = position + 3 + (data[position + 1] << 8 | data[position + 2])
        name = data[position + 3 : _inside(data, payload)]
        if (reader := readers.get(name)) is None:
            end = skip(data, kind, payload)
        else:
            if kind != reader[0]:
                raise Malformed(f"'{name.decode()}' is a tag of type {kind} instead of {reader[0]}")
            if any(tag.name == name for tag in tags):
                raise Malformed(f"'{name.decode()}' comes twice")
            end = reader[1](data, payload)
        tags.append(Tag(kind, name, position, payload, end))
        position = end
    return tags, position + 1


def int_at(data: bytes, tag: Tag) -> int | None:
    """The value of a tag of one of the whole-number types; ``None`` for another type."""
    if tag.kind not in (BYTE, SHORT, INT, LONG):
        return None
    return int.from_bytes(data[tag.payload : tag.end], "big", signed=True)


def _inside(data: bytes, position: int) -> int:
    if position > len(data):
        raise IndexError(position)
    return position


def _skip_list(data: bytes, position: int, depth: int) -> int:
    kind, count = data[position], length_at(data, position + 1)
    position += 5
    if size := _FIXED.get(kind):
        return _inside(data, position + size * count)
    if kind == END and count:
        raise Malformed("a list holds tags without a type")
    for _ in range(count):
        position = skip(data, kind, position, depth)
    return position


def _skip_compound(data: bytes, position: int, depth: int) -> int:
    while kind := data[position]:
        name_end = position + 3 + (data[position + 1] << 8 | data[position + 2])
        position = skip(data, kind, name_end, depth)
    return position + 1
