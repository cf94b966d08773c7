"""The disk over the bridge against a bytearray: what holds for a world in files holds for a running server."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.disk.test_disk_model import Step, plans, play
from tests.worlds.live.live_bench import LiveBench

BYTE_SIZE, NIBBLE_SIZE, LEVER_SIZE = 5 * 65536 + 12345, 5 * 32768 + 777, 5 * 2048 + 99


def play_live(
    plan: list[Step], size: int, codec: str = "byte", edits: str = "repair", dimension: str = "minecraft:overworld"
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = LiveBench(Path(folder), size=size, codec=codec, edits=edits, dimension=dimension, cache=300 << 10)
        try:
            asyncio.run(play(plan, bench))
        finally:
            bench.stop()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(plans(BYTE_SIZE, 4096))
def test_a_live_disk_is_a_bytearray(plan: list[Step]) -> None:
    play_live(plan, BYTE_SIZE)


@settings(max_examples=10, deadline=None)
@given(plans(NIBBLE_SIZE, 2048))
def test_a_live_disk_of_nibbles_is_a_bytearray(plan: list[Step]) -> None:
    play_live(plan, NIBBLE_SIZE, codec="nibble")


@settings(max_examples=10, deadline=None)
@given(plans(LEVER_SIZE, 128, most=12))
def test_a_live_disk_of_levers_is_a_bytearray(plan: list[Step]) -> None:
    play_live(plan, LEVER_SIZE, codec="redstone", edits="accept")


@settings(max_examples=10, deadline=None)
@given(plans(BYTE_SIZE, 4096))
def test_a_live_disk_without_check_sections_is_a_bytearray(plan: list[Step]) -> None:
    play_live(plan, BYTE_SIZE, dimension="minecraft:the_nether")
