"""A disk's files beside its columns: descriptor, allocation map and journal, and the order in which they change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bbd.disk.allocation import AllocationFile
from bbd.disk.descriptor import Descriptor, save_descriptor
from bbd.disk.journal import Journal
from bbd.disk.journal_segments import remove_segments
from bbd.files import Files


@dataclass(slots=True)
class Records:
    """The files of one open disk. All methods block.

    ``journal_limit`` is in bytes; ``journal`` is there while an epoch is open.
    """

    files: Files
    descriptor: Descriptor
    descriptor_path: Path
    allocation: AllocationFile
    journal_folder: Path
    journal_limit: int
    journal: Journal | None = None

    def begin_epoch(self) -> Journal:
        """Say in the descriptor that the disk is being written, after its journal stands. Errors: ``OSError``."""
        descriptor = self.descriptor
        if descriptor.clean:
            remove_segments(self.files, self.journal_folder)
        journal = Journal(
            self.files, self.journal_folder, descriptor.uuid_bytes, descriptor.epoch + 1, self.journal_limit
        )
        journal.open()
        try:
            self._save(descriptor.dirty(str(journal.id)))
        except OSError:
            journal.discard()
            raise
        self.journal = journal
        return journal

    def end_epoch(self) -> None:
        """Say that everything is in the world; only then the journal goes. Errors: ``OSError``."""
        if self.journal is not None:
            self._save(self.descriptor.cleaned())
            self.journal.close(empty=True)
            self.journal = None
        self.allocation.close()

    def abandon(self) -> None:
        """Close the files as they are; the next opening replays the journal."""
        if self.journal is not None:
            self.journal.close()
            self.journal = None
        self.allocation.close()

    def _save(self, descriptor: Descriptor) -> None:
        save_descriptor(self.files, self.descriptor_path, descriptor)
        self.descriptor = descriptor
