"""Where a guest's exception came from, wherever somebody looks for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from golem_host import InvocationFailedError
from golem_host.rest.remote import RemoteHost
from golem_host.testing import Harness
from golem_host.worker.stderr import MESSAGE_CHARS_MAX, TRACEBACK_CHARS_MAX
from tests.support.cli import Cli
from tests.support.guests import python_guest
from tests.support.hosts import CACHE_DIR, open_host
from tests.support.repository import ROOT

SDK = ROOT / "tests/support/sdk_guest"
_RUNS = "        return json.dumps(execute(program))"
_LINES = (ROOT / "tests/support/sdk_guest/app.py").read_text(encoding="utf-8").splitlines()
PLACE = f'File "/0/app.py", line {_LINES.index(_RUNS) + 1}, in run'
NESTED = "def inner():\n  raise ValueError('no tea')\ndef outer():\n  inner()\nouter()"


def test_it_is_shown_when_it_fails_and_whenever_somebody_looks(tmp_path: Path) -> None:
    """By `run`, by `worker get`, and by the entry in a dump: in short, in full, and as JSON."""
    cli = Cli(tmp_path)
    shutil.copy(python_guest(SDK), tmp_path / "sdk.wasm")
    call = f"run({json.dumps(NESTED)})"
    failed = cli.run("run", "sdk.wasm", "--no-retry", "--invoke", call)
    got = cli.ok("worker", "get", "sdk")
    short = cli.ok("dump", "sdk/main", "--kind", "error")
    full = cli.ok("dump", "sdk/main", "--kind", "error", "--full")
    document = json.loads(cli.ok("worker", "get", "sdk", "--json"))

    assert (134, 1) == (failed.code, failed.err.count("Traceback (most recent call last):"))
    assert failed.err.endswith("golem-host: error: the invocation failed: ValueError: no tea\n")
    assert PLACE in failed.err
    for shown in (got, full):
        lines = [line.strip() for line in shown.splitlines()]
        assert "Traceback (most recent call last):" in lines
        assert lines.index(PLACE) < lines.index('File "<string>", line 2, in inner')
        assert "ValueError: no tea" == lines[-1]
    assert short.endswith(" ValueError: no tea at <string>:2 in inner\n")
    assert document["last_traceback"].endswith("\nValueError: no tea")
    assert (
        document["last_traceback"]
        in json.loads(cli.ok("dump", "sdk/main", "--kind", "error", "--json"))["fields"].values()
    )


@pytest.mark.parametrize(
    ("program", "error", "parts"),
    [
        (
            "def f(): g()\ndef g(): f()\nf()",
            "RecursionError: maximum recursion depth exceeded",
            [PLACE, "lines are left out here", "\nRecursionError"],
        ),
        (
            "try:\n  {}['tea']\nexcept KeyError as error:\n  raise ValueError('none') from error",
            "ValueError: none",
            ["KeyError: 'tea'\n\nThe above exception was the direct cause", "\nValueError: none"],
        ),
        ("raise ValueError('z' * 30_000)", f"ValueError: {'z' * (MESSAGE_CHARS_MAX - 12)}...", []),
        ("raise ValueError('a\\nb')", "ValueError: a", ["ValueError: a\nb"]),
    ],
    ids=["deep", "chained", "long", "several lines"],
)
def test_it_is_whole_and_bounded(program: str, error: str, parts: list[str]) -> None:
    """However deep, however long, and with the exception that it came from."""
    with Harness(python_guest(SDK), name="sdk", cache_dir=CACHE_DIR) as harness:
        with pytest.raises(InvocationFailedError) as failed:
            harness.worker().call("run", program, retry=False)

        assert error == failed.value.error
        assert failed.value.traceback == harness.worker().metadata.last_traceback
    assert [] == [part for part in parts if part not in failed.value.traceback]
    assert len(failed.value.traceback) <= TRACEBACK_CHARS_MAX + 100


def test_another_process_sees_it_too(tmp_path: Path) -> None:
    """One that uses this one's state directory through its socket."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(python_guest(SDK), name="sdk")
        worker = host.workers.create(component, "a")
        with pytest.raises(InvocationFailedError):
            worker.invoke("run", NESTED, retry=False)
        remote = RemoteHost.of_owner(tmp_path)
        assert remote is not None

        assert PLACE in worker.metadata().last_traceback
        assert worker.metadata() == remote.workers.get("sdk", "a").metadata()
