"""``python -m bbd``: the command ``bbd``."""

from __future__ import annotations

from bbd.cli.main import main

if __name__ == "__main__":
    main()
