"""One instance of a worker: what an invocation may not leave open, and states that are loaded."""

from __future__ import annotations

import pytest

from golem_host.dispatch import Dispatcher
from golem_host.failures import GuestError
from golem_host.interfaces.offered import registry
from golem_host.status import fold
from golem_host.worker.request import Request
from golem_host.worker.session import Session, SnapshotError, Start
from golem_oplog.cbor import encode_args
from golem_oplog.entries import (
    ChangePersistenceLevel,
    ExportedFunctionCompleted,
    ImportedFunctionInvoked,
    Log,
    PersistenceLevel,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import ListType, Prim, ResultType
from tests.support.contexts import CREATE, crashed, entries_of, services
from tests.support.durable_calls import DurableCalls, handlers_of
from tests.support.host_api import LEVEL
from tests.support.scripted_guest import Body, HostCalls, ScriptedGuest, exported, imported

RUN = exported("test:it/api", "run", (), None)
SAVE = exported("golem:api/save-snapshot@1.1.7", "save", (), ListType(Prim.U8))
LOAD = exported(
    "golem:api/load-snapshot@9.9.9",
    "load",
    (("bytes", ListType(Prim.U8)),),
    ResultType(None, Prim.STRING),
)
PERSIST_NOTHING = (int(PersistenceLevel.PERSIST_NOTHING), None)
SET_LEVEL = imported(
    "golem:api/host", "set-oplog-persistence-level", (("new-persistence-level", LEVEL),), None
)
BEGIN = imported("golem:api/host", "mark-begin-operation", (), Prim.U64)


def session_of(
    oplog: MemoryOplog, bodies: dict[object, Body], start: Start | None = None
) -> Session:
    """A session on this log, of a guest with these exports."""
    dispatcher = Dispatcher(registry())
    found = {
        each.name: handler
        for each in (SET_LEVEL, BEGIN)
        if (handler := dispatcher.resolve(each)) is not None
    }
    guest = ScriptedGuest(bodies, {**handlers_of(DurableCalls()), **found})  # type: ignore[arg-type]
    first = Start(guest.linked(), compare_from=0)
    if start is not None:
        first = Start(guest.linked(), start.snapshot, start.first_index, 0)
    return Session(
        first,
        oplog=oplog,
        status=fold(oplog.skim),
        services=services(),
        is_last_attempt=lambda: True,
        on_live=lambda: None,
        on_completed=lambda _key, _payload: None,
    )


def run(session: Session, key: str = "k") -> None:
    session.run(Request(key, RUN.type, [], encode_args([])))


def test_a_stretch_that_is_not_kept_ends_with_the_invocation() -> None:
    """R6: else it would swallow the completion, and the next replay diverge."""

    def body(host: HostCalls) -> None:
        host("set-oplog-persistence-level", PERSIST_NOTHING)
        host("read-local", 1)

    oplog = MemoryOplog(CREATE)
    session = session_of(oplog, {RUN: body})
    session.catch_up()
    run(session)
    before = oplog.last_index

    def later(host: HostCalls) -> None:
        """While it is replayed a guest does not enter the stretch."""

    again = session_of(oplog, {RUN: later})
    again.catch_up()

    kinds = [type(entry) for entry in entries_of(oplog)][-3:]
    assert [ImportedFunctionInvoked, ChangePersistenceLevel, ExportedFunctionCompleted] == kinds
    assert before == oplog.last_index


def test_output_before_an_open_stretch_is_written_once() -> None:
    """A crash inside of the stretch: the guest repeats what it wrote last, and it is known (R50)."""

    def body(host: HostCalls) -> None:
        host("say", "before")
        host("set-oplog-persistence-level", PERSIST_NOTHING)
        host("read-local", 1)

    whole = MemoryOplog(CREATE)
    session = session_of(whole, {RUN: body})
    session.catch_up()
    run(session)
    oplog = crashed(whole, 5)
    session_of(oplog, {RUN: body}).catch_up()

    assert 1 == sum(isinstance(entry, Log) for entry in entries_of(oplog))
    assert isinstance(oplog.entry(oplog.last_index), ExportedFunctionCompleted)


def test_an_invocation_that_ends_inside_of_a_region_fails() -> None:
    """R5: it names where the region began, and nothing is completed."""
    oplog = MemoryOplog(CREATE)
    session = session_of(oplog, {RUN: lambda host: host("mark-begin-operation")})
    session.catch_up()

    with pytest.raises(GuestError, match="inside of the region begun at index 3"):
        run(session)
    assert not [e for e in entries_of(oplog) if isinstance(e, ExportedFunctionCompleted)]


def test_a_state_is_saved_without_a_trace() -> None:
    """Calls are performed meanwhile, and the log is as it was (R45)."""

    def save(host: HostCalls) -> bytes:
        host("write-remote", 1)
        host("say", "saving")
        return b"state"

    oplog = MemoryOplog(CREATE)
    session = session_of(oplog, {SAVE: save})
    session.catch_up()

    assert b"state" == session.save()
    assert [] == entries_of(oplog)


def test_a_state_is_loaded_before_anything_is_replayed() -> None:
    """R4: by whatever version of the interface the guest exports it."""
    seen: list[object] = []

    def load(host: HostCalls, state: bytes) -> tuple[int, None]:
        host("read-local", 1)
        seen.append(state)
        return (0, None)

    oplog = MemoryOplog(CREATE)
    session = session_of(
        oplog,
        {LOAD: load, RUN: lambda _host: seen.append("run")},
        Start(None, b"state"),  # type: ignore[arg-type]
    )
    session.catch_up()
    run(session)

    assert [b"state", "run"] == seen
    assert 2 == len(entries_of(oplog))


@pytest.mark.parametrize(
    ("bodies", "message"),
    [
        ({LOAD: lambda _host, _state: (1, "too old")}, "the guest refused the snapshot: too old"),
        ({RUN: lambda _host: None}, "does not export golem:api/load-snapshot"),
    ],
)
def test_a_state_that_cannot_be_loaded_says_why(bodies: dict[object, Body], message: str) -> None:
    """In words for people."""
    session = session_of(MemoryOplog(CREATE), bodies, Start(None, b"state"))  # type: ignore[arg-type]

    with pytest.raises(SnapshotError, match=message):
        session.catch_up()


def test_a_component_without_the_export_saves_nothing() -> None:
    """It says which interface is missing."""
    session = session_of(MemoryOplog(CREATE), {RUN: lambda _host: None})
    session.catch_up()

    with pytest.raises(SnapshotError, match="does not export golem:api/save-snapshot"):
        session.save()


def test_a_stretch_that_a_crash_left_open_is_left_before_anything_live() -> None:
    """Else what the guest does now would be passed over by the next replay."""

    def entering(host: HostCalls) -> None:
        host("set-oplog-persistence-level", PERSIST_NOTHING)
        raise GuestError("crash")

    oplog = MemoryOplog(CREATE)
    session = session_of(oplog, {RUN: entering})
    session.catch_up()
    with pytest.raises(GuestError):
        run(session)

    calls: list[int] = []

    def without(host: HostCalls) -> None:
        calls.append(host("read-local", 1))

    session_of(oplog, {RUN: without}).catch_up()
    before = oplog.last_index
    session_of(oplog, {RUN: without}).catch_up()

    assert [10, 10] == calls
    assert before == oplog.last_index
    assert 1 == sum(isinstance(e, ImportedFunctionInvoked) for e in entries_of(oplog))
