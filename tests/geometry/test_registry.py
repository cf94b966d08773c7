"""Names and numbers of codecs and layouts, and what is said where there is none."""

from __future__ import annotations

import sys
import tomllib
import types
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from bbd.errors import BbdError
from bbd.geometry import registry
from bbd.geometry.codecs.byte import ByteCodec
from bbd.geometry.codecs.nibble import NibbleCodec
from bbd.geometry.codecs.redstone import RedstoneCodec
from bbd.geometry.interfaces import Layout
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.layouts.linear import LinearLayout
from bbd.geometry.layouts.spiral import SpiralLayout


class StripedLayout(LinearLayout):
    """Somebody else's layout."""

    name = "striped"
    number = 77


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[metadata.EntryPoint]]:
    """Entry points of other packages; the registry sees these alone, and its memory is emptied before and after."""
    points: list[metadata.EntryPoint] = []

    def entry_points(group: str) -> list[metadata.EntryPoint]:
        return [point for point in points if point.group == group]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    registry._points.cache_clear()
    yield points
    registry._points.cache_clear()


def test_the_built_in_ones_need_no_metadata(installed: list[metadata.EntryPoint]) -> None:
    assert registry.codec_names() == ["byte", "nibble", "redstone"]
    assert registry.layout_names() == ["hilbert", "linear", "spiral"]


def test_the_project_declares_the_same_entry_points() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = {group: project["entry-points"][group] for group in ("bbd.codecs", "bbd.layouts")}
    assert declared == registry._BUILT_IN


def test_by_name_and_number() -> None:
    assert isinstance(registry.codec("byte"), ByteCodec)
    assert isinstance(registry.codec("nibble"), NibbleCodec)
    assert isinstance(registry.codec("redstone"), RedstoneCodec)
    for number, name in enumerate(("byte", "nibble", "redstone"), 1):
        assert registry.codec_by_number(number) is registry.codec(name)
    assert registry.layout({"name": "hilbert"}) == registry.layout_by_number(1, 0) == HilbertLayout()
    assert registry.layout({"name": "linear", "width": 64}) == registry.layout_by_number(2, 6) == LinearLayout(64)
    assert registry.layout({"name": "spiral"}) == registry.layout_by_number(3, 0) == SpiralLayout()
    assert registry.layout_for("linear", 2**34) == LinearLayout(2**17)


def test_a_codec_has_the_palette_that_was_asked_for() -> None:
    first = {"byte": "palette256", "nibble": "concrete", "redstone": "lever"}
    for name, palette in first.items():
        assert registry.palette_names(name)[0] == palette
        assert registry.codec(name, palette) is registry.codec(name)
    assert registry.palette_names("nibble") == ["concrete", "wool"]
    assert registry.codec("nibble", "wool") is registry.codec("nibble", "wool") is not registry.codec("nibble")
    assert registry.codec("nibble", "wool").palette[14].name == "minecraft:red_wool"
    assert registry.codec("nibble", "concrete").palette[14].name == "minecraft:red_concrete"


def test_unknown_palettes_are_answered_with_the_known_ones() -> None:
    with pytest.raises(BbdError, match=r"'nibble'.*'silk'.*concrete, wool"):
        registry.codec("nibble", "silk")
    with pytest.raises(BbdError, match=r"'byte'.*'wool'.*palette256"):
        registry.codec("byte", "wool")
    with pytest.raises(BbdError, match=r"'bite'.*byte"):
        registry.palette_names("bite")


@pytest.mark.parametrize("layout", [HilbertLayout(), LinearLayout(32), LinearLayout(4096), SpiralLayout()])
def test_a_descriptor_gives_the_layout_back(layout: Layout) -> None:
    assert registry.layout(registry.describe_layout(layout)) == layout


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(BbdError, match=r"'bite'.*byte"):
        registry.codec("bite")
    with pytest.raises(BbdError, match=r"'peano'.*hilbert, linear"):
        registry.layout({"name": "peano"})
    with pytest.raises(BbdError, match=r"hilbert, linear"):
        registry.layout({})
    with pytest.raises(BbdError, match=r"200.*byte"):
        registry.codec_by_number(200)
    with pytest.raises(BbdError, match=r"200.*hilbert, linear"):
        registry.layout_by_number(200, 0)


@pytest.mark.parametrize(
    "parameters",
    [{"width": 33}, {"width": "32"}, {"width": 64.5}, {"depth": 32}, {"width": None}],
)
def test_parameters_that_do_not_fit(parameters: dict[str, object]) -> None:
    with pytest.raises(BbdError, match="layout 'linear' can't be made"):
        registry.layout({"name": "linear", **parameters})


@pytest.mark.parametrize(("number", "width_log2"), [(1, 5), (2, 0), (2, 255), (3, 5)])
def test_widths_that_do_not_fit(number: int, width_log2: int) -> None:
    with pytest.raises(BbdError, match="can't be made"):
        registry.layout_by_number(number, width_log2)


def test_others_can_add_theirs(installed: list[metadata.EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("somebody_elses_bbd_layouts")
    module.StripedLayout = StripedLayout  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    installed.append(metadata.EntryPoint("striped", f"{module.__name__}:StripedLayout", "bbd.layouts"))
    assert registry.layout_names() == ["hilbert", "linear", "spiral", "striped"]
    assert registry.layout({"name": "striped", "width": 64}) == StripedLayout(64)
    assert registry.layout_by_number(77, 5) == StripedLayout(32)
    assert registry.describe_layout(StripedLayout(64)) == {"name": "striped", "width": 64}


def test_the_formats_own_can_not_be_replaced(installed: list[metadata.EntryPoint]) -> None:
    installed.append(metadata.EntryPoint("linear", "bbd.geometry.layouts.hilbert:HilbertLayout", "bbd.layouts"))
    assert registry.layout({"name": "linear"}) == LinearLayout()


def test_a_broken_extra_is_named_when_it_is_asked_for(installed: list[metadata.EntryPoint]) -> None:
    installed.append(metadata.EntryPoint("broken", "no_such_module_of_anybody:Layout", "bbd.layouts"))
    assert registry.layout_by_number(2, 5) == LinearLayout()
    with pytest.raises(BbdError, match=r"'broken'.*can't be loaded"):
        registry.layout({"name": "broken"})
