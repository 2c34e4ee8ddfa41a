"""Copies, reverts and updates, as a guest asks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from golem_host.errors import InvalidRequestError, WorkerExistsError, WorkerNotFoundError
from golem_host.failures import GuestError, RecordedFailureError, WorldError
from golem_host.interfaces.golem.durability.durability import DurabilityFunctions
from golem_host.signals import InterruptSignal
from golem_oplog.entries import (
    BeginRemoteWrite,
    EndRemoteWrite,
    Entry,
    FunctionKind,
    ImportedFunctionInvoked,
)
from golem_oplog.errors import CorruptOplogError
from golem_oplog.memory import MemoryOplog
from golem_oplog.sequel import sequel_entries
from golem_oplog.values import Variant
from tests.support.contexts import CREATE, entries_of
from tests.support.host_api import (
    AGENTS,
    U64_MAX,
    Guest,
    Neighbours,
    begun_log,
    component_value,
    worker_value,
)

ALICE, BOB, COPY = (worker_value(name) for name in ("alice", "bob", "copy"))
TO_INDEX = Variant("revert-to-oplog-index", 5)


@pytest.fixture
def around() -> Neighbours:
    found = Neighbours()
    found.add("bob")
    return found


@pytest.fixture
def host(around: Neighbours) -> Guest:
    return Guest(begun_log(), around)


def recorded(host: Guest) -> list[str]:
    return [
        host.oplog.function(entry.function).name
        for entry in entries_of(host.oplog)
        if isinstance(entry, ImportedFunctionInvoked)
    ]


# -- fork -----------------------------------------------------------------------------------------


def forked(host: Guest, around: Neighbours, name: str = "copy") -> Guest:
    """The worker that the last fork made."""
    ((_, _, _, cut),) = [done for done in around.done if done[:3] == ("fork", "alice", name)]
    assert isinstance(cut, int)
    copy = host.oplog.copy(cut, CREATE._replace(worker_name=name))
    for entry in sequel_entries(around.sequels, copy.define):
        copy.append(entry)
    copy.commit()
    guest = Guest(copy, around)
    services = guest.context.services
    services.identity = replace(services.identity, worker_name=name, is_fork=True)
    return guest


def test_a_fork_has_everything_up_to_the_call_and_its_own_answer(
    host: Guest, around: Neighbours
) -> None:
    """R9: the last entry before the call is in both, and the answers at the same index (B.5)."""
    index = host("get-oplog-index")
    assert "original" == host("fork", "copy")
    copy = forked(host, around)

    assert index == copy("get-oplog-index")
    assert "forked" == copy("fork", "copy")
    assert copy.context.replay.live
    assert host.oplog.last_index == copy.oplog.last_index
    assert ("golem::api::fork", "golem::api::fork") == (*recorded(host), *recorded(copy))


def test_a_fork_at_most_once_has_both_ends_of_the_bracket(host: Guest, around: Neighbours) -> None:
    """Else its first replay would take the call for one of unknown outcome."""
    host("set-idempotence-mode", False)
    host("fork", "copy")
    copy = forked(host, around)
    copy("set-idempotence-mode", False)

    assert "forked" == copy("fork", "copy")
    assert copy.context.replay.live
    kinds = [type(entry) for entry in entries_of(copy.oplog, 3)]
    assert [BeginRemoteWrite, ImportedFunctionInvoked, EndRemoteWrite] == kinds
    assert {} == copy.context.status.open_begins


def test_a_fork_and_its_source_make_different_keys(host: Guest, around: Neighbours) -> None:
    """R17: from the fork on; a service that drops repeated requests takes both."""
    before = host("generate-idempotency-key")
    host("fork", "copy")
    mine = host("generate-idempotency-key")
    copy = forked(host, around)

    assert before == copy("generate-idempotency-key")
    copy("fork", "copy")
    assert mine != copy("generate-idempotency-key")


@pytest.mark.parametrize("enter", ["region", "batch", "zone"])
def test_a_fork_inside_of_a_region_learns_that_it_is_one(
    host: Guest, around: Neighbours, enter: str
) -> None:
    """The copy does the region again, the call with it, and must not try to make itself."""

    def begin(guest: Guest) -> None:
        if enter == "region":
            guest("mark-begin-operation")
        elif enter == "batch":
            kind = Variant("write-remote-batched")
            DurabilityFunctions().begin_durable_function(guest.context, kind)
        else:
            guest("set-oplog-persistence-level", Variant("persist-nothing"))

    begin(host)
    host("fork", "copy")
    copy = forked(host, around)
    begin(copy)

    assert "forked" == copy("fork", "copy")
    assert 1 == len(around.done)


def test_a_fork_cannot_be_forked_to_its_own_name(host: Guest, around: Neighbours) -> None:
    """Outside of a region it is a name that is taken, whichever mode it is in."""
    host("fork", "copy")
    copy = forked(host, around)
    copy("fork", "copy")
    for mode in (True, False):
        copy("set-idempotence-mode", mode)
        with pytest.raises(WorkerExistsError):
            copy("fork", "copy")


def test_a_fork_that_fails_is_not_recorded(host: Guest, around: Neighbours) -> None:
    """Nothing has happened: the error ends the invocation and stands in no replay's way."""
    with pytest.raises(WorkerExistsError):
        host("fork", "bob")
    around.failures.append(InvalidRequestError(reason="no name"))
    with pytest.raises(InvalidRequestError):
        host("fork", "a/b")

    assert [] == recorded(host)
    assert [] == around.done


