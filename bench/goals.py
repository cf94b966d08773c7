"""What bbd is to reach: least ratios, and whether a run reached them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.results import Ratio, Result


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure instead of a contender: ``quantity``, a field of :class:`~bench.results.Measurement`, is to reach
    ``value``, or where less is better, to stay below it."""

    quantity: str
    value: float
    less: bool = False


MARKS: Mapping[str, Mark] = {
    "100 MB/s": Mark("bytes_per_second", 100e6),
    "20 MB/s": Mark("bytes_per_second", 20e6),
    "ticks of 50 ms": Mark("tick_ms", 50, less=True),
}


@dataclass(frozen=True, slots=True)
class Goal:
    """In a row, ``peer`` is to be at least ``least`` times as fast as ``to``, another contender or one of
    :data:`MARKS`. Without a row: in every one that has both."""

    row: str | None
    peer: str
    to: str
    least: float


GOALS: Sequence[Goal] = (
    Goal("4k-read-qd32", "bbd", "nbdkit-memory", 1.5),
    Goal("4k-write-qd32", "bbd", "nbdkit-memory", 1.2),
    Goal("4k-read-4-connections", "bbd", "nbdkit-memory", 1.7),
    Goal("1m-read", "bbd", "nbdkit-memory", 1.25),
    Goal("1m-write", "bbd", "nbdkit-memory", 1.0),
    Goal("4k-read-qd1", "bbd", "nbdkit-memory", 0.95),
    Goal("4k-read-qd1", "bbd-busy-poll", "nbdkit-memory", 2.0),
    Goal("4k-write-flush-1", "bbd", "nbdkit-file", 1.2),
    Goal("4k-write-flush-32", "bbd", "nbdkit-file", 3.0),
    Goal("1m-write-flush-8", "bbd", "nbdkit-file", 0.7),
    Goal("1m-write-flush-8", "bbd-parity-0", "nbdkit-file", 0.9),
    Goal("cold-read", "bbd", "cp", 0.5),
    Goal("checkpoint", "bbd", "cp", 0.5),
    Goal("saved-by-game", "bbd", "isal", 0.7),
    Goal("4k-read-under-checkpoint", "bbd", "calm", 0.5),
    Goal("4k-write-under-checkpoint", "bbd", "calm", 0.5),
    Goal("live-read", "bbd", "100 MB/s", 1.0),
    Goal("live-read", "bbd-nbd", "100 MB/s", 1.0),
    Goal("live-read", "bbd", "ticks of 50 ms", 1.0),
    Goal("live-write", "bbd", "20 MB/s", 1.0),
    Goal("live-write", "bbd", "ticks of 50 ms", 1.0),
    Goal("live-4k-read-cached", "bbd-live", "offline", 0.9),
    Goal("live-1m-read-cached", "bbd-live", "offline", 0.9),
    Goal("live-1m-read-cached", "bbd-live", "http-chunks", 50),
    Goal("live-4k-write-cached", "bbd-live", "offline", 0.9),
    Goal("live-1m-write-cached", "bbd-live", "offline", 0.9),
    Goal("live-1m-write-cached", "bbd-live", "http-chunks", 50),
    Goal("live-files", "bbd-live", "offline", 1 / 3),
    Goal(None, "bbd-nibble", "bbd", 0.5),
    Goal(None, "bbd", "qemu-nbd", 1.0),
    Goal(None, "bbd", "nbdkit-python", 1.0),
    Goal(None, "bbd", "nbdkit-python-file", 1.0),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How near a run came to a goal: in ``row``, the worst of its rows."""

    goal: Goal
    row: str
    ratio: Ratio

    @property
    def reached(self) -> bool:
        """Whether the median is enough."""
        return self.ratio.median >= self.goal.least


def outcomes(results: Sequence[Result]) -> Iterator[Outcome]:
    """One for each goal that the results say something about."""
    for goal in GOALS:
        found = [
            Outcome(goal, result.row, _ratio(result, goal))
            for result in results
            if goal.row in {None, result.row} and {goal.peer, goal.to} <= result.rounds.keys() | MARKS.keys()
        ]
        if found:
            yield min(found, key=lambda outcome: outcome.ratio.median)


def _ratio(result: Result, goal: Goal) -> Ratio:
    mark = MARKS.get(goal.to)
    if mark is None:
        return result.ratio(goal.peer, goal.to)
    found = [float(getattr(measured, mark.quantity)) for measured in result.rounds[goal.peer]]
    return Ratio.of([mark.value / max(value, 0.001) if mark.less else value / mark.value for value in found])
