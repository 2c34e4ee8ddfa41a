"""What an embedder declares, held against what a component imports, and carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, NamedTuple, NewType, TypedDict

import pytest
from hypothesis import given

from golem_host import (
    READ_LOCAL,
    READ_REMOTE,
    UNRECORDED,
    WRITE_REMOTE,
    CallContext,
    DeclarationError,
    Err,
    Ok,
    Result,
    Some,
    Variant,
    WorldError,
    constructor,
    function,
    interface,
    on_drop,
    resource,
    static,
)
from golem_host.context import InstanceContext
from golem_host.declare import Registry
from golem_host.dispatch import Dispatcher, Handler, marked
from golem_host.errors import HandlerResultError
from golem_host.failures import EmbedderError
from golem_host.interfaces.offered import registry
from golem_host.lending import annotations as hints
from golem_host.replay import AtMostOnceViolated, Divergence
from golem_host.signals import InterruptSignal
from golem_oplog.entries import (
    BeginAtomicRegion,
    BeginRemoteWrite,
    EndRemoteWrite,
    ImportedFunctionInvoked,
    Revert,
)
from golem_oplog.memory import MemoryOplog
from golem_oplog.types import (
    EnumType,
    FlagsType,
    FunctionType,
    HandleType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
    WitType,
)
from golem_oplog.values import to_wire
from tests.support.contexts import CREATE, context_on, crashed, entries_of, new_log
from tests.support.scripted_guest import Params, imported
from tests.support.wit_strategies import wit_types
from tests.support.world import EPOCH_NS

API = "acme:pay/api"
PLACE = RecordType((("city", Prim.STRING), ("from", OptionType(Prim.U8))))
MOOD = EnumType(("all-well", "bad"))


class Mood(StrEnum):
    ALL_WELL = "all-well"
    BAD = "bad"


class OtherMood(StrEnum):
    ALL_WELL = "all-well"


@dataclass(frozen=True)
class Place:
    city: str
    from_: int | None = None


class PlaceTuple(NamedTuple):
    city: str
    from_: int | None


class PlaceDict(TypedDict):
    city: str
    from_: int | None


@dataclass(frozen=True)
class Trip:
    places: list[Place]


TRIP = RecordType((("places", ListType(PLACE)),))
Account = NewType("Account", str)


def linked(lent: Sequence[object], interface_name: str = API) -> Callable[..., Handler]:
    """Links an import to what is lent, as a component would import it."""
    dispatcher = Dispatcher(registry(lent))

    def link(name: str, params: Params = (), result: WitType | None = None) -> Handler:
        found = dispatcher.resolve(imported(interface_name, name, params, result))
        assert found is not None
        return found

    return link


def echo(annotation: Any, result: Any) -> object:
    """An interface whose only function returns what it is given, annotated as said."""

    class Echo:
        def echo(self, value: object) -> object:
            self.seen = value
            return value

    Echo.echo.__annotations__ = {"value": annotation, "return": result}
    function(UNRECORDED)(Echo.echo)
    return interface(API)(Echo)()


# -- annotations -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("annotation", "ty", "public", "seen"),
    [
        (bool, Prim.BOOL, True, True),
        (int, Prim.U64, 7, 7),
        (float, Prim.F32, 0.5, 0.5),
        (str, Prim.CHAR, "x", "x"),
        (Account, Prim.STRING, "a-1", "a-1"),
        (bytes, ListType(Prim.U8), b"ab", b"ab"),
        (list[int], ListType(Prim.U8), b"ab", [97, 98]),
        (list[str], ListType(Prim.STRING), ["a"], ["a"]),
        (tuple[str, ...], ListType(Prim.STRING), ["a"], ("a",)),
        (Sequence[Mood], ListType(MOOD), ["bad"], [Mood.BAD]),
        (tuple[int, Mood], TupleType((Prim.U8, MOOD)), (1, "bad"), (1, Mood.BAD)),
        (dict[str, object], PLACE, {"city": "c", "from": 1}, {"city": "c", "from": 1}),
        (Place, PLACE, {"city": "c", "from": 1}, Place("c", 1)),
        (PlaceTuple, PLACE, {"city": "c", "from": None}, PlaceTuple("c", None)),
        (PlaceDict, PLACE, {"city": "c", "from": 1}, {"city": "c", "from_": 1}),
        (Trip, TRIP, {"places": [{"city": "c", "from": 1}]}, Trip([Place("c", 1)])),
        (Variant, VariantType((("a", None),)), Variant("a"), Variant("a")),
        (str, MOOD, "all-well", "all-well"),
        (Mood, MOOD, "all-well", Mood.ALL_WELL),
        (Literal["all-well", "bad"], MOOD, "bad", "bad"),
        (Place | None, OptionType(PLACE), {"city": "c", "from": 1}, Place("c", 1)),
        (Place | None, OptionType(PLACE), None, None),
        (Some | None, OptionType(OptionType(Prim.U8)), Some(None), Some(None)),
        (Result[Place, str], ResultType(PLACE, Prim.STRING), Err("no"), Err("no")),  # type: ignore[misc]
        (
            Result[Place, str],  # type: ignore[misc]
            ResultType(PLACE, Prim.STRING),
            Ok({"city": "c", "from": 1}),
            Ok(Place("c", 1)),
        ),
        (Result[None, Mood], ResultType(None, MOOD), Err("bad"), Err(Mood.BAD)),  # type: ignore[misc]
        (Ok | Err, ResultType(Prim.U8, None), Ok(1), Ok(1)),
        (frozenset[str], FlagsType(("r", "w")), frozenset({"r"}), frozenset({"r"})),
        (set[str], FlagsType(("r", "w")), frozenset({"r"}), {"r"}),
        (object, PLACE, {"city": "c", "from": 1}, {"city": "c", "from": 1}),
    ],
)
def test_a_value_is_what_the_annotation_says(
    annotation: Any, ty: WitType, public: object, seen: object
) -> None:
    """In, and out again as the same value."""
    lent: Any = echo(annotation, annotation)
    wire = to_wire(ty)(public)
    answer = linked([lent])("echo", (("value", ty),), ty)(context_on(new_log()), wire)

    assert (seen, type(seen)) == (lent.seen, type(lent.seen))
    assert to_wire(ty)(public) == answer


@pytest.mark.parametrize(
    ("annotation", "ty", "fitting"),
    [
        (str, Prim.U32, "str, where this fits: int (value: u32)"),
        (int, Prim.BOOL, "int, where this fits: bool (value: bool)"),
        (int, Prim.F64, "int, where this fits: float (value: f64)"),
        (str, ListType(Prim.U8), "str, where this fits: bytes (value: list<u8>)"),
        (list[int], ListType(Prim.STRING), "int, where this fits: str (value: list<string>)"),
        (tuple[int], TupleType((Prim.U8, Prim.U8)), "this fits: tuple[int, int]"),
        (Mood, PLACE, "a dataclass or TypedDict with city: str, from_: int | None"),
        (Trip, PLACE, "Trip (no field city), where this fits"),
        (int, MOOD, "str, a StrEnum of these values or Literal['all-well', 'bad']"),
        (OtherMood, MOOD, "OtherMood, where this fits"),
        (Literal["bad"], MOOD, "Literal['bad'], where this fits"),
        (str, OptionType(Prim.STRING), "str, where this fits: str | None"),
        (int | None, OptionType(OptionType(Prim.U8)), "this fits: Some | None"),
        (str, ResultType(Prim.STRING, MOOD), "str, where this fits: Result[str, str]"),
        (Result[int, str], ResultType(Prim.STRING, None), "int, where this fits: str"),  # type: ignore[misc]
        (dict[str, int], VariantType((("a", None),)), "this fits: Variant"),
        (str, FlagsType(("r",)), "str, where this fits: frozenset[str]"),
        (int, HandleType("acme:pay/api.till", owned=False), "the objects behind a till"),
    ],
)
def test_an_annotation_that_does_not_fit_is_refused(
    annotation: Any, ty: WitType, fitting: str
) -> None:
    """With the WIT function, the annotation and what would fit; in one line."""
    for lent, params, result in (
        (echo(annotation, object), (("value", ty),), None),
        (echo(object, annotation), (("value", Prim.U8),), ty),
    ):
        with pytest.raises(DeclarationError) as caught:
            linked([lent])("echo", params, result)
        text = str(caught.value)

        assert text.startswith("acme:pay/api.{echo}: func(value: ")
        assert "is imported, and Echo.echo does not fit: it" in text
        assert fitting.partition(" (value:")[0] in text
        assert "\n" not in text


def method(signature: str) -> object:
    """An interface with a function ``charge`` of this signature."""
    found: dict[str, Any] = {}
    exec(f"def charge(self, {signature}): ...", {"CallContext": CallContext}, found)
    cls = type("Payments", (), {"charge": function(READ_REMOTE)(found["charge"])})
    return interface(API)(cls)()


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("account", "it takes (account), where the WIT says (account, from_cents)"),
        ("cents, account", "it takes (cents, account), where the WIT says (account, from_cents)"),
        ("account, from_cents, more=1", "(account, from_cents, more), where the WIT says"),
    ],
)
def test_names_and_number_of_parameters_are_those_of_the_wit(signature: str, said: str) -> None:
    """In snake case."""
    params = (("account", Prim.STRING), ("from-cents", Prim.U32))
    with pytest.raises(DeclarationError, match=r"Payments\.charge does not fit") as caught:
        linked([method(signature)])("charge", params)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("*accounts", "takes *accounts: name each parameter as the WIT does"),
        ("account, *, cents", "takes cents by keyword alone, which is for one parameter"),
        ("call: CallContext", "takes its CallContext by position: write *, call: CallContext"),
    ],
)
def test_a_signature_that_no_wit_can_have_is_refused(signature: str, said: str) -> None:
    """When the host is opened, before any component is there."""
    with pytest.raises(DeclarationError) as caught:
        registry([method(signature)])

    assert str(caught.value).startswith("Payments.charge ")
    assert said in str(caught.value)


# -- misuse ----------------------------------------------------------------------------------------


@interface("acme:pay/api@1.2.0")
class Api:
    def __init__(self) -> None:
        self.performed: list[tuple[str, int, str]] = []
        """Account, cents and key of each charge."""
        self.answer: object = Ok("receipt")
        self.raising: BaseException | None = None

    @function(WRITE_REMOTE)
    def charge(self, account: str, cents: int, *, call: CallContext) -> Result[str, str]:
        self.performed.append((account, cents, call.idempotency_key))
        if self.raising is not None:
            raise self.raising
        return self.answer  # type: ignore[return-value] # tests give wrong ones, too

    @function(READ_LOCAL, name="rate-of")
    def rate(self, account: str) -> int:
        return len(account)


class Plain:
    """Declares nothing."""


@interface("acme:pay/other")
class Empty:
    """Declares an interface, and no function."""


@interface("wasi:clocks/wall-clock")
class Clock:
    @function(READ_LOCAL)
    def now(self) -> int:
        return 1


@interface(API)
class Stray:
    @constructor()
    def new(self) -> object:
        return self


@pytest.mark.parametrize(
    ("lent", "said"),
    [
        ([Plain()], 'Plain declares no interface: write @interface("ns:package/name") above'),
        ([Api], "Api is a class: lend an instance, Api(...)"),
        ([Empty()], "Empty declares no function: write @function(READ_REMOTE), say, above"),
        ([Clock()], "Clock declares wasi:clocks/wall-clock: what is in wasi:clocks this host"),
        ([Api(), Api()], "acme:pay/api.{charge} is declared twice: by Api.charge and Api.charge"),
        ([Stray()], 'Stray.new is for a resource: write @resource("ns:package/name", "thing")'),
    ],
)
def test_what_cannot_be_lent_is_refused(lent: list[object], said: str) -> None:
    """In one line that says what to write instead."""
    with pytest.raises(DeclarationError) as caught:
        registry(lent)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mistakes_above_a_class_or_method_are_told_where_they_stand() -> None:
    """A name that is none; a decorator without its durable function type."""
    with pytest.raises(DeclarationError, match='write it as in WIT: "acme:pay/api"'):
        interface("acme/pay")
    with pytest.raises(DeclarationError, match=r"needs a durable function type: READ_LOCAL"):
        function(len)  # type: ignore[arg-type]
    with pytest.raises(DeclarationError, match="is no name of a resource"):
        resource(API, "a b")
    with pytest.raises(DeclarationError, match="is no name of a function in WIT"):
        function(READ_LOCAL, name="a b")(len)


def test_an_async_method_is_refused() -> None:
    """A guest waits for its answer."""

    @interface(API)
    class Later:
        @function(READ_REMOTE)
        async def charge(self) -> int:
            return 1

    with pytest.raises(DeclarationError, match=r"Later\.charge is async"):
        registry([Later()])


def test_what_is_not_lent_is_not_there() -> None:
    """Neither another function of the interface, nor the interface when nothing is lent."""
    asked = imported(API, "refund", (), None)

    assert Dispatcher(registry([Api()])).resolve(asked) is None
    assert Dispatcher(registry()).resolve(asked) is None


# -- calls -----------------------------------------------------------------------------------------

CHARGE: Params = (("account", Prim.STRING), ("cents", Prim.U32))
PAID = ResultType(Prim.STRING, Prim.STRING)


class Guest:
    """Calls the functions of an `Api` as an instance on a log would."""

    def __init__(self, oplog: MemoryOplog, api: object = None) -> None:
        self.api: Any = api or Api()
        self.context: InstanceContext = context_on(oplog)
        self.context.key = "order-42"
        link = linked([self.api])
        self._charge = link("charge", CHARGE, PAID)
        self._rate = link("rate-of", (("account", Prim.STRING),), Prim.U32)

    def charge(self, cents: int) -> Any:
        return self._charge(self.context, "ann", cents)

    def rate(self, account: str) -> Any:
        return self._rate(self.context, account)


def test_a_lent_function_is_recorded_by_interface_and_name() -> None:
    """Without the version, with the types of the component; what is recorded is answered."""
    oplog = new_log()
    guest = Guest(oplog)
    answers = [guest.charge(5), guest.rate("ann")]
    again = Guest(oplog)
    written = [e for e in entries_of(oplog) if isinstance(e, ImportedFunctionInvoked)]

    assert [(0, "receipt"), 3] == answers == [again.charge(5), again.rate("ann")]
    assert [] == again.api.performed
    assert [
        FunctionType("acme:pay/api.{charge}", CHARGE, PAID),
        FunctionType("acme:pay/api.{rate-of}", (("account", Prim.STRING),), Prim.U32),
    ] == [oplog.function(each.function) for each in written]


def test_a_call_that_is_repeated_has_the_same_key() -> None:
    """Whatever was lost of it; the next one has another."""
    oplog = new_log()
    first = Guest(oplog)
    first.charge(5)
    again = Guest(crashed(oplog, 1))
    again.charge(5)
    again.charge(5)
    keys = [key for _, _, key in [*first.api.performed, *again.api.performed]]

    assert keys[0] == keys[1] != keys[2]


def test_each_attempt_of_a_region_has_keys_of_its_own() -> None:
    """None of them is that of another call: a region that is done again may call in another order."""

    def attempt(log: MemoryOplog) -> list[str]:
        guest = Guest(log)
        marked(guest.context, guest.context.replay.begin_atomic_region(), BeginAtomicRegion)
        guest.charge(1)
        guest.charge(2)
        return [key for _, _, key in guest.api.performed]

    oplog = new_log()
    first = attempt(oplog)
    # The second charge was made, and its entry is lost.
    second = attempt(crashed(oplog, 3))

    assert 4 == len({*first, *second})


def test_a_reverted_worker_has_other_keys() -> None:
    """What it does again is another effect: whoever took it back knows of the first one."""
    oplog = new_log()
    first = Guest(oplog)
    first.charge(5)
    oplog.append(Revert(EPOCH_NS, 2, oplog.last_index))
    again = Guest(oplog)
    again.charge(5)

    assert first.api.performed[0][2] != again.api.performed[0][2]


def test_the_key_depends_on_invocation_and_function() -> None:
    """Two workers never share one, and neither do two invocations."""
    keys = set()
    for invocation in ("order-42", "order-43", ""):
        guest = Guest(new_log())
        guest.context.key = invocation
        guest.charge(5)
        keys.add(guest.api.performed[0][2])

    assert 3 == len(keys)


@pytest.mark.parametrize("survived", [2, 3])
def test_without_idempotence_a_lent_write_is_made_at_most_once(survived: int) -> None:
    """Begun and not ended before a crash, it is not repeated."""
    oplog = new_log()
    guest = Guest(oplog)
    guest.context.idempotent = False
    guest.charge(5)
    again = Guest(crashed(oplog, survived))
    again.context.idempotent = False

    kinds = [type(each) for each in entries_of(oplog)]
    assert [BeginRemoteWrite, ImportedFunctionInvoked, EndRemoteWrite] == kinds
    with pytest.raises(AtMostOnceViolated):
        again.charge(5)
    assert [] == again.api.performed


def test_another_declaration_diverges() -> None:
    """What was recorded is unrecorded now: the next recorded call meets the old entry."""

    @interface(API)
    class Changed:
        @function(UNRECORDED)
        def charge(self, account: str, cents: int) -> Result[str, str]:
            return Ok(f"{account} {cents}")

        @function(READ_LOCAL, name="rate-of")
        def rate(self, account: str) -> int:
            return len(account)

    oplog = new_log()
    guest = Guest(oplog)
    guest.charge(5)
    guest.rate("ann")
    changed = Guest(oplog, Changed())
    changed.charge(5)

    with pytest.raises(Divergence) as caught:
        changed.rate("ann")
    assert "acme:pay/api.{rate-of}" == caught.value.attempted


@pytest.mark.parametrize(
    "raising", [ValueError("no such\naccount"), SystemExit(3), KeyboardInterrupt(), KeyError("k")]
)
def test_what_a_method_raises_fails_the_attempt(raising: BaseException) -> None:
    """Whatever it is; with its last line and its place, and nothing recorded."""
    oplog = new_log()
    guest = Guest(oplog)
    guest.api.raising = raising

    with pytest.raises(EmbedderError) as caught:
        guest.charge(5)
    text = str(caught.value)

    assert text.startswith(f"acme:pay/api.{{charge}}: {type(raising).__name__}")
    assert "test_lending.py, line " in text
    assert raising is caught.value.__cause__
    assert [] == entries_of(oplog)


def test_a_failure_of_the_world_is_remembered_at_the_last_attempt() -> None:
    """As of our own functions: unrecorded while attempts are left."""
    oplog = new_log()
    guest = Guest(oplog)
    guest.api.raising = WorldError("the bank is closed")
    with pytest.raises(WorldError):
        guest.charge(5)
    assert [] == entries_of(oplog)

    guest.context.is_last_attempt = lambda: True
    with pytest.raises(WorldError):
        guest.charge(5)
    again = Guest(oplog)
    with pytest.raises(WorldError, match="the bank is closed"):
        again.charge(5)
    assert [] == again.api.performed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("receipt", "expected Ok(...) or Err(...), found 'receipt'"),
        (Ok(5), "at ok: expected string, found 5"),
        (None, "expected Ok(...) or Err(...), found None"),
    ],
)
def test_an_answer_that_does_not_fit_is_a_named_error(answer: object, said: str) -> None:
    """And never in the log."""
    oplog = new_log()
    guest = Guest(oplog)
    guest.api.answer = answer

    with pytest.raises(HandlerResultError) as caught:
        guest.charge(5)
    assert f"Api.charge returned what does not fit: {said}" in str(caught.value)
    assert "acme:pay/api.{charge}" in str(caught.value)
    assert [] == entries_of(oplog)


def test_an_unrecorded_function_has_no_key() -> None:
    """It runs at each replay: nothing could make its effect happen once."""

    @interface(API)
    class Pure:
        @function(UNRECORDED)
        def charge(self, *, call: CallContext) -> None:
            try:
                call.idempotency_key  # noqa: B018 - it raises
            except DeclarationError:
                return

    with pytest.raises(DeclarationError, match="is declared UNRECORDED, so that its calls have no"):
        linked([Pure()])("charge")(context_on(new_log()))


def test_a_long_method_can_ask_whether_to_go_on() -> None:
    """What interrupts the worker comes out of `check`, and cannot be swallowed."""

    @interface(API)
    class Slow:
        @function(READ_REMOTE)
        def charge(self, *, call: CallContext) -> None:
            call.check()
            try:
                assert call.live
                self.interrupt()
                call.check()
            except BaseException:  # noqa: BLE001 - what a careless embedder writes
                return

        def interrupt(self) -> None:
            context.kill = InterruptSignal()

    oplog = new_log()
    context = context_on(oplog)
    with pytest.raises(InterruptSignal):
        linked([Slow()])("charge")(context)
    assert [] == entries_of(oplog)


# -- resources -------------------------------------------------------------------------------------

DB = "acme:db/api"
OWN = HandleType("acme:db/api.session", owned=True)
BORROW = HandleType("acme:db/api.session", owned=False)
SELF = ("self", BORROW)


@dataclass
class Session:
    path: str
    token: str
    asked: int = 0


@resource(DB, "session")
class Sessions:
    def __init__(self) -> None:
        self.log: list[str] = []

    @constructor()
    def open(self, path: str, *, call: CallContext) -> Session:
        self.log.append(f"open {path}")
        return Session(path, call.recorded("login", READ_REMOTE, str, self._login))

    def _login(self) -> str:
        self.log.append("login")
        return f"token-{len(self.log)}"

    @function(READ_REMOTE)
    def query(self, session: Session, sql: str) -> list[str]:
        session.asked += 1
        self.log.append(f"query {session.path}")
        return [session.token, sql]

    @static(READ_LOCAL)
    def count(self) -> int:
        return len(self.log)

    @on_drop
    def close(self, session: Session) -> None:
        self.log.append(f"close {session.path}")


class DbGuest:
    def __init__(self, oplog: MemoryOplog, sessions: Sessions) -> None:
        self.context = context_on(oplog)
        dispatcher = Dispatcher(registry([sessions]))
        link = linked([sessions], DB)
        self.open = link("[constructor]session", (("path", Prim.STRING),), OWN)
        self.query = link(
            "[method]session.query", (SELF, ("sql", Prim.STRING)), ListType(Prim.STRING)
        )
        self.count = link("[static]session.count", (), Prim.U32)
        drop = dispatcher.drop("acme:db/api.session")
        assert drop is not None
        self.drop = drop

    def run(self) -> list[object]:
        one, two = self.open(self.context, "one"), self.open(self.context, "two")
        answers = [list(self.query(self.context, rep, "select")) for rep in (one, two)]
        self.drop(self.context, one)
        three = self.open(self.context, "three")
        return [one, two, three, answers, self.count(self.context)]


def test_a_resource_is_rebuilt_on_replay() -> None:
    """Constructor and drop run again, what the log has is answered; the handles are the same."""
    oplog = new_log()
    live, again = Sessions(), Sessions()
    answers = DbGuest(oplog, live).run()
    index = oplog.last_index

    assert [1, 2, 1, [["token-2", "select"], ["token-4", "select"]], 9] == answers
    assert answers == DbGuest(oplog, again).run()
    assert ["open one", "open two", "close one", "open three"] == again.log
    assert index == oplog.last_index


@pytest.mark.parametrize("survived", range(1, 8))
def test_a_resource_survives_a_crash_anywhere(survived: int) -> None:
    """Each recorded step is answered as far as the log goes; the guest learns the same."""
    oplog = new_log()
    whole = DbGuest(oplog, Sessions()).run()
    rebuilt = Sessions()
    answers = DbGuest(crashed(oplog, min(survived, oplog.last_index)), rebuilt).run()

    assert whole[:3] == answers[:3]
    assert len(entries_of(oplog)) == 6
    assert sum(at > survived for at in (2, 3, 6)) == rebuilt.log.count("login")


def test_a_recorded_constructor_is_refused() -> None:
    """Replay could not repeat it; the error says what to do."""

    @resource(DB, "session")
    class Recorded:
        @constructor(READ_REMOTE)
        def open(self) -> object:
            return self

    with pytest.raises(DeclarationError, match=r"declare it UNRECORDED and record inside of it"):
        linked([Recorded()], DB)("[constructor]session", (), OWN)


def test_a_recorded_method_has_no_recorded_steps() -> None:
    """Its outcome is recorded as a whole; nor is a step of a type that has no WIT type."""

    @interface(API)
    class Wrong:
        @function(READ_REMOTE)
        def charge(self, *, call: CallContext) -> None:
            call.recorded("step", READ_REMOTE, str, str)

        @function(UNRECORDED)
        def refund(self, *, call: CallContext) -> None:
            call.recorded("step", READ_REMOTE, list, list)  # type: ignore[type-var]

    link = linked([Wrong()])
    with pytest.raises(DeclarationError, match="is recorded itself: only an unrecorded method"):
        link("charge")(context_on(new_log()))
    with pytest.raises(DeclarationError, match="gives str, int, bool, float or bytes"):
        link("refund")(context_on(new_log()))


def test_the_registry_of_a_host_that_lends_nothing_is_as_before() -> None:
    """No module of this package is imported for it."""
    assert isinstance(registry(), Registry)
    assert registry().find(API, "charge") is None


def test_a_handle_needs_an_object() -> None:
    """What a constructor forgot to return is told, and so is a record of handles that is none."""

    @resource(DB, "session")
    class Forgetful:
        @constructor()
        def open(self) -> object:
            return None

        @static(UNRECORDED)
        def pair(self) -> object:
            return self

    link = linked([Forgetful()], DB)
    with pytest.raises(HandlerResultError, match=r"Forgetful\.open returned None in place of"):
        link("[constructor]session", (), OWN)(context_on(new_log()))
    pair = RecordType((("one", OWN), ("two", OWN)))
    with pytest.raises(HandlerResultError, match=r"expected record with one, two, found Forgetful"):
        link("[static]session.pair", (), pair)(context_on(new_log()))


def test_handles_in_records_are_objects() -> None:
    """A dataclass holds them as it holds anything."""

    @dataclass
    class Pair:
        one: object
        two_: object

    @resource(DB, "session")
    class Pairs:
        @static(UNRECORDED)
        def pair(self) -> object:
            return Pair("first", "second")

    context = context_on(new_log())
    pair = RecordType((("one", OWN), ("two-", OWN)))
    found = linked([Pairs()], DB)("[static]session.pair", (), pair)(context)

    assert ("first", "second") == tuple(map(context.resources.get, found))


def test_what_overrides_a_method_is_declared_as_that_is() -> None:
    """A fake for tests, say, needs no decorators."""

    class Fake(Api):
        def charge(self, account: str, cents: int) -> Result[str, str]:  # type: ignore[override]
            return Ok(f"{account} owes {cents}")

    guest = Guest(new_log(), Fake())
    assert (0, "ann owes 5") == guest.charge(5)


@given(wit_types())
def test_the_annotation_that_is_advised_fits(ty: WitType) -> None:
    """Of whatever type; in skeletons and in errors it is the one that is printed."""
    names = {"Result": Result, "Some": Some, "Variant": Variant}
    try:
        hints.fit(eval(hints.fitting(ty), names), ty)
    except hints.MisfitError as error:
        raise AssertionError(hints.fitting(ty)) from error


def test_a_context_is_for_the_time_of_its_call() -> None:
    """Kept for later it would write into whatever the worker does then."""

    @interface(API)
    class Keeping:
        @function(UNRECORDED)
        def charge(self, *, call: CallContext) -> None:
            self.call = call

    keeping = Keeping()
    linked([keeping])("charge")(context_on(new_log()))
    with pytest.raises(DeclarationError, match=r"acme:pay/api.\{charge\} has returned: its Call"):
        keeping.call.check()


def test_a_result_is_shown_as_it_is_written() -> None:
    """And not as Python takes it apart."""
    assert "Result[int, None]" == hints.annotation_text(Result[int, None])  # type: ignore[misc]


def test_a_method_may_ask_who_calls() -> None:
    """The worker, its component and the invocation; and what attempts are left."""
    asked: list[object] = []

    @interface(API)
    class Curious:
        @function(READ_REMOTE)
        def charge(self, *, call: CallContext) -> None:
            asked.extend((call.worker, call.component_id, call.component_version))
            asked.extend((call.function, call.invocation_key, call.live, call.is_last_attempt))

    context = context_on(new_log())
    context.key = "order-42"
    linked([Curious()])("charge")(context)

    function_name = "acme:pay/api.{charge}"
    expected = [CREATE.worker_name, CREATE.component_id, 0, function_name, "order-42", True, False]
    assert expected == asked


def test_an_unrecorded_method_knows_that_the_log_is_replayed() -> None:
    """It runs then, too."""
    seen: list[bool] = []

    @interface(API)
    class Both:
        @function(UNRECORDED)
        def look(self, *, call: CallContext) -> None:
            seen.append(call.live)

        @function(READ_LOCAL)
        def rate(self) -> int:
            return 1

    oplog = new_log()
    for _ in range(2):
        context, link = context_on(oplog), linked([Both()])
        look, rate = link("look"), link("rate", (), Prim.U8)
        look(context)
        rate(context)
        look(context)
    assert [True, True, False, True] == seen
