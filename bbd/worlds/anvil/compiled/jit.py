"""How functions are compiled. They may call each other, and nothing else but operators and numpy's types.

Numbers are signed and have 64 bits; indices are made unsigned, for numba would look at each whether it counts from the
end. Nothing checks indices: who reads a byte has made sure that it is there.

Arrays are handed over one by one, though the same ones go all the way: put into named tuples, they made a column take
some four hundredths longer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from bbd.worlds.anvil.compiled.cache import cache_folder

Number: TypeAlias = np.int64 | int
Bytes: TypeAlias = npt.NDArray[np.uint8]
Words: TypeAlias = npt.NDArray[np.uint64]
Indices: TypeAlias = npt.NDArray[np.uint16]
Stack: TypeAlias = npt.NDArray[np.int64]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """A function of its own."""
    return cast(_Function, numba.njit(nogil=True)(function))


def inlined(function: _Function) -> _Function:
    """A function that becomes a part of each that calls it: handing over arrays takes longer than small ones do."""
    return cast(_Function, numba.njit(nogil=True, forceinline=True)(function))


def kept(function: _Function) -> _Function:
    """A function that Python calls, kept on the disk with all that it calls. Raises ``OSError`` where that can't be."""
    folder, config = cache_folder(), cast(Any, numba.config)
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        kept = cast(Any, numba.njit(nogil=True, cache=True)(function))
    finally:
        config.CACHE_DIR = before
    # Where numba may not write to a folder, it quietly takes another.
    if folder not in Path(kept.stats.cache_path).parents:
        raise PermissionError(f"{folder} can't be written to")
    return cast(_Function, kept)
