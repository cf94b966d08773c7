"""All region files of one dimension, of which a bounded number is open at a time."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from bbd.files import Files, sync_all
from bbd.worlds.anvil.region import RegionFile

RegionAt: TypeAlias = tuple[int, int]
"""A region's x and z: chunk coordinates divided by 32."""

_NAME = re.compile(r"r\.(0|-?[1-9]\d*)\.(0|-?[1-9]\d*)\.mca")


def region_of(cx: int, cz: int) -> tuple[RegionAt, int]:
    """The region that a chunk lies in, and the chunk's index there."""
    return (cx >> 5, cz >> 5), (cx & 31) | (cz & 31) << 5


def region_name(at: RegionAt) -> str:
    """The name of a region's file."""
    return f"r.{at[0]}.{at[1]}.mca"


class Regions:
    """The region files in ``folder``, which need not exist. Any thread may call.

    A file is opened when it is first used and stays open until ``open_limit`` others were used after it. Nobody but
    this object may write to the folder meanwhile.
    """

    def __init__(self, files: Files, folder: Path, *, writable: bool, open_limit: int) -> None:
        self._files = files
        self._folder = folder
        self._writable = writable
        self._open_limit = open_limit
        self._lock = threading.Lock()
        self._open: OrderedDict[RegionAt, RegionFile] = OrderedDict()
        self._users: dict[RegionAt, int] = {}
        self._present: dict[RegionAt, int] = {}
        self._there = {(int(m[1]), int(m[2])) for name in files.list_dir(folder) if (m := _NAME.fullmatch(name))}

    def there(self) -> list[RegionAt]:
        """The regions that have a file, sorted."""
        with self._lock:
            return sorted(self._there)

    def present(self, at: RegionAt) -> int:
        """The region's present chunks, a bit for each index; opens the file when it is first asked for."""
        if at not in self._there:
            return 0
        if at not in self._present:
            with self._borrowed(at):
                pass
        return self._present[at]

    def make_safe(self) -> None:
        """Sync all that is in the folder, whoever wrote it. Errors: ``OSError``."""
        names = [name for name in self._files.list_dir(self._folder) if name.endswith((".mca", ".mcc"))]
        sync_all(self._files, [self._folder / name for name in names])

    def fingerprint(self, name: str) -> tuple[int, int] | None:
        """Size and time of change (ns) of a file in the folder. It is a hint, so it goes past ``Files``."""
        try:
            status = (self._folder / name).stat()
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    @contextmanager
    def region(self, at: RegionAt) -> Iterator[RegionFile | None]:
        """A region that stays open as long as the context lasts; ``None`` where it has no file."""
        if at not in self._there:
            yield None
            return
        with self._borrowed(at) as region:
            yield region

    @contextmanager
    def region_to_write(self, at: RegionAt) -> Iterator[RegionFile]:
        """The same, for a region that need not exist."""
        if self._writable and not self._there:
            self._make_folder()
        with self._borrowed(at) as region:
            try:
                yield region
            finally:
                self._present[at] = region.present_bitmap
                self._there.add(at)

    def close(self) -> None:
        """Close all files; nobody may be using them."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    @contextmanager
    def _borrowed(self, at: RegionAt) -> Iterator[RegionFile]:
        with self._lock:
            region = self._open.get(at)
            if region is None:
                region = RegionFile(self._files, self._folder / region_name(at), writable=self._writable)
                self._open[at] = region
                self._present[at] = region.present_bitmap
            self._open.move_to_end(at)
            self._users[at] = self._users.get(at, 0) + 1
            self._close_oldest()
        try:
            yield region
        finally:
            with self._lock:
                self._users[at] -= 1
                if not self._users[at]:
                    del self._users[at]

    def _close_oldest(self) -> None:
        surplus = len(self._open) - self._open_limit
        for at in [at for at in self._open if at not in self._users][: max(surplus, 0)]:
            self._open.pop(at).close()

    def _make_folder(self) -> None:
        """Make the folder, and make safe every name on the way to it that may be new."""
        missing = [self._folder]
        for folder in self._folder.parents[:-1]:
            if self._files.exists(folder):
                break
            missing.append(folder)
        self._files.make_dir(self._folder)
        for folder in reversed(missing):
            self._files.sync_dir(folder.parent)
