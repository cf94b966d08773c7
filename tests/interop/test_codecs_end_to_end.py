"""Every codec in every layout, from a client's bytes to blocks that others read, and back."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbt import nbt, region

from bbd.cli.create import describe
from bbd.cli.hosting import Host, geometry_of, open_host
from bbd.cli.making import make_disk
from bbd.disk.descriptor import Descriptor, descriptor_path, load_descriptor
from bbd.disk.disk import Disk
from bbd.disk.opening import Options
from bbd.geometry.palettes.palette256 import load_palette256
from bbd.os_files import OsFiles
from tests.conftest import RunBbd, StartServer
from tests.disk.test_disk_model import Step, plans, play
from tests.interop.conftest import RunTool
from tests.interop.readers import Place, State, nbt_states, prismarine_blocks
from tests.nbd_client import TRIM, NbdClient, NbdError

SECTIONS = {"byte": 4096, "nibble": 2048, "redstone": 128}
ORIGINS = {"hilbert": (-32, 64), "linear": (-5, -7), "spiral": (3, -3)}
CODECS = [("byte", "palette256"), ("nibble", "concrete"), ("nibble", "wool"), ("redstone", "lever")]
IMAGE = 256 << 10
DYES = ["white", "orange", "magenta", "light_blue", "yellow", "lime", "pink", "gray", "light_gray", "cyan", "purple"]
DYES += ["blue", "brown", "green", "red", "black"]


@dataclass(frozen=True)
class Kind:
    codec: str
    palette: str
    layout: str

    def __str__(self) -> str:
        return f"{self.codec}-{self.palette}-{self.layout}"

    @property
    def section(self) -> int:
        return SECTIONS[self.codec]

    @property
    def size(self) -> int:
        """Some hundred columns, the last one not whole."""
        return IMAGE + 40 * 16 * self.section + 777

    def descriptor(self, size: int) -> Descriptor:
        return describe(
            name="disk",
            size=size,
            codec=self.codec,
            palette=self.palette,
            layout=self.layout,
            origin=ORIGINS[self.layout],
            parity=2,
            edits="repair",
        )

    def blocks(self, value: int) -> list[State]:
        """The blocks of a byte, most significant bits first, as docs/format.md has them."""
        if self.codec == "byte":
            return [(load_palette256().names[value], {})]
        if self.codec == "nibble":
            return [(f"minecraft:{DYES[half]}_{self.palette}", {}) for half in (value >> 4, value & 15)]
        bits = ["true" if bit == "1" else "false" for bit in f"{value:08b}"]
        return [("minecraft:lever", {"face": "floor", "facing": "north", "powered": bit}) for bit in bits]


KINDS = [Kind(codec, palette, layout) for codec, palette in CODECS for layout in ORIGINS]


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


class AnvilBench:
    """A world in files, with one disk."""

    def __init__(self, root: Path, kind: Kind) -> None:
        self.size = 5 * 16 * kind.section + 123
        self._world, self._options = root / "world", Options(root / "journals", cache=kind.section * 80)
        self._host: Host | None = None
        make_disk(self._world, kind.descriptor(self.size))

    def open(self) -> Disk:
        self.close()
        self._host = open_host(self._world, self._options)
        (disk,) = self._host.disks
        return disk

    def close(self) -> None:
        if self._host is not None:
            self._host.close()
            self._host = None


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=20, deadline=None)
@given(st.data())
def test_the_disk_in_a_world_is_a_bytearray(kind: Kind, data: st.DataObject) -> None:
    size = 5 * 16 * kind.section + 123
    plan: list[Step] = data.draw(plans(size, kind.section, most=12))
    with tempfile.TemporaryDirectory() as folder:
        bench = AnvilBench(Path(folder), kind)
        try:
            asyncio.run(play(plan, bench))
        finally:
            bench.close()


@dataclass
class Written:
    """A disk that a client wrote and a server stopped cleanly, and the bytes that it must have."""

    world: Path
    content: bytearray

    def put(self, client: NbdClient, offset: int, data: bytes) -> None:
        client.write(offset, data)
        self.content[offset : offset + len(data)] = data

    def trim(self, client: NbdClient, offset: int, length: int) -> None:
        client.command(TRIM, offset, length)
        self.content[offset : offset + length] = bytes(length)


def make_vfat(tool: RunTool, folder: Path) -> bytes:
    image, text = folder / "vfat.img", folder / "text"
    text.write_text("Hello Andrew\n")
    tool("mkfs.vfat", "-C", image, str(IMAGE >> 10))
    tool("mmd", "-i", image, "::ast")
    tool("mcopy", "-i", image, text, "::ast/welcome")
    content = image.read_bytes()
    image.unlink()
    return content


@pytest.fixture
def written(kind: Kind, bbd: RunBbd, bbd_server: StartServer, tool: RunTool, tmp_path: Path) -> Written:
    world = tmp_path / "w"
    origin = ",".join(map(str, ORIGINS[kind.layout]))
    bbd("create", world, "--size", str(kind.size), "--codec", kind.codec, "--palette", kind.palette,
        "--layout", kind.layout, "--origin", origin, "--edits", "repair")  # fmt: skip
    made = Written(world, bytearray(kind.size))
    rng = random.Random(str(kind))
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        made.put(client, 0, make_vfat(tool, tmp_path))
        for _ in range(30):
            offset = rng.randrange(IMAGE, kind.size)
            length = min(rng.randrange(1, 3 * kind.section), kind.size - offset)
            made.put(client, offset, rng.randbytes(length))
        client.flush()
        made.trim(client, IMAGE + 16 * kind.section, 20 * kind.section)
        made.put(client, kind.size - 1, b"!")
    server.stop()
    return made


def test_what_was_written_is_there_after_opening_again(
    written: Written, bbd_server: StartServer, tool: RunTool, tmp_path: Path
) -> None:
    server = bbd_server("--world", written.world)
    with NbdClient(server.connect()) as client:
        found = client.read(0, len(written.content))
    server.stop()
    assert found == written.content
    copy = tmp_path / "copy.img"
    copy.write_bytes(found[:IMAGE])
    assert tool("mtype", "-i", copy, "::ast/welcome").stdout == "Hello Andrew\n"


def test_others_find_every_probed_byte_where_bbd_says(kind: Kind, written: Written, bbd: RunBbd) -> None:
    geometry = geometry_of(load_descriptor(OsFiles(), descriptor_path(written.world, "w")))
    offsets = probes(kind, written.content)
    places: list[Place] = [place for offset in offsets for place in geometry.locate(offset)]
    expected = [state for offset in offsets for state in expected_blocks(kind, written.content, offset)]
    found = nbt_states(written.world / "region", places)
    assert [state or ("minecraft:air", {}) for state in found] == expected
    names = prismarine_blocks(written.world / "region", places)
    assert [name or "minecraft:air" for name in names] == [name for name, _ in expected]
    by_place = dict(zip(places, found, strict=True))
    for offset in (offsets[0], offsets[-1], written.content.rindex(b"!")):
        told = json.loads(bbd("where", written.world, str(offset), "--json").stdout)
        assert told["value"] == written.content[offset]
        told_places = [(block["x"], block["y"], block["z"]) for block in told["blocks"]]
        told_states = [(block["block"], block["properties"]) for block in told["blocks"]]
        assert told_states == expected_blocks(kind, written.content, offset)
        for place, state in zip(told_places, told_states, strict=True):
            assert (by_place.get(place) or nbt_states(written.world / "region", [place])[0]) == state


def expected_blocks(kind: Kind, content: bytearray, offset: int) -> list[State]:
    """A byte's blocks; air in a section of zeros."""
    start = offset // kind.section * kind.section
    if not any(content[start : start + kind.section]):
        return [("minecraft:air", {})] * len(kind.blocks(0))
    return kind.blocks(content[offset])


