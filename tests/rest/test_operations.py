"""Each operation does what the method of the same name does, and says so in JSON."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from golem_host import Host, InvocationFailedError
from golem_host.rest.errors import error_of
from tests.support.cli_guest import cli_guest
from tests.support.components import clock_component
from tests.support.hosts import open_host
from tests.support.rest import Web, control

WORKERS = "/v1/components/clock/workers"


# -- components ---------------------------------------------------------------------------------


def test_a_component_is_deployed_found_and_deleted(web: Web, host: Host) -> None:
    """The bytes are the body; the answer names id and version; name and id both find it."""
    query = "name=new&env=A=1&env=B=x%3Dy&config-var=C=2&ephemeral=true&source=/tmp/new.wasm"
    content, wasm = clock_component(), {"content-type": "application/wasm"}

    deployed = web.ask("POST", f"/v1/components?{query}", content=content, headers=wasm)
    by_id = web.get(f"/v1/components/{deployed.document['componentId']}")
    deleted = web.ask("DELETE", "/v1/components/new")

    assert (200, 200, 200) == (deployed.status, by_id.status, deleted.status)
    assert {"A": "1", "B": "x=y"} == deployed.document["env"]
    assert {"C": "2"} == deployed.document["configVars"]
    assert deployed.document["ephemeral"]
    assert deployed.document == by_id.document["component"]
    assert "new" not in {component.name for component in host.components.all()}


def test_components_are_listed_by_their_latest_version(web: Web, host: Host) -> None:
    """One line per name, or with all-versions every version."""
    host.components.deploy(clock_component(), name="twice")
    host.components.deploy(cli_guest(), name="twice")

    latest = web.get("/v1/components").document
    every = web.get("/v1/components?all-versions=true").document

    assert [1] == [item["version"] for item in latest if item["name"] == "twice"]
    assert [0, 1] == [item["version"] for item in every if item["name"] == "twice"]


def test_a_component_shows_its_functions_with_their_types(web: Web) -> None:
    """Types have the form of Golem's API."""
    exports = web.get("/v1/components/clock").document["exports"]

    assert {
        "name": "test:guest/api@1.0.0.{add}",
        "interface": "test:guest/api@1.0.0",
        "function": "add",
        "params": [{"name": "by", "typ": {"type": "U64"}}],
        "result": {"type": "U64"},
    } in exports


def test_a_component_shows_its_world(web: Web, host: Host) -> None:
    """The WIT is text."""
    answer = web.get("/v1/components/clock/wit")

    assert host.components.get("clock").wit() == answer.content.decode()
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_name_may_hold_a_slash(web: Web, host: Host) -> None:
    """Names in a path are percent-encoded, slashes included."""
    host.components.deploy(clock_component(), name="a/b c")

    answer = web.get(f"/v1/components/{quote('a/b c', safe='')}")

    assert "a/b c" == answer.document["component"]["name"]


# -- workers ------------------------------------------------------------------------------------


def test_a_worker_is_made_looked_at_and_deleted(web: Web) -> None:
    """Its metadata has what it was made with; after its deletion there is none."""
    body = {"name": "made", "args": ["x"], "env": {"E": "1"}, "configVars": {"C": "2"}}

    created = web.post(WORKERS, body)
    metadata = web.get(f"{WORKERS}/made").document
    again = web.post(WORKERS, body)
    deleted = web.ask("DELETE", f"{WORKERS}/made")
    gone = web.get(f"{WORKERS}/made")

    assert "made" == created.document["workerId"]["workerName"]
    assert created.document["workerId"] == metadata["workerId"]
    assert ("idle", 1, ["x"], {"E": "1"}, {"C": "2"}) == tuple(
        metadata[name] for name in ("status", "oplogIndex", "args", "env", "configVars")
    )
    assert (409, "WorkerExistsError") == again.error
    assert {} == deleted.document
    assert (404, "WorkerNotFoundError") == gone.error


