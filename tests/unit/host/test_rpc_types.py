"""``golem:rpc/types`` live, on replay, and after a crash at each entry; other workers are scripted."""

from __future__ import annotations

from typing import Any

import pytest

from golem_host.context import InstanceContext
from golem_host.errors import (
    ComponentNotFoundError,
    ConflictError,
    HostClosedError,
    HostError,
    InvalidRequestError,
    InvocationFailedError,
    ParamTypeMismatchError,
    StateDirError,
    WorkerNotFoundError,
)
from golem_host.failures import GuestError, WorldError
from golem_host.interfaces.golem.rpc.asked import ERROR_CHARS_MAX
from golem_host.interfaces.golem.rpc.types import TIME_NS_MAX
from golem_host.keys import derive_key
from golem_host.services.calls import CallRef
from golem_host.services.peers import WorkerRef
from golem_host.signals import InterruptSignal, SuspendSignal
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    ImportedFunctionInvoked,
    Suspend,
)
from golem_oplog.errors import OplogError
from golem_oplog.types import Prim
from golem_oplog.values import Err, Ok, Variant
from tests.support.contexts import CREATE, crashed
from tests.support.host_api import (
    KEY,
    KilledError,
    Neighbours,
    begun_log,
    component_value,
    uuid_value,
    worker_value,
)
from tests.support.rpc import Guest, answer_of, value_of
from tests.support.world import EPOCH_NS

TEXT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
S = 1_000_000_000
AWAIT = "[method]wasm-rpc.invoke-and-await"
INVOKE = "[method]wasm-rpc.invoke"
ASYNC = "[method]wasm-rpc.async-invoke-and-await"
GET = "[method]future-invoke-result.get"
SUBSCRIBE = "[method]future-invoke-result.subscribe"
SCHEDULE = "[method]wasm-rpc.schedule-invocation"
CANCELABLE = "[method]wasm-rpc.schedule-cancelable-invocation"
CANCEL = "[method]cancellation-token.cancel"
KEY_RECORD = "golem::rpc::wasm-rpc::invoke-and-await idempotency key"

BOB = WorkerRef(CREATE.component_id, "bob")
FIVE = answer_of(Prim.U32, 5)
FIVE_VALUE = {"nodes": [Variant("tuple-value", [1]), Variant("prim-u32", 5)]}
GIVEN = [value_of(Prim.STRING, "x")]


@pytest.fixture
def around() -> Neighbours:
    return Neighbours()


@pytest.fixture
def guest(around: Neighbours) -> Guest:
    return Guest(begun_log(), around)


def line(guest: Guest, name: str = "bob") -> int:
    rep: int = guest("[constructor]wasm-rpc", worker_value(name))
    return rep


def answered(guest: Guest, answer: Any = FIVE) -> None:
    """Whatever is asked is answered at once."""
    guest.calls.at_once = answer


def again(guest: Guest, around: Neighbours, last_index: int | None = None) -> Guest:
    """A new instance of what is left in the log."""
    oplog = guest.context.oplog
    kept = oplog.last_index if last_index is None else last_index
    return Guest(crashed(oplog, kept), around)  # type: ignore[arg-type]


# -- names and values ------------------------------------------------------------------------------


def test_uuids_are_read_and_written(guest: Guest) -> None:
    """The usual form, with lower case hexadecimal digits."""
    assert Ok(uuid_value(TEXT)) == guest("parse-uuid", TEXT.upper())
    assert TEXT == guest("uuid-to-string", uuid_value(TEXT))


@pytest.mark.parametrize("text", ["", "x", TEXT[:-1], TEXT + "0", "ü" * 36, "\0" * 10_000])
def test_other_texts_are_no_uuid(guest: Guest, text: str) -> None:
    """The guest is told, and nothing traps."""
    assert Err(f"{text!r} is no UUID") == guest("parse-uuid", text)


def test_a_pair_has_two_halves(guest: Guest) -> None:
    """Each is given back as it is."""
    ty = {"nodes": [{"name": "n", "owner": None, "type": Variant("prim-u32-type")}]}
    pair = {"value": value_of(Prim.U32, 7), "typ": ty}

    assert pair["value"] == guest("extract-value", pair)
    assert ty == guest("extract-type", pair)


# -- invoke and invoke-and-await -------------------------------------------------------------------


def test_a_call_is_made_under_a_recorded_key_and_its_answer_is_recorded(guest: Guest) -> None:
    """The key follows from the invocation's and the place in the log (spec 2.8)."""
    answered(guest)

    assert Ok(FIVE_VALUE) == guest(AWAIT, line(guest), "note", GIVEN)
    assert CallRef(BOB, str(derive_key(KEY, 2))) == guest.only_call
    (submitted,) = guest.calls.queue.values()
    assert ("note", None) == (submitted.function, submitted.not_before)
    assert WorkerRef(CREATE.component_id, "alice") == submitted.caller.worker
    assert [KEY_RECORD, "golem::rpc::wasm-rpc::invoke-and-await result"] == guest.made()
    assert guest.context.oplog.last_index == guest.context.oplog.committed_index


