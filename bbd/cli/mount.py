"""``bbd mount``: a disk's file system in a folder, for as long as the command runs."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Final, NoReturn

import typer

from bbd.cli.attach import Export, Step, choose, located, this_machine
from bbd.cli.hosting import one_disk
from bbd.cli.mounting import unix_uri
from bbd.cli.served import find_server, uri_of
from bbd.errors import BbdError
from bbd.nbd.client import NbdClient, is_uri
from bbd.nbd.sockets import is_alive

_PATIENCE: Final = 30.0
"""Seconds in which a helper must have begun, or a busy folder become free."""
_BEAT: Final = 0.2


def mount(
    target: Annotated[str, typer.Argument(metavar="WORLD|URI", help="The world's folder, or a server's NBD URI.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to mount it: an empty folder.")],
    *,
    disk: Annotated[str | None, typer.Option(help="Which disk, where the world has several.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Write nothing.")] = False,
    way: Annotated[
        str | None, typer.Option("--with", help="nbd, loop or fuse2fs. [default: the first that works]")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="The folder of the journals.")] = None,
) -> None:
    """Mount a disk until Ctrl-C, SIGTERM or umount; then all of it is in the world, and the folder empty again.

    Takes the kernel's nbd client, else nbdfuse with a loop device (both for root), else nbdfuse with fuse2fs (ext4).
    """
    if not folder.is_dir():
        raise BbdError(f"{folder} is no folder: make it first with mkdir")
    folder = folder.resolve()
    if os.path.ismount(folder):
        raise BbdError(f"something is mounted on {folder} already: umount it, or take another folder")
    with _interruptible(), contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bbd-", dir="/tmp")))
        uri = stack.enter_context(_served(target, disk, journal, work, read_only=read_only))
        export = _look(uri, read_only=read_only)
        machine = this_machine()
        chosen = choose(machine, export, way)
        inner = work / "fuse"
        inner.mkdir()
        stack.enter_context(_mounted(chosen.steps(machine, export, folder, inner)))
        typer.echo(f"Mounted on {folder} by {chosen.words}. Ctrl-C or umount ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            while os.path.ismount(folder):
                time.sleep(_BEAT)


@contextlib.contextmanager
def _mounted(steps: Sequence[Step]) -> Iterator[None]:
    """Do the steps, and undo them in the end, the last first. Raises :class:`BbdError` with a command's own words."""
    with contextlib.ExitStack() as undo:
        for step in steps:
            if step.makes is None:
                _run(step.do)
                if step.undo:
                    undo.callback(_undo, step.undo)
            else:
                undo.callback(_end, _start(step.do, step.makes), step.undo)
        yield


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(located(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or f"status {done.returncode}").splitlines()[-1]
        raise BbdError(f"{shlex.join(command)} failed: {words.strip()}")


def _undo(command: Sequence[str]) -> None:
    """Run a command that undoes something; where it is busy (a shell stands in the folder), try until it is not."""
    where = command[-1]
    deadline = time.monotonic() + _PATIENCE
    while command[0] == "nbd-client" or os.path.ismount(where):
        done = subprocess.run(located(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise BbdError(f"{shlex.join(command)} failed: {done.stderr.strip()}; do it by hand when nobody uses it")
        time.sleep(_BEAT)


def _start(command: Sequence[str], makes: Path) -> subprocess.Popen[bytes]:
    """Start a helper out of Ctrl-C's reach, and wait until its file is there."""
    with (makes.parent.parent / f"{command[0]}.log").open("wb") as log:
        helper = subprocess.Popen(
            located(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + _PATIENCE
    while not makes.exists():
        if helper.poll() is not None or time.monotonic() > deadline:
            _terminate(helper)
            said = Path(log.name).read_text(errors="replace").strip().splitlines()
            raise BbdError(f"{shlex.join(command)} failed: {said[-1] if said else f'status {helper.returncode}'}")
        time.sleep(0.02)
    return helper


def _end(helper: subprocess.Popen[bytes], undo: Sequence[str]) -> None:
    try:
        _undo(undo)
        helper.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        _terminate(helper)


def _terminate(helper: subprocess.Popen[bytes]) -> None:
    helper.terminate()
    try:
        helper.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        helper.kill()
        helper.wait()


@contextlib.contextmanager
def _served(target: str, disk: str | None, journal: Path | None, work: Path, *, read_only: bool) -> Iterator[str]:
    """The URI of a disk: its own, that of the server that has it, or of one that runs as long as this lasts."""
    if is_uri(target):
        yield target
        return
    world = Path(target)
    descriptor = one_disk(world, disk)
    if (server := find_server(world, descriptor)) is not None:
        yield uri_of(server)
        return
    socket = work / "nbd.sock"
    arguments = ["serve", "--world", str(world), "--disk", descriptor.name, "--unix", str(socket)]
    arguments += ["--read-only"] if read_only else []
    arguments += ["--journal", str(journal)] if journal else []
    program = [sys.executable, "-m", "bbd", *arguments]
    log = work / "serve.log"
    with log.open("wb") as output:
        helper = subprocess.Popen(
            program, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        await_socket(helper, socket, log)
        yield unix_uri(socket, descriptor.name)
    finally:
        _stop_server(helper, log)


def await_socket(helper: subprocess.Popen[bytes], socket: Path, log: Path) -> None:
    """Wait until the server listens (its socket is there a moment before); it may have a journal to replay first."""
    while not (socket.exists() and is_alive(socket)):
        if helper.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            raise BbdError(said[-1].removeprefix("bbd: ") if said else f"bbd serve ended with {helper.returncode}")
        time.sleep(0.02)


def _stop_server(helper: subprocess.Popen[bytes], log: Path) -> None:
    """Let the server bring everything into the world, however long that takes."""
    helper.terminate()
    if helper.wait():
        said = log.read_text(errors="replace").strip().splitlines()
        raise BbdError(said[-1].removeprefix("bbd: ") if said else f"bbd serve ended with {helper.returncode}")


def _look(uri: str, *, read_only: bool) -> Export:
    with NbdClient(uri) as client:
        head = client.read(0, min(client.size, 2048))
        return Export(uri, head, read_only or client.read_only)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM ends the mount as Ctrl-C does."""

    def leave(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
