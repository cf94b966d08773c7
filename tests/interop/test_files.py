"""``bbd files`` against mtools, mkfs.vfat and fsck.vfat, which know FAT and nothing of bbd."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import random
import re
import shutil
from pathlib import Path

import pytest

from bbd.cli.files import files
from bbd.errors import BbdError
from bbd.fat.volume import Volume
from tests.cli.test_commands import said
from tests.conftest import RunBbd, StartServer
from tests.interop.conftest import RunTool

MIB = 1 << 20
KINDS = {"12": 4 * MIB, "16": 20 * MIB, "32": 40 * MIB}
LONG = "A name that is long, with blanks, Grüße and 漢字.txt"


class ImageFile:
    """An image file as a medium; so many bytes of writes are taken before it fails."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("r+b", buffering=0)
        self.size = path.stat().st_size
        self.writes_left = 1 << 30

    def read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)

    def write(self, offset: int, data: bytes) -> None:
        if not self.writes_left:
            raise OSError(errno.EIO, "the medium fails")
        self.writes_left -= 1
        self._file.seek(offset)
        self._file.write(data)


def make(tool: RunTool, path: Path, bits: str) -> Path:
    with path.open("wb") as file:
        file.truncate(KINDS[bits])
    tool("mkfs.vfat", "-F", bits, path)
    return path


def fsck(tool: RunTool, path: Path) -> None:
    assert "differences" not in tool("fsck.vfat", "-n", "-v", path).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files and folders of every kind that FAT can hold."""
    generator = random.Random(5)
    root = tmp_path / "tree"
    (root / "sub" / "Deep Folder").mkdir(parents=True)
    (root / "EMPTY").write_bytes(b"")
    (root / "UPPER.TXT").write_bytes(b"upper")
    (root / "lower.txt").write_bytes(b"lower\r\n\x1a\0")
    (root / "sub" / LONG).write_bytes(generator.randbytes(70_001))
    for number in range(40):
        (root / "sub" / "Deep Folder" / f"one of many files {number}.dat").write_bytes(generator.randbytes(number))
    return root


def test_a_tree_there_and_back(bbd: RunBbd, tool: RunTool, tree: Path, tmp_path: Path) -> None:
    world, image, theirs, ours = (tmp_path / name for name in ("w", "image", "theirs", "ours"))
    bbd("import", make(tool, image, "32"), world)
    bbd("files", world, "put", tree)
    bbd("export", world, image)
    fsck(tool, image)
    lines = bbd("files", world, "ls", "tree", "--json").stdout.splitlines()
    listed = {entry["name"]: entry for entry in map(json.loads, lines)}
    assert set(listed) == {"EMPTY", "UPPER.TXT", "lower.txt", "sub"}
    assert (listed["UPPER.TXT"]["size"], listed["sub"]["type"]) == (5, "folder")
    assert abs(listed["UPPER.TXT"]["modified"] - (tree / "UPPER.TXT").stat().st_mtime) <= 2
    mcopy(tool, "-s", "-n", "-i", image, "::tree", theirs)
    tool("diff", "-r", tree, theirs)
    bbd("files", world, "get", "/TREE", ours)  # a name in capitals is the same name
    tool("diff", "-r", tree, ours)
    assert LONG in bbd("files", world, "ls", "tree/sub").stdout
    assert bbd("files", world, "cat", "tree/upper.txt", "tree/UPPER.TXT").stdout == "upperupper"


def mcopy(tool: RunTool, *arguments: str | Path) -> None:
    """mtools take names by the locale's characters."""
    tool("env", "LC_ALL=C.UTF-8", "mcopy", *arguments)


class Files:
    """``bbd files`` on a world, in this process."""

    def __init__(self, world: Path, journal: Path) -> None:
        self._world = str(world)
        self._journal = journal

    def __call__(self, verb: str, *paths: str | Path, recursive: bool = False) -> None:
        listed = [str(path) for path in paths]
        files(self._world, verb, listed, disk=None, recursive=recursive, journal=self._journal, as_json=False)


@pytest.fixture
def on_a_disk(bbd: RunBbd, tool: RunTool, tmp_path: Path, request: pytest.FixtureRequest) -> Files:
    """A FAT file system on a disk in a world; its kind is the test's parameter."""
    bbd("import", make(tool, tmp_path / "image", request.param), tmp_path / "w")
    return Files(tmp_path / "w", tmp_path / "state" / "bbd" / "journals")


