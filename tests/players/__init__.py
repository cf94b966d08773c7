"""Players for tests: npm's mineflayer, which joins a server as the game does."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.npm import install

FOLDER = Path(__file__).parent
_TIMEOUT = 60.0


class Player:
    """Somebody in the game, until :meth:`close`: ``player.js`` beside this file, asked in lines of JSON."""

    def __init__(self, port: int, name: str) -> None:
        install(FOLDER)
        self._process = subprocess.Popen(
            ["node", FOLDER / "player.js", "127.0.0.1", str(port), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            self.joined = self._answer()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def do(self, action: str, **what: Any) -> Any:
        """Have an action of ``player.js`` done; those that wait for something fail after a minute."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": action, **what}) + "\n")
        self._process.stdin.flush()
        return self._answer()["ok"]

    def see(self, at: tuple[int, int, int], name: str, **properties: str) -> None:
        """Wait until a block is what is told."""
        x, y, z = at
        self.do("see", x=x, y=y, z=z, name=name, properties=properties)

    def block(self, at: tuple[int, int, int]) -> str:
        """The name of the block as this player sees it."""
        x, y, z = at
        name: str = self.do("block", x=x, y=y, z=z)["name"]
        return name

    def close(self) -> None:
        self._process.kill()
        self._process.wait(_TIMEOUT)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        late = threading.Timer(_TIMEOUT, self._process.kill)
        late.start()
        try:
            line = self._process.stdout.readline()
        finally:
            late.cancel()
        assert line, "the player has left, or waited in vain for a minute"
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer
