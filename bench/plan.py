"""How long, how often, how large, where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Progress: TypeAlias = Callable[[str], None]
"""Hears one line before each step."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``seconds`` is the length of a round that has no end of its own, ``size`` that of a disk in bytes; ``place`` is a
    folder for everything, on the disk that is measured. ``awake``: idle processors don't sleep, whoever is measured."""

    rounds: int
    seconds: float
    size: int
    place: Path
    progress: Progress
    awake: bool = False
