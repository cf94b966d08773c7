"""Draws docs/welcome.svg: the blocks that hold the demo disk's file /ast/welcome, and the zeros after it.

Places come from the demo's image and geometry, colours from the game's map colours. The view is from the north, a
little above: x grows to the left, z away from the viewer, so that eight bytes in a row read from left to right. What
lies above the file's floor (zeros, up to the section's end) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, radians, sin
from pathlib import Path
from typing import Final, TypeAlias

from bbd.cli import demo_template
from bbd.geometry import registry
from bbd.geometry.geometry import Geometry
from bbd.geometry.palettes.map_colors import load_map_colors

TARGET: Final = Path(__file__).parents[1] / "docs" / "welcome.svg"
TEXT: Final = b"Hello Andrew\n"
ROWS: Final = 4
WIDTH, HEIGHT = 900, 450
BLOCK: Final = 50.0
"""Pixels along a block's edge, before the view shortens it."""
YAW, PITCH = radians(27), radians(33)

# The shades that maps give a colour: flat, northern slope, steep slope (of 255).
TOP, FRONT, SIDE = 255, 220, 180
INK, FAINT = "#14295a", "#b9c9ea"
MONOSPACE: Final = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
SANS: Final = "system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif"

Color: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Cube:
    """A block: its byte's offset in the file and value, its place in the world, and where it stands in the picture
    (``right`` blocks from the left edge, ``back`` from the front)."""

    index: int
    value: int
    place: tuple[int, int, int]
    right: int
    back: int

    @property
    def color(self) -> Color:
        name = registry.codec("byte").palette[self.value].name
        return load_map_colors()[name] or (0xDD, 0xEE, 0xFF)


def find_file() -> int:
    """The offset of the file's first byte on the demo disk."""
    found = [start + page.find(TEXT) for start, page in demo_template.pages() if TEXT in page]
    if len(found) != 1:
        raise SystemExit(f"the demo's image has {TEXT!r} {len(found)} times, not once")
    return found[0]


