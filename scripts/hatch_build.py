"""Put the game's server into wheels and source distributions, so that ``bbd demo`` needs no clone.

It is built where Maven is, unless it is there already. Without Maven the wheel is made without it, and says so.
Editable installations build it on first use instead.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "bbd/cli/bbd-minestom.jar"


class GameServerHook(BuildHookInterface[Any]):
    """Finds or builds the jar. A build that fails fails the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a wheel (``version`` is ``standard`` or ``editable``) or a source distribution is put
        together."""
        root = Path(self.root)
        if version == "editable" or (root / PLACE).exists():  # the latter in an unpacked source distribution
            return
        done = subprocess.run(
            [root / "scripts" / "companion-build", "jar"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            build_data["force_include"][done.stdout.strip()] = PLACE
        elif shutil.which("mvn") is None:
            self.app.display_warning("No Maven here: this is made without the game's server, and bbd demo won't run.")
        else:
            raise RuntimeError("the game's server could not be built: see scripts/companion-build jar")
