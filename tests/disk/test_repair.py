"""Damage that parity can tell is read back right; what it can't is EIO, and never other bytes."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bbd.disk.disk import Disk
from bbd.disk.journal import Journal
from bbd.disk.opening import allocation_path
from bbd.errors import Refused
from tests.disk.bench_of_disks import COLUMN, Bench, put, read_all
from tests.disk.damage import CHECK, SIZE, Hit, can_be_told, strike
from tests.disk.dict_site import StoredSection

START = st.integers(0, SIZE - 1)
POSITIONS = st.one_of(
    st.frozensets(st.integers(0, SIZE - 1), min_size=1, max_size=4),
    st.builds(lambda start, length: frozenset(range(start, min(start + length, SIZE))), START, st.integers(1, SIZE)),
    st.sampled_from([frozenset(range(128)), frozenset(range(SIZE)), frozenset({0})]),
)
HITS = st.lists(
    st.builds(Hit, st.integers(0, 19), POSITIONS, st.sampled_from([False, False, False, True])), min_size=1, max_size=5
)


def content(seed: int) -> bytes:
    """Two columns, the first with a few sections of zeros."""
    random = Random(seed)
    zeros = random.sample(range(16), 4)
    sections = [bytes(SIZE) if index in zeros else random.randbytes(SIZE) for index in range(16)]
    return b"".join(sections) + random.randbytes(COLUMN)


async def fill(bench: Bench, data: bytes) -> None:
    disk = bench.open()
    await put(disk, 0, data)
    await disk.close()


async def read_or_eio(disk: Disk, section: int) -> bytes | None:
    try:
        return await read_all(disk, section * SIZE, SIZE)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return None


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(HITS, st.integers(0, 3), st.integers(0, 5))
def test_what_parity_can_tell_reads_right_and_the_rest_is_eio(hits: list[Hit], parity: int, seed: int) -> None:
    hits = [hit for hit in hits if hit.section < 17 + parity]
    data = content(seed)

    async def run(bench: Bench) -> None:
        await fill(bench, data)
        strike(bench.site, 0, hits)
        disk = bench.open()
        found = [await read_or_eio(disk, section) for section in range(32)]
        for section, payload in enumerate(found):
            assert payload in (None, data[section * SIZE : (section + 1) * SIZE])
        if can_be_told(hits, parity):
            assert None not in found
        await disk.close()
        again = bench.open()
        assert [await read_or_eio(again, section) for section in range(32)] == found
        again.release()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Bench(Path(folder), parity=parity, size=2 * COLUMN)))


def test_what_was_mended_is_written_into_the_world_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path)
    data = os.urandom(COLUMN)

    async def run() -> None:
        await fill(bench, data)
        whole = list(bench.site.columns[0])
        crater, other = frozenset(range(200, 900)), frozenset(range(1000, 1200))
        strike(bench.site, 0, [Hit(3, crater), Hit(4, crater), Hit(CHECK, frozenset(range(128))), Hit(18, other)])
        disk = bench.open()
        for _ in range(3):
            assert await read_all(disk, 0, COLUMN) == data
        await disk.close()
        mended = bench.site.columns[0]
        assert [mended[index] for index in range(16)] == whole[:16]
        assert all(section is None or section.lost is None for section in [*mended[:16], *mended[17:]])
        strike(bench.site, 0, [Hit(9, crater), Hit(10, crater)])
        again = bench.open()
        assert await read_all(again, 0, COLUMN) == data
        again.release()

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    said = [record.message for record in caplog.records if "told again" in record.message]
    assert len(said) == 2
    assert "column 0, chunk 0,0: its check section was told again from parity" in said[0]
    assert "sections 3, 4 told again from parity: 700 of its bytes are gone from the world" in said[0]


def test_nothing_is_mended_in_the_world_on_a_read_only_disk(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    data = os.urandom(COLUMN)

    async def run() -> None:
        await fill(bench, data)
        strike(bench.site, 0, [Hit(3, frozenset({7}))])
        struck, descriptor = list(bench.site.columns[0]), bench.descriptor
        disk = bench.open(read_only=True)
        await disk.start()
        assert await read_all(disk, 0, COLUMN) == data
        await disk.close()
        assert bench.site.columns[0] == struck
        assert bench.descriptor == descriptor

    asyncio.run(run())


def test_a_partial_write_into_a_mended_section_keeps_the_rest_of_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    data = bytearray(os.urandom(COLUMN))

    async def run() -> None:
        await fill(bench, bytes(data))
        strike(bench.site, 0, [Hit(3, frozenset(range(SIZE))), Hit(5, frozenset({1, 2}))])
        disk = bench.open()
        await disk.write(3 * SIZE + 10, b"fresh")
        data[3 * SIZE + 10 : 3 * SIZE + 15] = b"fresh"
        await disk.close()
        again = bench.open()
        assert await read_all(again, 0, COLUMN) == data
        again.release()

    asyncio.run(run())


def test_damage_that_stays_unknown_is_still_told_after_its_neighbours_were_written(tmp_path: Path) -> None:
    """The parity follows what is written, so that it can still help when another hit is healed."""
    bench = Bench(tmp_path, parity=1)
    data = bytearray(os.urandom(COLUMN))

    async def run() -> None:
        await fill(bench, bytes(data))
        whole = list(bench.site.columns[0])
        strike(bench.site, 0, [Hit(3, frozenset({7})), Hit(4, frozenset({7}))])
        disk = bench.open()
        assert await read_or_eio(disk, 3) is None
        await put(disk, 9 * SIZE, b"n" * SIZE)
        data[9 * SIZE : 10 * SIZE] = b"n" * SIZE
        await disk.close()
        bench.site.columns[0][4] = whole[4]
        again = bench.open()
        assert await read_all(again, 0, COLUMN) == data
        again.release()

    asyncio.run(run())


def test_edits_are_accepted_and_craters_mended_even_in_one_section(tmp_path: Path) -> None:
    bench = Bench(tmp_path, edits="accept")
    data = bytearray(os.urandom(COLUMN))

    async def run() -> None:
        await fill(bench, bytes(data))
        strike(bench.site, 0, [Hit(2, frozenset({5}), legal=True), Hit(2, frozenset({6, 7}))])
        strike(bench.site, 0, [Hit(8, frozenset({0, 4000}), legal=True)])
        for at in (2 * SIZE + 5, 8 * SIZE, 8 * SIZE + 4000):
            data[at] ^= 0x5A
        disk = bench.open()
        assert await read_all(disk, 0, COLUMN) == data
        await disk.close()
        strike(bench.site, 0, [Hit(2, frozenset({5})), Hit(8, frozenset({0, 5}))])
        again = bench.open()
        assert await read_all(again, 0, COLUMN) == data, "the next checkpoint vouches for edits"
        again.release()

    asyncio.run(run())


@pytest.mark.parametrize("edits", ["accept", "repair"])
def test_a_section_of_air_is_zeros_only_if_its_crc_says_so(tmp_path: Path, edits: str) -> None:
    bench = Bench(tmp_path, edits=edits, parity=1)
    data = os.urandom(SIZE) + bytes(SIZE) + os.urandom(14 * SIZE)

    async def run() -> None:
        await fill(bench, data)
        assert bench.site.columns[0][1] is None
        bench.site.columns[0][0] = None
        disk = bench.open()
        assert await read_all(disk, 0, COLUMN) == data
        disk.release()
        bench.site.columns[0][3] = None
        again = bench.open()
        assert await read_or_eio(again, 0) is None
        assert await read_or_eio(again, 1) == bytes(SIZE)
        again.release()

    asyncio.run(run())


def test_a_column_of_another_disk_is_never_told_to_be_ours(tmp_path: Path) -> None:
    mine, other = Bench(tmp_path / "mine"), Bench(tmp_path / "other")

    async def run() -> None:
        for bench in (mine, other):
            await fill(bench, os.urandom(COLUMN))
        mine.site.columns[0] = other.site.columns[0]
        disk = mine.open()
        with pytest.raises(OSError, match="another disk"):
            await disk.read(0, 1)
        disk.release()

    asyncio.run(run())


class TestWithoutCheckSections:
    """Nether and End: every legal block is believed, every other is a lost byte; the map and the journal decide."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return Bench(tmp_path, parity=0, dimension="minecraft:the_nether")

    def test_legal_blocks_are_believed_and_others_are_eio(self, bench: Bench) -> None:
        data = bytearray(os.urandom(2 * SIZE) + bytes(14 * SIZE))

        async def run() -> None:
            await fill(bench, bytes(data))
            strike(bench.site, 0, [Hit(1, frozenset({3}), legal=True), Hit(0, frozenset({9}))])
            data[SIZE + 3] ^= 0x5A
            disk = bench.open()
            assert await read_or_eio(disk, 0) is None
            assert await read_all(disk, SIZE, COLUMN - SIZE) == data[SIZE:]
            await put(disk, 5 * SIZE, b"w" * SIZE)
            await disk.close()
            again = bench.open()
            assert await read_or_eio(again, 0) is None, "what was lost stays lost until it is written"
            await put(again, 0, b"0" * SIZE)
            await again.close()
            last = bench.open()
            assert await read_all(last, 0, 6 * SIZE) == b"0" * SIZE + data[SIZE : 5 * SIZE] + b"w" * SIZE
            last.release()

        asyncio.run(run())

    def test_zeros_beside_other_bytes_are_blocks_and_air_is_loss(self, bench: Bench) -> None:
        async def run() -> None:
            await fill(bench, os.urandom(SIZE) + bytes(15 * SIZE))
            zeros = StoredSection(bytes(SIZE))
            assert bench.site.columns[0][1:] == [zeros] * 15 + [None] * 4
            bench.site.columns[0][2] = None
            disk = bench.open()
            assert await read_or_eio(disk, 1) == bytes(SIZE)
            assert await read_or_eio(disk, 2) is None
            disk.release()

        asyncio.run(run())

    def test_what_stands_above_is_not_touched(self, bench: Bench) -> None:
        async def run() -> None:
            await fill(bench, b"x" * SIZE)
            beacon = StoredSection(b"beacon".ljust(SIZE, b"\0"))
            bench.site.columns[0][17] = beacon
            disk = bench.open()
            await put(disk, 0, b"y" * SIZE)
            await disk.close()
            assert bench.site.columns[0][17] is beacon

        asyncio.run(run())

    def test_blocks_in_an_unallocated_column_are_somebodys(self, bench: Bench) -> None:
        async def run() -> None:
            await fill(bench, b"x" * SIZE)
            bench.site.columns[1] = list(bench.site.columns[0])
            disk = bench.open()
            assert await read_all(disk, COLUMN, COLUMN) == bytes(COLUMN)
            with pytest.raises(PermissionError):
                await disk.write(COLUMN, b"x")
            disk.release()

        asyncio.run(run())

    def test_a_flush_after_a_checkpoint_is_not_undone_by_replay(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only the journal can know what the column includes."""

        def cut(_journal: Journal, _mark: int) -> None:
            raise OSError(errno.EIO, "the power goes before the old segments do")

        async def run() -> None:
            disk = bench.open()
            await put(disk, 0, b"old" * 4000)
            await disk.flush()
            await put(disk, 0, b"new" * 4000)
            monkeypatch.setattr(Journal, "cut", cut)
            with pytest.raises(OSError, match="the power goes"):
                await disk.checkpoint()
            await disk.flush()
            disk.release()
            again = bench.open()
            assert await read_all(again, 0, 12000) == b"new" * 4000
            again.release()

        asyncio.run(run())

    def test_a_lost_map_is_refused_and_with_force_nothing_reads_as_zeros(self, bench: Bench) -> None:
        data = os.urandom(COLUMN)

        async def run() -> None:
            await fill(bench, data)
            allocation_path(bench.world, "disk").unlink()
            with pytest.raises(Refused, match="backup"):
                bench.open()
            disk = bench.open(force=True)
            assert await read_all(disk, 0, COLUMN) == data
            disk.release()

        asyncio.run(run())
