"""Region files when calls fail and when the power goes, at every single call."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Mapping

import pytest

from bbd.worlds.anvil import region as region_module
from bbd.worlds.anvil.compression import RawChunk
from bbd.worlds.anvil.region import RegionFile
from tests.worlds.memory_files import MemoryFiles, PowerCut
from tests.worlds.region_model import PATH, SECTOR, raw

pytestmark = pytest.mark.slow

Batch = tuple[Mapping[int, RawChunk], list[int]]
Model = dict[int, RawChunk]

POWER_CUTS = 6


@pytest.fixture(params=[255, 2], autouse=True)
def sectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many sectors a location can count. With 2 of them a third of all chunks go to files of their own."""
    monkeypatch.setattr(region_module, "MAX_SECTORS", request.param)
    return int(request.param)


def script(seed: int, batches: int = 12) -> list[Batch]:
    """Batches over few chunks of few sizes, so that sectors are reused all the time."""
    rng = random.Random(seed)
    found: list[Batch] = []
    for number in range(batches):
        indices = rng.sample(range(150, 158), rng.randint(1, 4)) + rng.sample([3, 1000], 1)
        removals = [index for index in indices if rng.random() < 0.2]
        sizes = {index: rng.randint(1, 3) * SECTOR - rng.randint(5, 600) for index in indices if index not in removals}
        found.append(({index: raw(size, seed << 16 | number) for index, size in sizes.items()}, removals))
    return found


def applied(model: Model, batch: Batch) -> Model:
    return {index: chunk for index, chunk in model.items() if index not in batch[1]} | dict(batch[0])


def everything(region: RegionFile) -> Model:
    return {index: chunk for index in range(1024) if (chunk := region.read_chunk(index)) is not None}


def outside(files: MemoryFiles) -> set[int]:
    """The chunks that have a file of their own."""
    names = (name.name.split(".") for name in files.names if name.suffix == ".mcc")
    return {int(x) | int(z) << 5 for _, x, z, _ in names}


def assert_old_or_new(found: Model, old: Model, new: Model) -> None:
    for index in {*found, *old, *new}:
        assert found.get(index) in (old.get(index), new.get(index)), f"chunk {index} is neither old nor new"


def run(
    files: MemoryFiles, batches: list[Batch], model: Model, retry: Callable[[OSError], bool]
) -> tuple[Model, Model]:
    """Write the batches, those that fail again if ``retry`` says so. Returns what must be safe, and what may be there
    instead, when the script or the power ends."""
    safe = maybe = dict(model)
    try:
        region = RegionFile(files, PATH)
        for batch in batches:
            maybe = applied(safe, batch)
            while True:
                try:
                    region.write(*batch)
                    break
                except OSError as error:
                    # Only a chunk in a file of its own may have changed: its name was given to the new bytes already.
                    external = {index: chunk for index, chunk in maybe.items() if index in outside(files)}
                    assert_old_or_new(everything(region), safe, {**safe, **external})
                    if not retry(error):
                        return safe, maybe
            safe = maybe
            assert everything(region) == safe
    except PowerCut:
        pass
    return safe, maybe


def never(_: OSError) -> bool:
    return False


@pytest.mark.parametrize("seed", range(4))
def test_a_power_cut_at_every_call(seed: int) -> None:
    batches = script(seed)
    whole = MemoryFiles()
    assert run(whole, batches, {}, never)[0]
    for cut_at in range(whole.calls):
        files = MemoryFiles()
        files.cut_at = cut_at
        safe, maybe = run(files, batches, {}, never)
        for number in range(POWER_CUTS):
            rng = random.Random(f"{seed} {cut_at} {number}")
            found = everything(RegionFile(files.after_power_cut(rng), PATH))
            assert_old_or_new(found, safe, maybe)


