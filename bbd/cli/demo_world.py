"""The demo: a world that is made when it is first asked for, with a file system and a few files to find."""

from __future__ import annotations

import shutil
from pathlib import Path

import typer

from bbd.cli import demo_template
from bbd.cli.create import describe
from bbd.cli.hosting import open_host
from bbd.cli.making import make_disk
from bbd.disk.opening import Options


async def make_demo(world: Path, options: Options) -> None:
    """Make a world with a disk of 64 MiB, formatted vfat, and say so.

    Errors: :class:`bbd.errors.BbdError`, ``OSError``.

    It gets its name when it is whole: a demo that was interrupted while it was made is made again.
    """
    typer.echo(f"Making {world}: 64 MiB, formatted vfat, with a few files to find.")
    making = world.with_name(f".{world.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(parents=True, exist_ok=True)
    descriptor = describe(
        name=world.name,
        size=demo_template.SIZE,
        codec="byte",
        layout="hilbert",
        origin=(0, 0),
        parity=2,
        edits="accept",
    )
    make_disk(making, descriptor, title=world.name, force=options.force)
    await _fill(making, options)
    making.rename(world)


async def _fill(world: Path, options: Options) -> None:
    host = open_host(world, options)
    try:
        (disk,) = host.disks
        for offset, page in demo_template.pages():
            await disk.write(offset, page)
        await disk.close()
    finally:
        host.close()
