"""What ``bbd serve`` asks of the C library and of Python for its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bbd.cli import loop

_HEAP = """
from pathlib import Path
from bbd.cli.allocator import share_one_arena, use_huge_pages

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

before = resident()
share_one_arena()
use_huge_pages(512 << 20)
taken = resident() - before
sections = [bytes([1]) * 4096 for _ in range(2000)]
flags = []
for line in Path("/proc/self/smaps").read_text().splitlines():
    words = line.split()
    if "-" in words[0] and ":" not in words[0]:
        start, end = (int(word, 16) for word in words[0].split("-"))
    elif words[0] == "VmFlags:":
        flags += [set(words) for section in sections if start <= id(section) < end]
print(taken, sum("hg" in found for found in flags), len(flags))
"""


def test_sections_lie_on_huge_pages_and_none_is_taken_before() -> None:
    done = subprocess.run([sys.executable, "-c", _HEAP], capture_output=True, text=True, check=True, timeout=60)
    taken, huge, sections = map(int, done.stdout.split())
    assert sections == 2000
    assert taken < 32 << 20
    offered = Path("/sys/kernel/mm/transparent_hugepage").exists()
    assert huge > 1900 if offered else huge == 0


def test_more_than_there_is_harms_nobody() -> None:
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n{_HEAP}"
    code = limited.replace("512 << 20", "1 << 50")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split()[2] == "2000"


_GARBAGE = """
import gc, weakref
from bbd.cli.allocator import collect_less_often

class Cycle:
    def __init__(self):
        self.me = self

collect_less_often()
passes = []
gc.callbacks.append(lambda phase, info: passes.append(info["generation"]) if phase == "start" else None)
cache = [[memoryview(bytes(64))[at:] for at in range(16)] for _ in range(4000)]
cached = len(passes)
alive = weakref.WeakSet()
for _ in range(100_000):
    alive.add(Cycle())
print(cached, len(alive))
"""


def test_a_cache_is_filled_with_few_looks_for_garbage_and_garbage_goes() -> None:
    done = subprocess.run([sys.executable, "-c", _GARBAGE], capture_output=True, text=True, check=True, timeout=60)
    passes, alive = map(int, done.stdout.split())
    assert passes < 20
    assert alive < 50_000


def test_threads_let_the_loop_in_soon() -> None:
    async def interval() -> float:
        return sys.getswitchinterval()

    before = sys.getswitchinterval()
    try:
        assert loop.run(interval()) == pytest.approx(loop.SWITCH_INTERVAL)
    finally:
        sys.setswitchinterval(before)
