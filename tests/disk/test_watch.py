"""What changed in the world since the last clean stop: noticed, verified, told, and remembered."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from bbd.disk.disk import Disk
from bbd.worlds.world import Reading
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all
from tests.disk.damage import Hit, strike

ONE = frozenset({7})


def summaries(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if "looked at" in record.message]


async def fill(bench: Bench, columns: int = 4) -> bytes:
    data = os.urandom(columns * COLUMN)
    disk = bench.open()
    await disk.start()
    await put(disk, 0, data)
    await disk.close()
    return data


async def started(bench: Bench) -> Disk:
    disk = bench.open()
    await disk.start()
    return disk


def test_nothing_is_said_of_a_world_that_did_not_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path)

    async def run() -> None:
        await fill(bench)
        reads: list[int] = []
        read = bench.site.read

        def counted(columns: Sequence[int]) -> list[Reading]:
            reads.extend(columns)
            return read(columns)

        monkeypatch.setattr(bench.site, "read", counted)
        disk = await started(bench)
        await disk.close()
        assert not reads

    with caplog.at_level(logging.INFO):
        asyncio.run(run())
    assert not caplog.records
    kept = json.loads((bench.world / "bbd" / "disk.regions").read_text())
    assert list(kept["places"]) == ["group 0"]


def test_what_changed_is_told_by_column_and_mended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, parity=1)

    async def run() -> None:
        data = await fill(bench)
        strike(bench.site, 0, [Hit(3, ONE)])
        strike(bench.site, 1, [Hit(3, ONE), Hit(4, ONE)])
        strike(bench.site, 2, [Hit(17, ONE, legal=True)])
        disk = await started(bench)
        assert len(summaries(caplog)) == 1
        await disk.close()
        assert bench.descriptor.clean
        again = await started(bench)
        assert await read_all(again, 0, COLUMN) == data[:COLUMN]
        again.release()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    lines = [record.message for record in caplog.records]
    assert lines[0].startswith("column 0, chunk 0,0: section 3 told again from parity")
    assert lines[1].startswith("column 1, chunk 1,0: sections 3, 4 damaged")
    assert lines[2] == "column 2, chunk 2,0: its parity is not that of its sections"
    assert "(group 0); 4 columns looked at: 1 sound, 0 edited, 2 mended, 1 damaged" in lines[3]
    assert len(lines) == 4, "after a clean stop what was found is known"


def test_edits_found_at_the_start_are_vouched_for(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(tmp_path, edits="accept")

    async def run() -> None:
        data = bytearray(await fill(bench))
        strike(bench.site, 1, [Hit(2, ONE, legal=True)])
        data[COLUMN + 2 * 4096 + 7] ^= 0x5A
        disk = await started(bench)
        await disk.close()
        strike(bench.site, 1, [Hit(2, frozenset(range(4096)))])
        again = await started(bench)
        assert await read_all(again, 0, len(data)) == data
        again.release()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert "section 2 edited in the world" in caplog.records[0].message
    assert "3 sound, 1 edited, 0 mended, 0 damaged" in summaries(caplog)[0]


def test_a_look_that_was_not_finished_is_taken_up_at_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, size=64 * COLUMN, cache=8 << 20)

    async def run() -> None:
        await fill(bench, columns=40)
        strike(bench.site, 39, [Hit(3, ONE)])
        disk = await started(bench)
        await disk.close()
        assert not summaries(caplog), "more than a few columns are looked at while the disk is served"
        again = await started(bench)
        for _ in range(2000):
            if summaries(caplog):
                break
            await asyncio.sleep(0.01)
        await again.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(run(), 60))
    assert "40 columns looked at: 39 sound, 0 edited, 1 mended, 0 damaged" in summaries(caplog)[0]


@pytest.mark.parametrize(
    "content", ["", "{}", '{"format": 2, "places": {}}', '{"format": 1, "places": {"group 0": 3}}']
)
def test_a_list_that_makes_no_sense_is_as_good_as_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    bench = Bench(tmp_path)

    async def run() -> None:
        await fill(bench)
        (bench.world / "bbd" / "disk.regions").write_text(content)
        disk = await started(bench)
        await disk.close()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    assert "4 columns looked at: 4 sound" in summaries(caplog)[0]
