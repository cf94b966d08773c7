"""The few NBT tags that chunks are made of, as bytes (format: see :mod:`~bbd.worlds.anvil.nbt_scan`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bbd.worlds.anvil.nbt_scan import BYTE, COMPOUND, END, INT, LIST, LONG, LONG_ARRAY, STRING

END_TAG = bytes([END])


def named(kind: int, name: str, payload: bytes) -> bytes:
    """A tag with its name."""
    return bytes([kind]) + string_payload(name) + payload


def string_payload(text: str) -> bytes:
    """A string as it stands in a list."""
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def list_payload(kind: int, items: Sequence[bytes]) -> bytes:
    """Items of one type. The game writes empty lists as lists of type 0."""
    return bytes([kind if items else END]) + len(items).to_bytes(4, "big") + b"".join(items)


def byte(name: str, value: int) -> bytes:
    """TAG_Byte."""
    return named(BYTE, name, value.to_bytes(1, "big", signed=True))


def integer(name: str, value: int) -> bytes:
    """TAG_Int."""
    return named(INT, name, value.to_bytes(4, "big", signed=True))


def long(name: str, value: int) -> bytes:
    """TAG_Long."""
    return named(LONG, name, value.to_bytes(8, "big", signed=True))


def string(name: str, text: str) -> bytes:
    """TAG_String."""
    return named(STRING, name, string_payload(text))


def listing(name: str, kind: int, items: Sequence[bytes]) -> bytes:
    """TAG_List."""
    return named(LIST, name, list_payload(kind, items))


def compound(name: str, tags: Iterable[bytes]) -> bytes:
    """TAG_Compound."""
    return named(COMPOUND, name, compound_payload(tags))


def compound_payload(tags: Iterable[bytes]) -> bytes:
    """A compound as it stands in a list."""
    return b"".join(tags) + END_TAG


def long_array(name: str, longs: bytes) -> bytes:
    """TAG_Long_Array of big-endian longs."""
    return named(LONG_ARRAY, name, (len(longs) // 8).to_bytes(4, "big") + longs)
