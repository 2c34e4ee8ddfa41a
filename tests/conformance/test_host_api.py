"""
``golem:api/host`` through the real boundary: a Python guest, a host with a state directory.

`tests/support/host_calls` runs whatever code a test gives it.  Each test here ends by opening the
state directory anew, where the worker is replayed from its log: another call must then be answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import (
    ComponentNotFoundError,
    Host,
    HostError,
    InvalidRequestError,
    PromiseId,
    PromiseNotFoundError,
    Worker,
    WorkerExistsError,
    WorkerNotFoundError,
)
from golem_host.worker.retry import RetryPolicy
from tests.support.cli import wait_until
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT

CONFIG = replace(QUICK, idle_after_s=0.05, retry_policy=RetryPolicy(max_attempts=0))
"""Promises are soon waited for without an instance; what fails is not tried again."""
TIMEOUT_S = 60.0

HERE = """
me = host.get_self_metadata().worker_id
def other(name):
    return types.WorkerId(me.component_id, name)
"""


@pytest.fixture(scope="module")
def wasm() -> Path:
    return python_guest(ROOT / "tests/support/host_calls")


@pytest.fixture
def host(tmp_path: Path, wasm: Path) -> Iterator[Host]:
    with open_host(tmp_path / "state", CONFIG) as opened:
        opened.components.deploy(wasm, name="calls")
        yield opened
    with open_host(tmp_path / "state", CONFIG) as opened:
        for worker in opened.workers.list():
            if worker.metadata().status == "idle":
                again = worker.invoke("run", "result = 'again'", timeout=TIMEOUT_S)
                assert "'again'" == again, worker.name


def run(worker: Worker, code: str) -> str:
    found = worker.invoke("run", HERE + code, timeout=TIMEOUT_S)
    assert isinstance(found, str)
    return found


def new_worker(host: Host, name: str = "alice") -> Worker:
    return host.workers.create(host.components.get("calls"), name)


def kinds(worker: Worker) -> list[str]:
    return [entry.kind for entry in worker.oplog()]


def test_settings_and_markers(host: Host) -> None:
    """What is set is what is got, in the guest's own types."""
    worker = new_worker(host)

    assert "[True, True, True, True, True]" == run(
        worker,
        """
policy = host.RetryPolicy(7, 1, 2**64 - 1, 1.5, 0.25)
host.set_retry_policy(policy)
level = host.PersistenceLevel_PersistRemoteSideEffects()
host.set_oplog_persistence_level(level)
host.set_idempotence_mode(False)
begin = host.mark_begin_operation()
key, other_key = host.generate_idempotency_key(), host.generate_idempotency_key()
host.mark_end_operation(begin)
host.set_idempotence_mode(True)
host.oplog_commit(3)
result = [host.get_retry_policy() == policy, host.get_oplog_persistence_level() == level,
          host.get_idempotence_mode(), key != other_key, host.get_oplog_index() > begin]
""",
    )
    assert {
        "begin-atomic-region",
        "begin-remote-write",
        "change-persistence-level",
        "change-retry-policy",
        "no-op",
    } <= set(kinds(worker))


def test_promises_in_one_worker(host: Host) -> None:
    """Made, completed once, read, removed."""
    assert "[None, True, False, b'one', b'one']" == run(
        new_worker(host),
        """
p = host.create_promise()
result = [host.poll_promise(p), host.complete_promise(p, b"one"), host.complete_promise(p, b"two"),
          host.poll_promise(p), host.await_promise(p)]
host.delete_promise(p)
""",
    )


def test_a_worker_waits_for_a_promise_without_an_instance(host: Host) -> None:
    """Parked, with its reason, until the host completes the promise."""
    worker = new_worker(host)
    run(worker, "state.append(host.create_promise()); state.append(state[0].oplog_idx)")
    index = int(run(worker, "result = state[1]"))
    call = worker.enqueue("run", "result = host.await_promise(state[0])")
    wait_until(lambda: worker.metadata().status == "suspended")
    component_id = host.components.get("calls").id
    promise = PromiseId(component_id, "alice", index)
    reason = worker.metadata().reason

    assert reason.startswith(f"waiting for promise {promise}")
    assert host.promises.complete(promise, b"done")
    assert "b'done'" == call.result(timeout=TIMEOUT_S)
    assert "suspend" in kinds(worker)


