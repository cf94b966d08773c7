"""Images of other programs' formats, and servers that are not ours."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.cli.test_commands import said
from tests.conftest import RunBbd, StartServer
from tests.interop.conftest import RunTool
from tests.servers import BBD

MIB = 1 << 20


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """An image of 8 MiB of which a megabyte is not zeros."""
    path = tmp_path / "raw"
    with path.open("wb") as file:
        file.truncate(8 * MIB)
        file.seek(3 * MIB - 512)
        file.write(random.Random(3).randbytes(MIB))
    return path


@pytest.mark.parametrize("kind", ["qcow2", "vmdk", "vdi", "vhdx"])
def test_there_and_back(bbd: RunBbd, tool: RunTool, raw: Path, tmp_path: Path, kind: str) -> None:
    image, back, world = tmp_path / f"image.{kind}", tmp_path / f"back.{kind}", tmp_path / "w"
    tool("qemu-img", "convert", "-O", kind, raw, image)
    report = json.loads(bbd("import", image, world, "--json").stdout)
    assert (report["format"], report["size"]) == (kind, 8 * MIB)
    report = json.loads(bbd("export", world, back, "--json").stdout)
    assert report["format"] == kind
    assert "identical" in tool("qemu-img", "compare", "-f", "raw", "-F", kind, raw, back).stdout
    assert json.loads(tool("qemu-img", "info", "--output=json", back).stdout)["actual-size"] < 4 * MIB
    left = {"state", "raw", "w", image.name, back.name}
    assert {path.name for path in tmp_path.iterdir()} == left


def test_the_format_that_is_given_counts(bbd: RunBbd, tool: RunTool, raw: Path, tmp_path: Path) -> None:
    image, world = tmp_path / "image", tmp_path / "w"
    tool("qemu-img", "convert", "-O", "qcow2", raw, image)
    assert "--format qcow2" in said(bbd("import", image, world, check=False))
    bbd("import", image, world, "--format", "qcow2")
    bbd("export", world, tmp_path / "out.img", "-O", "vmdk")
    assert "identical" in tool("qemu-img", "compare", "-F", "vmdk", raw, tmp_path / "out.img").stdout
    assert "qemu-img" in said(bbd("import", raw, world, "--format", "qcow2", "--overwrite", check=False))
    assert "qemu-img" in said(bbd("export", world, tmp_path / "no", "-O", "morse", check=False))
    assert not (tmp_path / "no").exists()


def test_a_machine_without_qemu_img(bbd: RunBbd, raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bbd("import", raw, tmp_path / "w")
    assert "qemu-utils" in said(bbd("export", tmp_path / "w", tmp_path / "x.qcow2", check=False))
    assert not (tmp_path / "x.qcow2").exists()


def test_a_served_world_goes_through_its_server(
    bbd: RunBbd, bbd_server: StartServer, tool: RunTool, raw: Path, tmp_path: Path
) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "8M")
    server = bbd_server("--world", world)
    bbd("import", raw, world)
    assert "identical" in tool("qemu-img", "compare", "-f", "raw", "-F", "raw", raw, server.uri("w")).stdout
    bbd("export", world, tmp_path / "x.qcow2")
    assert "identical" in tool("qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, tmp_path / "x.qcow2").stdout


def test_our_client_and_nbdkit(tool: RunTool, raw: Path, tmp_path: Path) -> None:
    """Another's server is as good a place to import to and to export from."""
    script = f'"{BBD}" import "{raw}" "$uri" && "{BBD}" export "$uri" "{tmp_path / "back"}"'
    tool("nbdkit", "--exit-with-parent", "-U", "-", "memory", "9M", "--run", script)
    assert (tmp_path / "back").read_bytes() == raw.read_bytes() + bytes(MIB)
