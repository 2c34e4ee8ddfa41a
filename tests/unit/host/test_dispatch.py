"""The one function behind every host call: what it records, commits, answers and performs."""

from __future__ import annotations

import struct
from typing import Any

import msgpack
import pytest

from golem_host.context import InstanceContext
from golem_host.declare import (
    READ_REMOTE,
    UNRECORDED,
    Recorded,
    Registry,
    function,
    interface,
    resource,
)
from golem_host.dispatch import Dispatcher, Handler, recorded_call
from golem_host.failures import GuestError, WorldError
from golem_host.replay import AtMostOnceViolated, Divergence
from golem_host.signals import SuspendSignal
from golem_oplog.entries import (
    BeginRemoteWrite,
    BlobRef,
    EndRemoteWrite,
    Entry,
    FunctionKind,
    ImportedFunctionInvoked,
    Jump,
    LogLevel,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import EnumType, FunctionType, HandleType, ListType, Prim, RecordType
from tests.support.contexts import context_on, crashed, entries_of, new_log
from tests.support.durable_calls import INTERFACE, KINDS, SITE, DurableCalls, handlers_of
from tests.support.scripted_guest import handlers, imported
from tests.support.world import EPOCH_NS

T = EPOCH_NS
WRITES = ("write-remote", "write-remote-batched")
LOCAL = ("read-local", "write-local", "read-remote")


class Guest:
    """Calls the functions of `DurableCalls` as an instance on a log would."""

    def __init__(self, oplog: MemoryOplog) -> None:
        self.calls = DurableCalls()
        self.context = context_on(oplog)
        self._handlers = handlers_of(self.calls)

    def __call__(self, name: str, *args: Any) -> Any:
        return self._handlers[name](self.context, *args)


def call_entry(
    oplog: MemoryOplog,
    name: str,
    site: int,
    *,
    begin: int | None = None,
    error: str | None = None,
) -> ImportedFunctionInvoked:
    """What is recorded of a call."""
    recorded = FunctionType(f"test::{name.replace('-', '_')}", SITE, Prim.U64)
    response = None if error else msgpack.packb(10 * site)
    request = msgpack.packb((site,))
    number = oplog.define(recorded)
    return ImportedFunctionInvoked(T, number, request, response, KINDS.index(name), begin, error)


# -- live ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*LOCAL, "write-remote"])
def test_a_live_call_is_performed_and_recorded(name: str) -> None:
    """One entry holds name and types, arguments, outcome and durable function type."""
    oplog = new_log()
    guest = Guest(oplog)

    assert 70 == guest(name, 7)
    assert [(name, 7)] == guest.calls.performed
    assert [call_entry(oplog, name, 7)] == entries_of(oplog)


@pytest.mark.parametrize("name", LOCAL)
def test_reads_and_local_writes_commit_nothing(name: str) -> None:
    """They ride along with whatever commits next."""
    oplog = new_log()
    Guest(oplog)(name, 7)

    assert (1, 2) == (oplog.committed_index, oplog.last_index)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("is_idempotent", [True, False])
def test_a_remote_write_commits_before_and_after(name: str, is_idempotent: bool) -> None:
    """Nothing earlier can be lost when it leaves, and nothing of it when the guest learns of it."""
    oplog = new_log()
    guest = Guest(oplog)
    guest("read-local", 1)
    guest("assume-idempotence", is_idempotent)
    uncommitted: list[int] = []
    guest.calls.before_answer = lambda _: uncommitted.append(
        oplog.last_index - oplog.committed_index
    )
    guest(name, 7)

    assert [0] == uncommitted
    assert oplog.last_index == oplog.committed_index


@pytest.mark.parametrize(
    ("name", "is_idempotent"),
    [("write-remote", False), ("write-remote-batched", True), ("write-remote-batched", False)],
)
def test_some_remote_writes_are_bracketed(name: str, is_idempotent: bool) -> None:
    """Batched ones always, plain ones with idempotence off; each knows where its bracket begins."""
    oplog = new_log()
    guest = Guest(oplog)
    guest("assume-idempotence", is_idempotent)
    guest(name, 7)

    expected: list[Entry] = [
        BeginRemoteWrite(T),
        call_entry(oplog, name, 7, begin=2),
        EndRemoteWrite(T, 2),
    ]
    assert expected == entries_of(oplog)


def test_an_unrecorded_call_leaves_no_trace() -> None:
    """It is performed live and on replay alike."""
    oplog = new_log()

    assert [70, 70] == [Guest(oplog)("pure", 7) for _ in range(2)]
    assert [] == entries_of(oplog)


def test_a_function_without_parameters_and_result_is_recorded() -> None:
    """That it was called is what the log says of it."""
    oplog = new_log()

    assert (None, None) == (Guest(oplog)("nothing"), Guest(oplog)("nothing"))
    (entry,) = entries_of(oplog)
    assert isinstance(entry, ImportedFunctionInvoked)
    assert ((), None) == (
        msgpack.unpackb(entry.request, use_list=False),
        msgpack.unpackb(entry.response),
    )


def test_the_observers_form_is_recorded_and_compared() -> None:
    """In place of all arguments, where a function has one."""
    oplog = new_log()
    Guest(oplog)("observed", 7)
    (entry,) = entries_of(oplog)
    assert isinstance(entry, ImportedFunctionInvoked)

    assert [3] == msgpack.unpackb(entry.request)
    assert (("half", Prim.U64),) == oplog.function(entry.function).params
    # 6 and 7 have the same half: it is all that is known of the call.
    assert 70 == Guest(oplog)("observed", 6)
    with pytest.raises(Divergence):
        Guest(oplog)("observed", 8)


# -- replay ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("is_idempotent", [True, False])
def test_a_recorded_call_is_answered(name: str, is_idempotent: bool) -> None:
    """With the recorded outcome; nothing is performed, appended or committed."""
    oplog = new_log()
    guest = Guest(oplog)
    guest("assume-idempotence", is_idempotent)
    guest(name, 7)
    before = oplog.last_index
    replayed = Guest(oplog)
    replayed.calls.drift = 1
    replayed("assume-idempotence", is_idempotent)

    assert 70 == replayed(name, 7)
    assert ([], before, True) == (
        replayed.calls.performed,
        oplog.last_index,
        replayed.context.replay.live,
    )


@pytest.mark.parametrize("name", KINDS)
def test_after_the_log_calls_are_performed_again(name: str) -> None:
    """The first call that has no entry is live."""
    oplog = new_log()
    Guest(oplog)(name, 1)
    guest = Guest(oplog)
    answers = [guest(name, 1), guest(name, 2)]

    assert ([10, 20], [(name, 2)]) == (answers, guest.calls.performed)


@pytest.mark.parametrize("name", KINDS)
def test_other_arguments_diverge_before_anything_is_performed(name: str) -> None:
    """And nothing is appended about it here."""
    oplog = new_log()
    Guest(oplog)(name, 7)
    before = oplog.last_index
    guest = Guest(oplog)

    with pytest.raises(Divergence) as caught:
        guest(name, 8)

    assert msgpack.packb((8,)) == caught.value.attempted_request
    assert ([], before) == (guest.calls.performed, oplog.last_index)


def test_a_call_recorded_by_another_name_diverges() -> None:
    """The attempted one is named as it would have been recorded."""
    oplog = new_log()
    Guest(oplog)("read-local", 7)

    with pytest.raises(Divergence, match=r"test::write_local") as caught:
        Guest(oplog)("write-local", 7)

    assert 2 == caught.value.index


def test_a_large_answer_comes_out_of_the_blob_store() -> None:
    """Payloads that do not lie in the log are fetched on replay."""

    @interface("test:big/data")
    class Big:
        performed = 0

        @function(READ_REMOTE, record="test::fetch")
        def fetch(self, _context: InstanceContext) -> bytes:
            self.performed += 1
            return bytes(100_000)

    big = Big()
    found = handlers([big], [imported("test:big/data", "fetch", (), ListType(Prim.U8))])
    oplog = new_log()
    answers = [found["fetch"](context_on(oplog)) for _ in range(2)]
    (entry,) = entries_of(oplog)

    assert isinstance(entry, ImportedFunctionInvoked)
    assert isinstance(entry.response, BlobRef)
    assert ([bytes(100_000)] * 2, 1) == (answers, big.performed)


# -- brackets that a crash left open ---------------------------------------------------------------


@pytest.mark.parametrize("survived", [2, 3])
def test_an_open_batched_write_is_done_again(survived: int) -> None:
    """Under the same begin; what it left behind is dead, and the log says so."""
    oplog = new_log()
    Guest(oplog)("write-remote-batched", 7)
    oplog = crashed(oplog, survived)
    guest = Guest(oplog)

    assert 70 == guest("write-remote-batched", 7)
    assert [("write-remote-batched", 7)] == guest.calls.performed
    expected: list[Entry] = [
        Jump(T, 3, survived + 1),
        call_entry(oplog, "write-remote-batched", 7, begin=2),
        EndRemoteWrite(T, 2),
    ]
    assert expected == entries_of(oplog, survived + 1)
    assert oplog.committed_index == oplog.last_index


def test_the_jump_is_durable_before_the_write_is_done_again() -> None:
    """Or a second crash would take the new attempt's entries for those of the old one."""
    oplog = new_log()
    Guest(oplog)("write-remote-batched", 7)
    oplog = crashed(oplog, 3)
    guest = Guest(oplog)
    committed: list[Entry] = []
    guest.calls.before_answer = lambda _: committed.append(oplog.entry(oplog.committed_index))
    guest("write-remote-batched", 7)

    assert [Jump(T, 3, 4)] == committed


@pytest.mark.parametrize("survived", [2, 3])
@pytest.mark.parametrize("name", WRITES)
def test_without_idempotence_an_open_write_is_not_repeated(name: str, survived: int) -> None:
    """The guest is told which one; nothing is performed and nothing appended."""
    oplog = new_log()
    guest = Guest(oplog)
    guest("assume-idempotence", False)
    guest(name, 7)
    oplog = crashed(oplog, survived)
    again = Guest(oplog)
    again("assume-idempotence", False)

    with pytest.raises(AtMostOnceViolated) as caught:
        again(name, 7)

    assert (2, [], survived) == (
        caught.value.begin_index,
        again.calls.performed,
        oplog.last_index,
    )


# -- failures of the world -------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_failure_of_the_world_is_forgotten_while_retries_remain(name: str) -> None:
    """The next attempt performs the call again, and may heal it (R1)."""
    oplog = new_log()
    guest = Guest(oplog)
    guest.calls.failures = ["no route"]
    with pytest.raises(WorldError, match=r"^no route$"):
        guest(name, 7)

    assert not any(isinstance(entry, ImportedFunctionInvoked) for entry in entries_of(oplog))
    assert 70 == Guest(oplog)(name, 7)


@pytest.mark.parametrize("name", KINDS)
def test_a_failure_of_the_last_attempt_is_recorded(name: str) -> None:
    """From then on it is the outcome of the call."""
    oplog = new_log()
    guest = Guest(oplog)
    guest.context.is_last_attempt = lambda: True
    guest.calls.failures = ["no route"]
    with pytest.raises(WorldError, match=r"^no route$"):
        guest(name, 7)
    begin = 2 if name == "write-remote-batched" else None
    kept = [entry for entry in entries_of(oplog) if isinstance(entry, ImportedFunctionInvoked)]
    replayed = Guest(oplog)

    assert [call_entry(oplog, name, 7, begin=begin, error="no route")] == kept
    with pytest.raises(WorldError, match=r"^no route$"):
        replayed(name, 7)
    assert ([], True) == (replayed.calls.performed, replayed.context.replay.live)


@pytest.mark.parametrize("name", WRITES)
def test_a_recorded_failure_of_a_remote_write_is_committed(name: str) -> None:
    """With its bracket closed."""
    oplog = new_log()
    guest = Guest(oplog)
    guest.context.is_last_attempt = lambda: True
    guest("assume-idempotence", False)
    guest.calls.failures = ["no route"]
    with pytest.raises(WorldError):
        guest(name, 7)

    assert EndRemoteWrite(T, 2) == entries_of(oplog)[-1]
    assert oplog.committed_index == oplog.last_index


@pytest.mark.parametrize("raised", [GuestError("not so"), SuspendSignal("a timer")])
@pytest.mark.parametrize("name", [*LOCAL, "write-remote"])
def test_nothing_else_that_is_raised_is_ever_recorded(name: str, raised: BaseException) -> None:
    """The guest's own mistakes and ways out are not answers of the world."""

    def refuse(_: InstanceContext) -> None:
        raise raised

    oplog = new_log()
    guest = Guest(oplog)
    guest.context.is_last_attempt = lambda: True
    guest.calls.before_answer = refuse
    with pytest.raises(type(raised)) as caught:
        guest(name, 7)

    assert raised is caught.value
    assert [] == entries_of(oplog)


# -- output ----------------------------------------------------------------------------------------


def test_output_is_recorded_once() -> None:
    """What a live guest repeats after a replay is in the log already; after that it is new."""
    oplog = new_log()
    first = Guest(oplog)
    for _ in range(2):
        first("say", "x")
    second = Guest(oplog)
    for _ in range(3):
        second("say", "x")

    assert ([b"x", b"x", b"x"], [(4, LogLevel.STDOUT, b"x")]) == (
        [entry.message for entry in entries_of(oplog)],  # type: ignore[union-attr]
        second.context.services.output.pieces,  # type: ignore[attr-defined]
    )


@pytest.mark.parametrize("name", [*KINDS, "oplog-index"])
def test_a_live_call_ends_the_repetition_of_output(name: str) -> None:
    """A guest that went another way does not lose what it says later."""
    oplog = new_log()
    Guest(oplog)("say", "x")
    guest = Guest(oplog)
    guest(name, *([] if name == "oplog-index" else [7]))
    guest("say", "x")

    assert 1 == len(guest.context.services.output.pieces)  # type: ignore[attr-defined]


# -- linking ---------------------------------------------------------------------------------------


def test_imports_are_found_in_any_version() -> None:
    """Lookup is by interface name without version, then by function."""
    dispatcher = Dispatcher(Registry([DurableCalls()]))
    found = [
        dispatcher.resolve(imported(name, "read-local", SITE, Prim.U64)) is not None
        for name in (INTERFACE, f"{INTERFACE}@0.2.9", f"{INTERFACE}-other")
    ]

    assert [True, True, False] == found


THING = "test:things/api"


@resource(THING, "thing")
class Thing:
    """A resource whose objects are texts."""

    @function(UNRECORDED)
    def name(self, _context: InstanceContext, thing: str) -> str:
        return thing

    @function(READ_REMOTE, record="test::shout")
    def shout(self, _context: InstanceContext, thing: str) -> str:
        return thing.upper()


def thing_handlers() -> dict[str, Handler]:
    borrow = (("self", HandleType(f"{THING}.thing", owned=False)),)
    names = ("[method]thing.name", "[method]thing.shout")
    return handlers([Thing()], [imported(THING, name, borrow, Prim.STRING) for name in names])


def test_an_action_receives_what_a_handle_stands_for() -> None:
    """The log has its number."""
    oplog = new_log()
    found, context = thing_handlers(), context_on(oplog)
    rep = context.resources.add("cart")

    assert ("cart", "CART") == (
        found["[method]thing.name"](context, rep),
        found["[method]thing.shout"](context, rep),
    )
    (entry,) = entries_of(oplog)
    assert isinstance(entry, ImportedFunctionInvoked)
    assert [rep] == msgpack.unpackb(entry.request)


COLOUR = EnumType(("red", "green"))
PAINT = RecordType((("colour", COLOUR), ("litres", Prim.F64)))


@interface("test:paint/shop")
class PaintShop:
    """Actions that are given and give back values in public form."""

    @function(READ_REMOTE, record="test::mix")
    def mix(self, _context: InstanceContext, colour: str, litres: float, cans: int) -> object:
        return {"colour": colour, "litres": litres * cans}


def test_an_action_speaks_the_public_form() -> None:
    """The guest and the log speak the wire form, live and on replay alike."""
    params = (("colour", COLOUR), ("litres", Prim.F64), ("cans", Prim.U8))
    found = handlers([PaintShop()], [imported("test:paint/shop", "mix", params, PAINT)])
    one_and_a_half, three = (struct.unpack("<Q", struct.pack("<d", x))[0] for x in (1.5, 3.0))
    oplog = new_log()
    live, replayed = (found["mix"](context_on(oplog), 1, one_and_a_half, 2) for _ in range(2))

    assert ([1, three], [1, three]) == (list(live), list(replayed))


def test_a_dropped_handle_frees_its_number() -> None:
    """For every resource on offer, and for no other."""
    dispatcher = Dispatcher(Registry([Thing()]))
    context = context_on(new_log())
    rep = context.resources.add("cart")
    drop = dispatcher.drop(f"{THING}.thing")
    assert drop is not None
    drop(context, rep)

    assert (0, None) == (len(context.resources), dispatcher.drop(f"{THING}.other"))


def test_an_action_may_record_a_call_of_its_own() -> None:
    """Performed once, answered ever after, under whatever name it gives."""
    oplog = new_log()
    recorded = Recorded(FunctionKind.READ_LOCAL, FunctionType("test::own", SITE, Prim.U64))
    performed: list[int] = []

    def perform() -> int:
        performed.append(1)
        return 5

    answers = [recorded_call(context_on(oplog), recorded, (7,), perform) for _ in range(2)]

    assert ([5, 5], [1]) == (answers, performed)
