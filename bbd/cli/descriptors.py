"""How many files and connections the process may have open."""

from __future__ import annotations

import contextlib

ENOUGH = 65536


def allow_many_descriptors() -> None:
    """Raise the soft limit, which is 1024 in a login shell, to the hard one: every client takes a descriptor."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
