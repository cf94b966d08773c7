"""The game's server as a child: started, watched, and stopped when nobody needs it any more.

It runs in a session of its own, so that Ctrl-C on the terminal doesn't end it before its disks are in its world. It
ends when its standard input closes: however this process dies, the child does not outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bbd.errors import BbdError

PREFIX: Final = "bbd-minestom: "
STOP_SECONDS: Final = 90.0
"""Longer than the companion waits for what is not confirmed yet."""
_LONGEST_LINE: Final = 1 << 20
_MOMENT: Final = 0.3


@dataclass(frozen=True, slots=True)
class Ready:
    """What a server says when it is: where to join, with which version, and its companion's address."""

    minecraft: str
    version: str
    bridge: str


def command_line(
    java: Path, jar: Path, world: Path, *, port: int, token_file: Path, protected: bool
) -> list[str | Path]:
    """The command that starts the server on a world. ``port`` is the game's on loopback, 0 any free one; the bridge
    takes a free one."""
    return [
        *(java, "-jar", jar, "--until-stdin-closes", "--world", world, "--port", str(port)),
        *("--bridge-port", "0", "--token-file", token_file),
        *(() if protected else ("--unprotected",)),
    ]


class GameServer:
    """A server that was started, see :func:`running`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: deque[str] = deque(maxlen=100)
        self._ready = False
        self._wanted = True
        self._listening = asyncio.create_task(self._listen())

    @property
    def ended(self) -> str | None:
        """How it ended, ``None`` while it runs."""
        status = self._process.returncode
        if status is None:
            return None
        return f"killed by signal {-status}" if status < 0 else f"with status {status}"

    async def ready(self) -> Ready:
        """Return when it is. Raises :class:`BbdError` where it ends instead, with what it said last."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            await self._listening
            raise BbdError(f"the game's server did not start: {self._reason()}")
        try:
            said: dict[str, Any] = json.loads(line)
            ready = Ready(str(said["minecraft"]), str(said["version"]), str(said["bridge"]))
        except (ValueError, TypeError, KeyError):
            raise BbdError(f"the game's server says {line[:100]!r}, and not that it is ready") from None
        self._ready = True
        return ready

    @property
    def lost(self) -> bool:
        """Whether it has been ready, and ended though nobody stopped it."""
        return self._ready and self._wanted and self._process.returncode is not None

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._process.wait()

    async def stop(self) -> None:
        """Have it save and end; one that is not ready has nothing to save. Raises :class:`BbdError` where it can't."""
        if self._process.returncode is not None:
            return
        self._wanted = False
        if not self._ready:
            await self._kill()
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            await self._kill()
            raise BbdError(f"the game's server did not stop within {STOP_SECONDS:g} s, and was killed") from None
        await self._listening
        if self._process.returncode != 0:
            raise BbdError(f"the game's server could not leave its world in order, and ended {self.ended}")

    async def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _listen(self) -> None:
        """Keep what it complains of until it is ready; then pass it on."""
        assert self._process.stderr is not None
        with contextlib.suppress(ValueError):  # a line without end
            async for raw in self._process.stderr:
                line = raw.decode(errors="replace").rstrip()
                if self._ready:
                    print(line, file=sys.stderr)  # noqa: T201
                elif line:
                    self._said.append(line)

    def _reason(self) -> str:
        """Its own line, or the first that its Java said."""
        own = [line.removeprefix(PREFIX) for line in self._said if line.startswith(PREFIX)]
        others = [line for line in self._said if not line.startswith("Picked up ")]
        return (own or others or [f"it ended {self.ended}, and said nothing"])[0]


@contextlib.asynccontextmanager
async def running(command: Sequence[str | Path], lost: Callable[[], None]) -> AsyncIterator[GameServer]:
    """A server that runs as long as the context lasts; ``lost`` is called where it ends by itself.

    Raises :class:`BbdError` in the end where it did, whatever else went wrong because of that.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            start_new_session=True,
        )
    except OSError as error:
        raise BbdError(f"{command[0]} can't be run: {error.strerror or error}") from None
    game = GameServer(process)
    silence = _Silence()
    watching = asyncio.create_task(_watch(game, silence, lost))
    try:
        with silence.kept():
            yield game
    except (BbdError, OSError):
        if not game.lost:
            raise
    finally:
        watching.cancel()
        await game.stop()
    if game.lost:
        raise BbdError(
            f"the game's server has ended by itself ({game.ended}); what clients flushed is in the journal, and the "
            "next bbd demo brings it into the world"
        )


async def _watch(game: GameServer, silence: _Silence, lost: Callable[[], None]) -> None:
    await game.wait()
    if game.lost:
        silence.begun.set()
        lost()


class _Silence(logging.Filter):
    """Keeps warnings of what follows from the server's end to itself: that is told once, in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()

    def filter(self, record: logging.LogRecord) -> bool:
        # A connection is lost a moment before the process counts as gone. The bridge's thread can wait for that.
        if record.name == "bbd.live" and threading.current_thread() is not threading.main_thread():
            self.begun.wait(_MOMENT)
        return not self.begun.is_set()

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Listen to all that is logged, as long as the context lasts."""
        handlers = logging.getLogger().handlers[:]
        for handler in handlers:
            handler.addFilter(self)
        try:
            yield
        finally:
            for handler in handlers:
                handler.removeFilter(self)
