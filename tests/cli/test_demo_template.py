from __future__ import annotations

import os
import subprocess
import zlib
from pathlib import Path

import pytest

from bbd.cli import demo_template

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "TZ": "UTC", "LC_ALL": "C"}


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=60)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    image = tmp_path / "unpacked"
    with image.open("wb") as file:
        file.truncate(demo_template.SIZE)
        for offset, page in demo_template.pages():
            file.seek(offset)
            file.write(page)
    return image


def test_pages_are_whole_in_order_and_inside() -> None:
    pages = list(demo_template.pages())
    offsets = [offset for offset, _ in pages]
    assert offsets == sorted(set(offsets))
    assert all(offset % 4096 == 0 and 0 <= offset < demo_template.SIZE for offset in offsets)
    assert all(len(page) == 4096 and any(page) for _, page in pages)
    assert pages[0][1].endswith(b"\x55\xaa" + bytes(4096 - 512)), "no boot sector at the start"
    assert b"Hello Andrew\n" + bytes(4096 - 13) in [page for _, page in pages], "the welcome is no section of its own"


def test_packing_what_was_unpacked_changes_nothing(unpacked: Path) -> None:
    shipped = Path(demo_template.__file__).with_suffix(".bin").read_bytes()
    packed = demo_template.pack(unpacked.read_bytes())
    assert zlib.decompress(packed) == zlib.decompress(shipped)


@pytest.mark.interop
def test_template_is_a_whole_file_system(unpacked: Path) -> None:
    checked = run("fsck.vfat", "-n", "-v", unpacked)
    assert "4096 bytes per cluster" in checked
    assert f"{unpacked}: 7 files, 22/16363 clusters" in checked
    assert run("mlabel", "-s", "-i", unpacked, "::").strip() == "Volume label is BBD"
    assert run("mtype", "-i", unpacked, "::ast/welcome") == "Hello Andrew\n"


@pytest.mark.interop
def test_template_is_current(unpacked: Path, tmp_path: Path) -> None:
    rebuilt = tmp_path / "rebuilt"
    run(ROOT / "scripts" / "make-demo-template", "--image", rebuilt)
    assert contents(unpacked, tmp_path / "a") == contents(rebuilt, tmp_path / "b"), "run scripts/make-demo-template"
    assert run("mdir", "-/", "-a", "-i", unpacked, "::") == run("mdir", "-/", "-a", "-i", rebuilt, "::")


def contents(image: Path, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    run("mcopy", "-s", "-n", "-i", image, "::*", folder)
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found, "an empty file system"
    return found
