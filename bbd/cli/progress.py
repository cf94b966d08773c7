"""Progress on a terminal; nothing in a pipe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
    track,
)

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
    """Pass ``items`` on, counting them on the terminal (stderr) while that is one."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return items
    return track(items, description=what, total=total, console=console, transient=True)


@contextlib.contextmanager
def bytes_progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of ``total`` bytes are done, on the terminal (stderr) while that is one.

    The context's value is called with the bytes of every step.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done: None
        return
    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.advance(task, done)


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show, on the terminal (stderr) while that is one, what is waited for as long as the context lasts."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"{what} ..."):
        yield
