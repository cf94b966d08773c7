"""Payloads of whole sections: the one object that stands for zeros, so that telling it is a comparison of identities,
and two changes in one."""

from functools import cache
from typing import TypeVar

import numpy as np

from bbd.worlds.world import Payload

_Payload = TypeVar("_Payload", bytes, Payload)


@cache
def zero_section(size: int) -> bytes:
    """The payload of ``size`` zero bytes; always the same object."""
    return bytes(size)


def canonical(payload: _Payload, zero: bytes) -> _Payload:
    """``payload``, or ``zero`` itself where they are equal."""
    if payload[0] or payload[-1]:
        return payload
    return zero if bytes(payload) == zero else payload


def unshared(payload: Payload) -> Payload:
    """``payload`` as an object of its own, where it is the zeros that all share: whether a section was written since
    is told by the object."""
    return memoryview(payload) if payload is zero_section(len(payload)) else payload


def merge(was: Payload, theirs: Payload, ours: Payload) -> Payload:
    """Two changes of a section in one: bytes that ``theirs`` has changed are theirs, all others ``ours``."""
    before, after = np.frombuffer(was, np.uint8), np.frombuffer(theirs, np.uint8)
    merged = np.where(before != after, after, np.frombuffer(ours, np.uint8)).tobytes()
    return canonical(merged, zero_section(len(merged)))


def differences(one: Payload, other: Payload) -> int:
    """In how many bytes two sections differ."""
    return int(np.count_nonzero(np.frombuffer(one, np.uint8) != np.frombuffer(other, np.uint8)))
