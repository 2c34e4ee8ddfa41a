"""Traces through the real boundary: named by callers, kept by the log, carried on by requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from golem_host import (
    Host,
    HostConfig,
    InvalidRequestError,
    TraceContext,
    Worker,
    trace_context,
)
from golem_oplog.log import ENTRY_SIZE_BYTES_MAX
from golem_oplog.spans import LocalSpan, encode_stacks
from tests.support.components import clock_component
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.http_servers import serving
from tests.support.library_programs import PROGRAMS
from tests.support.repository import ROOT
from tests.support.waiting import PATIENCE_S
from tests.support.wasi_hosts import RUN

TRACE: Final = "0af7651916cd43dd8448eb211c80319c"
CALLER: Final = "b7ad6b7169203331"
GIVEN: Final = TraceContext.parse(f"00-{TRACE}-{CALLER}-01", "a=1,b=2")
ONLINE: Final = replace(QUICK, net=("127.0.0.1:*",))
STOPPED: Final = HostConfig(cache_dir=QUICK.cache_dir, threads_max=0)


def invoked(worker: Worker) -> dict[str, Any]:
    """The fields of the worker's last invocation."""
    return [e.fields for e in worker.oplog() if e.kind == "exported-function-invoked"][-1]


def own_and_callers(fields: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """What the span of the invocation says, and the spans above it."""
    own, *callers = fields["invocation-context"][0]
    return own.value, callers


@pytest.fixture
def worker(tmp_path: Path) -> Any:
    with open_host(tmp_path / "state") as host:
        clock = host.components.deploy(clock_component(), name="clock")
        yield host.workers.create(clock, "alice")


def test_an_invocation_has_a_trace_of_its_own(worker: Worker) -> None:
    """Each another one, with one span."""
    found = []
    for _ in range(2):
        worker.invoke("now")
        fields = invoked(worker)
        own, callers = own_and_callers(fields)
        found += [fields["trace-id"], own["span-id"]]
        assert ([], ()) == (callers, fields["trace-states"])
        assert own["parent"] is None

    assert [32, 16, 32, 16] == [len(each) for each in found]
    assert 4 == len(set(found))


def test_a_caller_names_the_trace(worker: Worker) -> None:
    """It lies below the caller's span; the first call under a key decides."""
    for trace in (GIVEN, None):
        worker.invoke("now", idempotency_key="k1", trace=trace)
    fields = invoked(worker)
    own, callers = own_and_callers(fields)

    assert (TRACE, ("a=1", "b=2")) == (fields["trace-id"], fields["trace-states"])
    assert CALLER == own["parent"]
    assert [("external-span", {"span-id": CALLER})] == [(c.case, c.value) for c in callers]
    assert TRACE not in [worker.invoke("now"), invoked(worker)["trace-id"]]


def test_a_trace_that_is_none_is_refused(worker: Worker) -> None:
    """Before anything is accepted."""
    before = worker.metadata().oplog_index
    for call in (worker.invoke, worker.enqueue):
        with pytest.raises(InvalidRequestError, match=r"TraceContext\.parse"):
            call("now", trace=TraceContext("mine"))

    assert before == worker.metadata().oplog_index


def test_a_call_that_waits_keeps_its_trace(tmp_path: Path) -> None:
    """It is in the log with it, and begins in another host."""
    with Host.open(tmp_path / "state", STOPPED) as host:
        clock = host.components.deploy(clock_component(), name="clock")
        alice = host.workers.create(clock, "alice")
        alice.enqueue("now", idempotency_key="traced", trace=GIVEN)
        alice.enqueue("now", idempotency_key="its own")
    with open_host(tmp_path / "state") as host:
        alice = host.workers.get("clock", "alice")
        for key in ("traced", "its own"):
            call = alice.call(key)
            assert call is not None
            call.result(PATIENCE_S)
        traces = {
            e.fields["idempotency-key"]: e.fields["trace-id"]
            for e in alice.oplog()
            if e.kind == "exported-function-invoked"
        }

    assert TRACE == traces["traced"]
    assert traces["its own"] not in {TRACE, ""}


def test_a_call_that_waits_with_too_many_spans_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    As an earlier host accepted it: the entry of its beginning would be larger than one can be, and
    the log would refuse it at each opening anew.
    """
    with Host.open(tmp_path / "state", STOPPED) as host:
        clock = host.components.deploy(clock_component(), name="clock")
        alice = host.workers.create(clock, "alice")
        with monkeypatch.context() as patch:
            patch.setattr(trace_context, "SPANS_BYTES_MAX", ENTRY_SIZE_BYTES_MAX)
            # Around it the entry takes 85 bytes, and the one of the beginning 94.
            text = "x" * (ENTRY_SIZE_BYTES_MAX - 89)
            span = LocalSpan(CALLER, 1, None, None, (("k", text),), inherited=False)
            trace = TraceContext(TRACE, (), encode_stacks([[span]]))
            alice.enqueue("now", idempotency_key="k", trace=trace)
    with open_host(tmp_path / "state") as host:
        alice = host.workers.get("clock", "alice")
        call = alice.call("k")
        assert call is not None
        call.result(PATIENCE_S)
        fields = invoked(alice)

    assert (TRACE, []) == (fields["trace-id"], own_and_callers(fields)[1])


def test_requests_carry_the_trace_on_and_a_replay_has_the_same(tmp_path: Path) -> None:
    """
    Each names the span that was current, as long as the guest does not forbid it.

    The guest asks for random bytes by the ids that it sees: a replay with others would diverge.
    """
    with serving() as served:
        with open_host(tmp_path / "state", ONLINE) as host:
            wasm = python_guest(ROOT / "tests/support/library_guest")
            component = host.components.deploy(wasm, name="library")
            args = ["prog", PROGRAMS["in spans"], served.url]
            alice = host.workers.create(component, "alice", args=args)
            alice.invoke(RUN, idempotency_key="k1", trace=GIVEN, timeout=PATIENCE_S)
            log = list(alice.oplog())
            alice.fork("again", at=log[-1].index - 1)
        with open_host(tmp_path / "state", ONLINE) as host:
            again = host.workers.get("library", "again")
            again.invoke(RUN, idempotency_key="k1", timeout=PATIENCE_S)
            copied = list(again.oplog())
        asked = {each.target: each for each in served.asked}

    outer, inner = [e.fields["span-id"] for e in log if e.kind == "start-span"]
    headers = [asked[target].header("traceparent") for target in ("/outside", "/inside")]
    assert [f"00-{TRACE}-{span}-00" for span in (outer, inner)] == headers
    assert "a=1,b=2" == asked["/inside"].header("tracestate")
    assert asked["/untraced"].header("traceparent") is None
    assert asked["/untraced"].header("tracestate") is None
    assert 3 == len(served.asked)
    assert [e.kind for e in log] == [e.kind for e in copied]
