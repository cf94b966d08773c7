from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds.live.live_bench import LiveBench


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveBench]:
    """A companion with a disk of eight columns that nobody has open."""
    bench = LiveBench(tmp_path)
    yield bench
    bench.stop()
