"""``bbd export``: a disk's bytes into an image file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bbd.cli.arguments import format_size
from bbd.cli.images import PIECE, RAW, appearing_whole, format_to_write, grains, pack
from bbd.cli.progress import bytes_progress
from bbd.cli.reaching import Store, reach
from bbd.files import File
from bbd.os_files import OsFiles


def export_image(
    world: Annotated[str, typer.Argument(metavar="WORLD|URI", help="The world's folder, or a server's NBD URI.")],
    image: Annotated[Path, typer.Argument(help="The image to make; one that is there is replaced when all is well.")],
    *,
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    image_format: Annotated[
        str | None, typer.Option("--format", "-O", help="raw, or one that qemu-img knows. [default: by the suffix]")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A summary for scripts.")] = False,
) -> None:
    """Copy a disk into an image file, with holes where it is zeros; a disk that is served, through its server."""
    kind = format_to_write(image, image_format)
    with reach(world, disk, journal, read_only=True) as store, appearing_whole(image) as part:
        copied = write_raw(store, part) if kind == RAW else _write_packed(store, part, kind)
        name, size = store.name, store.size
    if as_json:
        document = {"disk": name, "image": str(image), "format": kind, "size": size, "copied": copied}
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        typer.echo(f"Exported {name!r}, {format_size(size)} ({format_size(copied)} not zeros), to {image} ({kind}).")


def _write_packed(store: Store, image: Path, kind: str) -> int:
    raw = image.with_name(f"{image.name}.raw")
    try:
        copied = write_raw(store, raw)
        pack(raw, image, kind)
        return copied
    finally:
        raw.unlink(missing_ok=True)


def write_raw(store: Store, path: Path) -> int:
    """Write a disk to a new raw file with holes; return how many bytes it took. Errors: ``OSError``."""
    file = OsFiles().open(path, write=True, create=True)
    try:
        file.resize(store.size)
        ranges = list(store.data())
        copied = 0
        with bytes_progress("exporting", sum(end - start for start, end in ranges)) as advance:
            for start, end in ranges:
                for offset in range(start, end, PIECE):
                    data = store.read(offset, min(PIECE, end - offset))
                    copied += _write_grains(file, offset, data)
                    advance(len(data))
        return copied
    finally:
        file.close()


def _write_grains(file: File, offset: int, data: bytes) -> int:
    written = 0
    for start, grain in grains(data):
        if grain is not None:
            file.pwrite([grain], offset + start)
            written += len(grain)
    return written
