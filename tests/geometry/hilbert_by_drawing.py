"""The Hilbert curve drawn from four smaller ones, as docs/format.md describes it: slow, and nothing like the layout."""

from __future__ import annotations


def curve(order: int) -> list[tuple[int, int]]:
    """The chunks of the curve that fills a square of side ``2**order``; of an even order, the disk's own."""
    if order == 0:
        return [(0, 0)]
    part = curve(order - 1)
    side = 1 << (order - 1)
    return [
        *((z, x) for x, z in part),
        *((x, z + side) for x, z in part),
        *((x + side, z + side) for x, z in part),
        *((2 * side - 1 - z, side - 1 - x) for x, z in part),
    ]
