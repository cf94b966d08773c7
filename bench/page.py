"""Writing into a Markdown document, between two comments that mark the place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.errors import BenchError
from bench.results import Run
from bench.tables import Table, tables


def run_text(run: Run, chart: str) -> str:
    """The run's part of the document; ``chart`` is the chart's place, seen from the document."""
    parts = ["\n".join(f"- {name}: {fact}" for name, fact in run.facts.items()), f"![The ratios as a chart]({chart})"]
    parts += [markdown(table) for table in tables(run.results, run.memory) if table.rows]
    return "\n\n".join(parts)


def markdown(table: Table) -> str:
    """A title and a table."""
    return "\n".join([f"### {table.title}", "", *_lines(table)])


def replace(document: Path, mark: str, text: str) -> None:
    """Put ``text`` between ``<!-- mark -->`` and ``<!-- /mark -->``. Raises :class:`BenchError` without those."""
    content = document.read_text()
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    if begin not in content or end not in content:
        raise BenchError(f"{document} has no place for it: it needs the lines {begin} and {end}")
    before, rest = content.split(begin, 1)
    after = rest.split(end, 1)[1]
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def _lines(table: Table) -> Iterator[str]:
    yield _line(table.headings)
    yield "|---" + "|--:" * (len(table.headings) - 1) + "|"
    yield from map(_line, table.rows)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
