"""Running other programs to their end."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.errors import BenchError

TIMEOUT = 600.0


def run(*command: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command; its standard output. Raises :class:`BenchError` with the first line of what it complained of."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT, env=environment)
    except FileNotFoundError:
        raise BenchError(f"{command[0]} is missing: run scripts/install-test-packages") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"{Path(command[0]).name} did not end in {TIMEOUT:.0f} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise BenchError(f"{Path(command[0]).name} failed: {said}")
    return done.stdout
