"""Handles on the command line: what one command prints, the next one takes."""

from __future__ import annotations

import json

import pytest

from tests.support.cli import Cli
from tests.support.handle_guests import API, handle_guest


@pytest.fixture
def handles(cli: Cli) -> Cli:
    """With a worker ``handles/main``, named or not."""
    (cli.folder / "handles.wasm").write_bytes(handle_guest())
    cli.ok("component", "deploy", "handles.wasm")
    cli.ok("worker", "new", "handles/main")
    return cli


def test_a_printed_handle_is_taken_by_the_next_command(handles: Cli) -> None:
    """Each command is a process of its own: the worker is rebuilt in between."""
    made = handles.ok("worker", "invoke", "handles/main", "api.{counter.new}(5)").strip()
    call = f"api.{{counter.inc-by}}({made}, 3)"
    counted = handles.ok("worker", "invoke", "handles/main", call)
    shown = handles.ok("worker", "get", "handles/main")
    dropped = handles.run("worker", "invoke", "handles/main", f"counter.drop({made})")
    again = handles.run("worker", "invoke", "handles/main", f"counter.get({made})")

    assert ("counter(1)", "8\n") == (made, counted)
    assert f"counter(1) of {API}" in shown
    assert (0, "()\n") == (dropped.code, dropped.out)
    assert 2 == again.code
    assert "counter(1) is not open: it was dropped or given away" in again.error
    assert "idle" in handles.ok("worker", "get", "handles/main")


def test_handles_in_lists_and_documents(handles: Cli) -> None:
    """In WAVE as in a list of anything, in JSON as documents; an owner hands on both."""
    many = handles.ok("worker", "invoke", "handles/main", "many(3)").strip()
    with handles.start("serve", "--port", "0", "--json") as server:
        server.wait_for(b"\n")
        through = handles.ok("worker", "invoke", "handles/main", f"sum({many})")
        document = handles.ok("worker", "invoke", "handles/main", "pair(9)", "--json")
        listed = json.loads(handles.ok("worker", "get", "handles/main", "--json"))

    assert ("[counter(1), counter(2), counter(3)]", "3\n") == (many, through)
    pair = json.loads(document)
    assert [9, {"resource": f"{API}.counter", "handle": 4}] == pair.get("result", pair)
    assert [1, 2, 3, 4] == [each["handle"] for each in listed["resources"]]
