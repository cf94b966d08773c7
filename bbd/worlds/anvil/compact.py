"""Writing a region file anew, as small as it can be.

The fresh file is written beside the old one, synced and put in its place, so that a crash leaves one or the other.
Its chunks follow each other without a gap. Chunks that the caller names are compressed harder, stitched ones too,
where they are zlib and that saves a sector; all others keep every byte, and so do all timestamps.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from isal import isal_zlib

from bbd.files import File, Files
from bbd.worlds.anvil.compression import ZLIB, RawChunk, decompress
from bbd.worlds.anvil.region import RegionFile
from bbd.worlds.anvil.sectors import HEADER_SECTORS, SECTOR_SIZE, Extent, sectors_for
from bbd.worlds.anvil.tables import CHUNKS, HEADER_SIZE
from bbd.worlds.world import ColumnUnreadable

# Within a tenth of the size that zlib's best level gives, on text, programs and random bytes, in a tenth of its time.
_LEVEL: Final = 3
SUFFIX: Final = ".compact"
"""What a fresh file's name ends in until it takes the old one's place."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """Bytes of a region file before and after; ``damaged`` says why it was left as it is, if it was."""

    before: int
    after: int
    damaged: str = ""


def compact_region(
    files: Files, path: Path, harder: Collection[int], dress: Callable[[Path, Path], None] | None = None
) -> Compacted:
    """Write the region file at ``path`` anew; nobody else may have it open. It stays as it is where that wins nothing.

    ``harder`` are the indices of chunks to compress again. ``dress(fresh, path)`` is called before the fresh file takes
    the old one's place, to give it the old one's owner and mode. A file with a chunk that can't be placed for sure
    is left alone. Errors: ``OSError``; the old file then still stands.
    """
    before = _size(files, path)
    fresh = path.with_name(path.name + SUFFIX)
    files.remove(fresh)
    region = RegionFile(files, path, writable=False)
    try:
        after = _write(files, region, fresh, _timestamps(files, path), harder)
        if after < before:
            if dress is not None:
                dress(fresh, path)
            files.replace(fresh, path)
            files.sync_dir(path.parent)
            return Compacted(before, after)
        return Compacted(before, before)
    except ColumnUnreadable as error:
        return Compacted(before, before, error.strerror or "it can't be read")
    finally:
        region.close()
        with contextlib.suppress(OSError):
            files.remove(fresh)


def leftovers(files: Files, folder: Path) -> Iterator[Path]:
    """Fresh files that a crash left in a folder before they took their place."""
    for name in files.list_dir(folder):
        if name.endswith(f".mca{SUFFIX}"):
            yield folder / name


def _write(files: Files, region: RegionFile, fresh: Path, timestamps: bytes, harder: Collection[int]) -> int:
    """Write all chunks, then the header, and sync; return the file's length."""
    file = files.open(fresh, write=True, create=True)
    try:
        locations = bytearray(HEADER_SIZE - len(timestamps))
        sector = HEADER_SECTORS
        for index, raw in _chunks(region):
            chosen = _harder(raw) if index in harder else raw
            end = sector + _write_chunk(file, chosen, sector)
            locations[4 * index : 4 * index + 4] = Extent(sector, end).location.to_bytes(4, "big")
            sector = end
        file.pwrite([locations, timestamps], 0)
        file.sync()
        return sector * SECTOR_SIZE
    finally:
        file.close()


def _chunks(region: RegionFile) -> Iterator[tuple[int, RawChunk]]:
    present = region.present_bitmap
    for index in range(CHUNKS):
        if present >> index & 1 and (raw := region.read_raw(index)) is not None:
            yield index, raw


def _write_chunk(file: File, raw: RawChunk, sector: int) -> int:
    """Write a chunk from a sector on; return how many it takes."""
    parts, count = raw.parts, _sectors(raw)
    file.pwrite([*parts, bytes(count * SECTOR_SIZE - sum(map(len, parts)))], sector * SECTOR_SIZE)
    return count


def _harder(raw: RawChunk) -> RawChunk:
    """The same chunk in fewer sectors, if there is a way that does not change its type."""
    if raw.compression != ZLIB:
        return raw
    try:
        fresh = RawChunk(ZLIB, isal_zlib.compress(decompress(raw), _LEVEL))
    except ColumnUnreadable:
        return raw
    return fresh if _sectors(fresh) < _sectors(raw) else raw


def _sectors(raw: RawChunk) -> int:
    return sectors_for(sum(map(len, raw.parts)))


def _size(files: Files, path: Path) -> int:
    file = files.open(path)
    try:
        return file.size()
    finally:
        file.close()


def _timestamps(files: Files, path: Path) -> bytes:
    file = files.open(path)
    try:
        return file.pread(HEADER_SIZE // 2, HEADER_SIZE // 2).ljust(HEADER_SIZE // 2, b"\0")
    finally:
        file.close()
