"""Compile what is not on the disk yet, in a process of its own that is in nobody's way."""

from __future__ import annotations

import os

os.nice(10)

from bbd.worlds.anvil.compiled.reader import warm_up  # noqa: E402

warm_up()
