"""``bbd import``: an image file's bytes into a disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bbd.cli.arguments import format_size, parse_size
from bbd.cli.create import describe
from bbd.cli.images import PIECE, format_to_read, grains, opened_raw
from bbd.cli.making import make_disk
from bbd.cli.progress import bytes_progress
from bbd.cli.reaching import Store, reach
from bbd.disk.descriptor import disk_names
from bbd.errors import BbdError, Refused
from bbd.files import File
from bbd.nbd.client import is_uri
from bbd.os_files import OsFiles


def import_image(
    image: Annotated[Path, typer.Argument(help="The image: raw, or what qemu-img knows.")],
    world: Annotated[str, typer.Argument(metavar="WORLD|URI", help="The world's folder, or a server's NBD URI.")],
    *,
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    image_format: Annotated[
        str | None, typer.Option("--format", "-f", help="raw, qcow2, vmdk, ... [default: by the suffix, else raw]")
    ] = None,
    size: Annotated[str | None, typer.Option(help="The disk's size, if one is made. [default: the image's]")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Even if the disk holds something.")] = False,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A summary for scripts.")] = False,
) -> None:
    """Copy an image onto a disk, which then holds the image and, behind it, zeros.

    A world without a disk, or that is not there, gets one of the image's size. A disk that is served is written
    through its server.
    """
    kind = format_to_read(image, image_format)
    with opened_raw(image, kind, _workplace(world)) as raw:
        length = raw.size()
        made = _make_if_missing(world, disk, length, size)
        with reach(world, disk, journal, read_only=False) as store:
            if length > store.size:
                raise BbdError(
                    f"{image} is larger ({format_size(length)}) than disk {store.name!r} ({format_size(store.size)}): "
                    "let the disk grow with bbd grow, or take another"
                )
            if not (made or overwrite):
                _refuse_if_used(store)
            copied = write_disk(raw, store)
            name, full = store.name, store.size
    if as_json:
        document = {"disk": name, "image": str(image), "format": kind, "size": full, "image_size": length}
        typer.echo(json.dumps({**document, "copied": copied, "made": made}, ensure_ascii=False))
    else:
        typer.echo(f"Imported {image} ({kind}, {format_size(length)}) into {name!r}, {format_size(full)}.")


def write_disk(raw: File, store: Store) -> int:
    """Write a raw file over a disk that is at least as large; return how many bytes of it are not zeros.

    Holes, and all of the disk that lies behind the file's end, become zeros that take no room.
    """
    copied = zeros_from = 0
    ranges = list(raw.data())
    with bytes_progress("importing", sum(end - start for start, end in ranges)) as advance:
        for offset, data in _pieces(raw, ranges):
            for start, grain in grains(data):
                if grain is None:
                    continue
                if offset + start > zeros_from:
                    store.zero(zeros_from, offset + start - zeros_from)
                store.write(offset + start, grain)
                zeros_from = offset + start + len(grain)
                copied += len(grain)
            advance(len(data))
    if zeros_from < store.size:
        store.zero(zeros_from, store.size - zeros_from)
    return copied


def _pieces(raw: File, ranges: list[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    for start, end in ranges:
        for offset in range(start, end, PIECE):
            yield offset, raw.pread(min(PIECE, end - offset), offset)


def _workplace(world: str) -> Path:
    """A folder on the file system that will hold the disk, or the working one."""
    if is_uri(world):
        return Path()
    return next(folder for folder in Path(world).absolute().parents if folder.is_dir())


def _make_if_missing(world: str, disk: str | None, length: int, size: str | None) -> bool:
    if is_uri(world):
        return False
    folder = Path(world)
    if disk_names(OsFiles(), folder):
        if size is not None:
            raise BbdError("--size is for a disk that is made, and the world has one: leave it out, or use bbd grow")
        return False
    wanted = parse_size(size) if size is not None else length
    if wanted < length:
        raise BbdError(f"the image has {format_size(length)}, more than --size {size}")
    name = disk or folder.absolute().name
    make_disk(
        folder,
        describe(name=name, size=wanted, codec="byte", layout="hilbert", origin=(0, 0), parity=2, edits=None),
    )
    return True


def _refuse_if_used(store: Store) -> None:
    for start, end in store.data():
        for offset in range(start, end, PIECE):
            piece = store.read(offset, min(PIECE, end - offset))
            if piece.count(0) != len(piece):
                raise Refused(f"disk {store.name!r} holds something: --overwrite lets the image take its place")
