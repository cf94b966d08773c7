"""Inflating in compiled code: a call of libdeflate by its address.

The library lies in the package ``deflate``, whose own functions hold the GIL. Where it can't be had, others inflate.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from bbd.worlds.anvil.compiled.jit import Bytes, Number, Stack, inlined

_PARAMETERS = 6
_ADDRESS_BITS = 64


class Decompressor:
    """What inflates, each thread's own: addresses of the function and of its memory; 0 where there is no library."""

    def __init__(self) -> None:
        self.function = self.memory = 0
        library = _library()
        if library is not None and (memory := library.libdeflate_alloc_decompressor()):
            self.function = ctypes.cast(library.libdeflate_zlib_decompress, ctypes.c_void_p).value or 0
            self.memory = memory
            # Not at the process's end, when a thread may still be using it.
            weakref.finalize(self, library.libdeflate_free_decompressor, ctypes.c_void_p(memory)).atexit = False


@cache
def _library() -> Any:
    """The library, ``None`` where there is none."""
    try:
        library = ctypes.CDLL(import_module("deflate._deflate").__file__)
        library.libdeflate_alloc_decompressor.restype = ctypes.c_void_p
        library.libdeflate_free_decompressor.restype = None
        library.libdeflate_zlib_decompress  # noqa: B018
    except (ImportError, OSError, AttributeError):
        return None
    return library if ctypes.sizeof(ctypes.c_void_p) * 8 == _ADDRESS_BITS else None


def _declare(
    _: Any, function: Any, memory: Any, packed: Any, length: Any, content: Any, room: Any, size: Any
) -> tuple[Any, Any]:
    def call(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(_ADDRESS_BITS)] * _PARAMETERS)
        return builder.call(builder.inttoptr(values[0], kind.as_pointer()), values[1:])

    return types.int32(*[types.uint64] * (1 + _PARAMETERS)), call


_zlib_decompress: Any = intrinsic(_declare)
"""The library's function of that name, after its address: 0 where all is well."""


@inlined
def inflate(function: Number, memory: Number, packed: Bytes, content: Bytes, size: Stack) -> Number:
    """How many bytes a zlib stream holds, which are in ``content`` then; -1 where it is none, or they don't fit.
    ``size`` is memory for one number."""
    result = _zlib_decompress(
        np.uint64(function),
        np.uint64(memory),
        packed.ctypes.data,
        np.uint64(len(packed)),
        content.ctypes.data,
        np.uint64(len(content)),
        size.ctypes.data,
    )
    return size[0] if result == 0 else np.int64(-1)
