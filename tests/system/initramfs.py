"""The test machine's root file system: a cpio archive with the host's own tools, their libraries and kernel modules.

The archive is the kernel's "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst in its sources),
written here so that device nodes take no root. Tools keep the paths they have on the host.
"""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

TOOLS = (
    # nbd, file systems and partitions: what the stories type
    *("nbd-client", "mkfs.vfat", "fsck.vfat", "mkfs.ext4", "fsck", "fsck.ext4", "e2fsck", "dumpe2fs", "badblocks"),
    *("parted", "fdisk", "grep", "lsblk", "blkid", "blockdev", "mount", "umount", "dd", "cmp", "sync"),
    # a shell that searches PATH, which busybox's does not
    "dash",
)
MODULES = ("nbd", "vfat", "ext4", "nls_ascii", "nls_cp437", "nls_iso8859-1", "nls_utf8", "virtio_pci", "virtio_net")
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
BUSYBOX_FOLDER = "busybox"


class MissingTool(RuntimeError):
    """The host lacks something that the test machine is made of."""


class Archive:
    """A cpio archive in memory."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._names: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name.strip("/") in self._names

    def folder(self, name: str) -> None:
        """Add a folder and its parents, unless they stand already."""
        parts = name.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path not in self._names:
                self._entry(path, stat.S_IFDIR | 0o755)

    def file(self, name: str, content: bytes, mode: int = 0o755) -> None:
        """Add a file."""
        self._parent(name)
        self._entry(name, stat.S_IFREG | mode, content)

    def link(self, name: str, target: str) -> None:
        """Add a symbolic link."""
        self._parent(name)
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, name: str, major: int, minor: int) -> None:
        """Add a device node."""
        self._parent(name)
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def finish(self) -> bytes:
        """The whole archive."""
        self._entry("TRAILER!!!", 0)
        return b"".join(self._parts)

    def _parent(self, name: str) -> None:
        parent = name.strip("/").rpartition("/")[0]
        if parent:
            self.folder(parent)

    def _entry(self, name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        name = name.strip("/")
        self._names.add(name)
        encoded = name.encode() + b"\0"
        numbers = (len(self._names), mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % number for number in numbers) + encoded
        self._parts += [_padded(header), _padded(content)]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def build(kernel: Path, init: str, tools: Iterable[str] = TOOLS, modules: Iterable[str] = MODULES) -> bytes:
    """The archive for the kernel unpacked at ``kernel``, whose first process runs the shell script ``init``.

    Without ``tools`` it holds busybox alone, and links ``/bin/sh`` to it.
    """
    archive = Archive()
    for folder in ("dev", "proc", "sys", "tmp", "run", "mnt", "etc"):
        archive.folder(folder)
    archive.character_device("dev/console", 5, 1)
    for tool in tools:
        _add_program(archive, _find(tool))
    archive.link("bin/sh", _find("dash") if tools else "/bin/busybox")
    _add_busybox(archive)
    for settings in ("/etc/mke2fs.conf",):
        archive.file(settings, Path(settings).read_bytes(), 0o644)
    archive.link("etc/mtab", "/proc/self/mounts")
    _add_modules(archive, kernel / "lib" / "modules", modules)
    archive.file("init", init.encode())
    return archive.finish()


def _find(tool: str) -> str:
    path = shutil.which(tool, path=SYSTEM_PATH)
    if path is None:
        raise MissingTool(f"{tool} is missing on this machine: run scripts/install-test-packages")
    return path


def _add_program(archive: Archive, path: str) -> None:
    archive.file(path, Path(path).read_bytes())
    for library in _libraries(path):
        if library not in archive:
            archive.file(library, Path(library).read_bytes())


def _libraries(path: str) -> list[str]:
    """Absolute paths of a program's shared libraries and its loader, as ``ldd`` prints them."""
    listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False, timeout=30)
    return re.findall(r"(/\S+) \(0x", listed.stdout)


def _add_busybox(archive: Archive) -> None:
    """Everything else the scripts need, last in PATH so that it stands in front of no real tool."""
    busybox = _find("busybox")
    archive.file("bin/busybox", Path(busybox).read_bytes())
    names = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True, timeout=30).stdout.split()
    for name in names:
        archive.link(f"{BUSYBOX_FOLDER}/{name}", "/bin/busybox")
    archive.link("sbin/modprobe", "/bin/busybox")  # the kernel calls it by this path


def _add_modules(archive: Archive, folder: Path, modules: Iterable[str]) -> None:
    (tree,) = folder.iterdir()
    wanted = sorted(_closure(_dependencies(tree), _builtin(tree), modules))
    target = f"lib/modules/{tree.name}"
    for path in wanted:
        archive.file(f"{target}/{path}", (tree / path).read_bytes(), 0o644)
    kept = [line for line in _lines(tree / "modules.dep") if line.partition(":")[0] in wanted]
    archive.file(f"{target}/modules.dep", "".join(kept).encode(), 0o644)
    for index in ("modules.alias", "modules.symbols", "modules.builtin"):
        archive.file(f"{target}/{index}", (tree / index).read_bytes(), 0o644)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def _dependencies(tree: Path) -> dict[str, list[str]]:
    """Module path to the paths it needs, from ``modules.dep``."""
    pairs = (line.split(":", 1) for line in _lines(tree / "modules.dep"))
    return {path: needs.split() for path, needs in pairs}


def _builtin(tree: Path) -> set[str]:
    return {_module_name(line.strip()) for line in _lines(tree / "modules.builtin")}


def _module_name(path: str) -> str:
    return Path(path).name.partition(".ko")[0].replace("-", "_")


def _closure(needs: dict[str, list[str]], builtin: set[str], names: Iterable[str]) -> Iterator[str]:
    by_name = {_module_name(path): path for path in needs}
    seen: set[str] = set()
    pending = []
    for name in (_module_name(name) for name in names):
        if name in by_name:
            pending.append(by_name[name])
        elif name not in builtin:
            raise MissingTool(f"the test kernel has no module {name}: remove .cache/kernel and try again")
    while pending:
        path = pending.pop()
        if path not in seen:
            seen.add(path)
            pending += needs[path]
            yield path
