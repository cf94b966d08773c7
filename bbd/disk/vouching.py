"""Vouching for columns on their way out: their check sections, and parity over these and the data."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

import numpy as np

from bbd.disk.check import CHECK_SIZE, CheckHead
from bbd.disk.identity import Identity
from bbd.disk.integrity import ByteArray, parity, together, update_parity
from bbd.disk.merging import MergedColumn
from bbd.disk.zeros import zero_section
from bbd.worlds.world import CHECK_SECTION, DATA_SECTIONS, FIRST_PARITY_SECTION

AT_ONCE: Final = 16
"""Columns that are merged, checked and whose parity is computed together: many are faster, but must fit the processor's
cache, where each step finds what the one before has touched."""


class Vouching:
    """Vouches for columns of one disk; any thread may call."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._zero = zero_section(identity.section_size)
        self._head = CheckHead(identity.codec, identity.layout, identity.width_log2, identity.parity, identity.disk_id)
        self._own = threading.local()

    def check(self, column: int, merged: MergedColumn, generation: int) -> bytes:
        """The column's check section, in which it includes all up to ``generation``."""
        return self._head.pack(column, generation, merged.crcs, merged.lost)

    def parity(self, columns: Mapping[int, MergedColumn], checks: Mapping[int, bytes]) -> list[ByteArray]:
        """The parity rows of each of a few columns, in order; in one call where nothing is damaged."""
        stripes = self._stripes(len(columns))
        for target, (column, merged) in zip(stripes, columns.items(), strict=True):
            data = merged.whole or b"".join([payload or self._zero for payload in merged.payloads])
            target[:DATA_SECTIONS] = np.frombuffer(data, np.uint8).reshape(DATA_SECTIONS, -1)
            target[CHECK_SECTION, :CHECK_SIZE] = np.frombuffer(checks[column], np.uint8)
        rows = list(parity(stripes, self._identity.parity))
        for at, (column, merged) in enumerate(columns.items()):
            if merged.base is not None and any(payload is None for payload in merged.payloads):
                updated = self._updated_parity(merged, checks[column])
                rows[at] = rows[at] if updated is None else updated
        return rows

    def _stripes(self, columns: int) -> ByteArray:
        """This thread's own memory for so many columns: fresh pages would cost more than the copy into them. What
        follows the check in its stripe is never written, and stays zeros."""
        found: ByteArray | None = getattr(self._own, "stripes", None)
        if found is None:
            found = self._own.stripes = together(AT_ONCE, len(self._zero))
        return found[:columns]

    def _updated_parity(self, merged: MergedColumn, check: bytes) -> ByteArray | None:
        """The old parity, changed by what changes: so it can still tell the sections that are damaged.

        ``None`` where the old parity, or an old section that is written over, isn't whole either.
        """
        base = merged.base
        if base is None or base.check is None or base.stored is None or base.edited:
            return None
        rows = []
        for index in range(FIRST_PARITY_SECTION, FIRST_PARITY_SECTION + self._identity.parity):
            if index in base.stored.lost:
                return None
            rows.append(np.frombuffer(base.stored.payloads[index] or self._zero, dtype=np.uint8))
        if not rows:
            return None
        updated = np.stack(rows)
        for index, payload in {**merged.changed, CHECK_SECTION: check}.items():
            old = base.check.pack() if index == CHECK_SECTION else base.sections[index]
            if old is None:
                return None
            delta = np.frombuffer(old, dtype=np.uint8) ^ np.frombuffer(payload, dtype=np.uint8)
            updated = update_parity(updated, index, delta)
        return updated
