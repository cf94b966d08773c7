"""``make tour`` runs to its end, in a pipe, and tells what docs/tour.md tells."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = re.compile(r"^[$#] .+$", re.MULTILINE)


def commands(text: str) -> list[str]:
    """What was typed, without what differs from run to run: the port, and the file's place on the disk."""
    return [re.sub(r"\b\d{4,6}\b", "N", line) for line in COMMAND.findall(text)]


def test_the_tour() -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "tour", "--port", "0"], capture_output=True, text=True, check=False, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout
    assert "\33" not in told, "colours in a pipe"
    for words in (
        "blocks: 64 MiB of Minecraft blocks",
        "Disk /dev/nbd0: 64 MiB, 67108864 bytes, 131072 sectors",
        "(0x48, 'H')",
        "minecraft:light_gray_wool is minecraft:purple_wool now",
        "\nJello Andrew\n",
        "the same\n",
        "Filesystem state:         clean",
        "Pass completed, 0 bad blocks found. (0/0/0 errors)",
        "The end.",
    ):
        assert words in told
    document = (ROOT / "docs" / "tour.md").read_text()
    assert commands(told) == [line for line in commands(document) if not line.startswith("# A tour")], (
        "run scripts/tour --document docs/tour.md"
    )
    assert "Jello Andrew" in document


def test_what_a_terminal_shows_of_backspaces() -> None:
    settled = runpy.run_path(str(ROOT / "scripts" / "telling.py"))["settled"]
    assert settled("Testing:  0%\b\b\b 50%\b\b\b\b done\nnext") == "Testing:  done\nnext"
    assert settled("abc\rX\n\b") == "Xbc\n"
