"""What a row of the table is made of: measurements, round by round."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class Measurement:
    """One timed round. Percentiles of the latency are microseconds; ``cpu_us`` is what the server's processes spent on
    a request, in microseconds of processor time; ``tick_ms`` is the time that 95 of 100 of a game server's ticks stayed
    below, in milliseconds. ``None`` is not measured."""

    bytes_per_second: float
    requests_per_second: float | None = None
    p99_us: float | None = None
    p999_us: float | None = None
    cpu_us: float | None = None
    tick_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast one contender was as another, round by round: the median, and how far it went."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Ratio:
        """Of one ratio a round."""
        return cls(statistics.median(ratios), min(ratios), max(ratios))


@dataclass(frozen=True, slots=True)
class Result:
    """One row: the measurements of each contender by name, in the order of the rounds. ``block`` is the size of a
    request in bytes where requests are what is counted, else 0."""

    row: str
    block: int
    rounds: dict[str, list[Measurement]]

    def ratio(self, contender: str, baseline: str) -> Ratio:
        """Of the bytes a second, within each round."""
        pairs = zip(self.rounds[contender], self.rounds[baseline], strict=True)
        return Ratio.of([mine.bytes_per_second / theirs.bytes_per_second for mine, theirs in pairs])

    def speed(self, contender: str) -> float:
        """Median bytes a second."""
        return statistics.median(measured.bytes_per_second for measured in self.rounds[contender])

    def median(self, contender: str, quantity: str) -> float | None:
        """The median of another of :class:`Measurement`'s fields; ``None`` where it was not measured."""
        values = [getattr(measured, quantity) for measured in self.rounds[contender]]
        return None if None in values else statistics.median(values)


@dataclass
class Run:
    """What there is to tell: facts of machine and run by name, a result for each row, the peak memory of each server in
    bytes, and a line for each row that failed."""

    facts: Mapping[str, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    memory: Mapping[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def attempt(self, row: str, measure: Callable[[], Result]) -> None:
        """Add a row, or the line that says why there is none."""
        try:
            self.results.append(measure())
        except (BenchError, OSError) as error:
            self.failures.append(f"{row}: {error}")
