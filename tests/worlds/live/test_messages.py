"""The bridge's text frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bbd.worlds.live.codes import Code, Refusal
from bbd.worlds.live.messages import (
    MAX_TEXT,
    Answer,
    Failure,
    Note,
    Push,
    Request,
    load,
    parse_client,
    parse_companion,
)

words = st.text(min_size=1, max_size=10)
keys = words.filter(lambda word: word not in {"id", "do", "note", "push", "error", "ok", "code", "message"})
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=10,
)
documents = st.dictionaries(keys, values, max_size=4)
ids = st.integers(1, 2**32 - 1)


@given(ids, words, documents)
def test_requests_come_back(number: int, do: str, said: dict[str, object]) -> None:
    found = parse_client(Request(number, do, said).dump())
    assert isinstance(found, Request)
    assert (found.id, found.do) == (number, do)
    assert {key: found.values[key] for key in said} == said


@given(ids, documents)
def test_answers_come_back(number: int, said: dict[str, object]) -> None:
    assert parse_companion(Answer(number, said).dump()) == Answer(number, said)


@given(st.none() | ids, st.sampled_from(Code), words, documents)
def test_failures_come_back(number: int | None, code: Code, message: str, more: dict[str, object]) -> None:
    found = parse_companion(Failure(number, code.word, message, more).dump())
    assert isinstance(found, Failure)
    assert (found.id, found.code, found.message) == (number, code, message)
    assert {key: found.more[key] for key in more} == more


@given(words, documents)
def test_pushes_and_notes_come_back(word: str, said: dict[str, object]) -> None:
    pushed, noted = parse_companion(Push(word, said).dump()), parse_client(Note(word, said).dump())
    assert isinstance(pushed, Push)
    assert isinstance(noted, Note)
    assert (pushed.push, noted.note) == (word, word)


def test_an_error_of_a_newer_protocol_has_no_number() -> None:
    found = parse_companion('{"id": 1, "error": {"code": "tired", "message": "later"}}')
    assert isinstance(found, Failure)
    assert found.code is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "[]",
        "{",
        '{"id": 1, "id": 1, "do": "stats"}',
        '{"id": 1, "do": "stats", "x": {"a": 1, "a": 2}}',
        '{"id": 1, "do": "stats", "x": NaN}',
        '{"id": 1, "do": "stats", "x": Infinity}',
        '{"id": 1, "do": "stats"} {}',
        '{"id": 1, "do": "stats", "x": ' + "[" * 32 + "]" * 32 + "}",
        "[" * 100_000,
        '{"id": 0, "do": "stats"}',
        '{"id": 4294967296, "do": "stats"}',
        '{"id": true, "do": "stats"}',
        '{"id": 1.0, "do": "stats"}',
        '{"id": "1", "do": "stats"}',
        '{"do": "stats"}',
        '{"id": 1}',
        '{"id": 1, "do": 7}',
        '{"note": 7}',
    ],
)
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        parse_client(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"id": 1}',
        '{"ok": {}}',
        '{"id": 1, "ok": []}',
        '{"id": 1, "error": "io"}',
        '{"id": 1, "error": {"code": 16, "message": "x"}}',
        '{"id": 1, "error": {"code": "io"}}',
        '{"push": null}',
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        parse_companion(text)


def test_so_many_levels_are_allowed() -> None:
    assert load('{"x": ' + "[" * 31 + "]" * 31 + "}")


def test_a_text_of_more_than_a_mebibyte_is_refused() -> None:
    fits = '{"x": "' + "a" * (MAX_TEXT - 9) + '"}'
    assert load(fits)
    with pytest.raises(Refusal) as refusal:
        load(fits + " ")
    assert refusal.value.code == Code.LIMIT
    with pytest.raises(Refusal):
        load('{"x": "' + "ß" * (MAX_TEXT // 2) + '"}')