def test_workers_are_listed_page_by_page(web: Web, host: Host) -> None:
    """Each is on one page, whatever the size of pages; the last page has no cursor."""
    component = host.components.deploy(clock_component(), name="paged")
    names = {f"w{number}" for number in range(7)}
    for name in names:
        host.workers.create(component, name)
    seen: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        more = f"&cursor={quote(cursor, safe='')}" if cursor else ""
        page = web.get(f"/v1/components/paged/workers?count=3{more}").document
        seen += [item["workerId"]["workerName"] for item in page["workers"]]
        cursor = page["cursor"]
        pages += 1

    assert sorted(names) == sorted(seen)
    assert 3 == pages


def test_a_damaged_worker_hides_no_other(tmp_path: Path) -> None:
    """Its page says why it cannot be read, and has the rest."""
    with open_host(tmp_path) as host:
        component = host.components.deploy(clock_component(), name="clock")
        for name in ("good", "bad"):
            host.workers.create(component, name).invoke("add", 1)
    (log,) = tmp_path.glob("workers/clock-*/bad-*/0001.oplog")
    content = bytearray(log.read_bytes())
    content[80] ^= 0xFF
    log.write_bytes(content)

    with open_host(tmp_path):
        page = control(tmp_path).get(WORKERS).document

    assert ["good"] == [item["workerId"]["workerName"] for item in page["workers"]]
    assert 1 == len(page["damaged"])


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("name = f1", ["f1"]),
        ("name like f", ["f1", "f2"]),
        ("name != f1", ["f2"]),
        ("name startswith f", ["f1", "f2"]),
        ("env.KIND = x", ["f1"]),
        ("env.KIND notlike y", ["f1"]),
        ("config.LEVEL = 3", ["f2"]),
        ("status = idle", ["f1", "f2"]),
        ("status != idle", []),
        ("version >= 0", ["f1", "f2"]),
        ("version < 0", []),
        ("createdAt > 2001-01-01T00:00:00Z", ["f1", "f2"]),
        ("createdAt < 2001-01-01T00:00:00Z", []),
    ],
)
def test_filters_select_workers(web: Web, host: Host, wanted: str, names: list[str]) -> None:
    """A filter compares one property; a variable that is not set compares with nothing."""
    component = host.components.deploy(clock_component(), name="filtered")
    host.workers.get_or_create(component, "f1", env={"KIND": "x"})
    host.workers.get_or_create(component, "f2", config_vars={"LEVEL": "3"})

    page = web.get(f"/v1/components/filtered/workers?filter={quote(wanted)}").document

    assert names == sorted(item["workerId"]["workerName"] for item in page["workers"])


def test_all_filters_must_hold(web: Web, host: Host) -> None:
    """Repeated filters narrow the list."""
    component = host.components.deploy(clock_component(), name="filtered")
    host.workers.get_or_create(component, "f1", env={"KIND": "x"})
    both = f"filter={quote('name like f')}&filter={quote('env.KIND = x')}"

    page = web.get(f"/v1/components/filtered/workers?{both}").document

    assert ["f1"] == [item["workerId"]["workerName"] for item in page["workers"]]


# -- invocations --------------------------------------------------------------------------------


def test_a_call_has_its_result_with_its_type(web: Web) -> None:
    """Arguments in JSON, with or without types, or the whole call in WAVE."""
    path = f"{WORKERS}/caller/invoke-and-await?function=add"
    results = [
        web.post(path, {"params": [{"value": 2}]}),
        web.post(path, {"params": [{"typ": {"type": "U64"}, "value": 3}]}),
        web.call("clock", "caller", "add(4)"),
    ]

    typ = {"type": "U64"}
    assert [{"typ": typ, "value": value} for value in (2, 5, 9)] == [
        answer.document["result"] for answer in results
    ]


def test_the_same_key_gives_the_first_outcome(web: Web) -> None:
    """Nothing is executed again; another call under the key is refused."""
    first = web.call("clock", "keyed", "add(5)", idempotency_key="k")
    again = web.call("clock", "keyed", "add(5)", idempotency_key="k")
    other = web.call("clock", "keyed", "add(6)", idempotency_key="k")

    assert 5 == first.document["result"]["value"] == again.document["result"]["value"]
    assert "k" == first.document["idempotencyKey"]
    assert (409, "ConflictError") == other.error


