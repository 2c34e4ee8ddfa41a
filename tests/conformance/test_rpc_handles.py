"""Handles between workers: a guest makes, uses and drops a resource of another one's."""

from __future__ import annotations

from pathlib import Path

from golem_host import Host, ResourceRef
from golem_host.worker.worker import Worker
from tests.support.handle_guests import API, handle_guest
from tests.support.hosts import open_host
from tests.support.rpc_guest import COMPONENT, CONFIG, rpc_guest, run

HANDLES = """
handles = types.WasmRpc(types.WorkerId(host.resolve_component_id("handles"), "main"))
other = types.WasmRpc(types.WorkerId(host.resolve_component_id("handles"), "other"))
def start(value):
    return types.WitValue([types.WitNode_PrimU32(value)])
def given(value):
    return types.WitValue([value.nodes[1]])
"""


def caller(host: Host) -> Worker:
    if not host.components.all():
        host.components.deploy(rpc_guest(), name=COMPONENT)
        host.components.deploy(handle_guest(), name="handles")
    for name in ("main", "other"):
        host.workers.get_or_create(host.components.get("handles"), name)
    return host.workers.get_or_create(host.components.get(COMPONENT), "caller")


def test_a_guest_holds_a_handle_of_another_worker(tmp_path: Path) -> None:
    """By URI and number, through a restart; no other worker takes it."""
    with open_host(tmp_path, CONFIG) as host:
        made = run(
            caller(host),
            HANDLES
            + """
made = handles.invoke_and_await("api.{counter.new}", [start(5)])
state.append(made)
result = made.nodes[1].value
""",
        )
        worker = host.workers.get("handles", "main")
        assert worker.uri in made
        assert (ResourceRef(f"{API}.counter", 1),) == worker.metadata().resources

    with open_host(tmp_path, CONFIG) as host:
        found = run(
            caller(host),
            HANDLES
            + """
mine = given(state[-1])
counted = plain(handles.invoke_and_await("api.{counter.inc-by}", [mine, start(3)]))
foreign = tried(other.invoke_and_await, "api.{counter.get}", [mine])
handles.invoke_and_await("api.{counter.drop}", [mine])
closed = tried(handles.invoke_and_await, "api.{counter.get}", [mine])
result = (counted, foreign, closed)
""",
        )

        assert found.startswith("(8, ")
        assert "expected a handle of urn:worker:" in found
        assert "counter(1) is not open: it was dropped or given away" in found
        assert () == host.workers.get("handles", "main").metadata().resources
