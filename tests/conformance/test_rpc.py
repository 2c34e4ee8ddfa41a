"""
``golem:rpc/types`` through the real boundary: Python guests that call each other.

Each test ends by opening the state directory anew, where every idle worker is replayed from its
log: another call must then be answered.
"""

from __future__ import annotations

import threading
from ast import literal_eval
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from golem_host import Host, InvocationInterruptedError, TraceContext, Variant, Worker
from golem_host.keys import derive_key
from golem_host.services.results import Results
from tests.support.hosts import open_host
from tests.support.rpc_guest import (
    COMPONENT,
    CONFIG,
    PRELUDE,
    TIMEOUT_S,
    noted,
    rpc_guest,
    run,
)
from tests.support.waiting import until


@pytest.fixture(scope="module")
def wasm() -> Path:
    return rpc_guest()


@pytest.fixture
def host(tmp_path: Path, wasm: Path) -> Iterator[Host]:
    with open_host(tmp_path / "state", CONFIG) as opened:
        opened.components.deploy(wasm, name=COMPONENT, config_vars={"of": "the component"})
        yield opened
    with open_host(tmp_path / "state", CONFIG) as opened:
        for worker in opened.workers.list():
            if worker.metadata().status == "idle" and not worker.component.ephemeral:
                assert "'again'" == run(worker, "result = 'again'"), worker.name


def alice(host: Host, name: str = "alice") -> Worker:
    component = host.components.get(COMPONENT)
    return host.workers.get_or_create(component, name, args=["one"], env={"HOME": "/alice"})


@pytest.mark.parametrize(
    "name",
    ["note", "test:rpc-calls/api.{note}", "test:rpc-calls/api#note"],
)
def test_a_function_has_every_spelling_that_callers_know(host: Host, name: str) -> None:
    """The value is a tuple of one; without a value it is an empty record."""
    code = f"""
found = line("bob").invoke_and_await({name!r}, [text("a")])
nothing = line("bob").invoke_and_await("put", [text("b")])
result = (found.nodes, nothing.nodes)
"""
    assert (
        "([WitNode_TupleValue(value=[1]), WitNode_PrimU32(value=1)], [WitNode_RecordValue(value=[])])"
        == run(alice(host), code)
    )
    assert ["a", "b"] == noted(host, "bob")


def test_values_of_all_kinds_go_there_and_back(host: Host) -> None:
    """What comes back is what was given, node by node."""
    code = """
def nodes(*given):
    return types.WitValue(list(given))
t = types
point = nodes(t.WitNode_RecordValue([1, 2]), t.WitNode_PrimS32(-7), t.WitNode_OptionValue(3),
              t.WitNode_PrimString("here"))
shapes = nodes(t.WitNode_ListValue([1, 2]), t.WitNode_VariantValue((0, None)),
               t.WitNode_VariantValue((1, 3)), t.WitNode_PrimFloat64(0.5))
given = [point, nodes(t.WitNode_EnumValue(1)), nodes(t.WitNode_FlagsValue([False, True])), shapes,
         nodes(t.WitNode_ResultValue(Err(1)), t.WitNode_PrimString("no")),
         nodes(t.WitNode_ListValue([1, 2]), t.WitNode_PrimU8(0), t.WitNode_PrimU8(255))]
found = line("bob").invoke_and_await("echo", given)
(root,) = found.nodes[0].value
parts = found.nodes[root].value
def part(at, value):
    # The same part as a value of its own, to compare it.
    return repr(value.nodes[at]) if at < len(value.nodes) else None
result = [type(found.nodes[at]).__name__ for at in parts], [
    n.value for n in found.nodes if "Prim" in type(n).__name__]
"""
    assert (
        "(['WitNode_RecordValue', 'WitNode_EnumValue', 'WitNode_FlagsValue', 'WitNode_ListValue', "
        "'WitNode_ResultValue', 'WitNode_ListValue'], [-7, 'here', 0.5, 'no', 0, 255])"
    ) == run(alice(host), "from componentize_py_types import Err\n" + code)


