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
from golem_host.engine.resources import GUEST_HANDLES_MAX
from golem_host.errors import HandlerResultError, InvalidRequestError, ParamTypeMismatchError
from golem_oplog.types import HandleType
from tests.support.components import component

HOST_RESOURCES = """(component
  (import "test:host/things@1.2.0" (instance $things
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (param "n" u32) (result (own $thing))))
    (export "[method]thing.look" (func (param "self" (borrow $thing)) (result u32)))
    (export "[static]thing.eat" (func (param "it" (own $thing)) (result u32)))
    (export "maybe" (func (param "n" u32) (result (option (own $thing)))))))
  (alias export $things "thing" (type $thing))
  (import "test:host/more@1.2.0" (instance $more
    (export "thing" (type $alias (eq $thing)))
    (export "look-too" (func (param "it" (borrow $alias)) (result u32)))))
  (core module $Memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $memory (instantiate $Memory))
  (core func $drop (canon resource.drop $thing))
  (core func $new (canon lower (func $things "[constructor]thing")))
  (core func $look (canon lower (func $things "[method]thing.look")))
  (core func $eat (canon lower (func $things "[static]thing.eat")))
  (core func $maybe (canon lower (func $things "maybe") (memory (core memory $memory "memory"))))
  (core func $look-too (canon lower (func $more "look-too")))
  (core module $Main
    (import "m" "memory" (memory 1))
    (import "h" "drop" (func $drop (param i32)))
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "look" (func $look (param i32) (result i32)))
    (import "h" "eat" (func $eat (param i32) (result i32)))
    (import "h" "maybe" (func $maybe (param i32 i32)))
    (import "h" "look-too" (func $look-too (param i32) (result i32)))
    (func (export "look-and-drop") (param i32) (result i32) (local $it i32) (local $seen i32)
      (local.set $it (call $new (local.get 0)))
      (local.set $seen (i32.add (call $look (local.get $it)) (call $look-too (local.get $it))))
      (call $drop (local.get $it)) (local.get $seen))
    (func (export "feed") (param i32) (result i32) (call $eat (call $new (local.get 0))))
    (func (export "perhaps") (param i32) (result i32)
      (call $maybe (local.get 0) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (call $drop (i32.load (i32.const 20)))))
      (i32.load8_u (i32.const 16)))
    (func (export "pass") (param i32) (result i32) (local.get 0))
    (func (export "borrow") (param i32) (result i32) (local $seen i32)
      (local.set $seen (call $look (local.get 0))) (call $drop (local.get 0)) (local.get $seen))
    (func (export "leave") (param i32)))
  (core instance $main (instantiate $Main
    (with "m" (instance $memory))
    (with "h" (instance (export "drop" (func $drop)) (export "new" (func $new))
      (export "look" (func $look)) (export "eat" (func $eat)) (export "maybe" (func $maybe))
      (export "look-too" (func $look-too))))))
  (func (export "look-and-drop") (param "n" u32) (result u32)
    (canon lift (core func $main "look-and-drop")))
  (func (export "feed") (param "n" u32) (result u32) (canon lift (core func $main "feed")))
  (func (export "perhaps") (param "n" u32) (result bool) (canon lift (core func $main "perhaps")))
  (func (export "pass") (param "it" (own $thing)) (result (own $thing))
    (canon lift (core func $main "pass")))
  (func (export "borrow") (param "it" (borrow $thing)) (result u32)
    (canon lift (core func $main "borrow")))
  (func (export "leave") (param "it" (borrow $thing)) (canon lift (core func $main "leave"))))"""