@pytest.mark.parametrize("compression", ["lz4", "none"])
def test_the_blocks_are_the_same_in_other_compressions(kind: Kind, compression: str, tmp_path: Path) -> None:
    """By ``nbt`` alone: prismarine reads zlib and gzip."""
    content = random.Random(str(kind)).randbytes(3 * 16 * kind.section)
    descriptor = replace(kind.descriptor(len(content)), compression=compression)
    make_disk(tmp_path / "w", descriptor)

    async def fill() -> None:
        host = open_host(tmp_path / "w", Options(tmp_path / "journals"))
        await host.disks[0].write(0, content)
        await host.disks[0].close()
        host.close()

    asyncio.run(fill())
    geometry = geometry_of(descriptor)
    offsets = [0, len(content) - 1, *random.Random(3).sample(range(len(content)), 200)]
    places = [place for offset in offsets for place in geometry.locate(offset)]
    expected = [block for offset in offsets for block in kind.blocks(content[offset])]
    assert nbt_states(tmp_path / "w" / "region", places) == expected


def probes(kind: Kind, content: bytearray) -> list[int]:
    """The file's text, edges, and places all over the disk."""
    rng = random.Random(2)
    text = content.index(b"Hello Andrew\n")
    edges = [0, kind.section - 1, kind.section, 16 * kind.section - 1, 16 * kind.section, len(content) - 1]
    return [*range(text, text + 20), *edges, *(rng.randrange(len(content)) for _ in range(300)), text]


