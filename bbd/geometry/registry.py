"""Codecs and layouts by name and by number.

Names come from the entry points ``bbd.codecs`` and ``bbd.layouts`` of everything that is installed; the format's own
are listed here as well, so that a source tree with older metadata has them. The format's own can't be replaced: a
disk must mean the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from bbd.errors import BbdError
from bbd.geometry.interfaces import Codec, Layout

_CODECS = "bbd.codecs"
_LAYOUTS = "bbd.layouts"
_WORDS = {_CODECS: "codec", _LAYOUTS: "layout"}
_BUILT_IN = {
    _CODECS: {
        "byte": "bbd.geometry.codecs.byte:ByteCodec",
        "nibble": "bbd.geometry.codecs.nibble:NibbleCodec",
        "redstone": "bbd.geometry.codecs.redstone:RedstoneCodec",
    },
    _LAYOUTS: {
        "hilbert": "bbd.geometry.layouts.hilbert:HilbertLayout",
        "linear": "bbd.geometry.layouts.linear:LinearLayout",
        "spiral": "bbd.geometry.layouts.spiral:SpiralLayout",
    },
}


def codec_names() -> list[str]:
    """Every codec there is, sorted."""
    return sorted(_points(_CODECS))


def layout_names() -> list[str]:
    """Every layout there is, sorted."""
    return sorted(_points(_LAYOUTS))


def palette_names(codec: str) -> list[str]:
    """The palettes that a codec can be made with, its default first. Raises :class:`BbdError` for an unknown codec."""
    return list(_codec_class(codec).palettes)


def codec(name: str, palette: str | None = None) -> Codec:
    """The codec of that name with that palette (``None``: its default); always the same object.

    Raises :class:`BbdError` for either where it is unknown, naming those there are.
    """
    known = palette_names(name)
    if palette is not None and palette not in known:
        raise BbdError(f"codec '{name}' has no palette {palette!r}; choose one of {', '.join(known)}")
    return _codec(name, palette or known[0])


def codec_by_number(number: int) -> Codec:
    """The codec that a check section names by number, with its default palette. Raises :class:`BbdError`."""
    for name, kind in _kinds(_CODECS):
        if kind.number == number:
            return codec(name)
    raise BbdError(_no_number(_CODECS, number))


def layout(parameters: Mapping[str, Any]) -> Layout:
    """The layout that a descriptor gives: ``{"name": "linear", "width": 32}``.

    Raises :class:`BbdError` for a name that is unknown (naming those there are) and for parameters that don't fit.
    """
    rest = dict(parameters)
    name = rest.pop("name", None)
    kind = _layout_class(name)
    try:
        return kind(**rest)
    except (TypeError, ValueError) as error:
        raise BbdError(f"layout '{name}' can't be made from {rest}: {error}") from error


def describe_layout(layout: Layout) -> dict[str, Any]:
    """What the descriptor keeps of a layout, and :func:`layout` takes."""
    return {"name": layout.name, **layout.parameters()}


def layout_for(name: str, columns: int) -> Layout:
    """The layout of that name with the parameters that suit a new disk of ``columns`` columns. Raises
    :class:`BbdError` for an unknown name."""
    return _layout_class(name).for_size(columns)


def layout_by_number(number: int, width_log2: int) -> Layout:
    """The layout that a check section gives by its number and log2 of its width. Raises :class:`BbdError`."""
    for name, kind in _kinds(_LAYOUTS):
        if kind.number == number:
            try:
                return cast(type[Layout], kind).from_width_log2(width_log2)
            except ValueError as error:
                raise BbdError(f"layout '{name}' can't be made: {error}") from error
    raise BbdError(_no_number(_LAYOUTS, number))


@cache
def _codec(name: str, palette: str) -> Codec:
    return cast(Codec, _load(_CODECS, name)(palette))


def _codec_class(name: str) -> type[Codec]:
    return cast(type[Codec], _load(_CODECS, name))


def _layout_class(name: object) -> type[Layout]:
    return cast(type[Layout], _load(_LAYOUTS, name))


def _no_number(group: str, number: int) -> str:
    return f"no {_WORDS[group]} has number {number}; known are {', '.join(sorted(_points(group)))}"


def _kinds(group: str) -> Iterator[tuple[str, Any]]:
    """Name and class of each, the format's own first: a broken extra is no matter until it is needed."""
    own = _BUILT_IN[group]
    for name in sorted(_points(group), key=lambda name: (name not in own, name)):
        yield name, _load(group, name)


def _load(group: str, name: object) -> Any:
    point = _points(group).get(name) if isinstance(name, str) else None
    if point is None:
        raise BbdError(f"no {_WORDS[group]} is called {name!r}; choose one of {', '.join(sorted(_points(group)))}")
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise BbdError(f"{_WORDS[group]} '{name}' ({point.value}) can't be loaded: {error}") from error


@cache
def _points(group: str) -> Mapping[str, EntryPoint]:
    found = {point.name: point for point in entry_points(group=group)}
    return found | {name: EntryPoint(name, value, group) for name, value in _BUILT_IN[group].items()}