@pytest.mark.parametrize("bits", KINDS)
def test_what_mtools_wrote_is_read(tool: RunTool, tree: Path, tmp_path: Path, bits: str) -> None:
    image = make(tool, tmp_path / "image", bits)
    mcopy(tool, "-s", "-i", image, tree, "::")
    volume = Volume(ImageFile(image))
    assert volume.bits == int(bits)
    for path in tree.rglob("*"):
        name = str(path.relative_to(tree.parent))
        assert volume.is_folder(name) == path.is_dir()
        if path.is_file():
            assert b"".join(volume.read(name)) == path.read_bytes()
            assert name.rpartition("/")[2] in [entry.name for entry in volume.entries(name.rpartition("/")[0])]


@pytest.mark.parametrize("on_a_disk", KINDS, indirect=True)
def test_changes_leave_a_sound_file_system(
    bbd: RunBbd, tool: RunTool, on_a_disk: Files, tree: Path, tmp_path: Path
) -> None:
    big, image = tmp_path / "big", tmp_path / "image"
    big.write_bytes(random.Random(6).randbytes(300_000))
    on_a_disk("put", tree)
    on_a_disk("put", big, "tree/sub/lower2.txt")
    on_a_disk("put", big, "tree/lower.txt")  # in the place of a shorter one
    on_a_disk("put", tree / "UPPER.TXT", "tree/sub/lower2.txt")  # and of a longer one
    on_a_disk("mkdir", "new", "new/er")
    on_a_disk("put", big, tree / "lower.txt", "new/er/")
    on_a_disk("rm", "new/er/big")
    on_a_disk("rm", "tree/sub/Deep Folder", recursive=True)
    bbd("export", tmp_path / "w", image)
    fsck(tool, image)
    shutil.rmtree(tree / "sub" / "Deep Folder")
    shutil.copy(big, tree / "lower.txt")
    shutil.copy(tree / "UPPER.TXT", tree / "sub" / "lower2.txt")
    (tmp_path / "theirs").mkdir()
    mcopy(tool, "-s", "-n", "-i", image, "::tree", "::new", tmp_path / "theirs")
    tool("diff", "-r", tree, tmp_path / "theirs" / "tree")
    assert [path.name for path in (tmp_path / "theirs" / "new" / "er").iterdir()] == ["lower.txt"]


def test_names_beyond_the_first_plane(tool: RunTool, tmp_path: Path) -> None:
    """mtools know none of these; Linux and Windows do, and write them as UTF-16 does."""
    image = make(tool, tmp_path / "image", "16")
    Volume(ImageFile(image)).write("a 😀 smiles", io.BytesIO(b"x"))
    fsck(tool, image)
    (entry,) = Volume(ImageFile(image)).entries("/")
    assert entry.name == "a 😀 smiles"
    assert "😀"[0].encode("utf-16-le") in image.read_bytes()


@pytest.mark.parametrize("on_a_disk", ["12"], indirect=True)
def test_errors_in_words(bbd: RunBbd, tool: RunTool, on_a_disk: Files, tmp_path: Path) -> None:
    file, target = tmp_path / "file", tmp_path / "target"
    file.write_bytes(b"x")
    on_a_disk("put", file)
    on_a_disk("mkdir", "folder", "folder/inner")
    commands: dict[str, list[str | Path]] = {
        "No such file or directory: 'nothing'": ["cat", "nothing"],
        "No such file or directory: 'nothing/x'": ["put", file, "nothing/x"],
        "Is a directory: 'folder'": ["cat", "folder"],
        "Directory not empty: 'folder'": ["rm", "folder"],
        "File exists: 'folder'": ["mkdir", "folder"],
        "Not a directory: 'file/x'": ["mkdir", "file/x"],
        "can't have a file of that name": ["put", file, "what?"],
        "is no folder of the disk": ["put", file, "nowhere/"],
        "can't be copied to one file": ["get", "file", "folder", target],
        "needs a path": ["rm"],
        "none of: ls, cat": ["format"],
        "absent'": ["put", tmp_path / "absent"],
    }
    for words, command in commands.items():
        with pytest.raises((BbdError, OSError), match=re.escape(words)):
            on_a_disk(str(command[0]), *command[1:])
    file.write_bytes(bytes(5 * MIB))
    assert "no room" in said(bbd("files", tmp_path / "w", "put", file, "full", check=False))
    bbd("export", tmp_path / "w", tmp_path / "image")
    fsck(tool, tmp_path / "image")
    names = [json.loads(line)["name"] for line in bbd("files", tmp_path / "w", "ls", "--json").stdout.splitlines()]
    assert names == ["file", "folder"]


def test_a_disk_without_a_file_system(bbd: RunBbd, tmp_path: Path) -> None:
    bbd("create", tmp_path / "w", "--size", "1M")
    assert "no FAT file system" in said(bbd("files", tmp_path / "w", "ls", check=False))


