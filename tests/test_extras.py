"""The extra ``fast`` asks for numba where there is a wheel of it, else for nothing, so that the rest gets installed.
What inflates for its machine code goes with it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

LINUX = {"sys_platform": "linux", "platform_machine": "x86_64", "platform_python_implementation": "CPython"}
ARM = LINUX | {"platform_machine": "aarch64"}
MAC = LINUX | {"sys_platform": "darwin", "platform_machine": "arm64"}
INTEL_MAC = MAC | {"platform_machine": "x86_64"}


def asks_for_numba(version: str, machine: dict[str, str]) -> bool:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    deflate, numba = map(Requirement, project["optional-dependencies"]["fast"])
    assert (deflate.name, numba.name) == ("deflate", "numba")
    assert deflate.marker == numba.marker
    return numba.marker is None or numba.marker.evaluate({"python_version": version, **machine})


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14", "3.15"])
@pytest.mark.parametrize("machine", [LINUX, ARM, MAC])
def test_where_there_is_a_wheel(version: str, machine: dict[str, str]) -> None:
    assert asks_for_numba(version, machine)


def test_intel_macs_have_old_wheels() -> None:
    assert asks_for_numba("3.13", INTEL_MAC)
    assert not asks_for_numba("3.14", INTEL_MAC)


@pytest.mark.parametrize(
    "machine",
    [LINUX | {"platform_machine": other} for other in ("armv7l", "i686", "ppc64le", "s390x", "riscv64")]
    + [LINUX | {"platform_python_implementation": "PyPy"}, LINUX | {"sys_platform": "freebsd14"}],
)
def test_where_there_is_none(machine: dict[str, str]) -> None:
    assert not asks_for_numba("3.13", machine)


def test_a_python_that_is_to_come() -> None:
    assert not asks_for_numba("3.16", LINUX)