@pytest.mark.parametrize("name", [AWAIT, INVOKE])
def test_a_replay_asks_nobody(guest: Guest, around: Neighbours, name: str) -> None:
    """The answer is in the log."""
    answered(guest)
    first = guest(name, line(guest), "note", GIVEN)
    asked = around.calls.asked
    replayed = again(guest, around)

    assert first == replayed(name, line(replayed), "note", GIVEN)
    assert asked == around.calls.asked


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize("name", [AWAIT, INVOKE])
def test_a_kill_at_any_entry_makes_the_call_once(
    around: Neighbours, name: str, *, idempotent: bool
) -> None:
    """Also with idempotence off: the key makes a repetition harmless, so nothing is in brackets."""
    for dies_at in (3, 4):
        oplog = begun_log()
        oplog.dies_at = dies_at
        around.calls.queue.clear()
        guest = Guest(oplog, around)
        guest.context.idempotent = idempotent
        answered(guest)
        with pytest.raises(KilledError):
            guest(name, line(guest), "note", GIVEN)
        second = again(guest, around, oplog.committed_index)
        second.context.idempotent = idempotent
        found = second(name, line(second), "note", GIVEN)

        assert Ok(FIVE_VALUE if name == AWAIT else None) == found
        assert 1 == len(around.calls.queue)
        kinds = {type(entry) for _, entry in second.context.oplog.read(3)}
        assert {ImportedFunctionInvoked} == kinds


ERRORS: dict[str, tuple[HostError, ...]] = {
    "protocol-error": (
        InvalidRequestError(reason="no function 'f'"),
        ParamTypeMismatchError(function="f", parameter="p", reason="no"),
    ),
    "denied": (ConflictError(reason="too many"),),
    "not-found": (
        ComponentNotFoundError(component="c"),
        WorkerNotFoundError(component="c", worker="w"),
    ),
    "remote-internal-error": (InvocationFailedError(error="ValueError: oops"),),
}


@pytest.mark.parametrize(
    ("case", "error"), [(case, error) for case, errors in ERRORS.items() for error in errors]
)
def test_an_error_is_a_value_and_recorded(
    guest: Guest, around: Neighbours, case: str, error: HostError
) -> None:
    """Of the submission as of the call; a replay has the same."""
    around.calls.refusals.append(error)
    expected = Err(Variant(case, str(error)))

    assert expected == guest(INVOKE, line(guest), "f", [])
    answered(guest, error)
    assert expected == guest(AWAIT, line(guest), "f", [])
    replayed = again(guest, around)
    assert expected == replayed(INVOKE, line(replayed), "f", [])
    assert expected == replayed(AWAIT, line(replayed), "f", [])


def test_a_long_error_is_cut(guest: Guest) -> None:
    """Its text is another guest's."""
    answered(guest, InvocationFailedError(error="x" * 100_000))
    found = guest(AWAIT, line(guest), "f", []).value.value

    assert ERROR_CHARS_MAX + 3 == len(found)


@pytest.mark.parametrize(
    "error", [StateDirError(path="p", reason="full"), OplogError(), HostClosedError()]
)
def test_what_is_not_the_other_workers_answer_is_not_recorded(
    guest: Guest, around: Neighbours, error: Exception
) -> None:
    """R1: the next attempt may find it repaired, and a host that closes says nothing of a call."""
    around.calls.refusals.append(error)
    with pytest.raises((WorldError, InterruptSignal)):
        guest(AWAIT, line(guest), "f", [])
    answered(guest)
    second = again(guest, around)
    answered(second)

    assert [KEY_RECORD] == guest.made()
    assert Ok(FIVE_VALUE) == second(AWAIT, line(second), "f", [])


@pytest.mark.parametrize(
    "error", [StateDirError(path="p", reason="full"), OplogError(), HostClosedError()]
)
@pytest.mark.parametrize("waits", [AWAIT, ASYNC])
def test_a_look_for_a_circle_that_fails_is_not_recorded(
    guest: Guest, around: Neighbours, waits: str, error: Exception
) -> None:
    """As with every other question about other workers: the next attempt asks again."""

    def fail() -> None:
        raise error

    def ask(asker: Guest) -> Any:
        found = asker(waits, line(asker), "f", [])
        if waits == ASYNC:
            asker("poll", [asker(SUBSCRIBE, found)])
            found = asker(GET, found)
        return found

    around.calls.on_waiting = fail
    with pytest.raises((WorldError, InterruptSignal)):
        ask(guest)
    around.calls.on_waiting = lambda: None
    answered(guest)
    second = again(guest, around)
    answered(second)

    assert [KEY_RECORD] == guest.made()
    assert Ok(FIVE_VALUE) == ask(second)


