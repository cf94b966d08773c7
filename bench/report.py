"""A run's results for people (tables on the terminal) and for programs (JSON)."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from bench.goals import outcomes
from bench.results import Result, Run
from bench.tables import Table, is_ours, tables


def show(console: Console, run: Run) -> None:
    """Print everything."""
    for name, fact in run.facts.items():
        console.print(f"[dim]{name:>9}[/dim]  {fact}", highlight=False, soft_wrap=True)
    for table in tables(run.results, run.memory):
        if table.rows:
            show_table(console, table)


def show_table(console: Console, table: Table) -> None:
    """Print one table."""
    made = RichTable(title=table.title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(table.headings):
        made.add_column(heading.replace("-", " "), justify="right" if place else "left", no_wrap=not place)
    for row in table.rows:
        made.add_row(*row)
    console.print(made)


def as_json(run: Run) -> str:
    """Everything, rounds and all. Speeds are bytes and requests a second, latencies microseconds, memory bytes."""
    rows = [
        {
            "row": result.row,
            "rounds": {name: [asdict(one) for one in rounds] for name, rounds in result.rounds.items()},
            "ratios": _ratios(result),
        }
        for result in run.results
    ]
    goals = [asdict(outcome) | {"reached": outcome.reached} for outcome in outcomes(run.results)]
    document = {"run": dict(run.facts), "rows": rows, "goals": goals, "peak_memory": dict(run.memory)}
    return json.dumps(document, indent=2) + "\n"


def _ratios(result: Result) -> dict[str, dict[str, object]]:
    """Of each of bbd's kinds to every other contender."""
    return {
        ours: {other: asdict(result.ratio(ours, other)) for other in result.rounds if other != ours}
        for ours in result.rounds
        if is_ours(ours)
    }
