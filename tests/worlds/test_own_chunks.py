"""Replacing columns: a site reads what stands there, unless it knows that nothing of it would be kept."""

from __future__ import annotations

import errno
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.geometry.geometry import Geometry
from bbd.geometry.layouts.hilbert import HilbertLayout
from bbd.geometry.registry import codec
from bbd.worlds.anvil.world import AnvilWorld
from bbd.worlds.world import KEEP, ColumnWrite, SectionWrite, Site, read_column
from tests.worlds.memory_files import MemoryFiles

BYTE = codec("byte")
PAYLOADS = [random.Random(seed).randbytes(4096) for seed in range(4)]
ABOVE = 19


@dataclass
class Watched:
    """A site, and how often its files were read."""

    files: MemoryFiles = field(default_factory=MemoryFiles)
    reads: int = 0

    def __post_init__(self) -> None:
        self.files.before_read = self._count
        self.site: Site = AnvilWorld(Path("/world"), self.files).site(Geometry(BYTE, HilbertLayout(), (0, 0)))

    def _count(self) -> None:
        self.reads += 1

    def reads_of(self, write: ColumnWrite) -> int:
        before = self.reads
        self.site.write({0: write})
        return self.reads - before

    def payloads(self) -> list[bytes | None]:
        stored = read_column(self.site, 0)
        return [None] * 20 if stored is None else list(stored.payloads)


def whole(seed: int) -> ColumnWrite:
    """All that a disk owns of a column; what is above is not its own."""
    return ColumnWrite([PAYLOADS[seed]] * ABOVE + [KEEP])


def test_a_column_that_was_written_here_is_replaced_without_a_look() -> None:
    watched = Watched()
    watched.site.write({0: whole(0)})
    assert watched.reads_of(whole(1)) == 0
    assert watched.payloads() == [PAYLOADS[1]] * ABOVE + [None]


def test_one_that_was_written_before_is_looked_at_once() -> None:
    first = Watched()
    first.site.write({0: whole(0)})
    watched = Watched(first.files)
    assert watched.reads_of(whole(1)) > 0
    assert watched.reads_of(whole(2)) == 0


def test_what_is_kept_is_looked_at() -> None:
    watched = Watched()
    watched.site.write({0: ColumnWrite([PAYLOADS[0]] * 20)})
    assert watched.reads_of(whole(1)) > 0
    assert watched.payloads() == [PAYLOADS[1]] * ABOVE + [PAYLOADS[0]]


def test_after_a_failure_it_is_looked_at_again() -> None:
    watched = Watched()
    watched.site.write({0: whole(0)})
    watched.files.failures[watched.files.calls + 1] = errno.EIO
    with pytest.raises(OSError, match="told to fail"):
        watched.site.write({0: whole(1)})
    assert watched.reads_of(whole(2)) > 0
    assert watched.payloads() == [PAYLOADS[2]] * ABOVE + [None]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.sampled_from([None, KEEP, *PAYLOADS]), min_size=20, max_size=20), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_any_writes(writes: list[list[SectionWrite]], rng: random.Random) -> None:
    watched = Watched()
    model: list[SectionWrite] = [None] * 20
    for sections in writes:
        stored = read_column(watched.site, 0)
        base = stored.base if stored and rng.random() < 0.5 else None
        watched.site.write({0: ColumnWrite(sections, base)})
        model = [old if new is KEEP else new for old, new in zip(model, sections, strict=True)]
        assert watched.payloads() == model
