"""Sections on the bridge: palette indices of 4096 blocks, and the payloads that they are to a codec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bbd.geometry.interfaces import AIR_NAMES, SECTION_BLOCKS, Block, Codec, WholeCodec
from bbd.worlds.live.codes import Refusal
from bbd.worlds.live.frames import NARROW_BYTES, WIDE_BYTES, ColumnEntry, section_sizes
from bbd.worlds.world import STORED_SECTIONS, Keep, SectionWrite

AIR_ONLY: Final = ({"name": AIR_NAMES[0]},)
"""The least palette that there can be: with it a disk's files can be read, but none of its blocks."""
UNKNOWN: Final = 0xFFFF
"""The index of a block that can't be told."""
_NARROW: Final = 256
_START_BYTES: Final = 128
"""So much is in a check section; the rest of it is air."""
_WIDE = np.dtype("<u2")
_BYTE = np.dtype("u1")


def state_of(block: Block) -> dict[str, Any]:
    """A block as text frames name it."""
    if not block.properties:
        return {"name": block.name}
    return {"name": block.name, "properties": dict(sorted(block.properties.items()))}


class Sections:
    """A disk's palette on one connection: a codec's, as agreed, and what the companion appended to it.

    :meth:`append` is called on one thread, the others on any. What was appended stays, so a frame may be decoded after
    the palette has grown.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._agreed = len(codec.palette)
        self._air = self._agreed - 1
        self._decode_whole = codec.decode_whole if isinstance(codec, WholeCodec) else None
        self._start = min(_START_BYTES * SECTION_BLOCKS // codec.section_size, SECTION_BLOCKS)
        rest = np.full(SECTION_BLOCKS - self._start, self._air)
        self._rest = {_WIDE: rest.astype(_WIDE).tobytes(), _BYTE: b""}
        if self._air < _NARROW:
            self._rest[_BYTE] = rest.astype(_BYTE).tobytes()
        self._rest_lost = bytes(_START_BYTES).ljust(codec.section_size, b"\1")
        self._known = self._agreed
        self._meaning = np.full(UNKNOWN + 1, -1, np.int32)
        self._meaning[: self._agreed] = np.arange(self._agreed)

    @property
    def palette(self) -> list[dict[str, Any]]:
        """What to agree on."""
        return [state_of(block) for block in self._codec.palette]

    def append(self, first: int, blocks: Sequence[Mapping[str, Any]]) -> None:
        """The companion met blocks that are not in the palette. Raises :class:`Refusal` where it can't count."""
        if first != self._known or first + len(blocks) > UNKNOWN:
            raise Refusal(f"blocks are appended at {first}, not at {self._known}")
        for index, state in enumerate(blocks, first):
            found = self._codec.recognise(str(state.get("name")), state.get("properties") or {})
            self._meaning[index] = -1 if found is None else found
        self._known += len(blocks)

    def payloads(self, entry: ColumnEntry) -> tuple[list[bytes | None], dict[int, bytes]]:
        """What a column's sections hold (:class:`~bbd.worlds.world.StoredColumn`)."""
        payloads: list[bytes | None] = [None] * STORED_SECTIONS
        lost: dict[int, bytes] = {}
        together: list[int] = []
        body, position = memoryview(entry.body), 0
        for index, size in section_sizes(entry.mask, entry.wide):
            piece = body[position : position + size]
            if size < WIDE_BYTES and self._is_whole(piece):
                together.append(index)
            else:
                self._put_whole(payloads, together, body[:position])
                together = []
                payload, missing = self._decode_start(piece) or self._decode(piece)
                payloads[index] = payload
                if missing is not None:
                    lost[index] = missing
            position += size
        self._put_whole(payloads, together, body)
        return payloads, lost

    def body(self, sections: Sequence[SectionWrite]) -> tuple[int, int, int, bytes]:
        """What a WRITE says of a column: ``mask``, ``wide``, ``air`` and the sections that follow."""
        mask = wide = air = 0
        pieces: list[bytes] = []
        for index, payload in enumerate(sections):
            if isinstance(payload, Keep):
                continue
            if not payload:
                air |= 1 << index
                continue
            indices = self._codec.encode(payload)
            mask |= 1 << index
            if int(indices.max()) < _NARROW:
                pieces.append(indices.astype(np.uint8).tobytes())
            else:
                wide |= 1 << index
                pieces.append(indices.astype(_WIDE).tobytes())
        return mask, wide, air, b"".join(pieces)

    def _is_whole(self, piece: memoryview) -> bool:
        """Whether a narrow section has nothing but blocks that hold bytes."""
        if self._decode_whole is None:
            return False
        return self._air >= _NARROW or int(np.frombuffer(piece, np.uint8).max()) < self._air

    def _put_whole(self, payloads: list[bytes | None], together: Sequence[int], body: memoryview) -> None:
        """Decode the narrow, whole sections at the end of ``body``."""
        if together and self._decode_whole is not None:
            indices = np.frombuffer(body[len(body) - len(together) * NARROW_BYTES :], np.uint8)
            whole, size = self._decode_whole(indices), self._codec.section_size
            for place, index in enumerate(together):
                payloads[index] = whole[place * size : (place + 1) * size]

    def _decode_start(self, piece: memoryview) -> tuple[bytes, bytes] | None:
        """A section that is whole as far as a check section goes, and air from there on; ``None`` for any other."""
        kind = _WIDE if len(piece) == WIDE_BYTES else _BYTE
        start = self._start * kind.itemsize
        if self._decode_whole is None or bytes(piece[start:]) != self._rest[kind]:
            return None
        indices: npt.NDArray[Any] = np.frombuffer(piece[:start], kind)
        if int(indices.max()) >= self._air:
            return None
        return self._decode_whole(indices.astype(np.uint8)).ljust(self._codec.section_size, b"\0"), self._rest_lost

    def _decode(self, piece: memoryview) -> tuple[bytes | None, bytes | None]:
        indices: npt.NDArray[Any] = np.frombuffer(piece, _WIDE if len(piece) == WIDE_BYTES else np.uint8)
        meaning = self._meaning[indices]
        assert meaning.shape == (SECTION_BLOCKS,)
        if int(meaning[0]) == self._air and bool((meaning == self._air).all()):
            return None, None
        return self._codec.decode(meaning)
