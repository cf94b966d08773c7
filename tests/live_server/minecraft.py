"""The Minestom server of ``companion-mod`` for tests: a jar of their own, so that a build in between harms none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.minecraft import MinecraftServer, build_jar, command

__all__ = ["MinecraftServer", "build", "command"]


def build(folder: Path) -> Path:
    """A copy of the jar in ``folder``, built before if it is older than its sources."""
    if shutil.which("mvn") is None:
        pytest.skip("Maven is not installed")
    return Path(shutil.copy(build_jar(), folder))
