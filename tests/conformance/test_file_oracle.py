"""
Files under our host and under wasmtime's own WASI: what a guest finds must be the same.

The programs of `tests/support/file_programs` run inside of one guest, `tests/support/file_checks`,
and print a line for each call that they make.  Stock WASI gives them an empty directory as ``/``,
ours the worker's private root, or an empty directory of the host.  Each run of ours is then replayed
from its log in a world that has nothing to answer with.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

from tests.support.guests import python_guest
from tests.support.repository import ROOT
from tests.support.wasi_hosts import Seen, Stock, ours, replayed

EVERY = 1 if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 8
"""Of the paths every so many are taken."""

PROGRAMS = {"paths": 4_000 // EVERY, "descriptors": 800, "posix": 100}
"""Program -> the least number of checks that it makes."""


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    with Stock(tmp_path_factory.mktemp("stock")) as started:
        yield started


@pytest.fixture(scope="module")
def guest() -> Path:
    return python_guest(ROOT / "tests/support/file_checks")


@pytest.mark.parametrize("where", ["private", pytest.param("granted", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_files_are_what_wasmtime_has(
    name: str, where: str, guest: Path, stock: Stock, tmp_path: Path
) -> None:
    """
    Every function with every kind of path and descriptor; nothing is appended by the replay.

    In the private root, and in a directory of the host that is gone when it is replayed.
    """
    program = (ROOT / "tests/support/file_programs" / f"{name}.py").read_text(encoding="utf-8")
    env = {"PROGRAM": program, "EVERY": str(EVERY)}
    for folder in ("theirs", "ours"):
        (tmp_path / folder).mkdir()
    is_granted = where == "granted"
    granted = [f"{tmp_path}/ours::/top"] if is_granted else []
    mine = env | ({"ROOT": "1", "TOP": "/top"} if is_granted else {})

    seen = ours(guest, ["prog"], mine, tmp_path / "state", dirs=granted)
    expected = stock.run(guest, ["prog"], env, tmp_path / "theirs")
    rmtree(tmp_path / "ours")

    assert 0 == seen.exit_code, seen.stderr.decode()
    assert expected.stdout.splitlines() == seen.stdout.splitlines()
    assert PROGRAMS[name] <= len(seen.stdout.splitlines())
    assert (Seen(0, b"", b""), 0) == replayed(tmp_path / "state")