def test_a_worker_that_would_wait_for_itself_is_told(guest: Guest) -> None:
    """It would wait for ever; a call that nobody waits for is queued."""
    found = guest(AWAIT, line(guest, "alice"), "f", [])

    assert "denied" == found.value.case
    assert "cart/alice would wait for itself" in found.value.value
    assert Ok(None) == guest(INVOKE, line(guest, "alice"), "f", [])


def test_a_waiting_caller_gives_up_its_instance_and_is_told_for_what(guest: Guest) -> None:
    """By the call that is awaited, and in words."""
    with pytest.raises(SuspendSignal) as raised:
        guest(AWAIT, line(guest), "slow", [])

    assert str(guest.only_call) == raised.value.promise
    assert (
        f"waiting for the result of cart/bob slow, key {guest.only_call.key}" == raised.value.reason
    )
    assert raised.value.wake_at is None


def test_what_was_accepted_is_not_put_there_again(guest: Guest, around: Neighbours) -> None:
    """It may have been canceled while its caller had no instance: then it stays so."""
    with pytest.raises(SuspendSignal) as raised:
        guest(AWAIT, line(guest), "slow", [])
    oplog = guest.context.oplog
    oplog.append(Suspend(EPOCH_NS, raised.value.reason, None, raised.value.promise))
    asked = around.calls.asked
    around.calls.answer(guest.only_call, ConflictError(reason="canceled"))
    second = again(guest, around)

    assert Err(Variant("denied", "canceled")) == second(AWAIT, line(second), "slow", [])
    assert asked == around.calls.asked


