"""Ratios are those of one round, and a goal for every row is as far as the worst of them."""

from __future__ import annotations

import pytest

from bench.goals import Goal, Outcome, outcomes
from bench.results import Measurement, Ratio, Result


def result(row: str, **speeds: list[float]) -> Result:
    rounds = {name.replace("_", "-"): [Measurement(speed) for speed in rounds] for name, rounds in speeds.items()}
    return Result(row, 4096, rounds)


def test_a_ratio_is_taken_within_each_round() -> None:
    # The machine was four times as fast in the last round: that must not look like a difference between the two.
    race = result("row", bbd=[10, 12, 80], other=[10, 10, 40])
    assert race.ratio("bbd", "other") == Ratio(median=1.2, least=1.0, most=2.0)
    assert race.speed("bbd") == 12


def test_what_was_not_measured_has_no_median() -> None:
    race = Result("row", 0, {"bbd": [Measurement(1, cpu_us=2), Measurement(1, cpu_us=4)], "cp": [Measurement(1)]})
    assert race.median("bbd", "cpu_us") == 3
    assert race.median("cp", "cpu_us") is None


def test_a_goal_for_every_row_is_as_far_as_the_worst() -> None:
    found = list(outcomes([result("a", bbd=[3], qemu_nbd=[1]), result("b", bbd=[9], qemu_nbd=[10])]))
    assert [(outcome.row, outcome.ratio.median, outcome.reached) for outcome in found] == [("b", 0.9, False)]


def test_a_goal_of_one_row_looks_at_no_other() -> None:
    found = list(
        outcomes([result("4k-read-qd32", bbd=[3], nbdkit_memory=[2]), result("b", bbd=[1], nbdkit_memory=[2])])
    )
    assert [(outcome.goal.least, outcome.ratio.median) for outcome in found] == [(1.5, 1.5)]


@pytest.mark.parametrize(("median", "reached"), [(1.49, False), (1.5, True)])
def test_reached_is_at_least(median: float, reached: bool) -> None:
    goal = Goal("row", "bbd", "nbdkit-memory", 1.5)
    assert Outcome(goal, "row", Ratio(median, 1.0, 2.0)).reached is reached


def test_a_goal_may_be_a_figure_that_is_to_be_reached_or_not_to_be_passed() -> None:
    slow = Result("live-write", 4096, {"bbd": [Measurement(10e6, tick_ms=25), Measurement(30e6, tick_ms=100)]})
    found = {outcome.goal.to: (outcome.ratio, outcome.reached) for outcome in outcomes([slow])}
    assert found["20 MB/s"] == (Ratio(1.0, 0.5, 1.5), True)
    assert found["ticks of 50 ms"] == (Ratio(1.25, 0.5, 2.0), True)
