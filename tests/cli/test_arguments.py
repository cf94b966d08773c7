"""Sizes, origins and addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.cli.arguments import format_size, parse_listen, parse_origin, parse_size
from bbd.errors import BbdError


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("4096000", 4096000), ("64M", 64 << 20), ("64m", 64 << 20), ("1T", 1 << 40), ("2GiB", 2 << 30)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.integers(1, 1 << 40), st.sampled_from("KMG"))
def test_a_formatted_size_says_the_bytes(number: int, unit: str) -> None:
    size = parse_size(f"{number}{unit}") if number < 1 << 20 else number
    shown = format_size(size)
    first, word = shown.split()[:2]
    shift = {"bytes": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40, "PiB": 50}[word]
    assert int(first) << shift == size


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5G", "1X", "0x10"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(BbdError, match="is no size"):
        parse_size(text)


def test_origins_and_addresses() -> None:
    assert parse_origin("-32, 64") == (-32, 64)
    assert parse_listen("0.0.0.0:1") == ("0.0.0.0", 1)
    assert parse_listen(":10809") == ("127.0.0.1", 10809)
    assert parse_listen("[::1]:7") == ("::1", 7)
    for text in ("10809", "host", "host:99999", "::1:7"):
        with pytest.raises(BbdError, match="is no address"):
            parse_listen(text)
