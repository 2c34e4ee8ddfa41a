"""Handles across the boundary: reps of the host, numbers for what is the guest's."""

from __future__ import annotations

import pytest

from golem_host.engine import (
    DropHandler,
    Engine,
    Handler,
    ImportedFunction,
    Instance,
    StoreContext,
    Trap,
    TrapKind,
)
from golem_host.engine.component import Component
from golem_host.engine.resources import GUEST_HANDLES_MAX, ClosedHandleError, HandleError
from golem_host.errors import HandlerResultError, InvalidRequestError, ParamTypeMismatchError
from golem_oplog.types import HandleType
from tests.support.components import component
from tests.support.engines import Guest
from tests.support.resource_guests import (
    GUEST_RESOURCE,
    HOST_RESOURCES,
    TWO_VERSIONS,
    WRAPPING,
    answer_with_reps,
)


class Things:
    """`HOST_RESOURCES` and the calls that it makes."""

    def __init__(self, engine: Engine) -> None:
        self.calls: list[tuple[str, int]] = []
        self.boxes_open: set[int] = set()
        self.component: Component = engine.load(component(HOST_RESOURCES), name="things")
        self.linked = self.component.link(self._resolve, self._drop)
        self.instance: Instance = self.linked.instantiate(StoreContext())
        self.exports = {export.name: export for export in self.component.exports}

    def call(self, name: str, argument: int) -> object:
        return self.instance.call(self.exports[name], [argument])

    def _resolve(self, function: ImportedFunction) -> Handler:
        handler = answer_with_reps(function)

        def answer(context: StoreContext, value: int) -> object:
            self.calls.append((function.name, value))
            return handler(context, value)

        return answer

    def _drop(self, resource: str) -> DropHandler:
        assert "test:host/things.thing" == resource

        def dropped(context: StoreContext, rep: int) -> None:
            self.calls.append(("drop", rep))
            self.boxes_open.add(len(context.boxes))

        return dropped


@pytest.fixture
def things(engine: Engine) -> Things:
    return Things(engine)


def test_handles_come_as_reps_and_dropping_is_told(things: Things) -> None:
    """Constructor, borrow and drop speak of one rep, also through an alias in another interface."""
    seen = things.call("look-and-drop", 7)

    assert 214 == seen
    assert [
        ("[constructor]thing", 7),
        ("[method]thing.look", 107),
        ("look-too", 107),
        ("drop", 107),
    ] == things.calls


def test_an_owned_handle_that_comes_in_is_the_handlers(things: Things) -> None:
    """The host has taken it back, so nobody drops it."""
    things.call("feed", 7)

    assert [("[constructor]thing", 7), ("[static]thing.eat", 107)] == things.calls


def test_handles_travel_inside_other_values(things: Things) -> None:
    """An option of an owned handle, once with and once without."""
    found = [things.call("perhaps", 0), things.call("perhaps", 5)]

    assert [False, True] == found
    assert [("maybe", 0), ("maybe", 5), ("drop", 105)] == things.calls
    # Freed at once, not at the end of the export: one call of a guest may make a million.
    assert {0} == things.boxes_open


def test_exports_take_and_give_host_handles(things: Things) -> None:
    """Reps again, in both directions."""
    passed = things.call("pass", 9)
    looked = things.call("borrow", 9)

    assert 9 == passed
    assert 9 == looked


def test_a_borrow_that_the_guest_keeps_is_its_fault(things: Things) -> None:
    """The engine finds out at the end of the call."""
    with pytest.raises(Trap) as caught:
        things.call("leave", 9)

    assert "borrow" in caught.value.message


def test_a_rep_that_is_no_u32_is_refused(things: Things) -> None:
    """As an argument it never enters; ctypes would have cut it off."""
    with pytest.raises(ParamTypeMismatchError):
        things.call("pass", 2**32)
    with pytest.raises(ParamTypeMismatchError):
        things.call("pass", -1)


def test_a_handler_cannot_return_one_either(engine: Engine) -> None:
    """As a result it is the host's error."""
    loaded = engine.load(component(HOST_RESOURCES), name="things")
    linked = loaded.link(lambda _: lambda *_: 2**32, lambda _: lambda *_: None)
    with linked.instantiate(StoreContext()) as instance, pytest.raises(HandlerResultError):
        instance.call(next(e for e in loaded.exports if e.name == "feed"), [1])


def test_types_name_the_resource_without_a_version(things: Things) -> None:
    """An alias goes by the interface that it comes from."""
    types = {function.name: function.type for function in things.component.imports}

    assert (("it", HandleType("test:host/things.thing", owned=False)),) == types["look-too"].params
    assert HandleType("test:host/things.thing", owned=True) == types["[constructor]thing"].result


class Counters:
    """`GUEST_RESOURCE`, which imports nothing."""

    def __init__(self, engine: Engine) -> None:
        self.component = engine.load(component(GUEST_RESOURCE), name="counters")
        self.linked = self.component.link(lambda _: None, lambda _: None)
        self.context = StoreContext()
        self.instance = self.linked.instantiate(self.context)
        self.exports = {export.name: export for export in self.component.exports}

    def call(self, name: str, *args: int) -> object:
        return self.instance.call(self.exports[name], args)

    def make(self, value: int) -> int:
        number = self.call("[constructor]counter", value)
        assert isinstance(number, int)
        return number


@pytest.fixture
def counters(engine: Engine) -> Counters:
    return Counters(engine)


def test_the_guests_handles_are_numbered_from_one(engine: Engine) -> None:
    """In every instance alike, and a number is not given twice."""
    numbers = []
    for _ in range(2):
        counters = Counters(engine)
        first, second = counters.make(10), counters.make(20)
        counters.call("[drop]counter", first)
        numbers.append((first, second, counters.make(30)))

    assert [(1, 2, 3)] * 2 == numbers


def test_handles_are_lent_and_given_up(counters: Counters) -> None:
    """Borrowing leaves the handle open, owning passes it back to the guest for good."""
    number = counters.make(41)
    read = [counters.call("[method]counter.get", number) for _ in range(2)]
    ended = counters.call("[static]counter.end", number)
    with pytest.raises(ParamTypeMismatchError):
        counters.call("[method]counter.get", number)

    assert [41, 41] == read
    assert 41 == ended
    assert not counters.context.guest_handles
    assert not counters.context.given
    assert 41 == counters.call("last-dropped")


def test_dropping_runs_the_guests_destructor(counters: Counters) -> None:
    """Once; the second time there is nothing to drop, and the instance lives on."""
    number = counters.make(5)
    counters.call("[drop]counter", number)
    with pytest.raises(ParamTypeMismatchError):
        counters.call("[drop]counter", number)

    assert 5 == counters.call("last-dropped")


def test_a_destructor_that_traps_ends_the_instance(counters: Counters) -> None:
    """It is guest code like any other; rep 13 is the one that this guest cannot drop."""
    number = counters.make(13)
    with pytest.raises(Trap) as caught:
        counters.call("[drop]counter", number)

    assert TrapKind.UNREACHABLE is caught.value.kind
    assert counters.instance.is_dead


def test_one_handle_cannot_be_given_twice_in_a_call(counters: Counters) -> None:
    """Refused before the guest is entered; the handle stays open."""
    number = counters.make(5)
    with pytest.raises(ParamTypeMismatchError):
        counters.call("two", number, number)

    assert 5 == counters.call("[method]counter.get", number)


