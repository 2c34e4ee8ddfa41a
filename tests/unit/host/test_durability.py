"""``golem:durability/durability``, function by function, live and on what a crash has left."""

from __future__ import annotations

import logging
from sys import maxsize
from typing import Any, Final

import pytest

from golem_host.batch import begin_batch
from golem_host.errors import OplogLimitError
from golem_host.failures import GuestError, GuestLimitError, RecordedFailureError
from golem_host.interfaces.golem.durability import part
from golem_host.interfaces.golem.durability.durability import TYPED_BYTES_MAX
from golem_host.interfaces.wasi.io.poll import wait_for
from golem_host.interfaces.wasi.io.pollables import Lazy, LazySubscription, Ready, Timer
from golem_host.replay import AtMostOnceViolated, Divergence
from golem_host.signals import WAITS_FOR_ITSELF, InterruptSignal, SuspendSignal
from golem_oplog.entries import (
    BeginAtomicRegion,
    ChangePersistenceLevel,
    EndRemoteWrite,
    Error,
    ErrorKind,
    ImportedFunctionInvoked,
    Jump,
    LogLevel,
    NoOp,
    PersistenceLevel,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.query import view_entries
from golem_oplog.types import FunctionType, ListType, Prim, RecordType, VariantType, WitType
from golem_oplog.values import Variant, from_wire, to_wire
from golem_oplog.wit_value import VALUE_AND_TYPE, to_value_and_type
from tests.support.contexts import crashed, entries_of
from tests.support.instances import Instance, begun_log
from tests.support.world import EPOCH_NS, FrozenClock

INTERFACE: Final = "golem:durability/durability"
LAZY: Final = f"{INTERFACE}.lazy-initialized-pollable"
LOCAL: Final = Variant("read-local")
WRITE: Final = Variant("write-remote")
BATCH: Final = Variant("write-remote-batched")
NAME: Final = "acme:bank/vault::open"
ITEM: Final = RecordType((("name", Prim.STRING), ("price", Prim.F64)))
NOTHING: Final = Variant("persist-nothing")


def guest(
    oplog: MemoryOplog, clock: FrozenClock | None = None, *, oplog_bytes_max: int = maxsize
) -> Instance:
    return Instance(oplog, INTERFACE, clock, oplog_bytes_max=oplog_bytes_max)


def step(begin: int) -> Variant:
    return Variant("write-remote-batched", begin)


def typed(ty: WitType, value: object) -> Any:
    """A ``value-and-type`` in public form."""
    return from_wire(VALUE_AND_TYPE)(to_value_and_type(ty, to_wire(ty)(value)))


def durable(instance: Instance, kind: Variant = LOCAL, response: bytes = b"out") -> bytes:
    """One function of a library: performed, or answered."""
    begin = instance("begin-durable-function", kind)
    if instance("current-durable-execution-state")["is-live"]:
        instance("persist-durable-function-invocation", NAME, b"in", response, kind)
    else:
        found = instance("read-persisted-durable-function-invocation")
        assert NAME == found["function-name"]
        response = found["response"]
    instance("end-durable-function", kind, begin, False)
    return response


def kinds(oplog: MemoryOplog) -> list[str]:
    return [type(entry).__name__ for entry in entries_of(oplog, 3)]


# -- performed, and answered -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["read-local", "write-local", "read-remote"])
def test_a_local_function_leaves_one_entry(kind: str) -> None:
    """With the guest's name, its bytes, and its durable function type; nothing is committed."""
    oplog = begun_log()
    committed = oplog.committed_index
    durable(guest(oplog), Variant(kind))
    (entry,) = view_entries(oplog, 3)
    fields: dict[str, Any] = entry.fields

    assert "imported-function-invoked" == entry.kind
    assert (NAME, [b"in"], b"out", Variant(kind)) == (
        fields["function-name"],
        [each.value for each in fields["request"]],
        fields["response"].value,
        fields["wrapped-function-type"],
    )
    assert committed == oplog.committed_index


def test_an_outcome_is_read_again() -> None:
    """After a crash the function is answered, with all that the log knows of it."""
    oplog = begun_log()
    clock = FrozenClock(EPOCH_NS + 5)
    durable(guest(oplog, clock))
    again = guest(oplog)
    begin = again("begin-durable-function", LOCAL)

    assert 2 == begin
    assert {"is-live": False, "persistence-level": Variant("smart")} == again(
        "current-durable-execution-state"
    )
    assert {
        "timestamp": {"seconds": EPOCH_NS // 10**9, "nanoseconds": 5},
        "function-name": NAME,
        "response": b"out",
        "function-type": LOCAL,
        "entry-version": "v2",
    } == again("read-persisted-durable-function-invocation")
    again("end-durable-function", LOCAL, begin, False)
    assert again("current-durable-execution-state")["is-live"]
    assert 3 == oplog.last_index


def test_a_typed_outcome_has_the_guests_own_types() -> None:
    """In the log as values of these types, and the same again for the guest."""
    oplog = begun_log()
    request, response = typed(Prim.U64, 7), typed(ITEM, {"name": "tea", "price": 2.5})
    guest(oplog)("persist-typed-durable-function-invocation", NAME, request, response, WRITE)
    (view,) = view_entries(oplog, 3)
    fields: dict[str, Any] = view.fields
    entry = view.entry
    again = guest(oplog)

    assert {"name": "tea", "price": 2.5} == fields["response"].value
    assert isinstance(entry, ImportedFunctionInvoked)
    assert FunctionType(NAME, (("request", Prim.U64),), ITEM) == oplog.function(entry.function)
    assert response == again("read-persisted-typed-durable-function-invocation")["response"]


@pytest.mark.parametrize("size", [0, 65_536, 300_000])
def test_an_outcome_of_any_size_is_read_again(size: int) -> None:
    """Large ones lie outside of the log."""
    oplog = begun_log()
    response = bytes(range(256)) * (size // 256)

    assert [response] * 2 == [durable(guest(oplog), response=response) for _ in range(2)]
    assert 3 == oplog.last_index


def test_bytes_are_a_list_of_u8_to_who_reads_values() -> None:
    """Both forms of reading fit what was persisted as bytes."""
    oplog = begun_log()
    guest(oplog)("persist-durable-function-invocation", NAME, b"", b"ab", LOCAL)
    found = guest(oplog)("read-persisted-typed-durable-function-invocation")

    assert typed(ListType(Prim.U8), b"ab") == found["response"]


def test_a_value_is_not_read_as_bytes() -> None:
    """The error names the function that would."""
    oplog = begun_log()
    one = typed(Prim.U8, 1)
    guest(oplog)("persist-typed-durable-function-invocation", NAME, one, one, LOCAL)
    with pytest.raises(GuestError, match="read-persisted-typed"):
        guest(oplog)("read-persisted-durable-function-invocation")


def test_what_gives_no_value_cannot_be_read_as_one() -> None:
    """An entry of the host's own, of a function without a result."""
    oplog = begun_log()
    number = oplog.define(FunctionType("host::nothing", (), None))
    oplog.append(ImportedFunctionInvoked(EPOCH_NS, number, b"\x90", b"\xc0", 0))
    with pytest.raises(GuestError, match="host::nothing, which gives no value"):
        guest(oplog)("read-persisted-typed-durable-function-invocation")


def test_a_recorded_failure_is_read_as_one() -> None:
    """Of a host call that a guest reads by mistake: there is no response to give."""
    oplog = begun_log()
    number = oplog.define(FunctionType("host::fails", (), Prim.U8))
    oplog.append(ImportedFunctionInvoked(EPOCH_NS, number, b"\x90", None, 0, None, "gone"))
    with pytest.raises(RecordedFailureError, match="gone"):
        guest(oplog)("read-persisted-typed-durable-function-invocation")


def test_reading_anything_else_is_a_divergence() -> None:
    """The next entry is no outcome."""
    oplog = begun_log()
    oplog.append(NoOp(EPOCH_NS))
    with pytest.raises(Divergence) as caught:
        guest(oplog)("read-persisted-durable-function-invocation")

    assert (3, "read-persisted-durable-function-invocation") == (
        caught.value.index,
        caught.value.attempted,
    )


@pytest.mark.parametrize("form", ["", "typed-"])
def test_reading_when_live_is_refused(form: str) -> None:
    """There is nothing to read: the guest has not asked how it stands."""
    with pytest.raises(GuestError, match="perform the function"):
        guest(begun_log())(f"read-persisted-{form}durable-function-invocation")


def test_reading_at_persist_nothing_is_refused() -> None:
    """Nothing of what is done there is in the log."""
    oplog = begun_log()
    durable(guest(oplog))
    again = guest(oplog)
    again.context.persistence_level = PersistenceLevel.PERSIST_NOTHING
    with pytest.raises(GuestError, match="persist-nothing"):
        again("read-persisted-durable-function-invocation")


@pytest.mark.parametrize("form", ["", "typed-"])
def test_persisting_on_replay_is_refused(form: str) -> None:
    """R24: it would stand in the log twice; nothing is appended."""
    oplog = begun_log()
    durable(guest(oplog))
    again = guest(oplog)
    value = typed(Prim.U8, 1) if form else b""
    with pytest.raises(GuestError, match=f"the outcome of {NAME} is persisted while"):
        again(f"persist-{form}durable-function-invocation", NAME, value, value, LOCAL)

    assert 3 == oplog.last_index


def test_a_value_that_does_not_fit_its_type_is_refused() -> None:
    """The guest is told where; nothing is appended."""
    oplog = begun_log()
    value = {**typed(Prim.U8, 1), "typ": typed(Prim.STRING, "")["typ"]}
    with pytest.raises(GuestError, match="expected string"):
        guest(oplog)(
            "persist-typed-durable-function-invocation", NAME, typed(Prim.U8, 1), value, LOCAL
        )

    assert 2 == oplog.last_index


def test_observing_leaves_nothing_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """It is for whoever watches the host."""
    oplog = begun_log()
    with caplog.at_level(logging.DEBUG, logger="golem_host"):
        guest(oplog)("observe-function-call", "acme:bank/vault", "open")

    assert [("acme:bank/vault", "open")] == [
        (each.__dict__["interface"], each.__dict__["function"]) for each in caplog.records
    ]
    assert 2 == oplog.last_index


def test_the_level_is_what_was_set_and_does_not_make_live() -> None:
    """``is-live`` is the place in the log and nothing else."""
    instance = guest(begun_log())
    instance("golem:api/host#set-oplog-persistence-level", NOTHING)

    assert {"is-live": True, "persistence-level": NOTHING} == instance(
        "current-durable-execution-state"
    )


# -- brackets and commits --------------------------------------------------------------------------


def test_a_remote_write_is_committed_before_and_after() -> None:
    """Nothing that could be lost lies before its effect, and its outcome is not forgotten."""
    oplog = begun_log()
    instance = guest(oplog)
    instance("golem:api/host#get-oplog-index")
    begin = instance("begin-durable-function", WRITE)
    assert (3, 3) == (begin, oplog.committed_index)
    instance("persist-durable-function-invocation", NAME, b"", b"", WRITE)
    assert 3 == oplog.committed_index
    instance("end-durable-function", WRITE, begin, False)

    assert 4 == oplog.committed_index
    assert ["NoOp", "ImportedFunctionInvoked"] == kinds(oplog)


@pytest.mark.parametrize("forced", [True, False])
def test_a_commit_can_be_forced(*, forced: bool) -> None:
    """Whatever the durable function type."""
    oplog = begun_log()
    instance = guest(oplog)
    begin = instance("begin-durable-function", LOCAL)
    instance("persist-durable-function-invocation", NAME, b"", b"", LOCAL)
    instance("end-durable-function", LOCAL, begin, forced)

    assert (3 if forced else 2) == oplog.committed_index


@pytest.mark.parametrize(("kind", "idempotent"), [(WRITE, False), (BATCH, True), (BATCH, False)])
def test_a_bracketed_write_is_answered(kind: Variant, *, idempotent: bool) -> None:
    """A marker before it, committed, and one behind it; found again on replay."""
    oplog = begun_log()
    for _ in range(2):
        instance = guest(oplog)
        instance("golem:api/host#set-idempotence-mode", idempotent)
        assert b"out" == durable(instance, kind)

    assert ["BeginRemoteWrite", "ImportedFunctionInvoked", "EndRemoteWrite"] == kinds(oplog)
    assert EndRemoteWrite(EPOCH_NS, 3) == oplog.entry(5)
    assert 5 == oplog.committed_index


def test_the_steps_of_a_batch_name_it() -> None:
    """Each is committed and brackets nothing; the batch ends once."""
    oplog = begun_log()
    for _ in range(2):
        instance = guest(oplog)
        begin = instance("begin-durable-function", BATCH)
        assert [b"out", b"out"] == [durable(instance, step(begin)) for _ in range(2)]
        assert oplog.last_index == oplog.committed_index
        instance("end-durable-function", BATCH, begin, False)

    assert [
        "BeginRemoteWrite",
        "ImportedFunctionInvoked",
        "ImportedFunctionInvoked",
        "EndRemoteWrite",
    ] == kinds(oplog)
    assert step(3) == guest_reads(oplog, begins=[BATCH])["function-type"]


def guest_reads(oplog: MemoryOplog, begins: list[Variant]) -> Any:
    instance = guest(oplog)
    for kind in begins:
        instance("begin-durable-function", kind)
    return instance("read-persisted-durable-function-invocation")


@pytest.mark.parametrize("kept", [3, 4])
def test_an_unfinished_batch_is_performed_again(kept: int) -> None:
    """Under the same begin index: what was behind it is jumped over, and stays so."""
    oplog = begun_log()
    durable(guest(oplog), BATCH, b"first")
    cut = crashed(oplog, kept)

    assert b"second" == durable(guest(cut), BATCH, b"second")
    assert Jump(EPOCH_NS, 4, kept + 1) == cut.entry(kept + 1)
    assert EndRemoteWrite(EPOCH_NS, 3) == cut.entry(cut.last_index)
    assert b"second" == durable(guest(cut), BATCH, b"third")


@pytest.mark.parametrize("kind", [WRITE, BATCH])
@pytest.mark.parametrize("kept", [3, 4])
def test_an_unfinished_write_is_not_repeated_without_idempotence(kind: Variant, kept: int) -> None:
    """Whether it happened is unknown: the guest does not get to perform it."""
    oplog = begun_log()
    instance = guest(oplog)
    instance("golem:api/host#set-idempotence-mode", False)
    durable(instance, kind)
    again = guest(crashed(oplog, kept))
    again("golem:api/host#set-idempotence-mode", False)
    with pytest.raises(AtMostOnceViolated) as caught:
        again("begin-durable-function", kind)

    assert 3 == caught.value.begin_index


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize("kind", [WRITE, BATCH])
def test_a_write_that_is_open_is_started_over(kind: Variant, *, idempotent: bool) -> None:
    """From its begin, whatever is behind that: the instance is kept until it has ended."""
    oplog = begun_log()
    instance = guest(oplog)
    instance("golem:api/host#set-idempotence-mode", idempotent)
    status, is_bracketed = instance.context.status, kind is BATCH or not idempotent
    begin = instance("begin-durable-function", kind)
    instance("golem:api/host#get-oplog-index")
    assert (begin if is_bracketed else oplog.last_index) == status.origin
    assert is_bracketed == instance.context.is_in_region
    instance.context.kill = killed = InterruptSignal()
    with pytest.raises(InterruptSignal if is_bracketed else SuspendSignal) as caught:
        ready(instance, timer(instance, EPOCH_NS + 3600 * 10**9))
    assert is_bracketed == (caught.value is killed)
    instance("end-durable-function", kind, begin, False)

    assert not instance.context.is_in_region
    assert oplog.last_index == status.origin


def test_failures_of_an_open_batch_are_counted() -> None:
    """However much each attempt has recorded behind its begin, and by an earlier process too."""
    oplog, failures = begun_log(), []
    for _ in range(3):
        instance = guest(oplog)
        status = instance.context.status
        assert 3 == instance("begin-durable-function", BATCH)
        instance("golem:api/host#get-oplog-index")
        failures.append(status.failures)
        status.append(oplog, Error(EPOCH_NS, ErrorKind.UNKNOWN, "x", status.origin, EPOCH_NS))

    assert [0, 1, 2] == failures
    assert 2 == kinds(oplog).count("Jump")


def test_a_write_of_the_hosts_own_goes_on() -> None:
    """An exchange of HTTP resumes: a wait inside may give the instance up."""
    oplog = begun_log()
    instance = guest(oplog)
    begin_batch(instance.context)
    instance("golem:api/host#get-oplog-index")

    assert 4 == instance.context.status.origin
    assert not instance.context.is_in_region


def test_a_begin_without_its_marker_is_a_divergence() -> None:
    """Found on replay where the log has something else."""
    oplog = begun_log()
    durable(guest(oplog))
    with pytest.raises(Divergence):
        guest(oplog)("begin-durable-function", BATCH)


def test_the_end_of_a_region_is_another_function() -> None:
    """What would close an atomic region by the wrong end is refused."""
    oplog = begun_log()
    instance = guest(oplog)
    begin = instance("golem:api/host#mark-begin-operation")
    with pytest.raises(GuestError, match="an atomic region began at index 3"):
        instance("end-durable-function", BATCH, begin, False)

    assert [BeginAtomicRegion(EPOCH_NS)] == entries_of(oplog, 3)


def test_the_index_of_a_begin_is_the_same_on_replay() -> None:
    """Hints of a live run, and entries that others leave meanwhile, are not counted."""
    oplog = begun_log()
    instance = guest(oplog)
    instance.context.emit(LogLevel.STDOUT, b"shown")
    live = []
    for _ in range(2):
        live.append(instance("begin-durable-function", LOCAL))
        instance("persist-durable-function-invocation", NAME, b"", b"", LOCAL)
    again = guest(oplog)
    replayed = []
    for _ in range(2):
        replayed.append(again("begin-durable-function", LOCAL))
        again("read-persisted-durable-function-invocation")

    assert [2, 4] == live == replayed


def test_an_outcome_at_persist_nothing_is_passed_over() -> None:
    """Whoever persists inside of a zone persists nothing: it is performed again."""
    oplog = begun_log()
    instance = guest(oplog)
    instance("golem:api/host#set-oplog-persistence-level", NOTHING)
    durable(instance)
    instance("golem:api/host#set-oplog-persistence-level", Variant("smart"))

    again = guest(oplog)
    assert again("current-durable-execution-state")["is-live"]
    assert [
        ChangePersistenceLevel(EPOCH_NS, PersistenceLevel.PERSIST_NOTHING),
        ChangePersistenceLevel(EPOCH_NS, PersistenceLevel.SMART),
    ] == [oplog.entry(3), oplog.entry(5)]


def test_a_snapshot_leaves_no_trace() -> None:
    """While one is saved or loaded, functions are performed and nothing is appended (R45)."""
    oplog = begun_log()
    instance = guest(oplog)
    with instance.context.unrecorded():
        assert b"out" == durable(instance, BATCH)

    assert 2 == oplog.last_index


def test_where_only_spans_of_another_version_are_left_there_is_nothing_to_read() -> None:
    """The guest is told, as where the log has ended."""
    oplog = begun_log()
    guest(oplog)("golem:api/context#start-span", "gone")
    instance = guest(oplog)
    instance.context.replay.compare_from = oplog.last_index
    with pytest.raises(GuestError, match="nothing to read"):
        instance("read-persisted-durable-function-invocation")


# -- bounds ----------------------------------------------------------------------------------------


def test_a_full_log_refuses_a_begin_and_no_outcome() -> None:
    """What was begun before has room for its outcome; without a begin there is none."""
    oplog = begun_log()
    instance = guest(oplog, oplog_bytes_max=oplog.size_bytes)
    instance("begin-durable-function", LOCAL)
    instance("persist-durable-function-invocation", NAME, b"", b"", LOCAL)

    with pytest.raises(OplogLimitError):
        instance("persist-durable-function-invocation", NAME, b"", b"", LOCAL)
    for kind in (LOCAL, WRITE, BATCH):
        with pytest.raises(OplogLimitError):
            instance("begin-durable-function", kind)
    with pytest.raises(OplogLimitError):
        instance("end-durable-function", BATCH, 1, False)
    assert ["ImportedFunctionInvoked"] == kinds(oplog)


def test_a_full_log_lets_the_guest_out_of_persist_nothing() -> None:
    """What was done there has its outcome recorded; nobody comes in any more, nor changes else."""
    oplog = begun_log()
    level = "golem:api/host#set-oplog-persistence-level"
    instance = guest(oplog, oplog_bytes_max=oplog.size_bytes + 30)
    begin = instance("begin-durable-function", BATCH)
    instance(level, NOTHING)
    with pytest.raises(OplogLimitError):
        while True:
            instance("golem:api/host#get-oplog-index")
    instance(level, Variant("smart"))
    instance("persist-durable-function-invocation", NAME, b"in", b"out", BATCH)
    instance("end-durable-function", BATCH, begin, False)

    for refused in ("persist-remote-side-effects", "persist-nothing"):
        with pytest.raises(OplogLimitError):
            instance(level, Variant(refused))
    zone = ["ChangePersistenceLevel", "ImportedFunctionInvoked", "EndRemoteWrite"]
    assert zone == kinds(oplog)[-3:]
    again = guest(oplog)
    again("begin-durable-function", BATCH)
    read = again("read-persisted-durable-function-invocation")
    assert b"out" == read["response"]


def test_names_and_types_are_bounded() -> None:
    """They are kept for as long as the log: nothing is appended."""
    oplog = begun_log()
    instance = guest(oplog)
    long_name = "n" * (part.NAME_BYTES_MAX + 1)
    wide = RecordType(tuple((f"f{i:05}", Prim.U8) for i in range(8_000)))
    one, large = typed(Prim.U8, 1), typed(wide, {f"f{i:05}": 0 for i in range(8_000)})
    with pytest.raises(GuestLimitError, match="longer than 512 bytes"):
        instance("persist-durable-function-invocation", long_name, b"", b"", LOCAL)
    with pytest.raises(GuestLimitError, match="take more than 65536 bytes"):
        instance("persist-typed-durable-function-invocation", NAME, one, large, LOCAL)

    assert 2 == oplog.last_index


def test_a_large_type_is_refused_before_its_value_is_read() -> None:
    """Whatever the value is: what reads it is many times as large as the type."""
    instance = guest(begun_log())
    wide = VariantType(tuple((f"c{i}", None) for i in range(100_000)))
    unread = {**typed(Prim.U8, 1), "typ": typed(wide, Variant("c0"))["typ"]}
    with pytest.raises(GuestLimitError, match="take more than 65536 bytes"):
        instance(
            "persist-typed-durable-function-invocation", NAME, typed(Prim.U8, 1), unread, LOCAL
        )


def test_a_large_outcome_is_not_read_as_a_typed_value() -> None:
    """Each of its bytes would be a node; as bytes it is read whatever its size."""
    most = TYPED_BYTES_MAX - 5  # The length of long bytes takes five in the log.
    oplog = begun_log()
    live = guest(oplog)
    for size in (most + 1, most):
        live("persist-durable-function-invocation", NAME, b"", bytes(size), LOCAL)
    with pytest.raises(GuestLimitError, match=r"has 262145 bytes.*read it as bytes"):
        guest(oplog)("read-persisted-typed-durable-function-invocation")
    again = guest(oplog)
    found = again("read-persisted-durable-function-invocation")
    assert bytes(most + 1) == found["response"]
    typed_again = again("read-persisted-typed-durable-function-invocation")
    assert most + 1 == len(typed_again["response"]["value"]["nodes"])


def test_what_could_not_be_read_again_is_not_persisted() -> None:
    """Nothing is appended; how large the request is does not matter: nobody reads it back."""
    oplog = begun_log()
    instance = guest(oplog)
    small, large = typed(Prim.U8, 1), typed(Prim.STRING, "x" * TYPED_BYTES_MAX)
    with pytest.raises(GuestLimitError, match="persist and read it as bytes"):
        instance("persist-typed-durable-function-invocation", NAME, small, large, LOCAL)
    assert 2 == oplog.last_index
    instance("persist-typed-durable-function-invocation", NAME, large, small, LOCAL)

    assert 3 == oplog.last_index


def test_the_number_of_functions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest that makes up a name for every call is told what to do instead."""
    monkeypatch.setattr(part, "DEFINITIONS_MAX", 4)
    oplog = begun_log()
    instance = guest(oplog)
    for number in (0, 1, 2, 2, 1):
        instance("persist-durable-function-invocation", f"{number}", b"", b"", LOCAL)
    with pytest.raises(GuestLimitError, match="into its request"):
        instance("persist-durable-function-invocation", "3", b"", b"", LOCAL)

    assert 5 == len(kinds(oplog))


def test_the_size_of_all_functions_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also over several instances; nothing is defined, and those known go on."""
    oplog = begun_log()
    first = guest(oplog)
    for name in ("a" * 500, "b" * 500):
        first("persist-durable-function-invocation", name, b"", b"", LOCAL)
    size_bytes = oplog.definitions_bytes
    monkeypatch.setattr(part, "DEFINITIONS_BYTES_MAX", size_bytes + 100)
    instance = guest(oplog)
    for _ in range(2):
        instance("read-persisted-durable-function-invocation")
    with pytest.raises(GuestLimitError, match="into its request"):
        instance("persist-durable-function-invocation", "c" * 500, b"", b"", LOCAL)
    instance("persist-durable-function-invocation", "b" * 500, b"", b"", LOCAL)

    assert size_bytes == oplog.definitions_bytes


# -- pollables -------------------------------------------------------------------------------------


def lazy(instance: Instance) -> tuple[int, int]:
    """A lazy pollable and what it is subscribed by."""
    made = instance("[constructor]lazy-initialized-pollable")
    return made, instance("[method]lazy-initialized-pollable.subscribe", made)


def timer(instance: Instance, at_ns: int) -> int:
    return instance.context.resources.add(Timer(at_ns))


def ready(instance: Instance, *pollables: int) -> Any:
    return instance("wasi:io/poll#poll", list(pollables))


def test_a_lazy_pollable_is_not_ready_before_it_is_set() -> None:
    """R25: asked alone, or beside one that is ready."""
    instance = guest(begun_log())
    _, subscribed = lazy(instance)

    assert not instance("wasi:io/poll#[method]pollable.ready", subscribed)
    assert [1] == ready(instance, subscribed, timer(instance, 0))


def test_a_lazy_pollable_is_what_it_is_set_to() -> None:
    """Whatever was subscribed before; the handle that is given goes over to it."""
    clock = FrozenClock()
    instance = guest(begun_log(), clock)
    made, subscribed = lazy(instance)
    given = timer(instance, EPOCH_NS + 1)
    instance("[method]lazy-initialized-pollable.set", made, given)

    assert instance.context.resources.get(given) is None
    assert not instance("wasi:io/poll#[method]pollable.ready", subscribed)
    clock.advance(1)
    assert instance("wasi:io/poll#[method]pollable.ready", subscribed)
    assert [0] == ready(instance, subscribed)


def test_a_lazy_pollable_can_be_set_anew() -> None:
    """The former source is gone."""
    instance = guest(begun_log())
    made, subscribed = lazy(instance)
    for at_ns in (0, EPOCH_NS + 1):
        instance("[method]lazy-initialized-pollable.set", made, timer(instance, at_ns))

    assert not instance("wasi:io/poll#[method]pollable.ready", subscribed)


def test_a_lazy_pollable_takes_its_source_with_it() -> None:
    """Dropping it drops what is attached: subscribers are never ready any more."""
    instance = guest(begun_log())
    made, subscribed = lazy(instance)
    instance("[method]lazy-initialized-pollable.set", made, timer(instance, 0))
    instance.drop(LAZY, made)

    assert not instance("wasi:io/poll#[method]pollable.ready", subscribed)
    assert 1 == len(instance.context.resources)


def test_a_lazy_pollable_waits_for_another_and_never_for_itself() -> None:
    """By however many steps: the guest is refused before it could."""
    instance = guest(begun_log())
    first, by_first = lazy(instance)
    second, by_second = lazy(instance)
    instance("[method]lazy-initialized-pollable.set", second, by_first)
    with pytest.raises(GuestError, match="set to wait for itself"):
        instance("[method]lazy-initialized-pollable.set", first, by_second)
    seen = instance("[method]lazy-initialized-pollable.subscribe", second)
    instance("[method]lazy-initialized-pollable.set", first, timer(instance, 0))

    assert [0] == ready(instance, seen)


def test_a_recorded_wait_needs_no_source_on_replay() -> None:
    """What a library has not made again yet is waited for by the log."""
    oplog = begun_log()
    instance = guest(oplog)
    made, subscribed = lazy(instance)
    instance("[method]lazy-initialized-pollable.set", made, timer(instance, 0))
    assert [0] == ready(instance, subscribed)
    again = guest(oplog)
    _, subscribed = lazy(again)

    assert [0] == ready(again, subscribed)
    assert not again("wasi:io/poll#[method]pollable.ready", subscribed)


def test_a_wait_that_only_the_guest_could_end_gives_the_instance_up() -> None:
    """Alone it never ends; beside a far timer it ends with that."""
    instance = guest(begun_log())
    _, subscribed = lazy(instance)
    with pytest.raises(SuspendSignal) as alone:
        ready(instance, subscribed)
    at_ns = EPOCH_NS + 3600 * 10**9
    with pytest.raises(SuspendSignal) as timed:
        ready(instance, subscribed, timer(instance, at_ns))

    assert (WAITS_FOR_ITSELF, None) == (alone.value.reason, alone.value.wake_at)
    assert ("waiting for a timer", at_ns) == (timed.value.reason, timed.value.wake_at)


def test_a_lazy_pollable_keeps_the_instance_as_its_source_does() -> None:
    """What cannot be waited for without an instance is not, behind a lazy one too."""
    a_lazy, other = Lazy(), Lazy()
    assert a_lazy.give(LazySubscription(other))
    subscribed = LazySubscription(a_lazy)
    assert (True, None, None) == (
        subscribed.suspends(),
        subscribed.deadline_ns(),
        subscribed.watched(),
    )
    other.give(Ready())

    assert (False, True) == (subscribed.suspends(), subscribed.ready(0))
    subscribed.told()
    assert [0] == wait_for(guest(begun_log()).context, [subscribed])