def other_writer(world: Path, changes: Mapping[Place, State]) -> None:
    """Change blocks of section 0 in chunk 0, 0, by nobody's code but the library's. There are less than 16 kinds."""
    with closing(region.RegionFile(str(world / "region" / "r.0.0.mca"))) as file:
        chunk = file.get_nbt(0, 0)
        states = next(section for section in chunk["sections"] if section["Y"].value == 0)["block_states"]
        for (x, y, z), (name, properties) in changes.items():
            entry = nbt.TAG_Compound()
            entry.tags.append(nbt.TAG_String(name="Name", value=name))
            if properties:
                entry.tags.append(nbt.TAG_Compound(name="Properties"))
                entry["Properties"].tags.extend(nbt.TAG_String(name=key, value=properties[key]) for key in properties)
            states["palette"].append(entry)
            long, shift = divmod(y << 8 | z << 4 | x, 16)
            value = states["data"].value[long] & ~(15 << 4 * shift) & (1 << 64) - 1
            value |= len(states["palette"]) - 1 << 4 * shift
            states["data"].value[long] = value - (value >> 63 << 64)
        file.write_chunk(0, 0, chunk)


def test_levers_count_and_scaffolding_does_not(bbd: RunBbd, bbd_server: StartServer, tmp_path: Path) -> None:
    world = tmp_path / "w"
    bbd("create", world, "--size", "64K", "--codec", "redstone")
    assert json.loads(bbd("info", world, "--json").stdout)["disks"][0]["edits"] == "accept"
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        client.write(0, b"\x01redstone")
    server.stop()
    seen = json.loads(bbd("where", world, "0", "--json").stdout)
    powered = [block["properties"]["powered"] for block in seen["blocks"]]
    assert powered == ["false"] * 7 + ["true"]
    assert [(block["x"], block["y"], block["z"]) for block in seen["blocks"]] == [(x, 2, 0) for x in range(8)]
    lamps = nbt_states(world / "region", [(x, 0, 0) for x in range(8)])
    assert lamps == [("minecraft:redstone_lamp", {"lit": bit}) for bit in powered]
    scaffolding = json.loads(bbd("what", world, "7", "1", "0", "--json").stdout)
    assert (scaffolding["role"], scaffolding["block"]) == ("scaffolding", "minecraft:smooth_stone")
    other_writer(
        world,
        {
            (0, 2, 0): ("minecraft:lever", {"powered": "true"}),
            (6, 2, 0): ("minecraft:lever", {"face": "wall", "facing": "east", "powered": "true"}),
            (7, 2, 0): ("minecraft:lever", {}),
            (7, 0, 0): ("minecraft:dirt", {}),
            (7, 1, 0): ("minecraft:air", {}),
            (7, 3, 0): ("minecraft:torch", {}),
        },
    )
    again = bbd_server("--world", world)
    with NbdClient(again.connect()) as client:
        assert client.read(0, 9) == b"\x82redstone"
    again.stop()


@pytest.mark.parametrize("parity", [0, 2])
def test_a_lever_that_is_gone_is_never_a_zero(
    bbd: RunBbd, bbd_server: StartServer, tmp_path: Path, parity: int
) -> None:
    """Without parity its byte is an error; with parity it is told again."""
    world = tmp_path / "w"
    bbd("create", world, "--size", "64K", "--codec", "redstone", "--parity", str(parity))
    server = bbd_server("--world", world)
    with NbdClient(server.connect()) as client:
        client.write(0, b"redstone")
        client.write(128, b"above")
    server.stop()
    other_writer(world, {(3, 2, 0): ("minecraft:air", {})})
    again = bbd_server("--world", world)
    with NbdClient(again.connect()) as client:
        if parity:
            assert client.read(0, 8) == b"redstone"
        else:
            with pytest.raises(NbdError):
                client.read(0, 8)
        assert client.read(128, 5) == b"above"
    again.stop()
