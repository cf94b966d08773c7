"""The benchmark itself, at its shortest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.client import FLUSH, requests


def test_a_row_that_is_not_there_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "no-such-row"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("bench: no row is called no-such-row; there are 4k-read-qd1, ")
    assert said.count("\n") == 1


def test_requests_are_those_of_the_protocol() -> None:
    assert FLUSH.tobytes().hex() == "25609513" + "0000" + "0003" + "00" * 8 + "00" * 8 + "00" * 4
    made = requests(1, FLUSH["offset"] + 0x1234000, 4096, payload=4096)
    assert made.tobytes()[:28].hex() == "25609513" + "0000" + "0001" + "00" * 8 + "0000000001234000" + "00001000"
    assert len(made.tobytes()) == 28 + 4096


@pytest.mark.interop
@pytest.mark.parametrize("rows", [["copy-in", "4k-write-flush-32"], ["checkpoint", "cold-read"]])
def test_rows_run_check_what_they_wrote_and_leave_nothing_behind(rows: list[str], tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    file = tmp_path / "run.json"
    assert (
        main(["--quick", "--seconds", "0.1", "--size", "16", "--only", *rows, "--dir", str(here), "--json", str(file)])
        == 0
    )
    found = json.loads(file.read_text())["rows"]
    assert {row["row"] for row in found} == set(rows)
    assert all(one["bytes_per_second"] > 0 for row in found for rounds in row["rounds"].values() for one in rounds)
    assert list(here.iterdir()) == []
