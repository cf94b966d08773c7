"""``python -m bench``: race bbd against other NBD servers, and against copying and inflating."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from rich.console import Console

from bench import machine, page, report
from bench.awake import kept_awake
from bench.chart import chart
from bench.errors import BenchError
from bench.fleet import Fleet
from bench.peers import PEERS
from bench.plan import Plan, Progress
from bench.results import Run
from bench.rows import LOADS, TRIALS
from bench.units import MIB
from bench.worlds import like_a_server

NAMES = (*(load.name for load in LOADS), *(trial.name for trial in TRIALS))
WIDTH = 160
"""Columns of a table in a file or a pipe."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit code."""
    options = _parser().parse_args(arguments)
    like_a_server()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no server is left behind
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    try:
        names = _chosen(options.only)
        with (
            tempfile.TemporaryDirectory(prefix="bbd-bench-", dir=options.dir) as place,
            console.status("starting") as status,
        ):
            plan = _plan(options, Path(place), status.update)
            with kept_awake() if plan.awake else nullcontext():
                run = _run(names, plan)
        report.show(console, run)
        for failure in run.failures:
            print(f"bench: {failure}", file=sys.stderr)
        _write(run, options)
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 1 if run.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each row, to see that it works")
    parser.add_argument(
        "--only", nargs="+", metavar="ROW", default=["*"], help=f"of: {', '.join(NAMES)}; or *patterns*"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each row [default: 5; quick: 1]")
    parser.add_argument("--seconds", type=float, help="length of a round [default: 1.2; quick: 0.5]")
    parser.add_argument("--size", type=int, metavar="MIB", default=128, help="size of the disks [default: 128]")
    parser.add_argument("--dir", type=Path, help="where everything is kept meanwhile [default: as tempfile has it]")
    parser.add_argument("--awake", action="store_true", help="let no processor sleep meanwhile; takes root")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every measurement here")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="also draw the ratios here, as SVG")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also put tables and chart into this document")
    parser.add_argument("--mark", default="run", help="where in it: between <!-- MARK --> and <!-- /MARK --> [run]")
    return parser


def _plan(options: argparse.Namespace, place: Path, progress: Progress) -> Plan:
    rounds = options.rounds or (1 if options.quick else 5)
    seconds = options.seconds or (0.5 if options.quick else 1.2)
    if rounds < 1 or seconds <= 0 or options.size < 16:
        raise BenchError("--rounds start at 1, --seconds above 0, and --size at 16")
    return Plan(rounds, seconds, options.size * MIB, place, progress, awake=options.awake)


def _chosen(patterns: Sequence[str]) -> set[str]:
    for pattern in patterns:
        if not any(fnmatch(name, pattern) for name in NAMES):
            raise BenchError(f"no row is called {pattern}; there are {', '.join(NAMES)}")
    return {name for name in NAMES if any(fnmatch(name, pattern) for pattern in patterns)}


def _run(names: set[str], plan: Plan) -> Run:
    run = Run()
    begun, busy = time.monotonic(), os.getloadavg()[0]
    loads = [load for load in LOADS if load.name in names]
    with Fleet(plan, loads) as fleet:
        for load in loads:
            run.attempt(load.name, partial(fleet.run, load))
        run.memory = fleet.memory()
    for trial in TRIALS:
        if trial.name in names:
            run.attempt(trial.name, partial(trial.run, plan))
    run.facts = {
        **machine.describe(PEERS.values(), plan.place),
        "rounds": f"{plan.rounds} interleaved, of {plan.seconds:g} s where they have no end of their own",
        "disks": f"{plan.size // MIB} MiB each",
        "idle processors": "kept awake" if plan.awake else "sleep, unless a server keeps them awake",
        "took": f"{(time.monotonic() - begun) / 60:.0f} minutes, from a load average of {busy:.1f}",
    }
    return run


def _write(run: Run, options: argparse.Namespace) -> None:
    if options.json is not None:
        options.json.write_text(report.as_json(run))
    if options.chart is not None:
        options.chart.write_text(chart(run.results))
    if options.page is not None and not run.failures:
        drawing = options.page.with_name(f"{options.page.stem}-{options.mark}.svg")
        drawing.write_text(chart(run.results))
        page.replace(options.page, options.mark, page.run_text(run, drawing.name))


if __name__ == "__main__":
    sys.exit(main())