GUEST_RESOURCE = """(component
  (core module $Table
    (global $dropped (export "dropped") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32)
      (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
      (global.set $dropped (local.get 0)))
    (func (export "last") (result i32) (global.get $dropped)))
  (core instance $table (instantiate $Table))
  (type $counter' (resource (rep i32) (dtor (core func $table "dtor"))))
  (core func $new (canon resource.new $counter'))
  (core func $rep (canon resource.rep $counter'))
  (core func $drop (canon resource.drop $counter'))
  (core module $Main
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "rep" (func $rep (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "get") (param i32) (result i32) (local.get 0))
    (func (export "end") (param i32) (result i32) (local $value i32)
      (local.set $value (call $rep (local.get 0))) (call $drop (local.get 0)) (local.get $value))
    (func (export "two") (param i32 i32) (call $drop (local.get 0)) (call $drop (local.get 1))))
  (core instance $main (instantiate $Main
    (with "h" (instance (export "new" (func $new)) (export "rep" (func $rep))
      (export "drop" (func $drop))))))
  (func $make' (param "value" u32) (result (own $counter')) (canon lift (core func $main "make")))
  (func $get' (param "self" (borrow $counter')) (result u32) (canon lift (core func $main "get")))
  (func $end' (param "it" (own $counter')) (result u32) (canon lift (core func $main "end")))
  (func $two' (param "a" (own $counter')) (param "b" (own $counter'))
    (canon lift (core func $main "two")))
  (func (export "last-dropped") (result u32) (canon lift (core func $table "last")))
  (component $Shape
    (import "counter" (type $counter (sub resource)))
    (import "make" (func $make (param "value" u32) (result (own $counter))))
    (import "get" (func $get (param "self" (borrow $counter)) (result u32)))
    (import "end" (func $end (param "it" (own $counter)) (result u32)))
    (import "two" (func $two (param "a" (own $counter)) (param "b" (own $counter))))
    (export $public "counter" (type $counter))
    (export "[constructor]counter" (func $make)
      (func (param "value" u32) (result (own $public))))
    (export "[method]counter.get" (func $get)
      (func (param "self" (borrow $public)) (result u32)))
    (export "[static]counter.end" (func $end)
      (func (param "it" (own $public)) (result u32)))
    (export "two" (func $two) (func (param "a" (own $public)) (param "b" (own $public)))))
  (instance $api (instantiate $Shape
    (with "counter" (type $counter')) (with "make" (func $make')) (with "get" (func $get'))
    (with "end" (func $end')) (with "two" (func $two'))))
  (export "test:guest/counters@1.0.0" (instance $api)))"""


class Things:
    """Answers `HOST_RESOURCES`; reps are a hundred more than the number they were made with."""

    def __init__(self, engine: Engine) -> None:
        self.calls: list[tuple[str, int]] = []
        self.component: Component = engine.load(component(HOST_RESOURCES), name="things")
        self.linked = self.component.link(self._resolve, self._drop)
        self.instance: Instance = self.linked.instantiate(StoreContext())
        self.exports = {export.name: export for export in self.component.exports}

    def call(self, name: str, argument: int) -> object:
        return self.instance.call(self.exports[name], [argument])

    def _resolve(self, function: ImportedFunction) -> Handler:
        def answer(_: StoreContext, value: int) -> object:
            self.calls.append((function.name, value))
            match function.name:
                case "[constructor]thing":
                    return value + 100
                case "maybe":
                    return (value + 100,) if value else None
                case _:
                    return value

        return answer

    def _drop(self, resource: str) -> DropHandler:
        assert "test:host/things.thing" == resource
        return lambda _, rep: self.calls.append(("drop", rep))


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
        counters.instance.drop_handle(first)
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
    assert 41 == counters.call("last-dropped")


def test_dropping_runs_the_guests_destructor(counters: Counters) -> None:
    """Once; the second time there is nothing to drop, and the instance lives on."""
    number = counters.make(5)
    counters.instance.drop_handle(number)
    with pytest.raises(InvalidRequestError):
        counters.instance.drop_handle(number)

    assert 5 == counters.call("last-dropped")


def test_a_destructor_that_traps_ends_the_instance(counters: Counters) -> None:
    """It is guest code like any other; rep 13 is the one that this guest cannot drop."""
    number = counters.make(13)
    with pytest.raises(Trap) as caught:
        counters.instance.drop_handle(number)

    assert TrapKind.UNREACHABLE is caught.value.kind
    assert counters.instance.is_dead


def test_one_handle_cannot_be_given_twice_in_a_call(counters: Counters) -> None:
    """Refused before the guest is entered; the handle stays open."""
    number = counters.make(5)
    with pytest.raises(ParamTypeMismatchError):
        counters.call("two", number, number)

    assert 5 == counters.call("[method]counter.get", number)


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
    with pytest.raises(Trap) as caught:
        counters.make(1)

    assert list(range(1, GUEST_HANDLES_MAX + 1)) == numbers
    assert str(GUEST_HANDLES_MAX) in str(caught.value)
    assert counters.instance.is_dead


def test_exported_resources_have_names_too(counters: Counters) -> None:
    """The same rule as for imports."""
    types = {function.name: function.type for function in counters.component.exports}
    owned = HandleType("test:guest/counters.counter", owned=True)

    assert owned == types["[constructor]counter"].result
    assert () == counters.component.description.host_resources
