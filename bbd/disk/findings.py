"""What was found wrong with columns: said once each, and counted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger("bbd.disk")


@dataclass(frozen=True, slots=True)
class Finding:
    """How a column differs from what was written. Keys are data sections, values say why.

    ``edited``: legal blocks that the policy takes for the disk's; ``mended``: told again from parity; ``damaged``: not
    known, so reading it is EIO. ``extra`` says what is wrong with the check and parity sections.
    """

    column: int
    where: str
    edited: frozenset[int] = frozenset()
    mended: Mapping[int, str] = field(default_factory=dict)
    damaged: Mapping[int, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.edited or self.mended or self.damaged or self.extra)

    def line(self) -> str:
        """It for people."""
        parts = [*self.extra]
        if self.edited:
            parts.append(f"{_sections(self.edited)} edited in the world, which is taken as the disk's")
        parts.extend(f"{_sections(group)} told again from parity: {why}" for why, group in _by_reason(self.mended))
        parts.extend(f"{_sections(group)} damaged: {why}" for why, group in _by_reason(self.damaged))
        return f"column {self.column}, {self.where}: {'; '.join(parts)}"

    def document(self) -> dict[str, Any]:
        """It for scripts."""
        return {
            "column": self.column,
            "where": self.where,
            "edited": sorted(self.edited),
            "mended": {str(index): why for index, why in sorted(self.mended.items())},
            "damaged": {str(index): why for index, why in sorted(self.damaged.items())},
            "extra": list(self.extra),
        }


class Reporter:
    """Logs a line for each column that has something wrong, once until it is written anew. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said: dict[int, str] = {}

    def tell(self, finding: Finding) -> None:
        """Log a finding, unless that was said before."""
        line = finding.line()
        with self._lock:
            if self._said.get(finding.column) == line:
                return
            self._said[finding.column] = line
        logger.log(logging.ERROR if finding.damaged else logging.WARNING, "%s", line)

    def forget(self, columns: Iterable[int]) -> None:
        """These columns were written anew."""
        with self._lock:
            for column in columns:
                self._said.pop(column, None)


@dataclass(slots=True)
class Tally:
    """Counts columns by the worst that is wrong with them."""

    sound: int = 0
    edited: int = 0
    mended: int = 0
    damaged: int = 0

    def count(self, finding: Finding) -> None:
        """One more column."""
        if finding.damaged:
            self.damaged += 1
        elif finding.mended or finding.extra:
            self.mended += 1
        elif finding.edited:
            self.edited += 1
        else:
            self.sound += 1

    @property
    def columns(self) -> int:
        """How many were counted."""
        return self.sound + self.edited + self.mended + self.damaged

    def line(self) -> str:
        """It for people."""
        return (
            f"{self.columns} columns looked at: {self.sound} sound, {self.edited} edited, {self.mended} mended, "
            f"{self.damaged} damaged"
        )


def _by_reason(sections: Mapping[int, str]) -> list[tuple[str, list[int]]]:
    groups: dict[str, list[int]] = {}
    for index, why in sorted(sections.items()):
        groups.setdefault(why, []).append(index)
    return list(groups.items())


def _sections(indices: Iterable[int]) -> str:
    listed = sorted(indices)
    names = ", ".join(map(str, listed))
    return f"section {names}" if len(listed) == 1 else f"sections {names}"
