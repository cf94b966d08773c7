"""How the tour is told: on a terminal, in a pipe, or as a document."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Protocol

WIDTH = 100


class Teller(Protocol):
    """Somebody who tells a story of commands."""

    def chapter(self, title: str) -> None:
        """Begin a part."""

    def say(self, text: str) -> None:
        """Say what comes next; lines are broken anew."""

    def command(self, prompt: str, text: str) -> None:
        """Show a command that is about to run."""

    def output(self, text: str) -> None:
        """Show what the command printed."""

    def close(self) -> None:
        """The end."""


class Terminal:
    """Prints as things happen; colours only where a terminal shows them."""

    def __init__(self) -> None:
        self._bright, self._dim, self._plain = ("\33[1m", "\33[36m", "\33[0m") if sys.stdout.isatty() else ("", "", "")

    def chapter(self, title: str) -> None:
        """See :class:`Teller`."""
        self._print(f"\n{self._bright}== {title} =={self._plain}")

    def say(self, text: str) -> None:
        """See :class:`Teller`."""
        lines = textwrap.wrap(" ".join(text.split()), WIDTH)
        self._print("\n" + "\n".join(f"{self._dim}{line}{self._plain}" for line in lines))

    def command(self, prompt: str, text: str) -> None:
        """See :class:`Teller`."""
        self._print(f"{self._bright}{prompt} {text}{self._plain}")

    def output(self, text: str) -> None:
        """See :class:`Teller`."""
        if text:
            self._print(text.rstrip("\n"))

    def close(self) -> None:
        """See :class:`Teller`."""

    def _print(self, text: str) -> None:
        print(text, flush=True)


class Document:
    """Writes a Markdown file, when all is told."""

    def __init__(self, path: Path, head: str) -> None:
        self._path = path
        self._lines = [head.rstrip()]
        self._in_code = False

    def chapter(self, title: str) -> None:
        """See :class:`Teller`."""
        self._text(f"## {title}")

    def say(self, text: str) -> None:
        """See :class:`Teller`."""
        self._text("\n".join(textwrap.wrap(" ".join(text.split()), 120)))

    def command(self, prompt: str, text: str) -> None:
        """See :class:`Teller`."""
        if not self._in_code:
            self._lines += ["", "```console"]
            self._in_code = True
        self._lines.append(f"{prompt} {text}")

    def output(self, text: str) -> None:
        """See :class:`Teller`."""
        self._lines += [line.rstrip() for line in text.rstrip("\n").split("\n")] if text else []

    def close(self) -> None:
        """See :class:`Teller`."""
        self._end_code()
        self._path.write_text("\n".join(self._lines) + "\n", encoding="utf-8")

    def _text(self, text: str) -> None:
        self._end_code()
        self._lines += ["", text]

    def _end_code(self) -> None:
        if self._in_code:
            self._lines.append("```")
            self._in_code = False


def settled(text: str) -> str:
    """What a terminal shows in the end of text that goes back over itself with backspaces and returns."""
    lines = []
    for line in text.split("\n"):
        shown: list[str] = []
        at = 0
        for character in line:
            if character == "\b":
                at = max(0, at - 1)
            elif character == "\r":
                at = 0
            else:
                shown[at : at + 1] = [character]
                at += 1
        lines.append("".join(shown).rstrip())
    return "\n".join(lines)