def test_before_any_entry_there_is_nothing_to_fork(around: Neighbours) -> None:
    """A component that forks itself while it starts."""
    host = Guest(begun_log(), around)
    object.__setattr__(host.context, "oplog", MemoryOplog(CREATE))
    with pytest.raises(InvalidRequestError, match="there is nothing to fork yet"):
        host("fork", "copy")


def test_no_snapshot_forks(host: Guest) -> None:
    """Nothing would tell the two apart."""
    with host.context.unrecorded(), pytest.raises(GuestError, match="fork while a snapshot"):
        host("fork", "copy")


def test_another_worker_is_forked_at_an_index(host: Guest, around: Neighbours) -> None:
    """Inclusive, without an answer of its own; both dialects leave the same record."""
    host("fork-worker", BOB, COPY, 7)
    later = Neighbours()
    agents = Guest(begun_log(), later, AGENTS)
    bob, other = (
        {"component-id": component_value(), "agent-id": name} for name in ("bob", "other")
    )
    agents("fork-agent", bob, other, U64_MAX)

    assert [("fork", "bob", "copy", 7)] == around.done
    assert [("fork", "bob", "other", U64_MAX)] == later.done
    assert [] == around.sequels
    assert ["golem::api::fork_worker"] == recorded(host) == recorded(agents)


@pytest.mark.parametrize("cut", [0, 1])
def test_a_cut_keeps_more_than_the_beginning(host: Guest, around: Neighbours, cut: int) -> None:
    """A wrong request, whoever is to be forked."""
    with pytest.raises(InvalidRequestError, match=f"cannot fork at index {cut}"):
        host("fork-worker", BOB, COPY, cut)

    assert [] == around.done


# -- revert ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, U64_MAX])
def test_another_worker_is_reverted(host: Guest, around: Neighbours, number: int) -> None:
    """To an index or by invocations; whether that can be is the other worker's affair."""
    host("revert-worker", BOB, Variant("revert-to-oplog-index", number))
    host("revert-worker", BOB, Variant("revert-last-invocations", number))

    assert [("revert", "bob", number, None), ("revert", "bob", None, number)] == around.done
    assert ["golem::api::revert_worker"] * 2 == recorded(host)


def test_a_worker_cannot_revert_itself(host: Guest, around: Neighbours) -> None:
    """R22: it would wait for its own end; the message says what to use."""
    with pytest.raises(InvalidRequestError, match="use set-oplog-index"):
        host("revert-worker", ALICE, TO_INDEX)

    assert ([], []) == (around.done, recorded(host))


def test_a_revert_leaves_the_run_slot_to_others_and_can_be_interrupted(
    host: Guest, around: Neighbours
) -> None:
    """It waits for another worker, which may wait for this one."""
    host.context.kill = InterruptSignal()
    with pytest.raises(InterruptSignal):
        host("revert-worker", BOB, TO_INDEX)

    assert ([], []) == (around.done, recorded(host))


# -- update ---------------------------------------------------------------------------------------