def test_a_served_disk_and_a_uri(
    bbd: RunBbd, bbd_server: StartServer, tool: RunTool, tree: Path, tmp_path: Path
) -> None:
    world = tmp_path / "w"
    bbd("import", make(tool, tmp_path / "image", "16"), world)
    server = bbd_server("--world", world)
    bbd("files", world, "put", tree)
    bbd("files", server.uri("w"), "get", "tree", tmp_path / "ours")
    tool("diff", "-r", tree, tmp_path / "ours")
    tool("nbdcopy", server.uri("w"), tmp_path / "image")
    fsck(tool, tmp_path / "image")


@pytest.mark.parametrize("table", ["msdos", "gpt"])
def test_in_a_partition(bbd: RunBbd, tool: RunTool, tree: Path, tmp_path: Path, table: str) -> None:
    image, inner, world = tmp_path / "image", tmp_path / "inner", tmp_path / "w"
    with image.open("wb") as file:
        file.truncate(32 * MIB)
    tool(
        "parted",
        "-s",
        image,
        "mklabel",
        table,
        "mkpart",
        "primary",
        "1MiB",
        "2MiB",
        "mkpart",
        "primary",
        "4MiB",
        "24MiB",
    )
    make(tool, inner, "16")
    with image.open("r+b") as file:
        file.seek(4 * MIB)
        file.write(inner.read_bytes())
    bbd("import", image, world)
    bbd("files", world, "put", tree)
    bbd("export", world, image)
    with image.open("rb") as file:
        file.seek(4 * MIB)
        inner.write_bytes(file.read(20 * MIB))
    fsck(tool, inner)
    mcopy(tool, "-s", "-n", "-i", inner, "::tree", tmp_path / "theirs")
    tool("diff", "-r", tree, tmp_path / "theirs")


@pytest.mark.parametrize("bits", KINDS)
def test_a_failing_medium_costs_nothing_that_was_there(tool: RunTool, tmp_path: Path, bits: str) -> None:
    """Whichever write fails: old files keep their bytes, and the new one is there whole, or not."""
    path = make(tool, tmp_path / "image", bits)
    first, second = random.Random(1).randbytes(50_000), random.Random(2).randbytes(9_000)
    Volume(ImageFile(path)).write("/first", io.BytesIO(first))
    clean = path.read_bytes()
    for writes in range(7):
        path.write_bytes(clean)
        medium = ImageFile(path)
        medium.writes_left = writes
        with contextlib.suppress(OSError):
            Volume(medium).write("/a second file", io.BytesIO(second))
        after = Volume(ImageFile(path))
        assert b"".join(after.read("first")) == first
        if after.exists("a second file"):
            assert b"".join(after.read("A SECOND FILE")) == second


def test_many_names_that_are_short_alike(tool: RunTool, tmp_path: Path) -> None:
    path = make(tool, tmp_path / "image", "16")
    volume = Volume(ImageFile(path))
    volume.make_folder("folder")
    for number in range(120):
        volume.write(f"folder/documentation {number}.markdown", io.BytesIO(b"%d" % number))
    for number in range(0, 120, 3):
        volume.remove(f"folder/documentation {number}.markdown")
    for number in range(0, 120, 3):
        volume.write(f"folder/documentation again {number}.markdown", io.BytesIO(b"%d" % number))
    fsck(tool, path)
    volume = Volume(ImageFile(path))
    entries = volume.entries("folder")
    assert len({entry.short for entry in entries}) == len(entries) == 120
    for entry in entries:
        assert b"".join(volume.read(f"folder/{entry.name}")) == entry.name.split(".")[0].split()[-1].encode()


def test_what_is_no_fat_or_a_broken_one(tool: RunTool, tmp_path: Path) -> None:
    """Any bytes at all are refused in words or read; nothing hangs, and nothing else is raised."""
    path = make(tool, tmp_path / "image", "12")
    volume = Volume(ImageFile(path))
    volume.make_folder("folder")
    volume.write("folder/file", io.BytesIO(b"abc" * 9999))
    good = path.read_bytes()
    generator = random.Random(9)
    for _ in range(400):
        bad = bytearray(good)
        for _ in range(generator.choice([1, 3, 30])):
            bad[generator.choice([generator.randrange(64), generator.randrange(40_000)])] = generator.randrange(256)
        path.write_bytes(bad)
        with contextlib.suppress(BbdError, OSError):
            volume = Volume(ImageFile(path))
            for entry in volume.entries("/"):
                for child in volume.entries(entry.name) if entry.is_folder else []:
                    if not child.is_folder:
                        assert sum(map(len, volume.read(f"{entry.name}/{child.name}"))) <= child.size
