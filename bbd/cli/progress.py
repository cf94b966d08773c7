"""Progress on a terminal; nothing in a pipe."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.console import Console
from rich.progress import track

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
    """Pass ``items`` on, counting them on the terminal (stderr) while that is one."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return items
    return track(items, description=what, total=total, console=console, transient=True)
