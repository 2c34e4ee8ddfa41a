"""What a host reports of itself and its workers is the same from another process."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from golem_host import Host, InvocationFailedError
from golem_host.rest.remote import RemoteHost
from golem_host.services.promises import PromiseId
from golem_oplog import CorruptOplogError, QueryError
from tests.support.components import clock_component
from tests.support.hosts import open_host
from tests.support.rest import Web, control


@pytest.fixture
def remote(host: Host, state_dir: Path) -> RemoteHost:
    """The same host, through its socket."""
    del host
    found = RemoteHost.of_owner(state_dir)
    assert found is not None
    return found


def test_a_worker_is_explained(remote: RemoteHost, host: Host, web: Web) -> None:
    """The sentence, and the moments in it, to the nanosecond."""
    local = host.workers.get_or_create(host.components.get("cli"), "explained")
    local.invoke("add", 1)

    assert local.explain() == remote.workers.get("cli", "explained").explain()
    document = web.get("/v1/components/cli/workers/explained/explain").document
    assert "waits for calls" in document["sentence"]
    assert "golem-host worker invoke cli/explained CALL" == document["remedy"]


def test_what_nothing_refers_to_is_collected(remote: RemoteHost, host: Host) -> None:
    """Counted first, then removed, then nothing is left to do; workers go on."""
    lost = PromiseId(host.components.get("cli").id, "nobody", 4)
    host.promises.create(lost)
    counted = remote.collect(dry_run=True)
    removed = remote.collect()

    assert (1, 1) == (counted.promises.count, removed.promises.count)
    assert 0 == remote.collect().promises.count
    assert removed.after.total_bytes > 0


def test_a_damaged_worker_is_listed_from_elsewhere(tmp_path: Path) -> None:
    """In its place among the others; asking for it says what is wrong."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(clock_component(), name="clock")
        for name in "abc":
            host.workers.create(component, name)
        (log,) = tmp_path.glob("workers/clock-*/b-*/0001.oplog")
    log.write_bytes(b"nonsense")
    with open_host(tmp_path) as host:
        remote = RemoteHost.of_owner(tmp_path)
        assert remote is not None
        listed = list(remote.workers.list("clock"))
        here = [each.name for each in host.workers.list("clock")]
        page = control(tmp_path).get("/v1/components/clock/workers").document
        with pytest.raises(CorruptOplogError):
            listed[1].metadata()
        with pytest.raises(CorruptOplogError):
            list(remote.workers.list("clock", lambda found: found.name != "c"))

    assert here == [each.name for each in listed]
    assert "b" == page["damaged"][0]["workerId"]["workerName"]
    assert "0001.oplog" in page["damaged"][0]["reason"]


def test_a_call_is_given_up_at_the_first_trap(remote: RemoteHost, host: Host) -> None:
    """Where its caller wants it so; here and from elsewhere."""
    component = host.components.get("cli")
    host.workers.create(component, "impatient")
    host.workers.create(component, "here")
    host.workers.create(component, "patient")
    for worker in (remote.workers.get("cli", "impatient"), host.workers.get("cli", "here")):
        with pytest.raises(InvocationFailedError):
            worker.invoke("fail", retry=False)
    with pytest.raises(InvocationFailedError):
        remote.workers.get("cli", "patient").invoke("fail")

    def failures(name: str) -> int:
        return sum(each.kind == "error" for each in host.workers.get("cli", name).oplog())

    assert [1, 1, 4] == [failures(name) for name in ("impatient", "here", "patient")]


def test_an_oplog_is_searched_in_the_query_language(
    remote: RemoteHost, host: Host, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the API and its client as by the worker itself, however short the pages are."""
    local = host.workers.get_or_create(host.components.get("cli"), "queried")
    local.invoke("hello")
    local.invoke("add", 1)
    query = 'function-name:add OR (level:stdout /^h.l+o/) NOT "no such thing"'
    expected = [view.index for view in local.search_oplog(query)]
    monkeypatch.setattr("golem_host.rest.actions.logs.SCAN_ENTRIES_MAX", 2)
    path = "/v1/components/cli/workers/queried/oplog"
    first = web.get(f"{path}?query={quote(query)}").document

    assert len(expected) >= 2
    assert expected == [
        entry["index"] for entry in remote.workers.get("cli", "queried").search_oplog(query)
    ]
    assert ([], "3") == (first["entries"], first["next"])
    monkeypatch.setattr("golem_host.rest.actions.logs.SCAN_COST_MAX", 1)
    assert "2" == web.get(f"{path}?query={quote(query)}").document["next"]
    assert expected == [
        entry["index"] for entry in remote.workers.get("cli", "queried").search_oplog(query)
    ]
    assert (400, "QueryError") == web.get(f"{path}?query={quote('/(a+/')}").error
    with pytest.raises(QueryError, match=r"at position 4: expected '\)'"):
        list(remote.workers.get("cli", "queried").search_oplog("/(a+/"))
    assert (200, []) == (
        web.get(f"{path}?query={quote('/(a+)+$/ NOT /./')}").status,
        web.get(f"{path}?query={quote('/(a+)+$/ NOT /./')}").document["entries"],
    )


def test_an_oplog_is_searched(remote: RemoteHost, host: Host) -> None:
    """As the worker itself finds it."""
    local = host.workers.get_or_create(host.components.get("cli"), "searched")
    local.invoke("hello")
    local.invoke("add", 1)
    found = [
        entry["index"] for entry in remote.workers.get("cli", "searched").search_oplog("HELLO")
    ]

    assert found == [each.index for each in local.search_oplog("HELLO")]
    assert 0 < len(found) < local.metadata().oplog_index
