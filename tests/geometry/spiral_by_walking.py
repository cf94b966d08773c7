"""The square spiral walked step by step, as docs/format.md describes it: slow, and nothing like the layout."""

from __future__ import annotations


def walk(columns: int) -> list[tuple[int, int]]:
    """The chunks of the first columns: one step east, then to the right wherever the chunk there is still free."""
    x, z, dx, dz = 0, 0, 1, 0
    path = {(x, z): None}
    while len(path) < columns:
        x, z = x + dx, z + dz
        path[x, z] = None
        if (x - dz, z + dx) not in path:
            dx, dz = -dz, dx
    return list(path)
