"""A file as a disk, as nbdkit's Python plugin would have it (nbdkit-python-plugin(3), API version 2)."""

from __future__ import annotations

import os

import nbdkit

API_VERSION = 2
path: list[str] = []


def config(key: str, value: str) -> None:
    if key != "file":
        raise RuntimeError(f"unknown parameter {key}")
    path.append(value)


def thread_model() -> int:
    model: int = nbdkit.THREAD_MODEL_PARALLEL
    return model


def open(_readonly: bool) -> int:  # noqa: A001 - nbdkit's name for it
    return os.open(path[0], os.O_RDWR)


def close(handle: int) -> None:
    os.close(handle)


def get_size(handle: int) -> int:
    return os.fstat(handle).st_size


def can_multi_conn(_handle: int) -> bool:
    return True


def can_flush(_handle: int) -> bool:
    return True


def pread(handle: int, buffer: bytearray, offset: int, _flags: int) -> None:
    os.preadv(handle, [buffer], offset)


def pwrite(handle: int, buffer: bytearray, offset: int, _flags: int) -> None:
    os.pwrite(handle, buffer, offset)


def flush(handle: int, _flags: int) -> None:
    os.fdatasync(handle)
