"""Running other people's programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Protocol

import pytest

# Where Debian keeps these programs; an ordinary user's PATH lacks the sbin folders.
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


class RunTool(Protocol):
    """Run a program to its end; with ``check``, a status other than 0 is an assertion error."""

    def __call__(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def tool(tmp_path: Path) -> RunTool:
    """Runs programs in the test's folder (fio leaves files where it runs)."""

    def run(*command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": _PATH, "LC_ALL": "C"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path, env=environment
        )
        if check:
            assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    return run
