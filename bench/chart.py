"""A run's ratios as an SVG drawing: a line a row, a mark for each other contender on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log2

from bench.goals import GOALS
from bench.results import Ratio, Result
from bench.tables import is_ours

_COLOURS: Mapping[str, str] = {
    "nbdkit-memory": "#1f77b4",
    "nbdkit-file": "#17a2a2",
    "nbdkit-python": "#d4a017",
    "nbdkit-python-file": "#d4a017",
    "qemu-nbd": "#c0392b",
    "http-chunks": "#7f7f7f",
}
_OTHER = "#6f42c1"
_LOWEST, _HIGHEST = 0.25, 64.0
_LEFT, _RIGHT, _TOP, _LINE = 260, 860, 56, 22
_WIDTH = 900


def chart(results: Sequence[Result]) -> str:
    """The drawing. A dot is the median, the line through it reaches from the least to the most, and a black stroke is
    the goal; right of 1 bbd is the faster."""
    lines = [(result, ours) for result in results for ours in result.rounds if is_ours(ours)]
    height = _TOP + _LINE * len(lines) + 16
    parts = [*_legend(), *_scale(height)]
    for place, (result, ours) in enumerate(lines):
        parts += _line(_TOP + _LINE * place + _LINE // 2, result, ours)
    style = "text{font:12px sans-serif;fill:#222}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _legend() -> Iterator[str]:
    shown = {**_COLOURS, "others": _OTHER}
    del shown["nbdkit-python-file"]
    for place, (name, colour) in enumerate(shown.items()):
        x = 20 + place * 145
        yield f'<circle cx="{x}" cy="16" r="5" fill="{colour}"/>{_text(x + 10, 20, name)}'


def _scale(height: int) -> Iterator[str]:
    ratio = _LOWEST
    while ratio <= _HIGHEST:
        colour = "#888" if ratio == 1 else "#ddd"
        yield _stroke(_x(ratio), _TOP - 6, height - 10, colour)
        yield _text(_x(ratio), _TOP - 12, f"{ratio:g}", "middle")
        ratio *= 2


def _line(y: int, result: Result, ours: str) -> Iterator[str]:
    yield _text(_LEFT - 14, y + 4, result.row if ours == "bbd" else f"{result.row}, {ours[4:]}", "end")
    for other in result.rounds:
        if not is_ours(other):
            yield _mark(y, result.ratio(ours, other), _COLOURS.get(other, _OTHER))
    for goal in GOALS:
        if (goal.row, goal.peer) == (result.row, ours) and goal.to in result.rounds:
            yield _stroke(_x(goal.least), y - 8, y + 8, "#000")


def _mark(y: int, ratio: Ratio, colour: str) -> str:
    reach = f'<path d="M{_x(ratio.least):.1f} {y}H{_x(ratio.most):.1f}" stroke="{colour}" stroke-width="2"/>'
    return f'{reach}<circle cx="{_x(ratio.median):.1f}" cy="{y}" r="4.5" fill="{colour}"/>'


def _stroke(x: float, top: int, bottom: int, colour: str) -> str:
    return f'<path d="M{x:.1f} {top}V{bottom}" stroke="{colour}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _x(ratio: float) -> float:
    """Ratios beyond the scale are drawn at its ends."""
    bounded = min(max(ratio, _LOWEST), _HIGHEST)
    return _LEFT + (_RIGHT - _LEFT) * log2(bounded / _LOWEST) / log2(_HIGHEST / _LOWEST)
