"""Waiting for what happens in another process or on another thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.servers import STOP_TIMEOUT


def wait_until(condition: Callable[[], bool], seconds: float = STOP_TIMEOUT) -> None:
    """Return when it holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)
