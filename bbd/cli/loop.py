"""The event loop: uvloop where there is one, for speed."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end."""
    import uvloop  # noqa: PLC0415  # commands that need no loop start faster without it

    return uvloop.run(main)
