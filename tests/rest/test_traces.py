"""The trace of a call that comes over REST, from any client and from our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from golem_host import Host, TraceContext
from golem_host.rest.remote import RemoteHost
from tests.support.rest import Web
from tests.support.waiting import PATIENCE_S

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
PARENT: Final = f"00-{TRACE}-b7ad6b7169203331-01"
HEADERS: Final = {"Traceparent": PARENT, "tracestate": "a=1, b=2"}


def invoked(host: Host, name: str) -> dict[str, Any]:
    """The fields of a worker's last invocation."""
    log = host.workers.get("clock", name).oplog()
    return [e.fields for e in log if e.kind == "exported-function-invoked"][-1]


@pytest.mark.parametrize("operation", ["invoke", "invoke-and-await"])
def test_a_client_names_the_trace(web: Web, host: Host, operation: str) -> None:
    """By the headers of W3C Trace Context."""
    path = f"/v1/components/clock/workers/traced/{operation}"
    answer = web.ask("POST", path, {"call": "now()"}, headers=HEADERS)
    call = host.workers.get("clock", "traced").call(answer.document["idempotencyKey"])
    assert call is not None
    call.result(PATIENCE_S)
    fields = invoked(host, "traced")

    assert (TRACE, ("a=1", "b=2")) == (fields["trace-id"], fields["trace-states"])
    assert 2 == len(fields["invocation-context"][0])


def test_a_header_that_names_no_trace_is_no_mistake(web: Web, host: Host) -> None:
    """The invocation has a trace of its own, as the standard asks."""
    path = "/v1/components/clock/workers/untraced/invoke-and-await"
    answer = web.ask("POST", path, {"call": "now()"}, headers={"traceparent": PARENT[:-3]})
    fields = invoked(host, "untraced")

    assert 200 == answer.status
    assert fields["trace-id"] not in {"", TRACE}


def test_a_call_through_the_owner_keeps_its_trace(host: Host, state_dir: Path) -> None:
    """`RemoteWorker` hands on what `Worker` takes."""
    remote = RemoteHost.of_owner(state_dir)
    assert remote is not None
    worker = remote.workers.get_or_create(remote.components.get("clock"), "through-the-owner")
    trace = TraceContext.parse(PARENT, "a=1")
    seen = []
    worker.invoke("now", trace=trace)
    seen.append(invoked(host, worker.name))
    worker.enqueue("now", trace=trace).result(PATIENCE_S)
    seen.append(invoked(host, worker.name))
    worker.invoke("now")

    assert [(TRACE, ("a=1",))] * 2 == [(f["trace-id"], f["trace-states"]) for f in seen]
    assert TRACE != invoked(host, worker.name)["trace-id"]
