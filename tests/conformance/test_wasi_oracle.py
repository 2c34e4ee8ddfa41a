"""
The same guests under our host and under wasmtime's own WASI: what a caller sees must be the same.

`tests/support/wasi_checks` is a Python program that asserts from inside and prints what it finds;
the guests of `tests/support/wasi_edges.py`, in text form, go to the edges of streams, clocks, polls
and handles.  Each run of ours is then replayed from its log, in a world whose clock stands still and
that has no random numbers: nothing may be appended, and nothing shown again.

Different by design, and held here as such: the host says in variables who the worker is; what is not
granted is denied, be it only a name to look up; instants are Unix time, so that they can be compared
over every rebuild.  And where WASI lets a host trap, ours goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.guests import python_guest
from tests.support.repository import ROOT
from tests.support.wasi_edges import APART, EDGES, edge
from tests.support.wasi_hosts import TRAPPED, Seen, Stock, ours, replayed

ENV = {"GREETING": "hello", "GRÜSSE": "schön", "EMPTY": ""}
ARGS = ["prog", "with", "three"]
CHECKS_MIN = 40

FOUND_APART = {
    "variables": (
        "['GOLEM_COMPONENT_ID', 'GOLEM_COMPONENT_VERSION', 'GOLEM_WORKER_NAME']",
        "[]",
    ),
    # Within the guest, where wasmtime-py refuses even to make a socket.
    "a pair of sockets": ("None", "PermissionError EACCES"),
    "an event loop": ("None", "PermissionError EACCES"),
    "looking up a name": ("PermissionError EACCES", "gaierror -4"),
    "instants count from 1970": ("True", "False"),
}
"""What is checked -> our answer, and that of wasmtime's WASI."""


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    with Stock(tmp_path_factory.mktemp("stock")) as started:
        yield started


@pytest.fixture(scope="module")
def program() -> Path:
    return python_guest(ROOT / "tests/support/wasi_checks")


def run(wasm: Path, args: list[str], folder: Path) -> Seen:
    """Run it here, and again from its log."""
    seen = ours(wasm, args, ENV, folder / "state")
    again, appended = replayed(folder / "state")

    assert Seen(seen.exit_code, b"", b"") == again
    assert 0 == appended
    return seen


def test_a_program_finds_the_same_world(program: Path, stock: Stock, tmp_path: Path) -> None:
    """Arguments, variables, streams, clocks, random numbers, files and sockets, from inside."""
    args = ["prog", "checks"]
    seen = run(program, args, tmp_path)
    lines = seen.stdout.splitlines()

    assert 0 == seen.exit_code, seen.stderr.decode()
    assert [] == [line for line in lines if b"BROKEN" in line]
    assert CHECKS_MIN <= len(lines)
    # A folder of its own, as every worker has.
    root = tmp_path / "root"
    root.mkdir()
    assert stock.run(program, args, ENV, root) == seen


def test_a_program_finds_what_is_different_by_design(
    program: Path, stock: Stock, tmp_path: Path
) -> None:
    """Each difference is known, and there is a reason for it."""
    args = ["prog", "apart"]
    both = run(program, args, tmp_path), stock.run(program, args, ENV)
    columns = [dict(line.split(": ") for line in s.stdout.decode().splitlines()) for s in both]

    assert FOUND_APART == {name: (columns[0][name], columns[1][name]) for name in columns[0]}


@pytest.mark.parametrize(
    "args",
    [
        "big",
        "interleaved",
        "unflushed",
        "exit 0",
        "exit 3",
        "exit None",
        "exit because",
        "os-exit 0",
        "os-exit 2",
        "raise",
    ],
)
def test_a_program_writes_and_ends_the_same_way(
    args: str, program: Path, stock: Stock, tmp_path: Path
) -> None:
    """Output of every size to both streams, and every way out: codes, messages, an exception."""
    arguments = ["prog", *args.split()]
    seen = run(program, arguments, tmp_path)

    assert stock.run(program, arguments, ENV) == seen


def assembled(body: str, folder: Path) -> Path:
    wasm = folder / "edge.wasm"
    wasm.write_bytes(edge(body))
    return wasm


@pytest.mark.parametrize("name", EDGES)
def test_an_edge_is_where_wasmtime_has_it(name: str, stock: Stock, tmp_path: Path) -> None:
    """The same numbers printed, the same trap, the same end."""
    wasm = assembled(EDGES[name], tmp_path)
    seen = run(wasm, ARGS, tmp_path)

    assert stock.run(wasm, ARGS, ENV) == seen


@pytest.mark.parametrize("name", APART)
def test_where_wasi_lets_a_host_trap_ours_goes_on(name: str, stock: Stock, tmp_path: Path) -> None:
    """A guest that wasmtime stops for it is not stopped here."""
    wasm = assembled(APART[name], tmp_path)

    assert 0 == run(wasm, ARGS, tmp_path).exit_code
    assert TRAPPED == stock.run(wasm, ARGS, ENV).exit_code
