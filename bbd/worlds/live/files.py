"""A disk's small files, kept by the companion in the world's folder (PROTOCOL.md, "Files").

The companion syncs what it writes before it answers, so nothing is ever only in a buffer here. It can't rename: a file
whose name ends in ``.new``, which is on its way to take another's place, is held in memory until it gets its name, and
then goes over in one piece.
"""

from __future__ import annotations

import base64
import errno
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bbd.files import Bytes, File, Files
from bbd.worlds.live.codes import BridgeError, Code
from bbd.worlds.live.opened import OpenDisk

FOLDER: Final = "bbd"
PIECE: Final = 512 << 10
"""The most bytes in one request or answer."""
_DRAFT: Final = ".new"


class LiveFiles:
    """See :class:`bbd.files.Files`: files below ``world`` are the companion's, all others those of ``local``.

    ``world`` is but a name: nothing stands there on this machine.
    """

    def __init__(self, disk: OpenDisk, world: Path, local: Files) -> None:
        self._disk = disk
        self._folder = world / FOLDER
        self._world = world
        self._local = local
        self._drafts: dict[str, bytearray] = {}

    def open(self, path: Path, *, write: bool = False, create: bool = False) -> File:
        """Open a file. Raises ``FileNotFoundError``."""
        name = self._name(path)
        if name is None:
            return self._local.open(path, write=write, create=create)
        if name.endswith(_DRAFT):
            if create:
                self._drafts.setdefault(name, bytearray())
            return _Draft(self._drafts[name]) if name in self._drafts else self._opened(name, path)
        if create and not self.exists(path):
            self._ask("file_write", name, writes=[], create=True)
        return self._opened(name, path)

    def replace(self, source: Path, target: Path) -> None:
        """Give a draft its name."""
        name, other = self._name(source), self._name(target)
        if name is None or other is None:
            self._local.replace(source, target)
            return
        draft = self._drafts.get(name)
        if draft is None:
            raise OSError(errno.EINVAL, f"only a fresh file can take another's place on a server, not {source}")
        self._send(other, bytes(draft))
        del self._drafts[name]

    def remove(self, path: Path) -> None:
        """Remove a file."""
        name = self._name(path)
        if name is None:
            self._local.remove(path)
        elif self._drafts.pop(name, None) is None:
            self._ask("file_remove", name)

    def make_dir(self, path: Path) -> None:
        """The companion has the folders that there can be."""
        if self._name(path) is None:
            self._local.make_dir(path)

    def list_dir(self, path: Path) -> list[str]:
        """Names in ``<world>/bbd`` or its quarantine."""
        name = self._name(path)
        if name is None:
            return self._local.list_dir(path)
        return [str(found) for found in self._disk.ask("file_list", folder=name)["names"]]

    def exists(self, path: Path) -> bool:
        """Whether the name stands."""
        name = self._name(path)
        if name is None:
            return self._local.exists(path)
        if name in self._drafts:
            return True
        try:
            self._ask("file_stat", name)
        except FileNotFoundError:
            return False
        return True

    def sync_dir(self, path: Path) -> None:
        """The companion has synced its names before it answered."""
        if self._name(path) is None:
            self._local.sync_dir(path)

    def _opened(self, name: str, path: Path) -> File:
        file = LiveFile(self._disk, name, path)
        file.size()
        return file

    def _send(self, name: str, content: bytes) -> None:
        if len(content) <= PIECE:
            self._ask("file_replace", name, data=_pack(content))
            return
        # No request holds so much. What is so large is a chunk for the quarantine, whose name nothing has had before.
        for at in range(0, len(content), PIECE):
            self._ask("file_write", name, writes=[{"at": at, "data": _pack(content[at : at + PIECE])}], create=True)

    def _ask(self, do: str, name: str, **values: object) -> Mapping[str, Any]:
        return _ask(self._disk, do, name, self._folder / name, **values)

    def _name(self, path: Path) -> str | None:
        """The name that the companion knows a path by; ``None`` for one of this machine."""
        if path == self._world:
            return ""
        if not path.is_relative_to(self._folder):
            return None
        return "/".join(path.relative_to(self._folder).parts)


class LiveFile(File):
    """See :class:`bbd.files.File`."""

    def __init__(self, disk: OpenDisk, name: str, path: Path) -> None:
        self._disk = disk
        self._name = name
        self._path = path

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes."""
        parts: list[bytes] = []
        while size > 0:
            said = self._ask("file_read", at=offset, size=min(size, PIECE))
            piece = base64.b64decode(said["data"], validate=True)
            parts.append(piece)
            if not piece:
                break
            offset += len(piece)
            size -= len(piece)
        return b"".join(parts)

    def pwrite(self, parts: Sequence[Bytes], offset: int) -> None:
        """Write, durably."""
        content = b"".join(parts)
        for at in range(0, len(content), PIECE):
            self._ask("file_write", writes=[{"at": offset + at, "data": _pack(content[at : at + PIECE])}])

    def size(self) -> int:
        """The file's length."""
        return int(self._ask("file_stat")["size"])

    def resize(self, size: int) -> None:
        """Cut or lengthen it, durably."""
        self._ask("file_write", writes=[], size=size)

    def reserve(self, size: int) -> None:
        """Lengthen it; whether writes find room is up to the server."""
        if self.size() < size:
            self.resize(size)

    def data(self) -> Iterator[tuple[int, int]]:
        """What may hold something."""
        for start, end in self._ask("file_stat")["data"]:
            yield int(start), int(end)

    def sync(self) -> None:
        """Sync what an earlier process may have left: what was written through this object is safe already."""
        self._ask("file_write", writes=[])

    def close(self) -> None:
        """Nothing is open."""

    def _ask(self, do: str, **values: object) -> Mapping[str, Any]:
        return _ask(self._disk, do, self._name, self._path, **values)


class _Draft(File):
    """A file that has no name yet, in memory."""

    def __init__(self, content: bytearray) -> None:
        self._content = content

    def pread(self, size: int, offset: int) -> bytes:
        return bytes(self._content[offset : offset + size])

    def pwrite(self, parts: Sequence[Bytes], offset: int) -> None:
        data = b"".join(parts)
        self.reserve(offset + len(data))
        self._content[offset : offset + len(data)] = data

    def size(self) -> int:
        return len(self._content)

    def resize(self, size: int) -> None:
        del self._content[size:]
        self.reserve(size)

    def reserve(self, size: int) -> None:
        self._content.extend(bytes(max(size - len(self._content), 0)))

    def data(self) -> Iterator[tuple[int, int]]:
        if self._content:
            yield 0, len(self._content)

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass


def _ask(disk: OpenDisk, do: str, name: str, path: Path, **values: object) -> Mapping[str, Any]:
    try:
        return disk.ask(do, file=name, **values)
    except BridgeError as error:
        if error.code == Code.NO_SUCH_FILE:
            raise FileNotFoundError(errno.ENOENT, "the server has no such file", str(path)) from None
        raise


def _pack(data: bytes) -> str:
    return base64.b64encode(data).decode()