def test_what_is_wrong_with_a_call_is_a_value(host: Host) -> None:
    """And the other worker is as it was, or was not even made."""
    found = run(
        alice(host),
        """
nowhere = types.WasmRpc(types.WorkerId(types.ComponentId(types.Uuid(1, 2)), "bob"))
calls = [
    (line("bob"), "nothing", []), (line("bob"), "note", []), (line("bob"), "note", [number(1)]),
    (line("bob"), "note", [types.WitValue([])]), (line("b b"), "note", [text("")]),
    (nowhere, "note", [text("")]), (line("alice"), "note", [text("")]),
]
result = [(kind[9:], why[:48]) for kind, why in
          (tried(who.invoke_and_await, name, args) for who, name, args in calls)]
""",
    )
    assert (
        "[('ProtocolError', \"no function 'nothing'; the component exports tes\"), "
        "('ProtocolError', 'test:rpc-calls/api.{note}: takes 1 argument, got'), "
        "('ProtocolError', 'test:rpc-calls/api.{note}, parameter text: expec'), "
        "('ProtocolError', 'test:rpc-calls/api.{note}, parameter text: expec'), "
        "('ProtocolError', 'a worker name is 1 to 512 bytes, without whitesp'), "
        "('NotFound', \"no component '00000000-0000-0001-0000-0000000000\"), "
        "('Denied', 'worker calls/alice would wait for itself; use in')]"
    ) == found
    assert ["alice"] == [worker.name for worker in host.workers.list()]


def test_a_failure_of_the_other_worker_is_a_value_with_its_text(host: Host) -> None:
    """It is over for later calls, and says why."""
    found = run(
        alice(host),
        """
result = [tried(line("bob").invoke_and_await, "fail", [text("oh no")]),
          tried(line("bob").invoke_and_await, "note", [text("x")])]
""",
    )

    assert found.count("RpcError_RemoteInternalError") == 2
    assert "the invocation failed: ValueError: oh no" in found
    assert "an earlier invocation of this worker failed: ValueError: oh no" in found


def test_an_answer_that_is_too_large_is_a_value(host: Host) -> None:
    """The call itself is done, and its caller can ask for less."""
    code = "state.append('done')\nresult = 'x' * 2**20"
    found = run(
        alice(host), f'result = tried(line("bob").invoke_and_await, "run", [text({code!r})])'
    )

    assert "RpcError_RemoteInternalError" in found
    assert "at most 1 MiB of CBOR, as an answer to another worker" in found
    assert ["done"] == noted(host, "bob")


def test_a_called_worker_is_made_after_its_caller(host: Host) -> None:
    """Arguments, environment and configuration; the caller is its parent, and it is no fork."""
    worker = alice(host)
    about = run(worker, 'result = plain(line("bob").invoke_and_await("about", []))')
    assert "['one']" in about
    assert "('HOME', '/alice'), ('GOLEM_WORKER_NAME', 'bob')" in about
    create = next(host.workers.get(COMPONENT, "bob").oplog()).fields
    assert create["parent"] == {
        "component-id": host.components.get(COMPONENT).id,
        "worker-name": "alice",
    }
    assert (("HOME", "/alice"),) == create["env"]
    bob = host.workers.get(COMPONENT, "bob")

    key = run(bob, "result = types.uuid_to_string(host.generate_idempotency_key())", "k")
    last = max(e.index for e in bob.oplog() if e.kind == "imported-function-invoked")
    assert repr(str(derive_key("k", last - 1))) == key


def test_a_handle_is_passed_to_the_worker_that_has_it(host: Host) -> None:
    """By its URI; no other worker takes it."""
    found = run(
        alice(host),
        """
def small(value):
    return types.WitValue([types.WitNode_PrimU32(value)])
made = line("bob").invoke_and_await("test:rpc-calls/counters.{counter.new}", [small(5)])
handle = types.WitValue([made.nodes[1]])
add = "test:rpc-calls/counters.{counter.add}"
result = [tried(line(who).invoke_and_await, add, [handle, small(2)])
          for who in ("bob", "bob", "carol")]
""",
    )

    assert found.startswith("[7, 9, ('RpcError_ProtocolError'")
    assert {"alice", "bob"} == {worker.name for worker in host.workers.list()}