def test_workers_are_updated_the_caller_too(host: Guest, around: Neighbours) -> None:
    """In both modes and dialects, under one record."""
    around.add("alice")
    host("update-worker", BOB, 3, "automatic")
    host("update-worker", ALICE, 4, "snapshot-based")
    later = Neighbours()
    later.add("bob")
    agents = Guest(begun_log(), later, AGENTS)
    bob = {"component-id": component_value(), "agent-id": "bob"}
    agents("update-agent", bob, 0, "automatic")

    assert [
        ("update", "bob", 3, "automatic"),
        ("update", "alice", 4, "snapshot-based"),
    ] == around.done
    assert [("update", "bob", 0, "automatic")] == later.done
    assert ["golem::api::update-worker"] * 2 == recorded(host)
    assert ["golem::api::update-worker"] == recorded(agents)


@pytest.mark.parametrize("version", [1 << 63, U64_MAX])
def test_there_are_not_that_many_versions(host: Guest, around: Neighbours, version: int) -> None:
    """A number beyond what is stored is a version that does not exist."""
    with pytest.raises(InvalidRequestError, match=f"has no version {version}"):
        host("update-worker", BOB, version, "automatic")

    assert ([], []) == (around.done, recorded(host))


# -- all ------------------------------------------------------------------------------------------

OPERATIONS: list[tuple[str, tuple[Any, ...]]] = [
    ("fork-worker", (worker_value("x" * 600), COPY, 7)),
    ("revert-worker", (worker_value("a/b\0ü"), TO_INDEX)),
    ("update-worker", (worker_value("nobody"), 1, "automatic")),
]


@pytest.mark.parametrize(("name", "args"), OPERATIONS[1:])
def test_an_unknown_worker_is_an_error_that_is_not_recorded(
    host: Guest, name: str, args: tuple[Any, ...]
) -> None:
    """Whatever its name looks like."""
    with pytest.raises(WorkerNotFoundError):
        host(name, *args)

    assert [] == recorded(host)


@pytest.mark.parametrize(("name", "args"), OPERATIONS)
def test_the_log_of_another_worker_may_be_damaged(
    host: Guest, around: Neighbours, name: str, args: tuple[Any, ...]
) -> None:
    """That is a failure of the world: tried again, and in the end remembered."""
    damage = CorruptOplogError(path="workers/cart/bob", offset_bytes=9, reason="checksum")
    around.failures += [damage, damage]
    with pytest.raises(WorldError, match="cannot be used"):
        host(name, *args)
    assert [] == recorded(host)
    host.context.is_last_attempt = lambda: True
    with pytest.raises(RecordedFailureError):
        host(name, *args)
    assert 1 == len(recorded(host))


def test_each_effect_has_a_token_of_its_own(host: Guest, around: Neighbours) -> None:
    """Two equal requests are two effects; a repetition after a crash is none."""
    promise = host("create-promise")
    host("complete-promise", promise, b"")
    host("revert-worker", BOB, TO_INDEX)
    host("revert-worker", BOB, TO_INDEX)
    begin = host("mark-begin-operation")
    host("revert-worker", BOB, TO_INDEX)
    host("revert-worker", BOB, TO_INDEX)
    host("mark-end-operation", begin)

    assert 4 == len(around.done) == len(set(around.tokens))


def test_effects_are_committed_before_and_after(host: Guest, around: Neighbours) -> None:
    """No earlier entry can be lost once the effect is there, and none of its own afterwards."""
    host("get-oplog-index")
    before: list[int] = []
    update = around.update

    def watched(*args: Any) -> None:
        before.append(host.oplog.committed_index)
        update(*args)

    object.__setattr__(around, "update", watched)
    host("update-worker", BOB, 1, "automatic")

    assert ([3], 4) == (before, host.oplog.committed_index)


def test_every_effect_is_a_remote_write(host: Guest) -> None:
    """With idempotence off each is bracketed, so that none is made twice."""
    host("set-idempotence-mode", False)
    host("fork-worker", BOB, COPY, 7)
    host("revert-worker", BOB, TO_INDEX)
    host("update-worker", BOB, 1, "automatic")
    entries: list[Entry] = entries_of(host.oplog, 3)

    assert [BeginRemoteWrite, ImportedFunctionInvoked, EndRemoteWrite] * 3 == [
        type(entry) for entry in entries
    ]
    assert {FunctionKind.WRITE_REMOTE} == {
        entry.function_type for entry in entries if isinstance(entry, ImportedFunctionInvoked)
    }
