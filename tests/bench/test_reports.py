"""What a run leaves behind: tables in a document, a drawing, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import page
from bench.chart import chart
from bench.errors import BenchError
from bench.report import as_json
from bench.results import Measurement, Result, Run

RESULTS = [
    Result("4k-read-qd32", 4096, {"bbd": [Measurement(3e8, 7e4, 10, 20, 4)], "nbdkit-memory": [Measurement(2e8)]}),
    Result("cold-read", 0, {"bbd": [Measurement(1e9)], "bbd-nibble": [Measurement(8e8)], "cp": [Measurement(4e9)]}),
]
RUN = Run({"processor": "one"}, RESULTS, {"bbd": 2 << 20})


def test_the_document_gets_the_tables_between_its_marks_and_nothing_else_changes(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("before\n<!-- run -->\nwhat was there\n<!-- /run -->\nafter\n")
    page.replace(document, "run", page.run_text(RUN, "performance.svg"))
    content = document.read_text()
    assert content.startswith("before\n<!-- run -->\n")
    assert content.endswith("\n<!-- /run -->\nafter\n")
    assert "what was there" not in content
    assert "| 4k-read-qd32 | bbd | 73.2 k/s | 1.50 |" in content
    assert "| cold-read | bbd | cp | 0.5 | 0.25 | NO |" in content
    page.replace(document, "run", "again")
    assert document.read_text() == "before\n<!-- run -->\nagain\n<!-- /run -->\nafter\n"


def test_a_document_without_the_place_is_left_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "other.md"
    document.write_text("<!-- run -->\n")
    with pytest.raises(BenchError, match="<!-- /run -->"):
        page.replace(document, "run", "text")
    assert document.read_text() == "<!-- run -->\n"


def test_the_drawing_has_a_mark_for_each_ratio_right_of_one_where_bbd_is_faster() -> None:
    drawing = ElementTree.fromstring(chart(RESULTS))
    dots = [float(circle.get("cx", "")) for circle in drawing.findall(".//{*}circle") if circle.get("r") == "4.5"]
    (one,) = [float(text.get("x", "")) for text in drawing.findall(".//{*}text") if text.text == "1"]
    assert [dot > one for dot in dots] == [True, False, False]


def test_json_has_every_round_and_every_goal() -> None:
    document = json.loads(as_json(RUN))
    assert document["rows"][0]["rounds"]["bbd"] == [
        {"bytes_per_second": 3e8, "requests_per_second": 7e4, "p99_us": 10, "p999_us": 20, "cpu_us": 4, "tick_ms": None}
    ]
    assert document["rows"][1]["ratios"]["bbd-nibble"]["bbd"]["median"] == 0.8
    assert [(goal["row"], goal["reached"]) for goal in document["goals"]] == [
        ("4k-read-qd32", True),
        ("cold-read", False),
        ("cold-read", True),
    ]