def test_one_worker_wakes_another(host: Host) -> None:
    """R10: whoever completes the promise, and whoever made it."""
    alice, bob = new_worker(host), new_worker(host, "bob")
    run(alice, "state.append(host.create_promise())")
    index = run(alice, "result = state[0].oplog_idx")
    named = f"host.PromiseId(other('alice'), {index})"
    call = bob.enqueue("run", f"{HERE}result = host.await_promise({named})")

    assert "True" == run(alice, "result = host.complete_promise(state[0], b'x' * 100_000)")
    assert repr(b"x" * 100_000) == call.result(timeout=TIMEOUT_S)


def test_time_travel(host: Host) -> None:
    """The guest goes back, and this time the world is another one."""
    worker = new_worker(host)
    run(worker, "state.append(host.create_promise())")

    assert "['second', True]" == run(
        worker,
        """
start = host.get_oplog_index()
seen = host.poll_promise(state[0])
if seen is None:
    print("first")
    host.complete_promise(state[0], b"second")
    host.set_oplog_index(start)
result = [seen.decode(), host.get_oplog_index() > start]
""",
    )
    assert 1 == kinds(worker).count("jump")


def test_going_back_too_far_fails_the_one_invocation(host: Host) -> None:
    """A wrong request: the worker goes on with the next one."""
    worker = new_worker(host)
    run(worker, "state.append(1)")
    with pytest.raises(InvalidRequestError, match="cannot go back to index 1"):
        run(worker, "host.set_oplog_index(1)")

    assert "[1]" == run(worker, "result = state")


def test_metadata_and_search(host: Host) -> None:
    """In the guest's own types, with filters of every kind."""
    alice = new_worker(host)
    host.workers.create(
        host.components.get("calls"), "bob", env={"USER": "b"}, config_vars={"k": "v"}
    )
    new_worker(host, "carol")

    assert str(
        [
            "running",
            ["b", [("k", "v")], "idle"],
            None,
            ["alice", "bob", "carol"],
            ["bob"],
            [True, True, False, True, False],
        ]
    ) == run(
        alice,
        """
F, S = host.FilterComparator, host.StringFilterComparator
def names(*conditions):
    wanted = host.WorkerAnyFilter([host.WorkerAllFilter(list(conditions))])
    search = host.GetWorkers(me.component_id, wanted, True)
    found = []
    while (page := search.get_next()) is not None:
        found += [each.worker_id.worker_name for each in page]
    return sorted(found)
bob = host.get_worker_metadata(other("bob"))
result = [
    host.get_self_metadata().status.name.lower(),
    [dict(bob.env)["USER"], bob.wasi_config_vars, bob.status.name.lower()],
    host.get_worker_metadata(other("nobody")),
    names(host.WorkerPropertyFilter_Version(host.WorkerVersionFilter(F.EQUAL, 0)),
          host.WorkerPropertyFilter_CreatedAt(host.WorkerCreatedAtFilter(F.GREATER, 0))),
    names(host.WorkerPropertyFilter_Name(host.WorkerNameFilter(S.LIKE, "o")),
          host.WorkerPropertyFilter_Status(host.WorkerStatusFilter(F.LESS_EQUAL,
                                                                   host.WorkerStatus.IDLE)),
          host.WorkerPropertyFilter_Env(host.WorkerEnvFilter("user", S.EQUAL, "b")),
          host.WorkerPropertyFilter_WasiConfigVars(
              host.WorkerWasiConfigVarsFilter("k", S.NOT_EQUAL, "w"))),
    [host.resolve_component_id("calls") == me.component_id,
     host.resolve_worker_id("calls", "nobody") == other("nobody"),
     host.resolve_component_id("unknown") is not None,
     host.resolve_worker_id_strict("calls", "bob") == other("bob"),
     host.resolve_worker_id_strict("calls", "nobody") is not None],
]
""",
    )


def test_a_search_in_an_unknown_component_fails(host: Host) -> None:
    """For good: it will be unknown the next time, too."""
    with pytest.raises(ComponentNotFoundError, match="no component '00000000-0000-0001"):
        run(
            new_worker(host),
            "host.GetWorkers(types.ComponentId(types.Uuid(1, 2)), None, True).get_next()",
        )


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_guest_forks_itself(host: Host, *, idempotent: bool) -> None:
    """Both go on from the call, each knows which it is, and their keys differ."""
    alice = new_worker(host)
    code = f"""
state.append("before")
host.set_idempotence_mode({idempotent})
kind = host.fork("copy").name
host.set_idempotence_mode(True)
state.append(kind)
state.append(str(host.generate_idempotency_key()))
result = state
"""
    call = alice.enqueue("run", HERE + code, idempotency_key="k")
    original = eval(call.result(timeout=TIMEOUT_S))
    copy = host.workers.get("calls", "copy")
    # The copy finishes the same invocation, under the same key.
    forked = eval(copy.enqueue("run", HERE + code, idempotency_key="k").result(timeout=TIMEOUT_S))

    assert ["before", "ORIGINAL"] == original[:2]
    assert ["before", "FORKED"] == forked[:2]
    assert original[2] != forked[2]
    assert repr(forked) == run(copy, "result = state")
    assert repr(original) == run(alice, "result = state")


