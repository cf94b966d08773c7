"""Reading a journal that a crash left behind, and judging whether it belongs to the world beside it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from bbd.disk.descriptor import Descriptor
from bbd.disk.journal_records import HEADER_SIZE, DataRecord, Record, SegmentHeader, decode
from bbd.disk.journal_segments import segment_numbers, segment_path
from bbd.errors import Refused
from bbd.files import Files


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a journal folder holds: ``records`` by sequence, without bytes that later ones replace; the epochs of all
    segments, and of those with records."""

    records: list[Record]
    epochs: frozenset[int]
    record_epochs: frozenset[int]


def recover(files: Files, folder: Path, disk_id: bytes, section_size: int) -> Recovered:
    """Read all segments of a disk's journal. A torn end is the normal end; other disks' segments are not looked at."""
    records = _Records()
    epochs, record_epochs = set(), set()
    for number in segment_numbers(files, folder):
        segment = _read(files, segment_path(folder, number))
        header = SegmentHeader.unpack(segment[:HEADER_SIZE])
        if header is None or header.disk_id != disk_id:
            continue
        epochs.add(header.epoch)
        for record in decode(segment, section_size):
            record_epochs.add(header.epoch)
            records.add(record)
    return Recovered(records.in_order(), frozenset(epochs), frozenset(record_epochs))


class _Records:
    """Records as they are found. A section's bytes are kept once, the newest: a journal may hold far more than fits
    into memory, of sections that were written again and again."""

    def __init__(self) -> None:
        self._others: list[Record] = []
        self._data: list[DataRecord] = []
        self._newest: dict[tuple[int, int], DataRecord] = {}

    def add(self, record: Record) -> None:
        if not isinstance(record, DataRecord) or not record.sections:
            self._others.append(record)
            return
        self._data.append(record)
        for index in list(record.sections):
            self._keep_newer(record, index)

    def _keep_newer(self, record: DataRecord, index: int) -> None:
        known = self._newest.get((record.column, index))
        if known is None or known.sequence < record.sequence:
            self._newest[record.column, index] = record
            older = known
        else:
            older = record
        if older is not None:
            del older.sections[index]

    def in_order(self) -> list[Record]:
        """All that still say something, by number."""
        telling = [record for record in self._data if record.sections]
        return sorted([*self._others, *telling], key=lambda record: record.sequence)


def records_to_replay(found: Recovered, descriptor: Descriptor, folder: Path, *, force: bool) -> list[Record]:
    """The records that the world still lacks, or :class:`Refused` where journal and world don't belong together.

    With ``force`` the journal is then left out of account (the caller sets it aside).
    """
    newer = [epoch for epoch in found.record_epochs if epoch > descriptor.epoch]
    if newer and not force:
        raise Refused(
            f"the journal in {folder} holds writes (epoch {max(newer)}) that are newer than disk {descriptor.name!r} "
            f"(epoch {descriptor.epoch}): is this an older copy of the world? Serve the newer one, or set the journal "
            "aside with --force"
        )
    if descriptor.clean or newer:
        return []
    if descriptor.epoch not in found.epochs and not force:
        raise Refused(
            f"disk {descriptor.name!r} was not stopped cleanly and its journal (epoch {descriptor.epoch}) is not in "
            f"{folder}: name the folder it was served with by --journal, or go on with --force and lose what was "
            "only in the journal"
        )
    return found.records


def set_aside(files: Files, folder: Path) -> None:
    """Rename all segments so that they are kept but never replayed."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    for number in segment_numbers(files, folder):
        path = segment_path(folder, number)
        files.replace(path, path.with_name(f"{path.name}.aside-{stamp}"))


def _read(files: Files, path: Path) -> bytes:
    file = files.open(path)
    try:
        return file.pread(file.size(), 0)
    finally:
        file.close()
