"""The bridge's text frames (companion-mod/PROTOCOL.md, "Requests, answers, pushes"): one JSON object each.

Reading is strict: UTF-8, no key twice, no numbers that JSON doesn't have, at most 32 levels deep.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeAlias

from bbd.worlds.live.codes import Code, Refusal, code_of_word

MAX_TEXT: Final = 1 << 20
MAX_DEPTH: Final = 32
MAX_ID: Final = (1 << 32) - 1

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """``{"id": …, "do": …, …}``."""

    id: int
    do: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def dump(self) -> str:
        """The text."""
        return dump({"id": self.id, "do": self.do, **self.values})


@dataclass(frozen=True, slots=True)
class Note:
    """``{"note": …, …}``."""

    note: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def dump(self) -> str:
        """The text."""
        return dump({"note": self.note, **self.values})


@dataclass(frozen=True, slots=True)
class Answer:
    """``{"id": …, "ok": {…}}``."""

    id: int
    ok: Mapping[str, Any]

    def dump(self) -> str:
        """The text."""
        return dump({"id": self.id, "ok": self.ok})


@dataclass(frozen=True, slots=True)
class Failure:
    """``{"id": …, "error": {…}}``; ``id`` is ``None`` in an error that ends the connection."""

    id: int | None
    word: str
    message: str
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> Code | None:
        """Which error it is; ``None`` for one of a newer protocol."""
        return code_of_word(self.word)

    def dump(self) -> str:
        """The text."""
        error = {"code": self.word, "message": self.message, **self.more}
        return dump({"error": error} if self.id is None else {"id": self.id, "error": error})


@dataclass(frozen=True, slots=True)
class Push:
    """``{"push": …, …}``."""

    push: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def dump(self) -> str:
        """The text."""
        return dump({"push": self.push, **self.values})


def dump(document: Mapping[str, Any]) -> str:
    """A document as a text frame."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse_client(text: str) -> Request | Note:
    """A text that the client sent. Raises :class:`Refusal`."""
    document = load(text)
    if "note" in document:
        return Note(_string(document, "note"), document)
    number = _id(document)
    if not isinstance(document.get("do"), str):
        raise Refusal("a request that does not say what", Code.BAD_REQUEST)
    return Request(number, document["do"], document)


def parse_companion(text: str) -> Answer | Failure | Push:
    """A text that the companion sent. Raises :class:`Refusal`."""
    document = load(text)
    if "push" in document:
        return Push(_string(document, "push"), document)
    if "error" in document:
        error = _object(document, "error")
        number = _id(document) if "id" in document else None
        return Failure(number, _string(error, "code"), _string(error, "message"), error)
    return Answer(_id(document), _object(document, "ok"))


def load(text: str) -> Document:
    """The object that a text holds. Raises :class:`Refusal`."""
    if len(text) > MAX_TEXT or len(text.encode(errors="replace")) > MAX_TEXT:
        raise Refusal("a text of more than 1 MiB", Code.LIMIT)
    try:
        document = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"a text that is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise Refusal("a text that is no JSON object")
    if _deeper_than(document, MAX_DEPTH):
        raise Refusal(f"a text of more than {MAX_DEPTH} levels")
    return document


def _without_twins(pairs: list[tuple[str, Any]]) -> Document:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return document


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _deeper_than(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper_than(one, levels - 1) for one in inner)


def _id(document: Document) -> int:
    number = document.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MAX_ID:
        raise Refusal(f"an id from 1 to {MAX_ID} is missing")
    return number


def _string(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise Refusal(f"{key!r} is no string")
    return value


def _object(document: Document, key: str) -> Document:
    value = document.get(key)
    if not isinstance(value, dict):
        raise Refusal(f"{key!r} is no object")
    return value