def test_what_is_accepted_is_done_and_its_result_is_kept(web: Web) -> None:
    """`invoke` answers with the key, under which the outcome can be waited for."""
    accepted = web.post(
        f"{WORKERS}/queued/invoke?function=add", {"params": [{"value": 8}]}, idempotency_key="q"
    )
    found = web.get(f"{WORKERS}/queued/invocations/q?wait=30").document

    assert {"idempotencyKey": "q"} == accepted.document
    assert (True, 8, None) == (found["done"], found["result"]["value"], found["error"])


def test_an_invocation_can_wait_for_its_time_and_be_cancelled(web: Web) -> None:
    """It is listed as unfinished until it is taken out of the queue."""
    web.post(
        f"{WORKERS}/later/invoke?at=2100-01-01T00:00:00Z", {"call": "add(1)"}, idempotency_key="z"
    )

    listed = web.get(f"{WORKERS}/later/invocations").document["invocations"]
    waiting = web.get(f"{WORKERS}/later/invocations/z?wait=0.01").document
    canceled = web.ask("DELETE", f"{WORKERS}/later/invocations/z")
    left = web.get(f"{WORKERS}/later/invocations").document["invocations"]

    param = {"name": "by", "typ": {"type": "U64"}, "value": 1}
    assert [("z", [param], False)] == [
        (item["idempotencyKey"], item["params"], item["running"]) for item in listed
    ]
    assert not waiting["done"]
    assert {"canceled": True} == canceled.document
    assert [] == left


def test_an_unknown_key_is_not_found(web: Web) -> None:
    """Neither asked after nor cancelled."""
    web.post(WORKERS, {"name": "unasked"})

    asked = web.get(f"{WORKERS}/unasked/invocations/none")
    canceled = web.ask("DELETE", f"{WORKERS}/unasked/invocations/none")

    assert (404, "InvocationNotFoundError") == asked.error == canceled.error


def test_a_failure_is_the_same_error_with_its_fields(web: Web) -> None:
    """The other end can raise it again; what is asked afterwards is told why it is refused."""
    failed = web.call("cli", "failing", "fail()")
    later = web.call("cli", "failing", "add(1)")
    error = error_of(failed.document)

    assert (500, "InvocationFailedError") == failed.error
    assert isinstance(error, InvocationFailedError)
    assert "oops" in error.stderr
    assert (409, "PreviousInvocationFailedError") == later.error


def test_an_exit_tells_its_code(web: Web) -> None:
    """The code is a field."""
    left = web.call("cli", "leaving", "leave(3)")

    assert (409, "InvocationExitedError") == left.error
    assert {"exit_code": 3} == left.document["error"]["fields"]


def test_a_result_of_type_result_is_a_value(web: Web) -> None:
    """A guest's err is no failure of the request."""
    answer = web.call("cli", "checking", "check(101)")

    assert (200, {"err": "too much"}) == (answer.status, answer.document["result"]["value"])


def test_time_out_interrupts_the_invocation(web: Web) -> None:
    """As in Python: durably, and the worker says so."""
    answer = web.ask("POST", f"{WORKERS}/slow/invoke-and-await?timeout=0.05", {"call": "spin()"})

    assert (504, "InvocationInterruptedError") == answer.error
    assert "interrupted" == web.get(f"{WORKERS}/slow").document["status"]


def test_a_worker_is_interrupted_and_resumed_while_somebody_waits(web: Web) -> None:
    """Who waits is told; `resume` goes on with the invocation."""
    answers = []

    def call() -> None:
        answers.append(web.call("cli", "stopped", "spin()", idempotency_key="s"))

    caller = threading.Thread(target=call)
    caller.start()
    output = web.ask("GET", "/v1/components/cli/workers/stopped/invocations/s?wait=0.1")
    while output.status == 404:
        output = web.ask("GET", "/v1/components/cli/workers/stopped/invocations/s?wait=0.1")
    crashed = web.post("/v1/components/cli/workers/stopped/interrupt?recover-immediately=true")
    interrupted = web.post("/v1/components/cli/workers/stopped/interrupt")
    caller.join()
    resumed = web.post("/v1/components/cli/workers/stopped/resume")
    web.post("/v1/components/cli/workers/stopped/simulate-crash")
    left = web.get("/v1/components/cli/workers/stopped/invocations").document["invocations"]
    web.ask("DELETE", "/v1/components/cli/workers/stopped")

    assert [200, 200, 200] == [crashed.status, interrupted.status, resumed.status]
    assert (409, "InvocationInterruptedError") == answers[0].error
    assert ["s"] == [item["idempotencyKey"] for item in left]