@pytest.mark.parametrize("seed", range(4))
def test_a_process_that_ended_and_a_power_cut_after_it(seed: int) -> None:
    """The first process leaves writes that are not safe; the second finds them, writes on, and then the power goes."""
    batches, later = script(seed, 4), script(seed + 100, 3)
    whole = MemoryFiles()
    run(whole, batches, {}, never)
    for cut_at in range(whole.calls):
        for number in range(POWER_CUTS):
            rng = random.Random(f"{seed} {cut_at} {number}")
            files = MemoryFiles()
            files.cut_at = cut_at
            first = run(files, batches, {}, never)
            found = everything(RegionFile(files, PATH))
            files.cut_at = files.calls + rng.randrange(14)
            second = run(files, later, found, never)
            after = everything(RegionFile(files.after_power_cut(rng), PATH))
            if second[0] == found:
                for index in {chunk for model in (*first, *second, after) for chunk in model}:
                    assert after.get(index) in [model.get(index) for model in (*first, *second)]
            else:
                assert_old_or_new(after, *second)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("seed", range(3))
def test_every_call_fails_once_or_twice_and_then_the_power_goes(seed: int, number: int) -> None:
    batches = script(seed, 6)
    whole = MemoryFiles()
    run(whole, batches, {}, never)
    for failing in range(whole.calls):
        for times in (1, 2):
            rng = random.Random(f"{seed} {failing} {times}")
            files = MemoryFiles()
            files.failures = dict.fromkeys(range(failing, failing + times), number)
            files.cut_at = failing + times + rng.randrange(12)
            safe, maybe = run(files, batches, {}, lambda error: error.errno == number)
            for _ in range(POWER_CUTS):
                found = everything(RegionFile(files.after_power_cut(rng), PATH))
                assert_old_or_new(found, safe, maybe)


@pytest.mark.parametrize("seed", range(80))
def test_many_failures_with_other_batches_after_them(seed: int) -> None:
    """What a failed batch may have left on the disk stays whole until a later batch has gone well."""
    rng = random.Random(seed)
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    model: Model = {}
    attempts: list[Model] = []
    for batch in script(seed, 14):
        files.failures = {files.calls + rng.randrange(5): errno.EIO for _ in range(rng.randrange(4))}
        try:
            region.write(*batch)
        except OSError:
            attempts.append(applied(model, batch))
        else:
            model, attempts = applied(model, batch), []
        standing, own_files = everything(region), outside(files)
        assert {index: chunk for index, chunk in standing.items() if index not in own_files} == {
            index: chunk for index, chunk in model.items() if index not in own_files
        }
        for index in own_files:
            assert standing.get(index) in [kept.get(index) for kept in (model, *attempts)]
        found = everything(RegionFile(files.after_power_cut(rng), PATH))
        for index in {chunk for kept in (model, *attempts, found) for chunk in kept}:
            assert found.get(index) in [kept.get(index) for kept in (model, *attempts)]


def test_a_retry_after_a_failed_sync_uses_fresh_sectors_and_frees_the_old_ones_later() -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({0: raw(3000, 0)})
    old = bytes(files.names[PATH].content)
    files.failures = {files.calls + 1: errno.EIO}
    with pytest.raises(OSError, match="told to fail"):
        region.write({0: raw(3000, 1)})
    failed_at = bytes(files.names[PATH].content).index(raw(3000, 1).data)
    region.write({0: raw(3000, 2)})
    content = bytes(files.names[PATH].content)
    assert content.index(raw(3000, 2).data) not in (old.index(raw(3000, 0).data), failed_at)
    region.write({1: raw(3000, 3), 2: raw(3000, 4)})
    assert len(files.names[PATH].content) == len(content)


def test_a_full_disk_does_not_make_the_file_grow_with_every_try() -> None:
    files = MemoryFiles()
    region = RegionFile(files, PATH)
    region.write({0: raw(3000, 0)})
    for _ in range(50):
        files.failures = {files.calls + 1: errno.ENOSPC}
        with pytest.raises(OSError, match="told to fail"):
            region.write({1: raw(10 * SECTOR, 1)})
    assert len(files.names[PATH].content) < 40 * SECTOR
