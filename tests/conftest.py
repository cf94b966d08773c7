"""What all tests share: the installed command, running servers, and the rule that nothing is skipped in CI."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest

from bbd.worlds.anvil.compiled.cache import turn
from tests.servers import BBD, BbdServer, environment

# How long an example takes is no property of the code: a busy machine takes a second for anything now and then.
hypothesis.settings.register_profile("untimed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("untimed")

SLOW_FOLDERS = ("system", "torture", "live_server", "interop")
"""Folders whose tests carry a marker of the same name; the slowest first."""
COMMANDS = frozenset({"bbd", "bbd_server"})
"""Fixtures whose tests are ``slow`` unless they are marked ``quick``: each start of the command takes half a second."""


class RunBbd(Protocol):
    """Run ``bbd`` with arguments to its end; with ``check``, a status other than 0 is an assertion error."""

    def __call__(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]: ...


class StartServer(Protocol):
    """Start ``bbd serve`` with arguments, on a unix socket, or on 127.0.0.1 where ``port`` is given."""

    def __call__(self, *arguments: str | Path, port: int | None = None) -> BbdServer: ...


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests call of bbd in their own process keeps its state and cache away from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CACHE_HOME", str(Path(__file__).parents[1] / ".cache" / "tests"))
        yield
        _wait_for_compilers()


def _wait_for_compilers() -> None:
    """Those of this process's own threads, and those that commands left at work: none is left behind."""
    for thread in threading.enumerate():
        if thread.name == "bbd-compiled":
            thread.join()
    with suppress(OSError), turn():  # where there is no turn to be had, nobody compiles
        pass


@pytest.fixture
def bbd(tmp_path: Path) -> RunBbd:
    """The installed ``bbd`` command; its state stays in the test's own folder."""

    def run(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [BBD, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
            env=environment(tmp_path / "state"),
        )
        if check:
            assert done.returncode == 0, f"bbd {arguments} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture
def bbd_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers; those that still run at the end of the test must stop cleanly."""
    started: list[BbdServer] = []

    def start(*arguments: str | Path, port: int | None = None) -> BbdServer:
        server = BbdServer(*arguments, port=port, environment=environment(tmp_path / "state"))
        started.append(server)
        return server

    try:
        yield start
        for server in started:
            if server.process.returncode is None:
                server.stop()
    finally:
        for server in started:
            server.kill()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder and by what they start, and put the slow ones first so that parallel workers end
    together."""
    for item in items:
        if (folder := _slow_folder(item)) is not None:
            item.add_marker(folder)
        elif COMMANDS.intersection(getattr(item, "fixturenames", ())) and item.get_closest_marker("quick") is None:
            item.add_marker("slow")
    items.sort(key=_slowness)


def _slow_folder(item: pytest.Item) -> str | None:
    parts = item.path.relative_to(Path(__file__).parent).parts
    return next((part for part in parts if part in SLOW_FOLDERS), None)


def _slowness(item: pytest.Item) -> int:
    if (folder := _slow_folder(item)) is not None:
        return SLOW_FOLDERS.index(folder)
    return len(SLOW_FOLDERS) + (item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _in_ci():
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI a skipped module is a failed one."""
    report = yield
    if report.skipped and _in_ci():
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> object:
    return longrepr[2] if isinstance(longrepr, tuple) else longrepr


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
