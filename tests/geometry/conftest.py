"""Hypothesis measures no times here: tests run in parallel on machines of any speed."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", settings.default, deadline=None)
settings.load_profile("untimed")
