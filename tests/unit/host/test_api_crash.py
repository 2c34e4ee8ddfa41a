"""
``golem:api/host``, killed before every entry: the outcome is that of the undisturbed run.

Each script is one invocation of a guest.  It runs to its end; then, for every entry, it is killed
when that is about to be written, so that its effect has happened, and run again on what is left: all
entries before it, or only those that were committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeAlias

import pytest

from golem_host.errors import InvalidRequestError
from golem_host.services.peers import WorkerRef
from golem_host.signals import JumpSignal
from golem_oplog.entries import Entry, Jump
from golem_oplog.memory import MemoryOplog
from golem_oplog.values import Variant
from tests.support.contexts import CREATE, crashed, entries_of, new_log
from tests.support.host_api import (
    AGENTS,
    OLD,
    SEED,
    Dialect,
    Guest,
    KilledError,
    Neighbours,
    begun_log,
    component_value,
    signatures,
    worker_value,
)
from tests.support.oplogs import log_entry

Script: TypeAlias = Callable[[Guest], list[Any]]

BEGUN = 2
"""The entry with which the invocation begins."""


def promises(host: Guest) -> list[Any]:
    promise = host("create-promise")
    return [
        promise,
        host("poll-promise", promise),
        host("complete-promise", promise, b"one"),
        host("complete-promise", promise, b"two"),
        host("await-promise", promise),
        host("poll-promise", promise),
        host("delete-promise", promise),
        host("delete-promise", promise),
    ]


def agent_promises(host: Guest) -> list[Any]:
    promise = host("create-promise")
    cell = host("get-promise", promise)
    pollable = host("[method]get-promise-result.subscribe", cell)
    return [
        promise,
        host("[method]get-promise-result.get", cell),
        host("complete-promise", promise, b"one"),
        host("poll", [pollable]),
        host("[method]get-promise-result.get", cell),
    ]


def regions(host: Guest) -> list[Any]:
    outer = host("mark-begin-operation")
    promise = host("create-promise")
    inner = host("mark-begin-operation")
    host("complete-promise", promise, b"")
    host("mark-end-operation", inner)
    host("mark-end-operation", outer)
    host("oplog-commit", 255)
    return [host("get-oplog-index") > 0]


def policies(host: Guest) -> list[Any]:
    policy = {
        "max-attempts": 5,
        "min-delay": 1,
        "max-delay": (1 << 64) - 1,
        "multiplier": 1.5,
        "max-jitter-factor": 0.25,
    }
    host("set-retry-policy", policy)
    host("set-oplog-persistence-level", Variant("persist-remote-side-effects"))
    host("set-idempotence-mode", False)
    return [
        host("get-retry-policy"),
        host("get-oplog-persistence-level"),
        host("get-idempotence-mode"),
    ]


def keys(host: Guest) -> list[Any]:
    return [host("generate-idempotency-key"), host("generate-idempotency-key")]


def identity(host: Guest) -> list[Any]:
    thing = host.dialect.thing
    someone = {"component-id": component_value(), host.dialect.name_field: "bob"}
    nobody = someone | {host.dialect.name_field: "nobody"}
    return [
        host("get-self-metadata"),
        host(f"get-{thing}-metadata", someone),
        host(f"get-{thing}-metadata", nobody),
        host("resolve-component-id", "cart"),
        host("resolve-component-id", "unknown"),
        host(f"resolve-{thing}-id", "cart", "nobody"),
        host(f"resolve-{thing}-id", "unknown", "bob"),
        host(f"resolve-{thing}-id-strict", "cart", "bob"),
        host(f"resolve-{thing}-id-strict", "cart", "nobody"),
    ]


def search(host: Guest) -> list[Any]:
    name = f"get-{host.dialect.thing}s"
    wanted = {"filters": [{"filters": [Variant("version", {"comparator": "less", "value": 9})]}]}
    found = host(f"[constructor]{name}", component_value(), wanted, True)
    return [host(f"[method]{name}.get-next", found) for _ in range(4)]


def surgery(host: Guest) -> list[Any]:
    thing, field = host.dialect.thing, host.dialect.name_field
    bob, copy = ({"component-id": component_value(), field: name} for name in ("bob", "copy"))
    return [
        host(f"fork-{thing}", bob, copy, 7),
        host(f"revert-{thing}", bob, Variant("revert-to-oplog-index", 5)),
        host(f"revert-{thing}", bob, Variant("revert-last-invocations", 1)),
        host(f"update-{thing}", bob, 3, "automatic"),
        host(f"update-{thing}", bob, 3, "snapshot-based"),
    ]


def fork(host: Guest) -> list[Any]:
    return [host("create-promise"), host("fork", "carol"), host("create-promise")]


def logs(host: Guest) -> list[Any]:
    """Markers between the pages: what reads a log is an entry of it."""
    host("get-oplog-index")
    own = host("[constructor]get-oplog", worker_value("alice"), 2)
    bobs = host("[constructor]get-oplog", worker_value("bob"), 1)
    found = host("[constructor]search-oplog", worker_value("bob"), "line")
    pages = []
    for _ in range(3):
        pages.append(host("[method]get-oplog.get-next", own))
        host("generate-idempotency-key")
        pages.append(host("[method]get-oplog.get-next", bobs))
        pages.append(host("[method]search-oplog.get-next", found))
    return pages


SCRIPTS: dict[str, tuple[Dialect, Script]] = {
    "promises": (SEED, promises),
    "promises of agents": (AGENTS, agent_promises),
    "policies": (SEED, policies),
    "keys": (SEED, keys),
    "identity": (SEED, identity),
    "identity of old": (OLD, identity),
    "identity of agents": (AGENTS, identity),
    "search": (SEED, search),
    "search of old": (OLD, search),
    "search of agents": (AGENTS, search),
    "surgery": (SEED, surgery),
    "surgery of agents": (AGENTS, surgery),
    "fork": (SEED, fork),
    "logs": (SEED, logs),
}


def surroundings() -> Neighbours:
    neighbours = Neighbours()
    for number in range(120):
        neighbours.add(f"w{number:03}", component_version=number % 12)
    neighbours.add(
        "bob",
        status="suspended",
        component_version=4,
        retry_count=2,
        args=("a", "b"),
        env=(("USER", "bob"),),
        config_vars=(("z", "1"), ("a", "2")),
    )
    lines = [log_entry(number) for number in range(120)]
    neighbours.logs[WorkerRef(CREATE.component_id, "bob")] = new_log(*lines)
    return neighbours


def finish(
    oplog: MemoryOplog, neighbours: Neighbours, script: Script, dialect: Dialect
) -> tuple[list[Any], list[Entry]]:
    """Answers and log of a run on what is left of an earlier one."""
    answers = script(Guest(oplog, neighbours, dialect))
    oplog.commit()
    return answers, entries_of(oplog)


def killed(
    script: Script, dialect: Dialect, dies_at: int, neighbours: Neighbours
) -> Iterator[MemoryOplog]:
    """Run up to one entry; what may be left of the log then."""
    oplog = begun_log()
    oplog.dies_at = dies_at
    with pytest.raises(KilledError):
        script(Guest(oplog, neighbours, dialect))
    for last in {oplog.committed_index, oplog.last_index}:
        yield crashed(oplog, last)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_kill_before_any_entry_changes_nothing(name: str) -> None:
    """Same answers, same log, and no effect happens a second time."""
    dialect, script = SCRIPTS[name]
    neighbours = surroundings()
    whole = begun_log()
    undisturbed = finish(whole, neighbours, script, dialect)

    for dies_at in range(BEGUN + 1, whole.last_index + 1):
        for choice in range(2):
            around = surroundings()
            left = list(killed(script, dialect, dies_at, around))
            assert undisturbed == finish(left[choice % len(left)], around, script, dialect)
            assert neighbours.done == around.done


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_replay_asks_nobody_and_appends_nothing(name: str) -> None:
    """With the whole log, the surroundings may have vanished."""
    dialect, script = SCRIPTS[name]
    whole = begun_log()
    undisturbed = finish(whole, surroundings(), script, dialect)
    nobody = Neighbours(components={})

    assert undisturbed == finish(crashed(whole, whole.last_index), nobody, script, dialect)
    assert [] == nobody.done


def test_a_region_is_done_again_from_its_beginning() -> None:
    """Killed anywhere in it, its calls are made anew; killed behind it, none is."""
    whole = begun_log()
    neighbours = Neighbours()
    regions(Guest(whole, neighbours))
    whole.commit()
    for last in range(BEGUN, whole.last_index + 1):
        again = crashed(whole, last)
        assert [True] == regions(Guest(again, neighbours))
        jumps = [entry for entry in entries_of(again) if isinstance(entry, Jump)]
        # 3 and 5 are begins, 7 is the inner end, 8 the outer one.
        assert (3 <= last < 8) == bool(jumps)


def test_time_travel_is_survived_at_every_entry() -> None:
    """The guest goes back once; whatever is lost on the way there, it arrives."""

    def travel(host: Guest) -> int:
        index: int = host("get-oplog-index")
        promise = host("create-promise")
        if host("poll-promise", promise) is None and neighbours.done == []:
            host("create-promise")
            neighbours.done.append(("went back",))
            host("set-oplog-index", index)
        return index

    def live(oplog: MemoryOplog) -> int:
        while True:
            try:
                return travel(Guest(oplog, neighbours))
            except JumpSignal:
                continue

    neighbours = Neighbours()
    whole = begun_log()
    index = live(whole)
    whole.commit()

    assert 1 == sum(isinstance(entry, Jump) for entry in entries_of(whole))
    for last in range(index, whole.last_index + 1):
        assert index == live(crashed(whole, last))


def test_every_function_of_every_dialect_is_in_a_script() -> None:
    """A function that is added is crashed, too."""
    called: set[str] = set()

    class Listener(Guest):
        def __call__(self, name: str, *args: Any) -> Any:
            called.add(name)
            return super().__call__(name, *args)

    for dialect, script in (*SCRIPTS.values(), (SEED, regions)):
        script(Listener(begun_log(), surroundings(), dialect))
    with suppress(InvalidRequestError):
        Listener(begun_log(), Neighbours())("set-oplog-index", 0)

    functions = {name for dialect in (SEED, OLD, AGENTS) for name in signatures(dialect)}
    assert set() == functions - called


def test_an_await_that_left_no_entry_is_accepted() -> None:
    """Logs of other hosts have none: the content is looked up, as they would."""
    neighbours = Neighbours()
    oplog = begun_log()
    host = Guest(oplog, neighbours)
    promise = host("create-promise")
    host("complete-promise", promise, b"x")
    host("get-oplog-index")
    oplog.commit()
    again = Guest(crashed(oplog, oplog.last_index), neighbours)
    again("create-promise")
    again("complete-promise", promise, b"x")

    assert b"x" == again("await-promise", promise)
    assert oplog.last_index == again("get-oplog-index")


def test_a_promise_may_be_deleted_once_it_was_awaited() -> None:
    """R11: the content is in the log, so no later replay needs the promise."""
    neighbours = Neighbours()
    whole = begun_log()
    answers = promises(Guest(whole, neighbours))
    whole.commit()

    for last in (whole.last_index - 1, whole.last_index):
        assert answers == promises(Guest(crashed(whole, last), neighbours))


def test_a_worker_is_known_by_the_fields_of_each_dialect() -> None:
    """One answer serves all: each takes what it has, under its own names."""
    seed, old, agent = (
        identity(Guest(begun_log(), surroundings(), dialect))[1] for dialect in (SEED, OLD, AGENTS)
    )

    assert {
        "worker-id": worker_value("bob"),
        "args": ["a", "b"],
        "env": [("USER", "bob")],
        "wasi-config-vars": [("a", "2"), ("z", "1")],
        "status": "suspended",
        "component-version": 4,
        "retry-count": 2,
    } == seed
    assert {n: v for n, v in seed.items() if n != "wasi-config-vars"} == old
    assert {"agent-id", "config-vars"} == set(agent) - set(seed)
    assert {"component-id": component_value(), "agent-id": "bob"} == agent["agent-id"]
    assert seed["wasi-config-vars"] == agent["config-vars"]


@pytest.mark.parametrize("script", [identity, search])
@pytest.mark.parametrize(("old", "new"), [(OLD, SEED), (SEED, OLD)])
def test_what_one_dialect_recorded_another_one_reads(
    script: Script, old: Dialect, new: Dialect
) -> None:
    """An update may bring a guest that speaks another one."""
    neighbours = surroundings()
    whole = begun_log()
    finish(whole, neighbours, script, old)
    expected = script(Guest(begun_log(), neighbours, new))

    found = finish(crashed(whole, whole.last_index), neighbours, script, new)

    assert expected == found[0]
    assert whole.last_index - 1 == len(found[1])