# -- past and version ---------------------------------------------------------------------------


def test_a_worker_is_forked(web: Web) -> None:
    """Up to an entry, or as it is now."""
    web.call("clock", "source", "add(1)")
    middle = web.get(f"{WORKERS}/source").document["oplogIndex"]
    web.call("clock", "source", "add(1)")

    whole = web.post(f"{WORKERS}/source/fork", {"targetWorkerId": {"workerName": "whole"}})
    part = {"targetWorkerId": {"workerName": "part"}, "oplogIndexCutoff": middle}
    web.post(f"{WORKERS}/source/fork", part)
    again = web.post(f"{WORKERS}/source/fork", part)

    assert "whole" == whole.document["workerName"]
    assert 2 == web.call("clock", "whole", "value()").document["result"]["value"]
    assert 1 == web.call("clock", "part", "value()").document["result"]["value"]
    assert (409, "WorkerExistsError") == again.error


def test_a_worker_is_reverted(web: Web) -> None:
    """To an entry, or by a number of invocations; one of the two must be given."""
    for _ in range(3):
        web.call("clock", "reverted", "add(1)")
    path = f"{WORKERS}/reverted/revert"

    by_number = web.post(path, {"numberOfInvocations": 1})
    after_one = web.call("clock", "reverted", "value()").document["result"]["value"]
    web.post(path, {"lastOplogIndex": 3})
    after_two = web.call("clock", "reverted", "value()").document["result"]["value"]
    refused = web.post(path, {})

    assert (200, 2, 1) == (by_number.status, after_one, after_two)
    assert (400, "InvalidRequestError") == refused.error


def test_an_update_is_checked_and_made(web: Web, host: Host) -> None:
    """The check performs nothing; the update shows in the metadata."""
    host.components.deploy(clock_component(), name="grown")
    web.call("grown", "w", "add(1)")
    host.components.deploy(clock_component(), name="grown", env={"NEW": "1"})
    worker = "/v1/components/grown/workers/w"

    checked = web.post(f"{worker}/check-update", {"targetVersion": 1}).document
    updated = web.post(f"{worker}/update", {"targetVersion": 1})
    value = web.call("grown", "w", "value()").document["result"]["value"]
    metadata = web.get(worker).document
    refused = web.post(f"{worker}/update", {"targetVersion": 9})

    assert (True, 1, None) == (checked["ok"], checked["version"], checked["difference"])
    assert (200, 1, 1) == (updated.status, value, metadata["componentVersion"])
    assert ["successful"] == [item["state"] for item in metadata["updates"]]
    assert (400, "InvalidRequestError") == refused.error


# -- logs ---------------------------------------------------------------------------------------


def test_an_oplog_is_read_page_by_page(web: Web) -> None:
    """Every entry once, in order, in the form of `dump --json`."""
    for _ in range(3):
        web.call("clock", "logged", "add(1)")
    found = []
    cursor = None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        page = web.get(f"{WORKERS}/logged/oplog?count=2{more}").document
        found += page["entries"]
        cursor = page["next"]
        if cursor is None:
            break

    assert list(range(1, 8)) == [entry["index"] for entry in found]
    assert ["create", "exported-function-invoked"] == [entry["kind"] for entry in found[:2]]
    assert 7 == page["lastIndex"]


def test_an_oplog_is_searched(web: Web) -> None:
    """Only the entries that hold the text."""
    web.call("clock", "searched", "now()")

    found = web.get(f"{WORKERS}/searched/oplog?query=MONOTONIC").document["entries"]

    assert ["imported-function-invoked"] == [entry["kind"] for entry in found]


# -- the host -----------------------------------------------------------------------------------


def test_the_host_says_what_it_is(web: Web) -> None:
    """Health, version, process."""
    assert {"status": "ok"} == web.get("/v1/health").document
    assert {"version", "pid"} == set(web.get("/v1/version").document)
