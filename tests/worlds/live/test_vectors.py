"""The vectors in companion-mod/vectors, which the companion's tests pass too."""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from bbd.worlds.live.codes import CLOSE_BASE, Code, Refusal
from bbd.worlds.live.frames import (
    EXPECT,
    REPLACE,
    ColumnEntry,
    Columns,
    Confirmed,
    Read,
    ReadEntry,
    Verdict,
    Write,
    WriteEntry,
    Written,
    parse_client,
    parse_companion,
)
from bbd.worlds.live.messages import load
from bbd.worlds.live.messages import parse_client as parse_client_text
from bbd.worlds.live.messages import parse_companion as parse_companion_text
from tests.worlds.live.fake_companion import TOKEN
from tests.worlds.live.fake_world import state_text
from tests.worlds.live.live_bench import LiveBench

FOLDER = Path(__file__).parents[3] / "companion-mod" / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert found
    return found


def name_of(vector: dict[str, Any]) -> str:
    return str(vector.get("name"))


def frame_of(vector: dict[str, Any]) -> bytes:
    pieces = [piece if isinstance(piece, list) else [piece, 1] for piece in vector["frame"]]
    return b"".join(bytes.fromhex(text) * count for text, count in pieces)


def body(said: dict[str, Any]) -> bytes:
    found = b""
    for index, runs in said["sections"].items():
        one = "<H" if said["wide"] >> int(index) & 1 else "<B"
        found += b"".join(struct.pack(one, value) * count for value, count in runs)
    return found


def entry(kind: str, said: dict[str, Any]) -> Any:
    at = said["x"], said["z"]
    if kind == "READ":
        return ReadEntry(*at, said["mask"])
    stamp, generation = int(said["stamp"], 16), int(said["generation"], 16)
    if kind == "WRITE":
        flags = (EXPECT if said["expect"] else 0) | (REPLACE if said["replace"] else 0)
        parts = said["mask"], said["wide"], said["air"], stamp, generation
        return WriteEntry(*at, flags, *parts, body(said))
    if kind == "COLUMNS":
        status = ["present", "absent", "unreadable"].index(said["status"])
        content = body(said) or said["why"].encode()
        return ColumnEntry(*at, status, said["mask"], said["wide"], stamp, generation, content)
    return Verdict(*at, said["code"], stamp, generation)


def meant(meaning: dict[str, Any]) -> Any:
    entries = [entry(meaning["kind"], said) for said in meaning["columns"]]
    if meaning["kind"] == "CONFIRMED":
        assert meaning["request"] == 0
        return Confirmed(meaning["disk"], entries)
    kind = {"READ": Read, "WRITE": Write, "COLUMNS": Columns, "WRITTEN": Written}[meaning["kind"]]
    return kind(meaning["request"], meaning["disk"], entries)


@pytest.mark.parametrize("vector", vectors("binary"), ids=name_of)
def test_binary(vector: dict[str, Any]) -> None:
    parse = parse_client if vector["from"] == "client" else parse_companion
    frame = frame_of(vector)
    if "error" in vector:
        with pytest.raises(Refusal) as refusal:
            parse(frame)
        assert refusal.value.code.word == vector["error"]
    else:
        assert parse(frame) == meant(vector["meaning"])
        assert meant(vector["meaning"]).pack() == frame


@pytest.mark.parametrize("vector", [one for one in vectors("text") if "meaning" in one], ids=name_of)
def test_text(vector: dict[str, Any]) -> None:
    parse = parse_client_text if vector["from"] == "client" else parse_companion_text
    assert load(vector["text"]) == vector["meaning"]
    assert load(parse(vector["text"]).dump()) == vector["meaning"]


@pytest.mark.parametrize("vector", [one for one in vectors("text") if "error" in one], ids=name_of)
def test_text_that_is_refused(live: LiveBench, vector: dict[str, Any]) -> None:
    assert vector["from"] == "client"
    code, closed = asyncio.run(ask(live, vector["text"]))
    assert code == vector["error"]
    if code == "bad_frame":
        assert closed == CLOSE_BASE + Code.BAD_FRAME
        with pytest.raises(Refusal):
            parse_client_text(vector["text"])
    else:
        assert closed is None


async def ask(live: LiveBench, text: str) -> tuple[str, int | None]:
    """The error that a text gets on a connection that has said hello, and how the connection was closed."""
    async with connect(live.companion.url, compression=None) as socket:
        await socket.send(
            json.dumps({"id": 1, "do": "hello", "versions": [1], "token": TOKEN, "client": "t", "instance": "i"})
        )
        assert "ok" in json.loads(await socket.recv())
        await socket.send(text)
        said = json.loads(await socket.recv())
        if "id" not in said:
            await socket.wait_closed()
        return said["error"]["code"], socket.close_code


@pytest.mark.parametrize("vector", vectors("states"), ids=lambda vector: vector["text"])
def test_states(vector: dict[str, Any]) -> None:
    assert state_text(vector) == vector["text"]
