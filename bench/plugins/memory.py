"""A disk in memory, as nbdkit's Python plugin would have it (nbdkit-python-plugin(3), API version 2)."""

from __future__ import annotations

import nbdkit

API_VERSION = 2
disk = bytearray()


def config(key: str, value: str) -> None:
    if key != "size":
        raise RuntimeError(f"unknown parameter {key}")
    disk.extend(bytes(int(value)))


def thread_model() -> int:
    model: int = nbdkit.THREAD_MODEL_PARALLEL
    return model


def open(_readonly: bool) -> int:  # noqa: A001 - nbdkit's name for it
    return 1


def get_size(_handle: int) -> int:
    return len(disk)


def can_multi_conn(_handle: int) -> bool:
    return True


def can_flush(_handle: int) -> bool:
    return True


def pread(_handle: int, buffer: bytearray, offset: int, _flags: int) -> None:
    buffer[:] = disk[offset : offset + len(buffer)]


def pwrite(_handle: int, buffer: bytearray, offset: int, _flags: int) -> None:
    disk[offset : offset + len(buffer)] = buffer


def flush(_handle: int, _flags: int) -> None:
    pass
