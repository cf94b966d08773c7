"""Reading columns that the game saved, against nothing but inflating the same bytes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from isal import isal_zlib

from bbd.worlds.anvil.compiled.loading import LOADER
from bench.game import compressed_chunks, save_as_game
from bench.image import make_image
from bench.plan import Plan
from bench.results import Measurement
from bench.trials import Round, Trial
from bench.units import MIB
from bench.worlds import check, new_world, read_all, region_files, with_disk, write_all

_SIZE = 32 * MIB
_COMPILING = 300
"""Seconds."""


class SavedByGame(Trial):
    """A disk that holds a file system, after the game has saved every chunk of it: the disk alone (``bbd``), and
    ``isal`` inflating the same chunks one after the other.

    Both count the disk's bytes, so that the ratios are those of the times. What a server does once in its life, having
    the machine code that decodes such columns ready, is done before the first round.
    """

    name = "saved-by-game"

    @contextmanager
    def prepared(self, plan: Plan) -> Iterator[Round]:
        image = plan.place / "saved.image"
        make_image(image, _SIZE)
        content = image.read_bytes()
        with ExitStack() as stack:
            folders = {kind: stack.enter_context(new_world(kind, plan, _SIZE)) for kind in ("bbd", "bbd-nibble")}
            for folder in folders.values():
                with_disk(folder, partial(write_all, content=content))
                save_as_game(folder / "world", region_files(folder))
            chunks = [chunk for file in region_files(folders["bbd"]) for chunk in compressed_chunks(file)]
            for folder in folders.values():
                with_disk(folder, read_all)
            if not LOADER.wait(_COMPILING):
                plan.progress("saved-by-game: there is no machine code here, columns are decoded without it")

            def once() -> dict[str, Measurement]:
                times = {kind: with_disk(folder, read_all) for kind, folder in folders.items()}
                times["isal"] = _inflate(chunks)
                return {name: Measurement(_SIZE / seconds) for name, seconds in times.items()}

            yield once
            for folder in folders.values():
                with_disk(folder, partial(check, content=content))
        image.unlink()


def _inflate(chunks: Sequence[bytes]) -> float:
    start = time.perf_counter()
    for chunk in chunks:
        isal_zlib.decompress(chunk)
    return time.perf_counter() - start