def test_a_queue_that_is_full_takes_no_calls_of_other_workers(tmp_path: Path, wasm: Path) -> None:
    """`denied`: the caller may try again."""
    with open_host(tmp_path, replace(CONFIG, pending_max=2, suspend_after_s=3600)) as host:
        host.components.deploy(wasm, name=COMPONENT)
        bob = alice(host, "bob")
        bob.enqueue("slow", "first", 3600 * 10**9)
        until(lambda: bob.metadata().pending == 0)
        code = """
result = [tried(line("bob").invoke, "note", [text("x")]) if n > 1
          else line("bob").invoke("note", [text("x")]) for n in range(3)]
"""
        found = run(alice(host), code)

        assert found.startswith("[None, None, ('RpcError_Denied'")
        assert 2 == bob.metadata().pending


def test_a_caller_waits_without_an_instance_also_over_a_restart(tmp_path: Path, wasm: Path) -> None:
    """Its row is found by the answer; `explain` says what it waits for."""
    with open_host(tmp_path, replace(CONFIG, suspend_after_s=100)) as host:
        host.components.deploy(wasm, name=COMPONENT)
        code = PRELUDE + 'result = plain(line("bob").invoke_and_await("run", [text(WAIT)]))'
        wait = "result = host.await_promise(host.create_promise())"
        worker = alice(host)
        worker.enqueue("run", f"WAIT = {wait!r}\n{code}", idempotency_key="k")
        until(lambda: worker.metadata().status == "suspended")
        until(lambda: host.workers.get(COMPONENT, "bob").metadata().status == "suspended")
        (promise,) = host.promises.list()
        explained = worker.explain()

        assert "waits for the result of calls/bob run, key " in explained.sentence
        assert "golem-host worker explain calls/bob" == explained.remedy
    with open_host(tmp_path, CONFIG) as host:
        worker = host.workers.get(COMPONENT, "alice")
        assert "suspended" == worker.metadata().status
        host.promises.complete(promise.id, b"done")
        until(lambda: worker.metadata().status == "idle")
        call = worker.call("k")

        assert call is not None
        assert repr("b'done'") == call.result(TIMEOUT_S)
        kinds = [entry.kind for entry in worker.oplog()]
        assert ["suspend", "imported-function-invoked", "exported-function-completed"] == kinds[-3:]
        assert 1 == kinds.count("suspend")


@pytest.mark.parametrize(
    "code",
    [
        'result = plain(line("bob").invoke_and_await("slow", [text("a"), number(10**9)]))',
        """
call = line("bob").async_invoke_and_await("slow", [text("a"), number(10**9)])
while (found := call.get()) is None:
    call.subscribe().block()
result = plain(found.value)
""",
    ],
)
def test_a_call_goes_on_with_its_caller_where_nobody_else_lets_it(
    code: str, tmp_path: Path, wasm: Path
) -> None:
    """A host that leaves everything alone but what it is asked for has to wake who is called."""
    with open_host(tmp_path, CONFIG) as host:
        host.components.deploy(wasm, name=COMPONENT)
        worker = alice(host)
        worker.enqueue("run", PRELUDE + code, idempotency_key="k")
        until(lambda: worker.metadata().status == "suspended")
        until(lambda: host.workers.get(COMPONENT, "bob").metadata().status == "suspended")
    with Host.open(tmp_path, CONFIG, revive=False) as host:
        call = host.workers.get(COMPONENT, "alice").call("k")

        assert call is not None
        host.workers.get(COMPONENT, "alice").resume()
        assert "1" == call.result(TIMEOUT_S)
        assert ["a"] == noted(host, "bob")


