"""README's picture shows the demo disk as it is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "welcome.svg"


def test_the_picture_is_what_its_script_draws() -> None:
    draws = runpy.run_path(str(ROOT / "scripts" / "make_welcome_picture.py"))
    assert draws["render"]() == PICTURE.read_text(), "run .venv/bin/python scripts/make_welcome_picture.py"


def test_the_picture_is_small_and_whole_in_itself() -> None:
    text = PICTURE.read_text()
    assert len(text.encode()) < 60_000
    ElementTree.fromstring(text)
    assert not re.search(r'url\((?!#)|href="(?!#)|@import|<image|<script', text)