def cubes() -> list[Cube]:
    """The file's blocks and those of the zeros after it, farthest first."""
    start = find_file()
    page = next(page for at, page in demo_template.pages() if at == start // demo_template.PAGE * demo_template.PAGE)
    geometry = Geometry(registry.codec("byte"), registry.layout({"name": "hilbert"}))
    places = [geometry.locate(start + index)[0] for index in range(16 * ROWS)]
    west, _, north = places[7]
    found = [
        Cube(index, page[start % demo_template.PAGE + index], place, west + 15 - place[0], place[2] - north)
        for index, place in enumerate(places)
    ]
    return sorted(found, key=lambda cube: (-cube.back, -cube.right))


def project(right: float, up: float, back: float) -> Point:
    """Where a point of the scene is in the picture, in pixels from the scene's origin."""
    x = right * cos(YAW) - back * sin(YAW)
    y = -(right * sin(YAW) + back * cos(YAW)) * sin(PITCH) - up * cos(PITCH)
    return x * BLOCK, y * BLOCK


LEFT, BOTTOM = 118.0, 372.0


def at(right: float, up: float, back: float) -> Point:
    """The same in pixels of the picture."""
    x, y = project(right, up, back)
    return LEFT + x, BOTTOM + y


def number(value: float) -> str:
    """At most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def points(corners: list[Point]) -> str:
    return " ".join(f"{number(x)},{number(y)}" for x, y in corners)


def shade(color: Color, light: int) -> str:
    return "#" + "".join(f"{channel * light // 255:02x}" for channel in color)


def cube_symbol(color: Color) -> str:
    """A cube whose lower front left corner is at 0, 0."""
    top = [project(0, 1, 0), project(1, 1, 0), project(1, 1, 1), project(0, 1, 1)]
    front = [project(0, 0, 0), project(1, 0, 0), project(1, 1, 0), project(0, 1, 0)]
    side = [project(0, 0, 0), project(0, 0, 1), project(0, 1, 1), project(0, 1, 0)]
    faces = "".join(
        f'<polygon points="{points(corners)}" fill="{shade(color, light)}"/>'
        for corners, light in ((top, TOP), (front, FRONT), (side, SIDE))
    )
    return f'<g id="b{shade(color, 255)[1:]}">{faces}</g>'


def cube_uses(scene: list[Cube]) -> Iterator[str]:
    for cube in scene:
        x, y = at(cube.right, 0, cube.back)
        yield f'<use href="#b{shade(cube.color, 255)[1:]}" x="{number(x)}" y="{number(y)}"/>'


def engraving(cube: Cube) -> str:
    """The byte in hexadecimal, on the front of its block."""
    x, y = at(cube.right + 0.5, 0.36, 0)
    lean = -sin(YAW) * sin(PITCH)
    dark = sum(cube.color) < 480
    ink = "#ffffffb0" if dark else "#1c2b4a99"
    return (
        f'<text transform="matrix({cos(YAW):.3f},{lean:.3f},0,{cos(PITCH):.3f},{number(x)},{number(y)})" '
        f'fill="{ink}">{cube.value:02x}</text>'
    )


def label(cube: Cube) -> str:
    """The character, on a flag above its block."""
    x, foot = at(cube.right + 0.5, 1, 0.5)
    y = foot - 36
    stem = f'<path d="M{number(x)} {number(foot)}V{number(y)}" stroke="{INK}" stroke-width="1.5"/>'
    flag = f'<rect x="{number(x - 14)}" y="{number(y - 28)}" width="28" height="30" rx="6" fill="{INK}"/>'
    return stem + flag + _glyph(cube.value, x, y)


def _glyph(value: int, x: float, y: float) -> str:
    if value == ord(" "):
        return f'<path d="M{number(x - 6)} {number(y - 12)}v5h12v-5" fill="none" stroke="{FAINT}" stroke-width="2"/>'
    if value == ord("\n"):
        return f'<text class="c n" x="{number(x)}" y="{number(y - 7)}">\\n</text>'
    return f'<text class="c" x="{number(x)}" y="{number(y - 6)}">{chr(value)}</text>'


def arrow(text: list[Cube]) -> str:
    """From the eighth character to the ninth, which stands eight blocks further west."""
    x, y = at(text[7].right + 0.5, 1, 0.5)
    to_x, to_y = at(text[8].right + 0.5, 1, 0.5)
    y, to_y = y - 72, to_y - 72
    curve = f"M{number(x)} {number(y)}C{number(x - 40)} {number(y - 70)},{number(to_x + 20)} {number(to_y - 190)},"
    return (
        f'<path d="{curve}{number(to_x)} {number(to_y)}" fill="none" stroke="{INK}" stroke-width="2.5" '
        f'stroke-dasharray=".1 7" stroke-linecap="round" marker-end="url(#head)"/>'
    )


def caption(first: Cube, offset: int) -> str:
    place = " ".join(map(str, first.place))
    return (
        f'<text class="s" x="{WIDTH - 36}" y="{HEIGHT - 62}" font-size="21" font-weight="600">/ast/welcome</text>'
        f'<text class="s" x="{WIDTH - 36}" y="{HEIGHT - 36}" font-size="14">'
        f"one block a byte: offset {offset:#x} is block {place}</text>"
    )


STYLE: Final = f"""
.c{{font:600 20px {MONOSPACE};text-anchor:middle;fill:#fff}}
.n{{font-size:16px;fill:{FAINT}}}
.e{{font:600 19px {MONOSPACE};text-anchor:middle}}
.s{{font-family:{SANS};text-anchor:end;fill:{INK}}}
"""
SKY: Final = (
    '<linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#5f97ea"/>'
    '<stop offset="1" stop-color="#c3defc"/></linearGradient>'
)
ARROW_HEAD: Final = (
    '<marker id="head" viewBox="0 0 10 10" refX="5" refY="5" markerWidth="6" markerHeight="6" orient="auto">'
    f'<path d="M0 0L10 5L0 10z" fill="{INK}"/></marker>'
)


def render() -> str:
    """The picture."""
    scene = cubes()
    by_index = sorted(scene, key=lambda cube: cube.index)
    text = by_index[: len(TEXT)]
    front_row = [cube for cube in by_index if cube.back == 0]
    symbols = "\n".join(cube_symbol(color) for color in sorted({cube.color for cube in scene}))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>The file /ast/welcome of the demo disk, as blocks</title>",
        f"<style>{STYLE}</style>",
        "<defs>",
        SKY,
        ARROW_HEAD,
        symbols,
        "</defs>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="18" fill="url(#sky)"/>',
        f'<g stroke="{INK}" stroke-opacity=".28" stroke-width="1" stroke-linejoin="round">',
        *cube_uses(scene),
        "</g>",
        '<g class="e">',
        *(engraving(cube) for cube in front_row),
        "</g>",
        arrow(text),
        *(label(cube) for cube in sorted(text, key=lambda cube: -cube.right)),
        caption(text[0], find_file()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    TARGET.write_text(render(), encoding="utf-8")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
