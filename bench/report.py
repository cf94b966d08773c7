"""The race's results for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.fio import KIB
from bench.race import Plan, Result


def table(plan: Plan, results: Sequence[Result]) -> Table:
    """A row a load: each peer's median, and how many times as fast as each other the first one was (median, range)."""
    champion, *others = plan.peers
    title = f"{plan.rounds} interleaved rounds of {plan.seconds:g} s, one connection on a unix socket"
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
    made.add_column("load", no_wrap=True)
    for peer in plan.peers:
        made.add_column(peer.label, justify="right", no_wrap=True)
    for other in others:
        made.add_column(f"to {other.label}", justify="right", no_wrap=True)
    for result in results:
        speeds = [_speed(result, peer.name) for peer in plan.peers]
        ratios = [_ratio(result.ratios(champion.name, other.name)) for other in others]
        made.add_row(result.load.name, *speeds, *ratios)
    return made


def show(console: Console, facts: Mapping[str, str], made: Table) -> None:
    """Print the machine and the table."""
    for name, fact in facts.items():
        console.print(f"[dim]{name:>9}[/dim]  {fact}", highlight=False, soft_wrap=True)
    console.print(made)


def as_json(plan: Plan, facts: Mapping[str, str], results: Sequence[Result]) -> str:
    """Everything, rounds and all. Speeds are bytes and requests a second, latencies microseconds."""
    champion, *others = (peer.name for peer in plan.peers)
    loads = [
        {
            "load": result.load.name,
            "rounds": {name: [asdict(one) for one in rounds] for name, rounds in result.rounds.items()},
            "ratios": {other: _summary(result.ratios(champion, other)) for other in others},
        }
        for result in results
    ]
    plan_facts = {"rounds": plan.rounds, "seconds": plan.seconds, "region_bytes": plan.size, "champion": champion}
    return json.dumps({"machine": dict(facts), "plan": plan_facts, "loads": loads}, indent=2) + "\n"


def _summary(ratios: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def _ratio(ratios: Sequence[float]) -> str:
    median = statistics.median(ratios)
    colour = "green" if median >= 1 else "yellow"
    return f"[{colour}]{median:.2f}[/{colour}] [dim]{min(ratios):.2f}…{max(ratios):.2f}[/dim]"


def _speed(result: Result, peer: str) -> str:
    speed = result.median(peer)
    if result.load.block <= 4 * KIB:
        return f"{speed / result.load.block / 1000:.1f} k/s"
    return f"{speed / 1e6:,.0f} MB/s"
