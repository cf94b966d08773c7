"""The file system that a demo disk starts with: vfat, with a few files to find.

The image was made by ``scripts/make-demo-template``; ``demo_template.bin`` beside this file holds the pages of it that
are not zero: zlib over a little-endian u32 count, that many u32 page numbers, and the pages one after the other.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from importlib.resources import files

SIZE = 64 << 20
"""The image's length in bytes: the smallest disk that it fits."""

PAGE = 4096


def pages() -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes) of every page that is not zero all over, in order; all else of the image is zeros.

    Offsets are bytes, multiples of ``PAGE``; every page is ``PAGE`` bytes long.
    """
    packed = zlib.decompress(files("bbd.cli").joinpath("demo_template.bin").read_bytes())
    (count,) = struct.unpack_from("<I", packed)
    numbers = struct.unpack_from(f"<{count}I", packed, 4)
    body = memoryview(packed)[4 + 4 * count :]
    for position, number in enumerate(numbers):
        yield number * PAGE, bytes(body[position * PAGE : (position + 1) * PAGE])


def pack(image: bytes) -> bytes:
    """The content of ``demo_template.bin`` for an image whose length is a multiple of ``PAGE``."""
    found = [start for start in range(0, len(image), PAGE) if any(image[start : start + PAGE])]
    header = struct.pack(f"<I{len(found)}I", len(found), *(start // PAGE for start in found))
    return zlib.compress(header + b"".join(image[start : start + PAGE] for start in found), 9)