def test_inside_of_an_atomic_region_the_instance_is_kept(
    guest: Guest, around: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new one would make another call, and wait for that: it could go on so for ever."""
    guest.context.append(BeginAtomicRegion(EPOCH_NS))
    waits: list[int] = []

    def wait(*_: object) -> None:
        waits.append(1)
        around.calls.answer(guest.only_call, FIVE)

    monkeypatch.setattr(InstanceContext, "wait_until", wait)

    assert Ok(FIVE_VALUE) == guest(AWAIT, line(guest), "slow", [])
    assert [1] == waits


def test_no_call_is_made_while_a_snapshot_is_saved(guest: Guest) -> None:
    """It would leave no trace."""
    with guest.context.unrecorded(), pytest.raises(GuestError, match="while a snapshot"):
        guest(INVOKE, line(guest), "f", [])


def test_a_new_worker_has_a_random_recorded_name(guest: Guest, around: Neighbours) -> None:
    """The same again after a replay."""
    answered(guest)
    rep = guest("[static]wasm-rpc.ephemeral", component_value())
    guest(INVOKE, rep, "f", [])
    name = guest.only_call.worker.worker_name
    replayed = again(guest, around, 3)
    answered(replayed)
    replayed(INVOKE, replayed("[static]wasm-rpc.ephemeral", component_value()), "f", [])

    assert "00000000-0000-4000-8000-000000000001" == name
    assert "golem::rpc::wasm-rpc::generate_unique_local_worker_id" == guest.made()[0]
    assert {name} == {call.worker.worker_name for call in around.calls.queue}


# -- futures ---------------------------------------------------------------------------------------


def test_a_future_is_pending_and_then_has_its_result_once(guest: Guest) -> None:
    """Each look is recorded; one too many is the guest's own fault (R20)."""
    future = guest(ASYNC, line(guest), "note", GIVEN)
    assert guest(GET, future) is None
    guest.calls.answer(guest.only_call, FIVE)

    assert Ok(FIVE_VALUE) == guest(GET, future)
    with pytest.raises(GuestError, match="was taken before"):
        guest(GET, future)
    look = "golem::rpc::future-invoke-result::get"
    assert [KEY_RECORD, look, look] == guest.made()


def test_a_futures_error_comes_with_it(guest: Guest, around: Neighbours) -> None:
    """Also that of a call that was not even accepted: it is ready at once."""
    around.calls.refusals.append(ComponentNotFoundError(component="c"))
    future = guest(ASYNC, line(guest), "note", GIVEN)

    assert [0] == guest("poll", [guest(SUBSCRIBE, future)])
    assert "not-found" == guest(GET, future).value.case


def test_a_future_of_a_replay_goes_on_where_it_was(guest: Guest, around: Neighbours) -> None:
    """Live again it is asked for once more, under its key."""
    future = guest(ASYNC, line(guest), "note", GIVEN)
    second = again(guest, around)
    replayed = second(ASYNC, line(second), "note", GIVEN)
    around.calls.answer(guest.only_call, FIVE)

    assert [0] == second("poll", [second(SUBSCRIBE, replayed)])
    assert Ok(FIVE_VALUE) == second(GET, replayed)
    assert 1 == len(around.calls.queue)
    third = again(second, around)
    last = third(ASYNC, line(third), "note", GIVEN)
    assert [0] == third("poll", [third(SUBSCRIBE, last)])
    assert Ok(FIVE_VALUE) == third(GET, last)
    assert future == replayed == last


def test_a_look_that_was_recorded_says_that_the_call_was_accepted(
    guest: Guest, around: Neighbours
) -> None:
    """So it is not made anew, should it have been canceled since."""
    guest(GET, guest(ASYNC, line(guest), "note", GIVEN))
    second = again(guest, around)
    future = second(ASYNC, line(second), "note", GIVEN)
    assert second(GET, future) is None
    asked = around.calls.asked
    around.calls.answer(guest.only_call, ConflictError(reason="canceled"))

    assert "denied" == second(GET, future).value.case
    assert asked == around.calls.asked


def test_a_poll_of_a_future_gives_up_the_instance(guest: Guest) -> None:
    """As one of a promise does."""
    pollable = guest(SUBSCRIBE, guest(ASYNC, line(guest), "note", GIVEN))
    with pytest.raises(SuspendSignal) as raised:
        guest("poll", [pollable])

    assert str(guest.only_call) == raised.value.promise


# -- schedules -------------------------------------------------------------------------------------

AT = {"seconds": 1_800_000_000, "nanoseconds": 5}


@pytest.mark.parametrize("name", [SCHEDULE, CANCELABLE])
def test_a_schedule_is_a_call_with_a_time(guest: Guest, around: Neighbours, name: str) -> None:
    """A replay schedules nothing, a kill schedules it once."""
    guest(name, line(guest), AT, "note", GIVEN)
    (submitted,) = around.calls.queue.values()
    assert 1_800_000_000 * S + 5 == submitted.not_before
    assert [KEY_RECORD, "golem::rpc::wasm-rpc::schedule_invocation"] == guest.made()
    for last_index, asked in ((4, 1), (3, 2)):
        second = again(guest, around, last_index)
        second(name, line(second), AT, "note", GIVEN)
        assert (1, asked) == (len(around.calls.queue), around.calls.asked)


def test_a_time_beyond_all_times_is_the_last_one(guest: Guest, around: Neighbours) -> None:
    """A guest may name any u64."""
    never = {"seconds": (1 << 64) - 1, "nanoseconds": (1 << 32) - 1}
    guest(SCHEDULE, line(guest), never, "note", GIVEN)

    (submitted,) = around.calls.queue.values()
    assert TIME_NS_MAX == submitted.not_before


def test_what_cannot_be_scheduled_traps(guest: Guest, around: Neighbours) -> None:
    """There is no other way to say so."""
    around.calls.refusals.append(InvalidRequestError(reason="no function 'f'"))
    with pytest.raises(GuestError, match="cannot be scheduled: no function 'f'"):
        guest(SCHEDULE, line(guest), AT, "f", [])


def test_a_schedule_is_called_off_once(guest: Guest, around: Neighbours) -> None:
    """After a replay too; it is no error where nothing is left to call off."""
    token = guest(CANCELABLE, line(guest), AT, "note", GIVEN)
    guest(CANCEL, token)
    guest(CANCEL, token)
    call = guest.only_call
    assert isinstance(around.calls.answers.pop(call), ConflictError)
    replayed = again(guest, around)
    token = replayed(CANCELABLE, line(replayed), AT, "note", GIVEN)
    replayed(CANCEL, token)
    replayed(CANCEL, token)
    assert {} == around.calls.answers
    replayed(CANCEL, token)

    assert call in around.calls.answers
    assert "golem::rpc::cancellation-token::cancel" == guest.made()[-1]


def test_a_call_is_in_the_log_before_it_is_made(guest: Guest) -> None:
    """No remote write leaves the process while an earlier entry could be lost."""
    seen: list[bool] = []

    def looking() -> None:
        oplog = guest.context.oplog
        seen.append(oplog.last_index == oplog.committed_index)

    guest.calls.on_submit = looking
    guest(INVOKE, line(guest), "note", GIVEN)
    guest(ASYNC, line(guest), "note", GIVEN)
    guest(SCHEDULE, line(guest), AT, "note", GIVEN)

    assert [True, True, True] == seen
    assert BeginRemoteWrite not in {type(entry) for _, entry in guest.context.oplog.read(3)}