def test_a_fork_to_a_name_that_is_taken_fails(host: Host) -> None:
    """The call is not recorded, and nothing is made."""
    new_worker(host, "bob")
    alice = new_worker(host)
    with pytest.raises(WorkerExistsError, match="worker calls/bob exists already"):
        run(alice, "host.fork('bob')")
    with pytest.raises(InvalidRequestError, match="a worker name is 1 to 512 bytes"):
        run(new_worker(host, "carol"), "host.fork('a/b')")


def test_a_worker_is_forked_and_reverted_by_another(host: Host) -> None:
    """The copy keeps what the original loses."""
    alice, bob = new_worker(host), new_worker(host, "bob")
    run(bob, "state.append(1)")
    index = bob.metadata().oplog_index
    run(bob, "state.append(2)")
    run(
        alice,
        f"""
host.fork_worker(other("bob"), other("copy"), {bob.metadata().oplog_index})
host.revert_worker(other("bob"), host.RevertWorkerTarget_RevertLastInvocations(1))
""",
    )
    copy = host.workers.get("calls", "copy")

    assert ("[1, 2]", "[1]") == (run(copy, "result = state"), run(bob, "result = state"))
    run(bob, "state.append(3)")
    target = f"host.RevertWorkerTarget_RevertToOplogIndex({index})"
    run(alice, f"host.revert_worker(other('bob'), {target})")
    assert "[1]" == run(bob, "result = state")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (
            "host.revert_worker(me, host.RevertWorkerTarget_RevertLastInvocations(1))",
            "a worker cannot revert itself",
        ),
        ("host.fork_worker(other('bob'), other('x'), 2**64 - 1)", "cannot fork at index 18446744"),
        ("host.fork_worker(other('bob'), other('x'), 0)", "cannot fork at index 0"),
        (
            "host.revert_worker(other('bob'), host.RevertWorkerTarget_RevertToOplogIndex(2**64-1))",
            "cannot revert to index 18446744",
        ),
        (
            "host.revert_worker(other('bob'), host.RevertWorkerTarget_RevertLastInvocations(2**63))",
            "cannot take back 9223372036854775808 invocations",
        ),
        (
            "host.update_worker(other('bob'), 2**64 - 1, host.UpdateMode.AUTOMATIC)",
            "has no version 18446744",
        ),
        ("host.update_worker(other('bob'), 0, host.UpdateMode.AUTOMATIC)", "has version 0 already"),
        ("host.update_worker(me, 7, host.UpdateMode.SNAPSHOT_BASED)", "has no version 7"),
        ("host.resolve_component_id('')", "names no component"),
    ],
)
def test_a_wrong_request_fails_alone(host: Host, code: str, error: str) -> None:
    """Whatever number a guest names: this invocation fails, and the worker goes on."""
    new_worker(host, "bob")
    alice = new_worker(host)
    with pytest.raises(InvalidRequestError, match=error):
        run(alice, code)

    assert "'well'" == run(alice, "result = 'well'")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("host.await_promise(host.PromiseId(me, 2**64 - 1))", PromiseNotFoundError),
        ("host.poll_promise(host.PromiseId(other('a/../b'), 0))", PromiseNotFoundError),
        (
            "host.complete_promise(host.PromiseId(other('\\u202e\\0'), 3), b'')",
            PromiseNotFoundError,
        ),
        ("host.update_worker(other('nobody'), 0, host.UpdateMode.AUTOMATIC)", WorkerNotFoundError),
        ("host.fork_worker(other('x' * 100000), other('y'), 9)", WorkerNotFoundError),
        ("host.poll_promise(host.PromiseId(other('x' * 100000), 9))", PromiseNotFoundError),
    ],
)
def test_what_is_not_there_is_an_error(host: Host, code: str, error: type[HostError]) -> None:
    """Whatever it is called, in one short line; deleting what is not there is none."""
    alice = new_worker(host)
    run(alice, "host.delete_promise(host.PromiseId(other('a/b'), 2**64 - 1))")
    with pytest.raises(error) as raised:
        run(alice, code)

    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("mode", ["AUTOMATIC", "SNAPSHOT_BASED"])
