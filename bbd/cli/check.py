"""``bbd check``: look at every column of a world's disks, and have put right what can be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from bbd.cli.hosting import open_host
from bbd.cli.loop import run
from bbd.cli.progress import progress
from bbd.cli.state import journals_folder
from bbd.disk.disk import Disk
from bbd.disk.findings import Finding, Tally
from bbd.disk.opening import Options
from bbd.disk.verification import TOGETHER


@dataclass
class Checked:
    """What was found on one disk."""

    name: str
    tally: Tally = field(default_factory=Tally)
    findings: list[Finding] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """It for scripts."""
        return {
            "name": self.name,
            "columns": self.tally.columns,
            "sound": self.tally.sound,
            "edited": self.tally.edited,
            "mended": self.tally.mended,
            "damaged": self.tally.damaged,
            "findings": [finding.document() for finding in self.findings],
        }


def check(
    world: Annotated[Path, typer.Argument(help="The world's folder.")],
    *,
    disk: Annotated[str | None, typer.Option(help="Only the disk of this name.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Write what can be mended into the world.")] = False,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Past a lost journal.")] = False,
) -> None:
    """Verify every column that is in the world. Ends with 0 only if nothing is damaged beyond repair."""
    options = Options(journals_folder(journal), cache=64 << 20, read_only=not repair, force=force)
    checked = run(_check(world, disk, options))
    if as_json:
        typer.echo(json.dumps({"disks": [one.document() for one in checked]}, indent=2, ensure_ascii=False))
    else:
        _print(checked, repair=repair)
    if any(one.tally.damaged for one in checked):
        raise typer.Exit(1)


async def _check(world: Path, only: str | None, options: Options) -> list[Checked]:
    host = open_host(world, options, only=only)
    try:
        checked = [await _check_disk(disk) for disk in host.disks]
        for disk in host.disks:
            await disk.close()
        return checked
    finally:
        host.close()


async def _check_disk(disk: Disk) -> Checked:
    checked = Checked(disk.name)
    columns = disk.allocated
    batches = [columns[start : start + TOGETHER] for start in range(0, len(columns), TOGETHER)]
    for batch in progress(batches, f"checking {disk.name}", len(batches)):
        for finding in await disk.verify(batch):
            checked.tally.count(finding)
            if finding:
                checked.findings.append(finding)
    return checked


def _print(checked: list[Checked], *, repair: bool) -> None:
    """The findings themselves were logged, a line each, when they were made."""
    for one in checked:
        typer.echo(f"{one.name}: {one.tally.line()}")
    if any(one.tally.mended for one in checked) and not repair:
        typer.echo("What is mended reads right; write it into the world with --repair, or by serving the disk.")
