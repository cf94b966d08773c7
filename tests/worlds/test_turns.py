"""Turns at computing: one at a time, and who is about to write first."""

from __future__ import annotations

import threading
import time

import pytest

from bbd.turns import Turns


def test_one_at_a_time_and_the_first_before_the_others() -> None:
    turns = Turns()
    order: list[bool] = []
    inside = 0

    def take(*, first: bool) -> None:
        nonlocal inside
        with turns.turn(first=first):
            inside += 1
            assert inside == 1
            order.append(first)
            time.sleep(0.001)
            inside -= 1

    threads = [threading.Thread(target=take, kwargs={"first": first}) for first in (False, False, True, True)]
    with turns.turn(first=False):
        for thread in threads:
            thread.start()
            time.sleep(0.02)
    for thread in threads:
        thread.join(10)
    assert order == [True, True, False, False]


def test_an_error_ends_a_turn() -> None:
    turns = Turns()
    for first in (True, False):
        with pytest.raises(ValueError, match="broken"), turns.turn(first=first):
            raise ValueError("broken")
    with turns.turn(first=False):
        pass
