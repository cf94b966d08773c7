"""The test vectors of format 1 (tests/vectors/format1.json): the code keeps them, and docs/format.md prints them."""

from __future__ import annotations

import json
import re
import struct
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bbd.disk.allocation import AllocationFile
from bbd.disk.check import CheckSection
from bbd.disk.descriptor import load_descriptor
from bbd.disk.integrity import parity, section_crc, zero_crc
from bbd.disk.journal_records import DataRecord, Record, SegmentHeader, ZeroRecord, decode, encode_into, encoded_size
from bbd.geometry import registry
from bbd.geometry.geometry import Geometry
from bbd.geometry.interfaces import Block
from bbd.os_files import OsFiles
from bbd.worlds.world import Payload
from tests.disk.plain_field import crc32c_bitwise, parity_rows
from tests.geometry.hilbert_by_drawing import curve
from tests.geometry.spiral_by_walking import walk

ROOT = Path(__file__).parents[2]
VECTORS: dict[str, Any] = json.loads((ROOT / "tests/vectors/format1.json").read_text())
DOCUMENT = (ROOT / "docs/format.md").read_text()
CRC_DATA = {
    "ASCII 123456789": b"123456789",
    "32 zeros": bytes(32),
    "4096 zeros": bytes(4096),
    "bytes 00 to ff, 16 times": bytes(range(256)) * 16,
}


