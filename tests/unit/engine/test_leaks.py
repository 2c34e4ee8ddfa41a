"""Memory stays where it is, however often the boundary is crossed."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from golem_host.engine import Engine, StoreContext, Trap
from golem_oplog.types import (
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    Prim,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)
from tests.support.components import component, echo_component
from tests.support.engines import Guest
from tests.support.memory import resident_bytes
from tests.support.resource_guests import GUEST_RESOURCE, HOST_RESOURCES, answer_with_reps

GROWTH_BYTES_MAX = 1 << 20
"""Allocators keep some; a leak of one 32-byte cell per call would be thirty times as much."""

CASES = {
    Prim.U64: 5,
    Prim.STRING: "a string that does not fit into a word",
    OptionType(Prim.U64): (7,),
    ResultType(ListType(Prim.U8), Prim.STRING): (1, "an error text"),
    ListType(Prim.U8): b"0123456789",
    ListType(Prim.U32): [1, 2, 3],
    RecordType((("n", Prim.U32), ("s", Prim.STRING))): (1, "name"),
    VariantType((("a", None), ("b", Prim.STRING))): (1, "payload"),
    TupleType((EnumType(("x", "y")), FlagsType(("p", "q")))): (1, 3),
}


def _growth(work: Callable[[], object]) -> int:
    """How much the process has grown by doing something once more."""
    work()
    gc.collect()
    before = resident_bytes()
    work()
    gc.collect()
    return resident_bytes() - before


def _host_calls(engine: Engine, calls: int) -> dict[str, int]:
    guest = Guest(engine, echo_component(tuple(CASES)))
    grown = {}
    for number, (ty, value) in enumerate(CASES.items()):
        loop = f"loop-{number}"
        grown[str(ty)] = _growth(lambda loop=loop, value=value: guest.call(loop, calls, value))  # type: ignore[misc]
    guest.close()
    return grown


def test_host_calls_do_not_leak(engine: Engine) -> None:
    """100,000 calls, over all kinds of types."""
    grown = _host_calls(engine, 100_000 // len(CASES))

    assert {} == {ty: by for ty, by in grown.items() if by > GROWTH_BYTES_MAX}


@pytest.mark.long
def test_a_million_host_calls_do_not_leak(engine: Engine) -> None:
    """The same for long enough that a byte per call would show."""
    grown = _host_calls(engine, 1_000_000)

    assert {} == {ty: by for ty, by in grown.items() if by > GROWTH_BYTES_MAX}


def test_export_calls_do_not_leak(engine: Engine) -> None:
    """Arguments, results and misfits."""
    guest = Guest(engine, echo_component(tuple(CASES)))

    def work() -> None:
        for number, value in enumerate(CASES.values()):
            for _ in range(2_000):
                guest.call(f"echo-{number}", value)

    grown = _growth(work)
    guest.close()

    assert grown < GROWTH_BYTES_MAX


def test_loading_does_not_leak(engine: Engine) -> None:
    """Type objects of all kinds, resources among them, and the component itself."""
    guests = [echo_component(tuple(CASES)), component(HOST_RESOURCES), component(GUEST_RESOURCE)]

    def work() -> None:
        for _ in range(100):
            for wasm in guests:
                engine.load(wasm, name="again")

    assert _growth(work) < GROWTH_BYTES_MAX // 2


def test_handles_do_not_leak(engine: Engine) -> None:
    """Of the host's resources in both directions, plain and inside others, and of the guest's."""
    host = Guest(engine, component(HOST_RESOURCES), answer_with_reps, by_function=True)
    guest = Guest(engine, component(GUEST_RESOURCE))

    def work() -> None:
        for _ in range(8_000):
            host.call("perhaps", 5)
            host.call("look-and-drop", 5)
            host.call("pass", 5)
            host.call("borrow", 5)
            guest.call("[static]counter.end", guest.call("[constructor]counter", 5))
            guest.call("[drop]counter", guest.call("[constructor]counter", 5))
            guest.context.guest_handles_touched.clear()

    grown = _growth(work)
    host.close()
    guest.close()

    assert grown < GROWTH_BYTES_MAX // 4


def test_instances_that_fail_do_not_leak(engine: Engine) -> None:
    """Stores, exceptions, traps and guests' handles, all gone when the instance is closed."""
    wasm = component("""(component
      (import "ask" (func $ask))
      (core func $core-ask (canon lower (func $ask)))
      (core module $Main (import "host" "ask" (func $ask)) (memory 4)
        (func (export "ask") (call $ask)) (func (export "trap") unreachable))
      (core instance $main (instantiate $Main
        (with "host" (instance (export "ask" (func $core-ask))))))
      (func (export "ask") (canon lift (core func $main "ask")))
      (func (export "trap") (canon lift (core func $main "trap"))))""")

    def ask(_: StoreContext) -> None:
        message = "no"
        raise ValueError(message)

    guest = Guest(engine, wasm, ask)

    def work() -> None:
        for _ in range(500):
            with pytest.raises(ValueError, match="no"):
                guest.call("ask")
            guest.renew()
            with pytest.raises(Trap):
                guest.call("trap")
            guest.renew()

    grown = _growth(work)
    guest.close()

    assert grown < GROWTH_BYTES_MAX
