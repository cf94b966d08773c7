"""The benchmark's stand-in for the game's saving: another file, the same disk."""

from __future__ import annotations

import io
import os
import zlib
from functools import partial
from pathlib import Path

import pytest
from nbt import nbt

from bench.game import compressed_chunks, save_as_game
from bench.plan import Plan
from bench.units import MIB
from bench.worlds import check, new_world, region_files, with_disk, write_all


@pytest.mark.parametrize("kind", ["bbd", "bbd-nibble"])
def test_a_world_saved_again_holds_the_same_disk_in_palettes_by_appearance(kind: str, tmp_path: Path) -> None:
    content = b"words and words; " * 20000 + os.urandom(200_000)
    content += bytes(MIB - len(content))
    with new_world(kind, Plan(1, 1.0, MIB, tmp_path, lambda _: None)) as folder:
        with_disk(folder, partial(write_all, content=content))
        before = [file.read_bytes() for file in region_files(folder)]
        save_as_game(folder / "world", region_files(folder))
        assert [file.read_bytes() for file in region_files(folder)] != before
        for file in region_files(folder):
            for chunk in compressed_chunks(file):
                _check_palettes(nbt.NBTFile(buffer=io.BytesIO(zlib.decompress(chunk))))
        with_disk(folder, partial(check, content=content))


def _check_palettes(chunk: nbt.NBTFile) -> None:
    assert [section["Y"].value for section in chunk["sections"]] == list(range(-4, 20))
    for section in chunk["sections"]:
        states = section["block_states"]
        kinds = len(states["palette"])
        if kinds > 1:
            bits = max(4, (kinds - 1).bit_length())
            each = 64 // bits
            longs = [value % 2**64 for value in states["data"].value]
            entries = [longs[i // each] >> i % each * bits & (1 << bits) - 1 for i in range(4096)]
            assert list(dict.fromkeys(entries)) == list(range(kinds))
