"""Decoding broken chunks by machine code that looks at each index: a program, to be run with NUMBA_BOUNDSCHECK=1."""

from __future__ import annotations

import random

import numpy as np

from bbd.worlds.anvil.compiled.columns import read_column
from bbd.worlds.anvil.compiled.reader import Known
from bbd.worlds.anvil.palette import PaletteCache
from tests.worlds.test_compiled import HEAD, compare, saved
from tests.worlds.test_outline import CODECS, damaged

CHUNKS = 25
CHANGES = 20


def require_checks() -> None:
    """Raise ``AssertionError`` unless an index outside of an array is found out."""
    used, palettes = CODECS["byte"], PaletteCache()
    content = saved(used, random.Random(0), 0)
    compare(content, used, palettes)
    known = Known(palettes.table.known, used)
    data = np.frombuffer(content, np.uint8)
    words = np.ndarray((len(content) - 7,), np.dtype("<u8"), content, 0, (1,))
    tables = known.rows, known.factors, known.slots
    small, numbers = np.zeros(1, np.uint8), np.zeros(1, np.uint16)
    try:
        read_column(data, words, *tables, 8, small, np.zeros(256, np.uint8), numbers, numbers, np.zeros(64, np.int64))
    except IndexError:
        return
    raise AssertionError("indices are not checked")


def main() -> None:
    require_checks()
    for seed in range(CHUNKS):
        rng = random.Random(seed)
        for name in HEAD:
            palettes = PaletteCache()
            content = saved(CODECS[name], rng, rng.choice([0, 0, 3]))
            compare(content, CODECS[name], palettes)
            for _ in range(CHANGES):
                broken = content
                for _ in range(rng.randint(1, 3)):
                    broken = damaged(broken, rng)
                compare(broken, CODECS[name], palettes)


if __name__ == "__main__":
    main()
