"""Independent readers find exactly the blocks that the geometry promises for every byte of a disk."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bbd.geometry.geometry import Geometry
from bbd.geometry.interfaces import Layout
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.layouts.linear import LinearLayout
from bbd.geometry.palettes.palette256 import load_palette256
from bbd.geometry.registry import codec
from bbd.worlds.anvil.level import create_world
from bbd.worlds.anvil.stitched import Stitched
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnWrite, Site, read_column
from tests.interop.readers import Place, nbt_blocks, prismarine_blocks
from tests.worlds.saved_by_others import PRISMARINE_READS, SAVED, put_saved

Reader = Callable[[Path, Sequence[Place]], list[str | None]]

COLUMN = 65536
COLUMNS = [0, 1, 2, 33, 1023, 1024, 1030]
GEOMETRIES: dict[str, tuple[Layout, tuple[int, int]]] = {
    "hilbert": (HilbertLayout(), (0, 0)),
    "hilbert far away": (HilbertLayout(), (-64, 992)),
    "linear": (LinearLayout(), (-5, -30)),
}
NAMES = load_palette256().names
CHECK = bytes(range(128))


class Model:
    """The bytes of a few columns, whose other bytes are zeros (which are air where a whole section is)."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.rng = random.Random(seed)
        self.sections: dict[tuple[int, int], bytes] = {}

    def write(self, columns: Sequence[int]) -> None:
        """New payload for about half of the sections of each column, of few kinds of bytes, many, or all."""
        batch = {}
        for column in columns:
            stored = read_column(self.site, column)
            payloads = {
                section: bytes(
                    self.rng.choices(self.rng.sample(range(256), self.rng.choice([1, 2, 16, 40, 256])), k=4096)
                )
                for section in range(16)
                if self.rng.random() < 0.6
            }
            batch[column] = ColumnWrite(
                [payloads.get(section, KEEP) for section in range(16)] + [CHECK, self.rng.randbytes(4096), None, KEEP],
                stored.base if stored else None,
            )
            self.sections |= {(column, section): payload for section, payload in payloads.items()}
        self.site.write(batch)

    def block(self, offset: int) -> str:
        """The name of the block that must stand for the byte at an offset."""
        column, within = divmod(offset, COLUMN)
        payload = self.sections.get((column, within // 4096))
        return "minecraft:air" if payload is None else NAMES[payload[within % 4096]]


@pytest.fixture(params=GEOMETRIES)
def geometry(request: pytest.FixtureRequest) -> Geometry:
    layout, origin = GEOMETRIES[request.param]
    return Geometry(codec("byte"), layout, origin)


@pytest.mark.parametrize(
    ("reader", "compression"),
    [
        (prismarine_blocks, "stitched"),
        (nbt_blocks, "stitched"),
        (prismarine_blocks, "zlib"),
        (nbt_blocks, "zlib"),
        (nbt_blocks, "lz4"),
        (nbt_blocks, "none"),
    ],
)
def test_every_probed_byte_is_the_promised_block(
    tmp_path: Path, geometry: Geometry, reader: Reader, compression: str
) -> None:
    world = tmp_path / "world"
    create_world(world, spawn_chunk=(geometry.origin[0] - 1, geometry.origin[1] - 1), name="world")
    with AnvilWorld(world) as anvil:
        model = Model(anvil.site(geometry, compression=compression), seed=1)
        model.write(COLUMNS)
        model.write(COLUMNS[::2])
        assert all(_is_stitched(model.site, column) == (compression == "stitched") for column in COLUMNS)
    offsets = _probes(model.rng)
    places = [place for offset in offsets for place in geometry.locate(offset)]
    assert reader(world / "region", places) == [model.block(offset) for offset in offsets]


def _is_stitched(site: Site, column: int) -> bool:
    stored = read_column(site, column)
    return stored is not None and isinstance(stored.base, Stitched)


@pytest.mark.parametrize("folder", ["region", "dimensions/minecraft/overworld/region"])
@pytest.mark.parametrize("reader", [prismarine_blocks, nbt_blocks])
@pytest.mark.parametrize(("name", "palette"), [("byte", "palette256"), ("nibble", "concrete"), ("nibble", "wool")])
def test_stitched_columns_of_every_shape(tmp_path: Path, reader: Reader, name: str, palette: str, folder: str) -> None:
    """Full, sparse and uniform ones, check and parity sections too, beside chunks of other compressions."""
    world = tmp_path / "world"
    create_world(world, spawn_chunk=(-1, -1), name="world")
    if folder != "region":
        (world / folder).parent.mkdir(parents=True)
        (world / "region").rename(world / folder)
    kind = codec(name, palette)
    geometry = Geometry(kind, HilbertLayout(), (0, 0))
    rng = random.Random(name + palette)
    columns = _shapes(kind.section_size, rng)
    with AnvilWorld(world) as anvil:
        for choice, numbers in {"stitched": (0, 1, 2, 3), "lz4": (4,), "zlib": (5,)}.items():
            site = anvil.site(geometry, compression=choice)
            site.write({number: ColumnWrite(columns[number]) for number in numbers})
            assert all(_is_stitched(site, number) == (choice == "stitched") for number in numbers)
    places, expected = [], []
    for number in (0, 1, 2, 3, 5):
        cx, cz = geometry.chunk_of(number)
        for y, payload in enumerate(columns[number]):
            blocks = kind.encode(payload or b"")
            for index in (*rng.sample(range(256), 20), *rng.sample(range(4096), 20)):
                places.append((16 * cx + (index & 15), 16 * y + (index >> 8), 16 * cz + (index >> 4 & 15)))
                expected.append(kind.palette[int(blocks[index])].name)
    assert reader(world / folder, places) == expected


def _shapes(size: int, rng: random.Random) -> list[list[bytes | None]]:
    full = [rng.randbytes(size) for _ in range(16)]
    parity = [rng.randbytes(size) for _ in range(3)]
    sparse = [payload if y in (3, 4, 11) else None for y, payload in enumerate(full)]
    uniform: list[bytes | None] = [bytes([17 * y]) * size for y in range(16)]
    return [
        [*full, CHECK, *parity],
        [*sparse, CHECK, parity[0], None, None],
        [*uniform, CHECK, None, parity[1], None],
        [*[None] * 15, full[0], *[None] * 4],
        [*full, CHECK, None, None, None],
        [*sparse, CHECK, *parity],
    ]


def _probes(rng: random.Random) -> list[int]:
    edges = [column * COLUMN + byte for column in COLUMNS for byte in (0, 1, 7, 8, 255, 256, 4095, 4096, COLUMN - 1)]
    return edges + [rng.choice(COLUMNS) * COLUMN + rng.randrange(COLUMN) for _ in range(3000)]


@pytest.mark.parametrize("reader", [prismarine_blocks, nbt_blocks])
def test_the_spawn_platform(tmp_path: Path, reader: Reader) -> None:
    world = tmp_path / "world"
    create_world(world, spawn_chunk=(-1, -1), name="world")
    found = reader(
        world / "region", [(-8, 63, -8), (-11, 63, -11), (-5, 63, -8), (-12, 63, -8), (-8, 64, -8), (500, 0, 0)]
    )
    floor, light, air = "minecraft:polished_andesite", "minecraft:sea_lantern", "minecraft:air"
    assert found[:5] == [light, floor, floor, air, air]
    if reader is nbt_blocks:
        assert found[5] is None


@pytest.mark.parametrize("kind", SAVED)
def test_what_others_saved_is_read_as_others_read_it(tmp_path: Path, kind: str) -> None:
    """bbd, nbt and (where it knows how) prismarine see the same blocks, before and after a section is written."""
    world = tmp_path / "world"
    create_world(world, spawn_chunk=(-1, -1), name="world")
    geometry = Geometry(codec("byte"), HilbertLayout(), (0, 0))
    sections = put_saved(world / "region", kind)
    rng = random.Random(kind)
    offsets = [section * 4096 + byte for section in (*sections, 9) for byte in rng.sample(range(4096), 200)]
    places = [place for offset in offsets for place in geometry.locate(offset)]
    _assert_all_agree(world, places, kind)
    with AnvilWorld(world) as anvil:
        site = anvil.site(geometry)
        stored = read_column(site, 0)
        assert stored is not None
        for section, payload in sections.items():
            assert stored.payloads[section] == payload
        fresh = rng.randbytes(4096)
        site.write({0: ColumnWrite([KEEP] * 9 + [fresh] + [KEEP] * 10, stored.base)})
    seen = _assert_all_agree(world, places, "zlib")
    for offset, name in zip(offsets, seen, strict=True):
        payload = fresh if offset // 4096 == 9 else sections[offset // 4096]
        if payload[offset % 4096] or name in NAMES:
            assert name == NAMES[payload[offset % 4096]]


def _assert_all_agree(world: Path, places: Sequence[Place], kind: str) -> Sequence[str | None]:
    with AnvilWorld(world, writable=False) as anvil:
        blocks = [anvil.block_at(*place) for place in places]
    ours = [block and block[0] for block in blocks]
    assert nbt_blocks(world / "region", places) == ours
    if PRISMARINE_READS[kind]:
        assert prismarine_blocks(world / "region", places) == ours
    return ours