def test_handles_are_checked_without_a_call(counters: Counters) -> None:
    """What a call would refuse is refused; nothing has changed afterwards."""
    number = counters.make(5)
    get, end, two, drop = (
        counters.exports[name]
        for name in ("[method]counter.get", "[static]counter.end", "two", "[drop]counter")
    )
    for export in (get, end, drop):
        counters.instance.check_handles(export, [number])
        with pytest.raises(ClosedHandleError) as caught:
            counters.instance.check_handles(export, [number + 1])
        assert (number + 1, "test:guest/counters.counter") == (
            caught.value.number,
            caught.value.resource,
        )
    with pytest.raises(HandleError):
        counters.instance.check_handles(two, [number, number])

    assert not counters.context.given
    assert not counters.context.lent
    assert 5 == counters.call("[method]counter.get", number)


def test_numbers_can_go_on_behind_a_higher_one(counters: Counters) -> None:
    """Where lower ones were given in a past that is none any more."""
    counters.context.guest_handles_made = 41

    assert 42 == counters.make(1)
    assert {42} == counters.context.guest_handles_touched


def test_unknown_numbers_are_refused_outside_the_guest(counters: Counters) -> None:
    """A stale handle that got inside would kill the instance."""
    for number in (0, 1, -1, 2**40):
        with pytest.raises(ParamTypeMismatchError):
            counters.call("[method]counter.get", number)

    assert 0 == counters.call("last-dropped")


def test_a_handle_of_another_instance_is_unknown_here(engine: Engine) -> None:
    """Numbers mean something in their own instance only."""
    one, other = Counters(engine), Counters(engine)
    one.make(1)
    number = one.make(2)
    with pytest.raises(ParamTypeMismatchError):
        other.call("[method]counter.get", number)


def test_open_handles_are_bounded(counters: Counters) -> None:
    """Far below the number at which the engine would abort the process; the instance is dead."""
    numbers = [counters.make(1) for _ in range(GUEST_HANDLES_MAX)]
    with pytest.raises(InvalidRequestError) as caught:
        counters.make(1)

    assert list(range(1, GUEST_HANDLES_MAX + 1)) == numbers
    assert str(GUEST_HANDLES_MAX) in str(caught.value)
    assert counters.instance.is_dead


def test_a_wrapped_interface_has_two_resources(engine: Engine) -> None:
    """What is imported and what is exported under one name are told apart, and both work."""
    guest = Guest(engine, component(WRAPPING), answer_with_reps, by_function=True)
    imported, exported = guest.component.imports[0].type, guest.component.exports[0].type
    numbers = [guest.call("[constructor]thing", 5) for _ in range(2)]
    guest.close()

    assert HandleType("test:both/api.thing", owned=True) == imported.result
    assert HandleType("test:both/api.thing'", owned=True) == exported.result
    assert [1, 2] == numbers


def test_two_versions_of_an_interface_have_two_resources(engine: Engine) -> None:
    """A handle to one is none to the other, and the instance survives the attempt."""
    guest = Guest(engine, component(TWO_VERSIONS))
    exports = {export.type.name: export for export in guest.component.exports}
    made = {
        version: guest.instance.call(
            exports[f"test:both/api@{version}.{{[constructor]thing}}"], [5]
        )
        for version in ("1.0.0", "2.0.0")
    }
    get = exports["test:both/api@2.0.0.{[method]thing.get}"]
    with pytest.raises(ParamTypeMismatchError, match="thing, not a"):
        guest.instance.call(get, [made["1.0.0"]])
    seen = guest.instance.call(get, [made["2.0.0"]])
    drops = [export.type.params[0][1] for export in guest.component.exports if export.is_drop]
    guest.close()

    assert 5 == seen
    assert [
        HandleType("test:both/api.thing", owned=True),
        HandleType("test:both/api.thing'", owned=True),
    ] == drops


def test_exported_resources_have_names_too(counters: Counters) -> None:
    """The same rule as for imports."""
    types = {function.name: function.type for function in counters.component.exports}
    owned = HandleType("test:guest/counters.counter", owned=True)

    assert owned == types["[constructor]counter"].result
    assert () == counters.component.description.host_resources
