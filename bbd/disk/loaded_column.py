"""A column as the world has it, and what is wrong with it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bbd.disk.check import CheckSection
from bbd.disk.findings import Finding
from bbd.disk.held_column import sections_of
from bbd.worlds.world import Payload, StoredColumn


class SectionDamaged(OSError):
    """The bytes of a section are not known (EIO); the message says which section, and why."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EIO, why)


class SoundColumn:
    """A column as the world has it, in which all is as it was written: its 16 payloads, one by one or, as ``whole``, in
    one piece."""

    __slots__ = ("_sections", "whole")

    def __init__(self, sections: Sequence[Payload], whole: memoryview | None = None) -> None:
        self._sections = sections
        self.whole = whole

    @property
    def sections(self) -> Sequence[Payload]:
        """The payloads one by one."""
        return self._sections if self.whole is None else sections_of(self.whole)

    def section(self, index: int) -> Payload:
        """A payload."""
        return self.sections[index]


@dataclass(slots=True)
class LoadedColumn:
    """A column as the world has it. ``vanished``: nothing of it is there.

    ``describe`` tells where a column stands. ``sections`` holds 16 payloads; ``None`` stands where ``damage`` says why
    there is none. ``check`` is ``None`` where the column has none, or could not be identified. ``edited`` sections
    differ from what was written, and count; ``mended`` ones were told again from parity; ``extra`` says what is wrong
    with check and parity sections. ``stored`` is what the site gave, ``raw`` the bytes of a chunk that could not even
    be parsed.
    """

    column: int
    describe: Callable[[int], str]
    sections: list[bytes | None]
    check: CheckSection | None = None
    damage: dict[int, str] = field(default_factory=dict)
    edited: set[int] = field(default_factory=set)
    mended: dict[int, str] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    stored: StoredColumn | None = None
    raw: bytes = b""
    vanished: bool = False

    @property
    def where(self) -> str:
        """Where it stands, for messages."""
        return self.describe(self.column)

    @property
    def generation(self) -> int | None:
        """The sequence number up to which the column includes the journal: -1 for one that has vanished, ``None`` where
        something stands there and can't say it."""
        if self.check is not None:
            return self.check.generation
        return -1 if self.vanished else None

    @property
    def wants_writing(self) -> bool:
        """Whether writing it anew would put something right."""
        return bool(self.edited or self.mended or self.extra)

    @property
    def finding(self) -> Finding:
        """What is wrong with it."""
        return Finding(
            self.column, self.where, frozenset(self.edited), dict(self.mended), dict(self.damage), tuple(self.extra)
        )

    def section(self, index: int) -> bytes:
        """A payload, or :class:`SectionDamaged`."""
        payload = self.sections[index]
        if payload is None:
            why = self.damage[index]
            raise SectionDamaged(f"section {index} of column {self.column}, {self.where}, y {16 * index}: {why}")
        return payload
