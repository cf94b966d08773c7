"""Rows that are more than a load on a running server: each is a class that says what one round of it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TypeAlias

from bench.plan import Plan
from bench.results import Measurement, Result

Round: TypeAlias = Callable[[], Mapping[str, Measurement]]
"""Measures every contender once; the measurements by the contender's name."""


class Trial(ABC):
    """A row of the table; ``block`` as in :class:`~bench.results.Result`."""

    name: str
    block = 0

    @abstractmethod
    def prepared(self, plan: Plan) -> AbstractContextManager[Round]:
        """Make what all rounds need, and remove it at the end."""

    def run(self, plan: Plan) -> Result:
        """All rounds. Raises :class:`~bench.errors.BenchError`."""
        rounds: dict[str, list[Measurement]] = {}
        plan.progress(f"{self.name}: preparing")
        with self.prepared(plan) as once:
            for number in range(plan.rounds):
                plan.progress(f"{self.name}, round {number + 1} of {plan.rounds}")
                for name, measured in once().items():
                    rounds.setdefault(name, []).append(measured)
        return Result(self.name, self.block, rounds)
