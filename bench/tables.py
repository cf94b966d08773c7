"""A run's results as tables of words: what the terminal and the document have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.goals import Outcome, outcomes
from bench.results import Ratio, Result
from bench.units import KIB, MIB

COLUMNS: Mapping[str, Sequence[str]] = {
    "to memory": ("nbdkit-memory",),
    "to file": ("nbdkit-file",),
    "to Python": ("nbdkit-python", "nbdkit-python-file"),
    "to qemu-nbd": ("qemu-nbd",),
    "to HTTP": ("http-chunks",),
    "to offline": ("offline",),
    "to other": ("cp", "isal", "calm", "one-at-a-time"),
}
"""Headings, and the contenders that each is for: of a row, at most one."""


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` have as many cells as there are ``headings``; the first is text, the others are numbers or short."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


def is_ours(contender: str) -> bool:
    """Whether it is bbd in one of its kinds."""
    return contender.startswith("bbd")


def tables(results: Sequence[Result], memory: Mapping[str, int]) -> Iterator[Table]:
    """Those that have something to say; ``memory`` is the peak of each server, in bytes."""
    yield _ratios(results)
    yield _goals(list(outcomes(results)))
    yield _by_row("Server's processor time for a request, in µs", results, "cpu_us", "{:.1f}")
    yield _by_row("Latency of 99.9 % of the requests, in µs", results, "p999_us", "{:,.0f}")
    yield _by_row("Ticks of the game's server: 95 of 100 took less, in ms", results, "tick_ms", "{:.1f}")
    yield Table("Peak memory, in MiB", ("server", "MiB"), [(who, f"{peak / MIB:,.0f}") for who, peak in memory.items()])


def _ratios(results: Sequence[Result]) -> Table:
    rows = [_ratio_row(result, ours) for result in results for ours in result.rounds if is_ours(ours)]
    title = "How many times as fast as others: median (least, most) of the rounds"
    return Table(title, ("row", "who", "speed", *COLUMNS), rows)


def _ratio_row(result: Result, ours: str) -> list[str]:
    cells = [result.row, ours, _speed(result, ours)]
    for others in COLUMNS.values():
        there = [other for other in others if other in result.rounds]
        cells.append(ratio_words(result.ratio(ours, there[0])) if there else "")
    return cells


def _goals(found: Sequence[Outcome]) -> Table:
    rows = [
        (
            outcome.row if outcome.goal.row else f"every row; worst: {outcome.row}",
            outcome.goal.peer,
            outcome.goal.to,
            f"{outcome.goal.least:g}",
            ratio_words(outcome.ratio),
            "yes" if outcome.reached else "NO",
        )
        for outcome in found
    ]
    return Table("Goals", ("row", "who", "to", "at least", "is", "reached"), rows)


def _by_row(title: str, results: Sequence[Result], quantity: str, form: str) -> Table:
    """A column for each contender of which the quantity was measured."""
    values = {result.row: _medians(result, quantity) for result in results}
    who = list(dict.fromkeys(name for found in values.values() for name in found))
    rows = [
        [row, *(form.format(found[name]) if name in found else "" for name in who)]
        for row, found in values.items()
        if found
    ]
    return Table(title, ("row", *who), rows)


def _medians(result: Result, quantity: str) -> dict[str, float]:
    found = {name: result.median(name, quantity) for name in result.rounds}
    return {name: value for name, value in found.items() if value is not None}


def ratio_words(ratio: Ratio) -> str:
    """``1.52 (1.48, 1.60)``; of a single round, ``1.52``."""
    if ratio.least == ratio.most:
        return f"{ratio.median:.2f}"
    return f"{ratio.median:.2f} ({ratio.least:.2f}, {ratio.most:.2f})"


def _speed(result: Result, who: str) -> str:
    speed = result.speed(who)
    if 0 < result.block <= 4 * KIB:
        return f"{speed / result.block / 1000:.1f} k/s"
    return f"{speed / 1e6:,.0f} MB/s"
