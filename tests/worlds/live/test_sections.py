"""Payloads to the bridge's sections and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.geometry import registry
from bbd.geometry.interfaces import Codec
from bbd.worlds.live.codes import Refusal
from bbd.worlds.live.frames import THERE, ColumnEntry
from bbd.worlds.live.sections import UNKNOWN, Sections
from bbd.worlds.world import KEEP, STORED_SECTIONS, SectionWrite

CODECS = [registry.codec(name, None) for name in registry.codec_names()]


def entry(mask: int, wide: int, body: bytes) -> ColumnEntry:
    return ColumnEntry(0, 0, THERE, mask, wide, 1, 1, body)


@given(st.sampled_from(CODECS), st.data())
def test_what_is_written_is_read(codec: Codec, data: st.DataObject) -> None:
    sections = Sections(codec)
    size = codec.section_size
    whole = st.binary(min_size=size, max_size=size)
    kinds = st.one_of(st.none(), st.just(KEEP), whole, st.binary(min_size=1, max_size=min(size, 128)))
    writes: list[SectionWrite] = data.draw(st.lists(kinds, min_size=3, max_size=6))
    mask, wide, air, body = sections.body(writes)
    payloads, lost = sections.payloads(entry(mask, wide, body))
    assert len(payloads) == STORED_SECTIONS
    assert not mask & air
    for index, write in enumerate(writes):
        if write is KEEP:
            assert not (mask | air) >> index & 1
        elif write is None:
            assert air >> index & 1
        else:
            assert isinstance(write, bytes)
            payload = payloads[index]
            assert payload is not None
            assert payload[: len(write)] == write
            missing = lost.get(index, bytes(size))
            assert missing.count(0) == len(write)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_strangers_are_lost_bytes_and_aliases_are_none(codec: Codec) -> None:
    sections = Sections(codec)
    size = codec.section_size
    payload = bytes(range(256)) * (size // 256) if size >= 256 else bytes(range(size))
    indices = codec.encode(payload).astype("<u2")
    first, second = codec.blocks_of(0)[0], codec.blocks_of(size - 1)[0]
    own = codec.palette[int(indices[first])]
    known = len(codec.palette)
    sections.append(known, [{"name": own.name, "properties": {**own.properties, "new": "1"}}])
    sections.append(known + 1, [{"name": "minecraft:bedrock"}])
    indices[first], indices[second] = known, known + 1
    payloads, lost = sections.payloads(entry(1, 1, indices.tobytes()))
    assert payloads[0] is not None
    assert payloads[0][: size - 1] == payload[: size - 1]
    assert np.flatnonzero(np.frombuffer(lost[0], np.uint8)).tolist() == [size - 1]
    indices[second] = UNKNOWN
    assert sections.payloads(entry(1, 1, indices.tobytes()))[1] == lost


@given(st.sampled_from(CODECS), st.integers(1, 200), st.data())
def test_the_start_of_a_section_is_decoded_as_its_codec_does(codec: Codec, count: int, data: st.DataObject) -> None:
    """Check sections are told in a shorter way, whatever is wrong with them."""
    count = min(data.draw(st.sampled_from([count, 128])), codec.section_size)
    indices = codec.encode(data.draw(st.binary(min_size=count, max_size=count)))
    for block in data.draw(st.lists(st.integers(0, len(indices) - 1), max_size=2)):
        indices[block] = data.draw(st.integers(0, len(codec.palette) - 1))
    wide = int(int(indices.max()) > 255)
    body = indices.astype("<u2" if wide else "u1").tobytes()
    payloads, lost = Sections(codec).payloads(entry(1, wide, body))
    payload, missing = codec.decode(indices.astype(np.int32))
    assert payloads[0] == payload
    assert lost.get(0) == missing


def test_a_palette_that_skips_is_refused() -> None:
    sections = Sections(CODECS[0])
    with pytest.raises(Refusal):
        sections.append(len(CODECS[0].palette) + 1, [{"name": "minecraft:stone"}])
    with pytest.raises(Refusal):
        sections.append(len(CODECS[0].palette), [{"name": "minecraft:stone"}] * 70000)
