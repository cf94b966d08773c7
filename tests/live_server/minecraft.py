"""The Minestom server of ``companion-mod``, as tests start it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.minecraft import MinecraftServer, build_jar, command

__all__ = ["MinecraftServer", "build", "command"]


def build() -> Path:
    """The server's jar, which later builds leave alone."""
    if shutil.which("mvn") is None:
        pytest.skip("Maven is not installed")
    return build_jar()
