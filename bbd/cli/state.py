"""Where bbd keeps what is neither a world nor a setting."""

from __future__ import annotations

import os
from pathlib import Path


def journals_folder(given: Path | None) -> Path:
    """The folder of all journals: the one given, else ``bbd/journals`` under the user's state folder (XDG)."""
    if given is not None:
        return given.absolute()
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "bbd" / "journals"
