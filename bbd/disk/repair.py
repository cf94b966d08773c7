"""Telling damaged sections of a column again from its parity (docs/format.md, "Parity").

Losses are known byte by byte: a block that is in no palette is an *erased* byte. Where a section's blocks are all legal
but its CRC is wrong, the whole section is a *suspect*. Each byte position is a code word of its own, and is solved for
what is missing there; nothing is believed before the CRC of the whole section says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bbd.disk.check import CHECK_SIZE, CheckSection
from bbd.disk.integrity import STRIPES, ByteArray, rebuild, section_crc
from bbd.worlds.world import CHECK_SECTION, DATA_SECTIONS, FIRST_PARITY_SECTION, StoredColumn

Flags: TypeAlias = npt.NDArray[np.bool_]
_STEP = 8
"""``rebuild`` takes sizes that are multiples of this."""


@dataclass(slots=True)
class _Words:
    """A column's code words. ``stripes`` has shape (17, n), ``rows`` (parity, n); ``erased`` and ``row_erased`` tell
    which of their bytes are not known."""

    stripes: ByteArray
    erased: Flags
    rows: ByteArray
    row_erased: Flags

    def first(self, size: int) -> _Words:
        """The first positions."""
        return _Words(self.stripes[:, :size], self.erased[:, :size], self.rows[:, :size], self.row_erased[:, :size])


@dataclass(slots=True)
class Repair:
    """One column under repair, from what the world has of it; ``parity`` says how many of its sections are parity."""

    stored: StoredColumn
    parity: int
    section_size: int
    _words: _Words = field(init=False)

    def __post_init__(self) -> None:
        stripes, erased = self._arrays(range(STRIPES))
        rows, row_erased = self._arrays(range(FIRST_PARITY_SECTION, FIRST_PARITY_SECTION + self.parity))
        stripes[CHECK_SECTION, CHECK_SIZE:] = 0
        erased[CHECK_SECTION, CHECK_SIZE:] = False
        self._words = _Words(stripes, erased, rows, row_erased)

    def check_section(self, accept: Callable[[bytes], CheckSection | str]) -> CheckSection | None:
        """The check section told again, if ``accept`` takes its bytes for this column's; else ``None``.

        Without it nothing says which data sections are whole: each, and each pair where there are three rows, is
        suspected in turn.
        """
        if not any(self.stored.payloads[FIRST_PARITY_SECTION : FIRST_PARITY_SECTION + self.parity]):
            return None
        words = self._words.first(CHECK_SIZE)
        doubts: list[set[int]] = [{CHECK_SECTION}]
        if words.erased[CHECK_SECTION].any():
            doubts.insert(0, set())
        for count in range(self.parity):
            for doubted, others, trusted in product(
                doubts, combinations(range(DATA_SECTIONS), count), _subsets(self.parity, at_least=count + 1)
            ):
                whole, solved = _solve(words, doubted.union(others), trusted)
                check = accept(whole[CHECK_SECTION].tobytes()) if solved[CHECK_SECTION] else ""
                if not isinstance(check, str):
                    return check
        return None

    def data_sections(self, check: CheckSection, suspects: set[int]) -> dict[int, bytes]:
        """The data sections that can be told again, of those with erased bytes and the ``suspects``.

        ``check`` is whole. Sections that it marks as lost were zeros to the parity, or else anything.
        """
        self._put_check(check)
        found = self._rounds(check, set(suspects))
        if check.lost:
            self._words.erased[[index for index in range(DATA_SECTIONS) if check.lost >> index & 1]] = True
            found |= self._rounds(check, set(suspects) - set(found))
        return found

    def _rounds(self, check: CheckSection, suspects: set[int]) -> dict[int, bytes]:
        """What is told again is known from then on, and may help with the rest."""
        found: dict[int, bytes] = {}
        while fresh := self._round(check, suspects):
            for index, payload in fresh.items():
                self._words.stripes[index] = np.frombuffer(payload, np.uint8)
                self._words.erased[index] = False
            suspects -= set(fresh)
            found |= fresh
        return found

    def _round(self, check: CheckSection, suspects: set[int]) -> dict[int, bytes]:
        wanted = suspects | {index for index in range(DATA_SECTIONS) if self._words.erased[index].any()}
        wanted = {index for index in wanted if not check.lost >> index & 1}
        if not wanted:
            return {}
        for trusted, doubted in product(_subsets(self.parity, at_least=1), self._doubts(suspects)):
            whole, solved = _solve(self._words, doubted, trusted)
            payloads = {index: whole[index].tobytes() for index in wanted if solved[index]}
            right = {index: told for index, told in payloads.items() if section_crc(told) == check.crcs[index]}
            if right:
                return right
        return {}

    def _doubts(self, suspects: set[int]) -> list[set[int]]:
        """Which sections to take for changed all over, in the order of likelihood: a section with erased bytes may
        have been changed elsewhere too, but rarely was, and rarely more than one."""
        unlikely = {index for index in suspects if self._words.erased[index].any()}
        likely = suspects - unlikely
        doubts = [likely, *(likely | {index} for index in sorted(unlikely))]
        return doubts if suspects in doubts else [*doubts, suspects]

    def _put_check(self, check: CheckSection) -> None:
        self._words.stripes[CHECK_SECTION, :CHECK_SIZE] = np.frombuffer(check.pack(), np.uint8)
        self._words.erased[CHECK_SECTION] = False

    def _arrays(self, indices: range) -> tuple[ByteArray, Flags]:
        payloads = np.zeros((len(indices), self.section_size), np.uint8)
        erased = np.zeros(payloads.shape, np.bool_)
        for at, index in enumerate(indices):
            payload, lost = self.stored.payloads[index], self.stored.lost.get(index)
            if payload is not None:
                payloads[at] = np.frombuffer(payload, np.uint8)
            if lost is not None:
                erased[at] = np.frombuffer(lost, np.uint8) != 0
        return payloads, erased

    def erase(self, index: int) -> None:
        """A data section of air that should not be zeros: all of it is lost."""
        self._words.erased[index] = True


def _subsets(count: int, at_least: int) -> Iterator[Sequence[int]]:
    """Parity rows to trust: all of them first, then fewer."""
    for size in range(count, at_least - 1, -1):
        yield from combinations(range(count), size)


def _solve(words: _Words, suspects: set[int], trusted: Sequence[int]) -> tuple[ByteArray, Flags]:
    """The stripes with what is missing told from the ``trusted`` rows, and which stripes are complete now.

    Where a position has too few rows for its erased bytes and its suspects, the suspects are believed.
    """
    usable = ~words.row_erased[list(trusted)]
    erased = words.erased.copy()
    erased[sorted(suspects)] = True
    erased[CHECK_SECTION, CHECK_SIZE:] = False
    rows = usable.sum(axis=0)
    believed = erased.sum(axis=0) > rows
    erased[:, believed] = words.erased[:, believed]
    hopeless = erased.sum(axis=0) > rows
    whole = words.stripes.copy()
    patterns = (1 << np.arange(STRIPES)) @ erased + (1 << STRIPES + np.arange(len(trusted))) @ usable
    patterns[hopeless | ~erased.any(axis=0)] = 0
    for pattern in np.unique(patterns[patterns != 0]).tolist():
        positions = np.flatnonzero(patterns == pattern)
        missing = [index for index in range(STRIPES) if pattern >> index & 1]
        use = [row for at, row in enumerate(trusted) if pattern >> STRIPES + at & 1]
        padded = np.pad(positions, (0, -len(positions) % _STEP), mode="edge")
        told = rebuild(whole[None, :, padded], words.rows[None, :, padded], missing, use)
        whole[:, positions] = told[0, :, : len(positions)]
    return whole, ~(erased & hopeless).any(axis=1)