def test_a_worker_is_updated_by_another_and_by_itself(host: Host, wasm: Path, mode: str) -> None:
    """Its state comes along, by replay or by its own snapshot."""
    alice, bob = new_worker(host), new_worker(host, "bob")
    run(alice, "state.append('a')")
    run(bob, "state.append('b')")
    host.components.deploy(wasm, name="calls", env={"VERSION": "1"})
    for name in ("bob", "alice"):
        run(alice, f"host.update_worker(other('{name}'), 1, host.UpdateMode.{mode})")

    assert ("['b']", "['a']") == (run(bob, "result = state"), run(alice, "result = state"))
    assert (1, 1) == (bob.metadata().component_version, alice.metadata().component_version)


def test_nobody_is_made_by_a_look(host: Host) -> None:
    """Resolving and asking leave no worker behind."""
    run(
        new_worker(host),
        "host.get_worker_metadata(other('bob')); host.resolve_worker_id('calls', 'bob')",
    )
    with pytest.raises(WorkerNotFoundError):
        host.workers.get("calls", "bob")


# -- the later dialect ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def agents_wasm() -> Path:
    return python_guest(ROOT / "tests/support/host_calls_of_agents")


@pytest.fixture
def agents(host: Host, agents_wasm: Path) -> list[Worker]:
    """Workers of a guest that calls them agents."""
    component = host.components.deploy(agents_wasm, name="agents")
    return [host.workers.create(component, name) for name in ("alice", "bob")]


AGENTS_HERE = """
me = host.get_self_metadata().agent_id
def other(name):
    return types.AgentId(me.component_id, name)
"""


def run_agent(worker: Worker, code: str) -> str:
    found = worker.invoke("run", AGENTS_HERE + code, timeout=TIMEOUT_S)
    assert isinstance(found, str)
    return found


@pytest.mark.long
def test_agents_wait_for_promises_by_polling(host: Host, agents: list[Worker]) -> None:
    """Without an instance, too; the content is got from the handle."""
    alice, bob = agents
    run_agent(alice, "state.append(host.create_promise())")
    index = run_agent(alice, "result = state[0].oplog_idx")
    code = f"""
cell = host.get_promise(host.PromiseId(other("alice"), {index}))
before = cell.get()
poll.poll([cell.subscribe()])
result = [before, cell.get()]
"""
    call = bob.enqueue("run", AGENTS_HERE + code)
    wait_until(lambda: bob.metadata().status == "suspended")

    assert "True" == run_agent(alice, "result = host.complete_promise(state[0], b'x')")
    assert "[None, b'x']" == call.result(timeout=TIMEOUT_S)


@pytest.mark.long
def test_agents_are_found_copied_and_taken_back(host: Host, agents: list[Worker]) -> None:
    """All functions that have another name, in the guest's own types."""
    alice, bob = agents
    run_agent(bob, "state.append(1)")
    end = bob.metadata().oplog_index
    run_agent(bob, "state.append(2)")

    assert str([["bob"], "bob", "bob", None, "ORIGINAL"]) == run_agent(
        alice,
        f"""
S = host.StringFilterComparator
start = host.AgentPropertyFilter_Name(host.AgentNameFilter(S.STARTS_WITH, "bo"))
wanted = host.AgentAnyFilter([host.AgentAllFilter([start])])
search = host.GetAgents(me.component_id, wanted, False)
found = [each.agent_id.agent_id for each in search.get_next()]
host.fork_agent(other("bob"), other("copy"), {end})
host.revert_agent(other("bob"), host.RevertAgentTarget_RevertLastInvocations(1))
result = [found, host.get_agent_metadata(other("bob")).agent_id.agent_id,
          host.resolve_agent_id_strict("agents", "bob").agent_id,
          host.resolve_agent_id("unknown", "bob"), host.fork("second").name]
""",
    )
    for name in ("bob", "copy"):
        assert "[1]" == run_agent(host.workers.get("agents", name), "result = state")
    assert host.workers.get("agents", "second").name == "second"


def test_agents_are_updated(host: Host, agents: list[Worker], agents_wasm: Path) -> None:
    """By the later name of the function."""
    alice, bob = agents
    run_agent(bob, "state.append(1)")
    host.components.deploy(agents_wasm, name="agents", env={"VERSION": "1"})
    run_agent(alice, "host.update_agent(other('bob'), 1, host.UpdateMode.AUTOMATIC)")

    assert "[1]" == run_agent(bob, "result = state")
    assert 1 == bob.metadata().component_version
