"""``python -m bench``: race bbd against other NBD servers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console

from bench import machine, report
from bench.errors import BenchError
from bench.fio import LOADS, MIB, Load
from bench.peers import PEERS, Peer
from bench.race import Plan, race

DEFAULT_PEERS = ("bbd", "nbdkit-memory")
WIDTH = 120
"""Columns of the table in a file or a pipe."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit code."""
    options = _parser().parse_args(arguments)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    try:
        plan = _plan(options)
        facts = machine.describe(plan.peers)
        with console.status("starting") as status:
            results = race(plan, status.update)
        report.show(console, facts, report.table(plan, results))
        if options.json is not None:
            options.json.write_text(report.as_json(plan, facts, results))
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Race bbd against other NBD servers, with fio."
    )
    parser.add_argument("--quick", action="store_true", help="rounds of 1 s, to see that it works")
    parser.add_argument(
        "--only", metavar="PATTERN", default="*", help=f"loads: {', '.join(load.name for load in LOADS)}"
    )
    parser.add_argument(
        *("--peers", "-p"),
        nargs="+",
        choices=PEERS,
        default=list(DEFAULT_PEERS),
        help="who runs; ratios are the first's",
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds a load (default 3)")
    parser.add_argument("--seconds", type=float, help="length of a round (default 4)")
    parser.add_argument("--region", type=int, metavar="MIB", default=128, help="size of the disk in MiB (default 128)")
    parser.add_argument("--dir", type=Path, help="where the servers keep their files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every measurement here")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    loads = _loads(options.only)
    peers: list[Peer] = [PEERS[name] for name in dict.fromkeys(options.peers)]
    if options.rounds < 1 or options.region < 1:
        raise BenchError("--rounds and --region start at 1")
    seconds = options.seconds or (1.0 if options.quick else 4.0)
    return Plan(peers, loads, options.rounds, seconds, options.region * MIB, options.dir)


def _loads(pattern: str) -> list[Load]:
    found = [load for load in LOADS if fnmatch(load.name, pattern) or pattern in load.name]
    if not found:
        raise BenchError(f"no load is called {pattern}; there are {', '.join(load.name for load in LOADS)}")
    return found


if __name__ == "__main__":
    sys.exit(main())
