"""When what was written goes into the world by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.disk.bench_of_disks import COLUMN, Bench, put


def test_the_world_has_what_was_written_while_more_is_written(tmp_path: Path) -> None:
    bench = Bench(tmp_path, age=0.1)

    async def play() -> None:
        disk = bench.open()
        await put(disk, 0, b"early" + bytes(4091))
        number = 0
        async with asyncio.timeout(20):
            while not (number > 1 and 0 in bench.site.present()):
                number += 1
                await put(disk, COLUMN, number.to_bytes(4096, "big"))
                await asyncio.sleep(0.02)
        disk.release()

    asyncio.run(play())