def test_a_caller_that_nobody_told_goes_on_in_the_next_host(
    tmp_path: Path, wasm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever has become of the worker that it has called: nothing of that is left to do."""
    with open_host(tmp_path, CONFIG) as host:
        host.components.deploy(wasm, name=COMPONENT)
        wait = "result = host.await_promise(host.create_promise())"
        code = f'WAIT = {wait!r}\n{PRELUDE}result = plain(line("bob").invoke_and_await("run", [text(WAIT)]))'
        worker = alice(host)
        worker.enqueue("run", code, idempotency_key="k")
        until(lambda: worker.metadata().status == "suspended")
        until(lambda: host.workers.get(COMPONENT, "bob").metadata().status == "suspended")
        (promise,) = host.promises.list()
    with monkeypatch.context() as patched, open_host(tmp_path, CONFIG) as host:
        patched.setattr(Results, "settled", lambda *_: None)
        host.promises.complete(promise.id, b"done")
        until(lambda: len(host.workers._shared.unfinished.all()) == 1)
        assert "suspended" == host.workers.get(COMPONENT, "alice").metadata().status
    with open_host(tmp_path, CONFIG) as host:
        until(lambda: not host.workers._shared.unfinished.all())
        call = host.workers.get(COMPONENT, "alice").call("k")

        assert call is not None
        assert repr("b'done'") == call.result(TIMEOUT_S)


def test_a_future_is_polled_together_with_a_timer_and_a_promise(host: Host) -> None:
    """Whatever is ready first is told; then the result is there."""
    found = run(
        alice(host),
        """
future = line("bob").async_invoke_and_await("slow", [text("x"), number(1_000_000_000)])
answer, timer = future.subscribe(), clock.subscribe_duration(200_000_000)
pending = future.get()
first = poll.poll([answer, timer])
long = clock.subscribe_duration(3600 * 10**9)
second = poll.poll([long, answer])
result = (pending, first, second, plain(future.get().value))
""",
    )

    assert "(None, [1], [1], 1)" == found
    suspended = [e.fields for e in alice(host).oplog() if e.kind == "suspend"]
    assert any(each["promise"] and each["wake-at"] for each in suspended)


def _waits_for(worker: Worker) -> int:
    """Of how many answers it waits for the first one, without an instance."""
    status = worker._access.view().status
    suspend = status.suspend if status.status == "suspended" else None
    return 0 if suspend is None else len(suspend.promise.splitlines())


def test_a_caller_of_many_waits_for_the_first_answer_without_an_instance(host: Host) -> None:
    """And then for the next ones; one that is told again of an old one goes on waiting."""
    worker = alice(host)
    code = """
waits = "p = host.create_promise()\\nhost.await_promise(p)\\nresult = 1"
futures = [line(name).async_invoke_and_await("run", [text(PRELUDE + waits)])
           for name in ("bob", "carol", "dave")]
answers = [future.subscribe() for future in futures]
result = []
while len(result) < 3:
    left = [n for n in range(3) if n not in result]
    result += [left[n] for n in poll.poll([answers[n] for n in left])]
assert [f.get() is not None for f in futures] == [True] * 3
"""
    call = worker.enqueue("run", f"PRELUDE = {PRELUDE!r}\n{PRELUDE}{code}")
    until(lambda: len(list(host.promises.list())) == 3)
    promises = {each.id.worker_name: each.id for each in host.promises.list()}
    for left, name in ((3, "carol"), (2, "dave"), (1, "bob")):
        others = f", or of {left - 1} more, since" if left > 1 else " run, key "
        until(lambda: worker.metadata().status == "suspended")
        until(lambda: _waits_for(worker) == left)  # noqa: B023 - at once
        assert others in worker.explain().sentence
        host.promises.complete(promises[name], b"")

    assert "[1, 2, 0]" == call.result(TIMEOUT_S)


def test_an_ephemeral_worker_is_called(host: Host, wasm: Path) -> None:
    """Under a random name, and each call has fresh memory."""
    once = host.components.deploy(wasm, name="once", ephemeral=True)
    worker = alice(host)
    found = run(
        worker,
        f"""
component = types.ComponentId(types.parse_uuid({once.id!r}))
def ask(who):
    return tried(who.invoke_and_await, "note", [text("x")])
first, second = types.WasmRpc.ephemeral(component), types.WasmRpc.ephemeral(component)
result = [ask(first), ask(first), ask(second)]
""",
    )

    assert "[1, 1, 1]" == found
    names = [each.name for each in host.workers.list("once")]
    assert 2 == len(names)
    assert all(len(name) == 36 for name in names)


def test_a_scheduled_call_is_made_at_its_time_and_another_one_called_off(host: Host) -> None:
    """It needs its caller no more."""
    run(
        alice(host),
        """
line("bob").schedule_invocation(at(-10**9), "note", [text("past")])
line("bob").schedule_invocation(at(500_000_000), "note", [text("soon")])
token = line("bob").schedule_cancelable_invocation(at(400_000_000), "note", [text("never")])
token.cancel()
token.cancel()
late = line("bob").schedule_cancelable_invocation(at(-10**9), "note", [text("past too")])
line("bob").invoke_and_await("noted", [])
late.cancel()
""",
    )
    until(lambda: "soon" in noted(host, "bob"))

    assert ["past", "past too", "soon"] == sorted(noted(host, "bob"))


def test_a_waiting_caller_can_be_interrupted_and_goes_on(host: Host) -> None:
    """At once, also where the other worker does not answer; and it makes no second call."""
    worker = alice(host)
    code = """
p = host.create_promise()
state.append(p.oplog_idx)
result = repr(host.await_promise(p))
"""
    ask = f'result = plain(line("bob").invoke_and_await("run", [text({code!r})]))'
    call = worker.enqueue("run", PRELUDE + ask)
    until(lambda: list(host.promises.list()))
    worker.interrupt()
    with pytest.raises(InvocationInterruptedError):
        call.result(TIMEOUT_S)
    (promise,) = host.promises.list()
    host.promises.complete(promise.id, b"x")
    until(lambda: host.workers.get(COMPONENT, "bob").metadata().status == "idle")
    assert "interrupted" == worker.metadata().status
    worker.resume()
    found = worker.call(call.key)

    assert found is not None
    assert repr(repr(repr(b"x"))) == found.result(TIMEOUT_S)
    assert 1 == len(list(host.promises.list()))


def test_a_caller_learns_that_the_other_worker_is_gone(host: Host) -> None:
    """It does not call a new one of that name."""
    worker = alice(host)
    ask = 'result = tried(line("bob").invoke_and_await, "slow", [text("x"), number(3600 * 10**9)])'
    call = worker.enqueue("run", PRELUDE + ask)
    until(lambda: worker.metadata().status == "suspended")
    host.workers.get(COMPONENT, "bob").delete()

    assert "NotFound" in str(call.result(TIMEOUT_S))
    assert ["alice"] == [each.name for each in host.workers.list(COMPONENT)]


def test_a_caller_learns_that_its_call_was_canceled(host: Host) -> None:
    """By whoever steers the other worker."""
    worker, bob = alice(host), alice(host, "bob")
    bob.enqueue("slow", "first", 3600 * 10**9)
    ask = 'result = tried(line("bob").invoke_and_await, "note", [text("x")])'
    call = worker.enqueue("run", PRELUDE + ask)
    until(lambda: worker.metadata().status == "suspended")
    (_, queued) = bob.unfinished()
    bob.cancel(queued.key)

    found = str(call.result(TIMEOUT_S))
    assert "RemoteInternalError" in found
    assert "it was canceled" in found
    bob.delete()


def test_a_caller_learns_that_its_call_was_taken_back(host: Host) -> None:
    """With the other worker's past; also where an interrupt had stopped what was called."""
    worker = alice(host)
    ask = 'result = tried(line("bob").invoke_and_await, "slow", [text("x"), number(3600 * 10**9)])'
    call = worker.enqueue("run", PRELUDE + ask)
    until(lambda: worker.metadata().status == "suspended")
    bob = host.workers.get(COMPONENT, "bob")
    until(lambda: bob.metadata().status == "suspended")
    bob.interrupt()
    bob.revert(to_index=1)

    found = str(call.result(TIMEOUT_S))
    assert "RemoteInternalError" in found


def test_a_worker_that_would_wait_for_its_waiting_caller_is_told(host: Host) -> None:
    """Its caller is not concerned, but if the call has woken it, it may be who sees the circle."""
    inner = PRELUDE + 'result = tried(line("alice").invoke_and_await, "note", [text("x")])'
    found = run(alice(host), f'result = line("bob").invoke_and_await("run", [text({inner!r})])')

    circles = [
        f"workers would wait for each other for ever: calls/{one} waits for calls/{other}, which "
        f"waits for calls/{one}"
        for one, other in (("bob", "alice"), ("alice", "bob"))
    ]
    assert any(circle in found for circle in circles), found
    assert "RpcError_Denied" in found
    assert [] == noted(host, "alice")


def test_a_worker_that_only_waits_for_its_own_answer_is_told(host: Host) -> None:
    """By the future; a later invocation could wait for it."""
    found = run(
        alice(host),
        """
future = line("alice").async_invoke_and_await("note", [text("x")])
future.subscribe().block()
result = future.get().value.value
""",
    )

    assert "calls/alice waits for calls/alice" in found
    assert [] == noted(host, "alice")


@pytest.mark.parametrize("asks", ["invoke_and_await", "future"])
def test_two_that_ask_each_other_at_once_both_go_on(host: Host, asks: str) -> None:
    """One of them is refused, or one was done before the other asked; nothing is done twice."""
    future = """
def ask(who):
    future = line(who).async_invoke_and_await("note", [text("x")])
    future.subscribe().block()
    found = future.get()
    return plain(found.value) if type(found).__name__ == "Ok" else type(found.value).__name__
"""
    plain = """
def ask(who):
    found = tried(line(who).invoke_and_await, "note", [text("x")])
    return found if isinstance(found, int) else found[0]
"""
    code = PRELUDE + (future if asks == "future" else plain)
    workers = {name: alice(host, name) for name in ("alice", "bob")}
    for round_ in range(5):
        calls = [
            workers[name].enqueue(
                "run", f"{code}result = ask({other!r})", idempotency_key=f"k{round_}"
            )
            for name, other in (("alice", "bob"), ("bob", "alice"))
        ]
        answers = [str(call.result(TIMEOUT_S)) for call in calls]
        assert answers.count("'RpcError_Denied'") <= 1
        done = [answer for answer in answers if answer.isdecimal()]
        assert 2 == len(done) + answers.count("'RpcError_Denied'")


def test_one_thread_is_enough_for_a_chain_of_callers(tmp_path: Path, wasm: Path) -> None:
    """A caller that waits leaves its place to those whom it waits for."""
    with open_host(tmp_path, replace(CONFIG, threads_max=1, idle_after_s=5)) as host:
        host.components.deploy(wasm, name=COMPONENT)
        code = 'line("w{0}").invoke_and_await("run", [text({1!r})])'
        inner = PRELUDE + "result = 'last'"
        for depth in range(4, 0, -1):
            inner = PRELUDE + f"result = plain({code.format(depth, inner)})"

        assert "last" in run(alice(host, "w0"), inner)


def test_what_is_called_lies_in_the_trace_of_its_caller(host: Host) -> None:
    """Below the span of the call's invocation, and that below its own caller's."""
    trace = TraceContext.parse(f"00-{'a' * 32}-{'b' * 16}-00", "v=1")
    code = 'result = line("bob").invoke_and_await("note", [text("a")])'
    caller = alice(host)
    caller.invoke("run", PRELUDE + code, timeout=TIMEOUT_S, trace=trace)
    fields: list[Any] = [
        [e.fields for e in worker.oplog() if e.kind == "exported-function-invoked"][-1]
        for worker in (caller, host.workers.get(COMPONENT, "bob"))
    ]
    (own, _), (_, above, outside) = (each["invocation-context"][0] for each in fields)

    assert [("a" * 32, ("v=1",))] * 2 == [(f["trace-id"], f["trace-states"]) for f in fields]
    assert own.value["span-id"] == above.value["span-id"]
    assert (False, True) == (own.value["inherited"], above.value["inherited"])
    assert Variant("external-span", {"span-id": "b" * 16}) == outside
    said = {each["key"]: each["value"].value for each in above.value["attributes"]}
    assert f"{caller.component.id}/alice" == said["worker_id"]


def test_three_that_call_each_other_are_thrown_away_again_and_again(host: Host) -> None:
    """In the middle of whatever they do, by another thread; each answer stands for one effect."""
    names = ("alice", "bob", "carol")
    workers = {name: alice(host, name) for name in names}
    code = """
result = []
for number in range(12):
    other = [name for name in NAMES if name != ME][number % 2]
    found = tried(line(other).invoke_and_await, "note", [text(f"{ME} {number}")])
    result.append((other, f"{ME} {number}", isinstance(found, int)))
"""
    calls = [
        worker.enqueue("run", f"ME, NAMES = {name!r}, {names!r}\n{PRELUDE}{code}")
        for name, worker in workers.items()
    ]
    for number in range(40):
        workers[names[number * number % 3]].simulate_crash()
        # Nothing is waited for: they are to be somewhere else each time.
        threading.Event().wait(number * 7 % 31 / 1000)
    said = [each for call in calls for each in literal_eval(str(call.result(TIMEOUT_S)))]
    heard = {name: noted(host, name) for name in names}

    assert 36 == len(said)
    assert [] == [(who, what) for who, what, done in said if heard[who].count(what) != done]