def place(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def table(head: str, rows: list[str]) -> str:
    return "\n".join([head, re.sub(r"[^|]+", "---", head), *rows])


def crc_table() -> str:
    return table("| data | CRC-32C |", [f"| {entry['data']} | `{entry['crc']}` |" for entry in VECTORS["crc32c"]])


def curve_table(layout: str) -> str:
    rows = [f"| {entry['column']} | {place(entry['chunk'])} |" for entry in VECTORS[layout]]
    return table("| column | chunk x, z |", rows)


def hilbert_table() -> str:
    return curve_table("hilbert")


def spiral_table() -> str:
    return curve_table("spiral")


def linear_table() -> str:
    rows = [f"| {entry['width']} | {entry['column']} | {place(entry['chunk'])} |" for entry in VECTORS["linear"]]
    return table("| width | column | chunk x, z |", rows)


def layout_words(entry: dict[str, Any]) -> str:
    return " ".join(map(str, entry["layout"].values()))


def piece_table() -> str:
    rows = [
        f"| {entry['codec']} | {layout_words(entry)} | {place(entry['origin'])} | `{entry['offset']:#x}` "
        f"| {place(entry['first'])} | {place(entry['last'])} |"
        for entry in VECTORS["pieces"]
    ]
    return table("| codec | layout | origin (chunk x, z) | offset | first block x, y, z | last block |", rows)


def section_tables() -> list[str]:
    return [
        table("| index | block |", [f"| {index} | {block} |" for index, block in entry["blocks"].items()])
        for entry in VECTORS["sections"]
    ]


def nibble_tables() -> str:
    palettes = registry.palette_names("nibble")
    columns = [
        [block.name.removeprefix("minecraft:") for block in registry.codec("nibble", p).palette] for p in palettes
    ]
    rows = [f"| `{value:x}` | {' | '.join(column[value] for column in columns)} |" for value in range(16)]
    return table(f"| bits | {' | '.join(palettes)} |", rows)


def offset_table() -> str:
    rows = [
        f"| {layout_words(entry)} | {place(entry['origin'])} | `{entry['offset']:#x}` | {place(entry['block'])} |"
        for entry in VECTORS["offsets"]
    ]
    return table("| layout | origin (chunk x, z) | offset | block x, y, z |", rows)


def check_hex() -> str:
    text = VECTORS["check_section"]["hex"]
    return "\n".join(text[at : at + 32] for at in range(0, 256, 32))


def parity_table() -> str:
    stripes = [(f"d{index}", stripe) for index, stripe in enumerate(VECTORS["parity"]["stripes"])]
    rows = [
        f"| {name} | `{stripe}` |" for name, stripe in [*stripes, *((row, VECTORS["parity"][row]) for row in "PQR")]
    ]
    return table("| stripe | bytes |", rows)


def palette_table() -> str:
    names = [block.name.removeprefix("minecraft:") for block in registry.codec("byte").palette]
    rows = [f"| `{at:02x}` to `{at + 7:02x}` | {', '.join(names[at : at + 8])} |" for at in range(0, 256, 8)]
    return table("| bytes | blocks |", rows)


def journal_table() -> str:
    vector = VECTORS["journal"]
    pieces = [("header, 60 bytes", vector["header"]), ("zeros", vector["zero"]["hex"]), ("data", vector["data"]["hex"])]
    return table("| piece | bytes |", [f"| {name} | `{text}` |" for name, text in pieces])


def allocation_table() -> str:
    vector = VECTORS["allocation"]
    rows = [f"| header | `{vector['header']}` | |"]
    for page in vector["pages"]:
        filled = ", ".join(f"{at}: `{value}`" for at, value in page["bytes"].items())
        rows.append(f"| {page['page']} | {filled} | `{page['crc']}` |")
    return table("| page | bytes that are not 0 | bytes 3968 to 3971 |", rows)


TABLES = [
    journal_table,
    allocation_table,
    crc_table,
    hilbert_table,
    linear_table,
    spiral_table,
    nibble_tables,
    offset_table,
    piece_table,
    check_hex,
    parity_table,
    palette_table,
]


@pytest.mark.parametrize("render", TABLES, ids=lambda render: render.__name__)
def test_the_document_prints_the_vectors(render: Any) -> None:
    assert render() in DOCUMENT


@pytest.mark.parametrize("printed", section_tables())
def test_the_document_prints_the_sections(printed: str) -> None:
    assert printed in DOCUMENT


@pytest.mark.parametrize("entry", VECTORS["crc32c"], ids=lambda entry: entry["data"])
def test_crc32c(entry: dict[str, str]) -> None:
    data = CRC_DATA[entry["data"]]
    assert f"{section_crc(data):08x}" == entry["crc"] == f"{crc32c_bitwise(data):08x}"


def test_crc_of_a_section_of_zeros() -> None:
    assert f"{zero_crc(4096):08x}" == next(e["crc"] for e in VECTORS["crc32c"] if e["data"] == "4096 zeros")


def test_hilbert() -> None:
    layout = registry.layout({"name": "hilbert"})
    drawn = curve(6)
    for entry in VECTORS["hilbert"]:
        assert list(layout.chunk(entry["column"])) == entry["chunk"]
        assert layout.column(*entry["chunk"]) == entry["column"]
        if entry["column"] < len(drawn):
            assert list(drawn[entry["column"]]) == entry["chunk"]


@pytest.mark.parametrize("entry", VECTORS["linear"])
def test_linear(entry: dict[str, Any]) -> None:
    layout = registry.layout({"name": "linear", "width": entry["width"]})
    assert list(layout.chunk(entry["column"])) == entry["chunk"]
    assert layout.column(*entry["chunk"]) == entry["column"]


def test_spiral() -> None:
    layout = registry.layout({"name": "spiral"})
    walked = walk(5000)
    for entry in VECTORS["spiral"]:
        assert list(layout.chunk(entry["column"])) == entry["chunk"]
        assert layout.column(*entry["chunk"]) == entry["column"]
        if entry["column"] < len(walked):
            assert list(walked[entry["column"]]) == entry["chunk"]


@pytest.mark.parametrize("entry", VECTORS["pieces"])
def test_pieces(entry: dict[str, Any]) -> None:
    geometry = Geometry(registry.codec(entry["codec"]), registry.layout(entry["layout"]), tuple(entry["origin"]))
    places = geometry.locate(entry["offset"])
    assert [places[0], places[-1]] == [tuple(entry["first"]), tuple(entry["last"])]
    assert all(geometry.offset_of(*place) == entry["offset"] for place in places)


def spoken(block: Block) -> str:
    """A block as the game's commands write it."""
    listed = ",".join(f"{key}={value}" for key, value in sorted(block.properties.items()))
    name = block.name.removeprefix("minecraft:")
    return f"{name}[{listed}]" if listed else name


@pytest.mark.parametrize("entry", VECTORS["sections"], ids=lambda entry: entry["palette"])
def test_sections(entry: dict[str, Any]) -> None:
    codec = registry.codec(entry["codec"], entry["palette"])
    indices = codec.encode(bytes.fromhex(entry["payload"]))
    blocks = {str(at): spoken(codec.palette[index]) for at, index in enumerate(indices.tolist())}
    assert {at: block for at, block in blocks.items() if block != "air"} == entry["blocks"]


@pytest.mark.parametrize("entry", VECTORS["offsets"])
def test_offsets(entry: dict[str, Any]) -> None:
    geometry = Geometry(registry.codec("byte"), registry.layout(entry["layout"]), tuple(entry["origin"]))
    assert geometry.locate(entry["offset"]) == [tuple(entry["block"])]
    assert geometry.offset_of(*entry["block"]) == entry["offset"]


def test_check_section() -> None:
    fields = dict(VECTORS["check_section"]["fields"])
    fields["disk_id"] = uuid.UUID(fields["disk_id"])
    fields["crcs"] = tuple(int(crc, 16) for crc in fields["crcs"])
    check = CheckSection(**fields)
    assert check.pack().hex() == VECTORS["check_section"]["hex"]
    assert CheckSection.unpack(bytes.fromhex(VECTORS["check_section"]["hex"])) == check


def test_parity() -> None:
    vector = VECTORS["parity"]
    stripes = [bytes.fromhex(stripe) for stripe in vector["stripes"]]
    expected = [bytes.fromhex(vector[row]) for row in "PQR"]
    array = np.array([[list(stripe) for stripe in stripes]], dtype=np.uint8)
    assert [bytes(row) for row in parity(array, 3)[0]] == expected == parity_rows(stripes, 3)


def journal_records() -> list[Record]:
    zero, data = VECTORS["journal"]["zero"], VECTORS["journal"]["data"]
    sections: dict[int, Payload] = {int(index): bytes.fromhex(payload) for index, payload in data["sections"].items()}
    return [
        ZeroRecord(zero["sequence"], zero["first"], zero["count"]),
        DataRecord(data["sequence"], data["column"], sections),
    ]


def encoded(record: Record, salt: int) -> bytes:
    buffer = bytearray(encoded_size(record))
    assert encode_into(record, salt, memoryview(buffer), 0) == len(buffer)
    return bytes(buffer)


def test_journal() -> None:
    vector = VECTORS["journal"]
    disk_id, journal_id = (uuid.UUID(vector[key]).bytes for key in ("disk_id", "journal_id"))
    header = SegmentHeader(disk_id, journal_id, vector["epoch"], vector["number"])
    packed = header.pack()
    assert packed[:60].hex() == vector["header"]
    assert packed[60:] == bytes(4096 - 60)
    records = journal_records()
    packed_records = [encoded(record, header.salt) for record in records]
    assert [record.hex() for record in packed_records] == [vector["zero"]["hex"], vector["data"]["hex"]]
    assert list(decode(packed + b"".join(packed_records), vector["data"]["section_size"])) == records


def test_journal_by_the_words_of_the_document() -> None:
    vector = VECTORS["journal"]
    ids = b"".join(uuid.UUID(vector[key]).bytes for key in ("disk_id", "journal_id"))
    head = b"bbdjrnl\x01" + ids + struct.pack("<QQ", vector["epoch"], vector["number"])
    zero, data = vector["zero"], vector["data"]
    payload = b"".join(bytes.fromhex(section) for section in data["sections"].values())
    mask = sum(1 << int(index) for index in data["sections"])
    bodies = [
        struct.pack("<BBHIQQQ", 2, 0, 0, 0, zero["sequence"], zero["first"], zero["count"]),
        struct.pack("<BBHIQQQ", 1, 0, mask, len(payload), data["sequence"], data["column"], 1) + payload,
    ]
    sealed = [struct.pack("<I", crc32c_bitwise(head + body)) + body for body in bodies]
    assert [record.hex() for record in sealed] == [zero["hex"], data["hex"]]
    assert (head + struct.pack("<I", crc32c_bitwise(head))).hex() == vector["header"]


def allocation_file(vector: dict[str, Any]) -> bytes:
    """The file as the document says it is."""
    disk_id = uuid.UUID(vector["disk_id"]).bytes
    head = b"bbdcols\x01" + disk_id
    pages = [(head + struct.pack("<I", crc32c_bitwise(head))).ljust(4096, b"\0")]
    for page in range(max(column // 1024 // 31 for column in vector["columns"]) + 1):
        bitmaps = bytearray(3968)
        for column in vector["columns"]:
            if column // 1024 // 31 == page:
                bitmaps[column // 1024 % 31 * 128 + column % 1024 // 8] |= 1 << column % 8
        crc = struct.pack("<I", crc32c_bitwise(disk_id + struct.pack("<Q", page) + bitmaps))
        pages.append((bytes(bitmaps) + crc).ljust(4096, b"\0") if any(bitmaps) else bytes(4096))
    return b"".join(pages)


def test_allocation_map(tmp_path: Path) -> None:
    vector = VECTORS["allocation"]
    allocation = AllocationFile(OsFiles(), tmp_path / "disk.columns", uuid.UUID(vector["disk_id"]).bytes)
    allocation.create()
    allocation.update(vector["columns"], [])
    allocation.close()
    raw = (tmp_path / "disk.columns").read_bytes()
    assert raw == allocation_file(vector)
    assert raw[:28].hex() == vector["header"]
    for entry in vector["pages"]:
        page = raw[(1 + entry["page"]) * 4096 :][:4096]
        assert {str(at): f"{value:02x}" for at, value in enumerate(page[:3968]) if value} == entry["bytes"]
        assert page[3968:3972].hex() == entry["crc"]


def test_descriptor(tmp_path: Path) -> None:
    (text,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    path = tmp_path / f"{json.loads(text)['name']}.json"
    path.write_text(text)
    descriptor = load_descriptor(OsFiles(), path)
    assert descriptor.to_json().decode() == text
