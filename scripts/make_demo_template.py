"""Makes the file system that a demo disk starts with, the same bytes each time, with mkfs.vfat and mtools.

Clusters are 4096 bytes and aligned, so that each small file fills exactly one section of the world.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import mural
from fat16 import Volume

from bbd.cli import demo_template

LABEL = "BBD"
VOLUME_ID = "B10CB10C"
EPOCH = 1242554400
"""2009-05-17 10:00 UTC, the date on every file: the day on which the game was first open to the public."""

README = """\
Welcome to bbd! Every byte of this disk is a block in a Minecraft world, and every file here is a place in it.
Change a file, then go and look: "bbd where" tells you where a byte stands, "bbd what" which byte a block is.
"""

POEM = """\
A byte of copper, a byte of clay,
a letter I laid down yesterday;
the moon goes over, the creepers roam,
and still my sectors are safe at home.

Some keep their secrets in silver and sand,
some in a cloud over somebody's land.
I keep mine here, where the daylight falls
on paragraphs stacked into coloured walls.

So dig where you like, but dig with care:
under your boots is a byte somewhere.
"""

MAP = """\
                  north
        +--------+------------------+
        |  you   |                  |
        | arrive |                  |
        |  here  |                  |
 west   +--------+------------------+   east
        |        | X   the disk     |
        |        |     grows        |
        |        |     this way     |
        |        |        \\         |
        |        |         v        |
        +--------+------------------+
                  south

X marks byte 0. Up is onwards: 256 bytes to a floor, 256 floors to a chunk.
The wall with the picture is the file mural.bmp: the first 16 bytes of every 256.
"""

FILES = {
    "README.TXT": README,
    "ast/welcome": "Hello Andrew\n",
    "ast/poem.txt": POEM,
    "map.txt": MAP,
}
MURAL = "mural.bmp"

_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_ENVIRONMENT = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "TZ": "UTC", "LC_ALL": "C", "MTOOLS_SKIP_CHECK": "0"}


def build(image: Path) -> None:
    """Write the image to ``image``, which must not exist."""
    _run("mkfs.vfat", "--invariant", "-F", "16", "-s", "8", "-i", VOLUME_ID, "-n", LABEL, "-C", image, _KIBIBYTES)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            if (parent := name.rpartition("/")[0]) and not _stands(image, parent):
                _run("mmd", "-i", image, f"::{parent}")
            _copy(image, name, text.encode("ascii"), Path(folder))
        _copy(image, MURAL, mural.bmp(), Path(folder))
    volume = Volume(bytearray(image.read_bytes()))
    volume.move(b"MURAL   BMP", mural.pages())
    image.write_bytes(volume.image)


def _copy(image: Path, name: str, content: bytes, folder: Path) -> None:
    source = folder / "file"
    source.write_bytes(content)
    os.utime(source, (EPOCH, EPOCH))
    _run("mcopy", "-m", "-i", image, source, f"::{name}")


_KIBIBYTES = str(demo_template.SIZE // 1024)


def _stands(image: Path, name: str) -> bool:
    return subprocess.run([_find("mdir"), "-i", image, f"::{name}"], capture_output=True, check=False).returncode == 0


def _run(program: str, *arguments: str | Path) -> None:
    subprocess.run([_find(program), *arguments], check=True, env=_ENVIRONMENT, stdout=subprocess.DEVNULL)


def _find(program: str) -> str:
    path = shutil.which(program, path=_PATH)
    if path is None:
        sys.exit(f"{program} is missing: install mtools and dosfstools (scripts/install-test-packages)")
    return path


def main() -> None:
    """Read the command line, and make the image or the template."""
    parser = argparse.ArgumentParser(description="Make the file system that a demo disk starts with.")
    parser.add_argument("--image", type=Path, help="leave the whole image here instead of packing the template")
    wanted: Path | None = parser.parse_args().image
    if wanted is not None:
        build(wanted)
        return
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image"
        build(image)
        target = Path(demo_template.__file__).with_suffix(".bin")
        target.write_bytes(demo_template.pack(image.read_bytes()))
    print(f"{target}: {target.stat().st_size} bytes, {sum(1 for _ in demo_template.pages())} pages")


if __name__ == "__main__":
    main()
