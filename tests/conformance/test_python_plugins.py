"""A plugin written in Python: it is given entries of every kind as its bindings know them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import Host
from golem_host.services.plugins import Plugin
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import Worker
from tests.support.cli_guest import cli_guest
from tests.support.guests import python_guest
from tests.support.handle_guests import handle_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT
from tests.support.waiting import until

ONCE = replace(QUICK, retry_policy=RetryPolicy(max_attempts=0))


def deployed(host: Host) -> None:
    host.components.deploy(python_guest(ROOT / "tests/support/plugin_guest"), name="plugin")
    host.components.deploy(handle_guest(), name="handles")
    host.components.deploy(cli_guest(), name="cli")


def entries(host: Host, worker: Worker) -> list[tuple[int, str]]:
    """What the processor for this worker's component has seen of it."""
    found = [
        each for each in host.workers.list("plugin") if each.name.endswith(worker.component.id)
    ]
    return [each for processor in found for each in processor.invoke("entries", worker.name)]


def log(worker: Worker) -> list[tuple[int, str]]:
    return [(entry.index, entry.kind) for entry in worker.oplog()]


@pytest.mark.long
def test_entries_of_every_kind_arrive(tmp_path: Path) -> None:
    """Through a restart, from two components, one processor for each."""
    with open_host(tmp_path, ONCE) as host:
        deployed(host)
        host.plugins.install("audit", "plugin", config={"level": "all"})
        handles = host.workers.create(host.components.get("handles"), "a")
        made = handles.invoke("many", 3)
        handles.invoke("counter.drop", made[0])
        handles.enqueue("counter.get", made[1]).result(20)
        handles.revert(last_invocations=1)
        until(lambda: entries(host, handles) == log(handles))
    with open_host(tmp_path, ONCE) as host:
        handles = host.workers.get("handles", "a")
        handles.invoke("sum", made[1:])
        cli = host.workers.create(host.components.get("cli"), "b")
        cli.invoke("add", 3)
        cli.enqueue("fail", idempotency_key="f")
        until(lambda: cli.metadata().status == "failed")
        for worker in (handles, cli):
            until(lambda worker=worker: entries(host, worker) == log(worker))  # type: ignore[misc]
        kinds = {kind for worker in (handles, cli) for _, kind in log(worker)}
        processors = list(host.workers.list("plugin"))

        assert {"create-resource", "drop-resource", "revert", "error", "log"} <= kinds
        assert [(1, [("level", "all")])] * 2 == [each.invoke("made") for each in processors]


@pytest.mark.long
def test_an_exception_stops_the_plugin_alone(tmp_path: Path) -> None:
    """Its worker has failed, with the traceback; the watched one has not."""
    with open_host(tmp_path, ONCE) as host:
        deployed(host)
        plugin: Plugin = host.plugins.install("audit", "plugin", config={"trap": "a"})
        worker = host.workers.create(host.components.get("handles"), "a")
        worker.invoke("counter.new", 1)
        until(lambda: host.plugins.problem_of(plugin))
        (processor,) = host.workers.list("plugin")

        assert "cannot stand it" in host.plugins.problem_of(plugin)
        assert ("failed", "idle") == (processor.metadata().status, worker.metadata().status)
