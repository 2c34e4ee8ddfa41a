"""Every bound of an instance, and what meeting it looks like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from golem_host.engine import Engine, EngineConfig, StoreContext, Trap, TrapKind
from golem_host.engine.limits import WASM_STACK_BYTES_MAX
from golem_host.errors import ComponentError, PayloadTooLargeError
from golem_oplog.types import ListType, Prim
from tests.support.components import component, echo_component
from tests.support.engines import Guest

MIB = 1 << 20
PAYLOAD_MAX = 2_796_202

GROWING = """(component
  (core module $Main
    (memory (export "memory") 1)
    (table $table 1 funcref)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "widen") (param i32) (result i32)
      (table.grow $table (ref.null func) (local.get 0)))
    (func $deep (export "deep") (param i32) (result i32)
      (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
        (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))))))
  (core instance $main (instantiate $Main))
  (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $main "grow")))
  (func (export "widen") (param "by" u32) (result s32) (canon lift (core func $main "widen")))
  (func (export "deep") (param "levels" u32) (result u32)
    (canon lift (core func $main "deep"))))"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Engine]:
    """An engine that gives each instance 1 MiB and 100 table elements."""
    limits = EngineConfig(cache_dir=tmp_path, memory_bytes_max=MIB, table_elements_max=100)
    with Engine(limits) as engine:
        yield engine


def test_memory_does_not_grow_beyond_the_limit(small: Engine) -> None:
    """The guest sees its allocation fail, and lives; up to the limit it succeeds."""
    guest = Guest(small, component(GROWING))
    grown = [guest.call("grow", pages) for pages in (15, 1, 0)]
    guest.close()

    assert [1, -1, 16] == grown


def test_tables_do_not_grow_beyond_the_limit(small: Engine) -> None:
    """As memory."""
    guest = Guest(small, component(GROWING))
    grown = [guest.call("widen", elements) for elements in (99, 1)]
    guest.close()

    assert [1, -1] == grown


def test_a_component_that_starts_above_the_limit_is_refused_at_load(small: Engine) -> None:
    """Before anything is compiled for it, and with both numbers."""
    wasm = component("(component (core module $M (memory 17)) (core instance (instantiate $M)))")
    progress: list[str] = []
    with pytest.raises(ComponentError) as caught:
        small.load(wasm, name="large", progress=progress.append)

    assert not progress
    assert "starts with 1114112 bytes of memory; 1048576 is the limit" == caught.value.reason


def test_a_table_that_starts_above_the_limit_is_refused_at_load(small: Engine) -> None:
    """As memory."""
    wasm = component(
        "(component (core module $M (table 101 funcref)) (core instance (instantiate $M)))"
    )
    with pytest.raises(ComponentError) as caught:
        small.load(wasm, name="wide")

    assert "starts with 101 table elements; 100 is the limit" == caught.value.reason


def test_a_table_that_cannot_be_foreseen_is_refused_at_instantiation(small: Engine) -> None:
    """What the load did not see, the engine refuses; the context is free again."""
    wasm = component(
        "(component (core module $m (table 101 funcref))"
        '(component $c (import "m" (core module $n)) (core instance (instantiate $n)))'
        '(instance (instantiate $c (with "m" (core module $m)))))'
    )
    linked = small.load(wasm, name="wide").link(lambda _: None, lambda _: None)
    context = StoreContext()
    with pytest.raises(ComponentError) as caught:
        linked.instantiate(context)

    assert "cannot start" in caught.value.reason
    assert not context.address


def test_deep_recursion_is_a_trap_in_any_thread(engine: Engine) -> None:
    """The guest's stack ends before the thread's: in the main thread and in others."""

    def attempt(guest: Guest) -> Trap:
        with pytest.raises(Trap) as caught:
            guest.call("deep", 10_000_000)
        return caught.value

    guests = [Guest(engine, component(GROWING)) for _ in range(3)]
    with ThreadPoolExecutor(2) as pool:
        traps = [attempt(guests[0]), *pool.map(attempt, guests[1:])]
    for guest in guests:
        guest.close()

    assert [TrapKind.STACK_OVERFLOW] * 3 == [trap.kind for trap in traps]


def test_recursion_within_the_stack_works(engine: Engine) -> None:
    """A few thousand levels are no problem."""
    guest = Guest(engine, component(GROWING))
    depth = guest.call("deep", 5_000)
    guest.close()

    assert 5_000 == depth


def test_an_argument_above_the_cap_names_the_import(engine: Engine) -> None:
    """And the export that called it."""
    guest = Guest(engine, echo_component((ListType(Prim.U8),)))
    with pytest.raises(PayloadTooLargeError) as caught:
        guest.call("echo-0", bytes(PAYLOAD_MAX + 1))
    dead = guest.instance.is_dead
    guest.close()

    assert ("test:echo/host.{echo-0}", "echo-0") == (caught.value.function, caught.value.caller)
    assert "test:echo/host.{echo-0}, called by echo-0: a value is too large" in str(caught.value)
    assert dead


def test_a_result_above_the_cap_names_the_export(engine: Engine) -> None:
    """What a guest returns counts like what it passes; what the host answers does not."""
    guest = Guest(engine, echo_component((ListType(Prim.U8),)), lambda *_: bytes(PAYLOAD_MAX + 1))
    with pytest.raises(PayloadTooLargeError) as caught:
        guest.call("echo-0", b"")
    guest.close()

    assert "echo-0" == caught.value.function


def test_the_cap_itself_passes(engine: Engine) -> None:
    """The number in the error message is the last that works."""
    guest = Guest(engine, echo_component((ListType(Prim.U8),)))
    returned = guest.call("echo-0", bytes(PAYLOAD_MAX))
    guest.close()
    stated = re.match(r"\d+", PayloadTooLargeError(function="f").limit)

    assert PAYLOAD_MAX == len(returned)
    assert stated is not None
    assert str(PAYLOAD_MAX) == stated[0]


@pytest.mark.parametrize(
    "make",
    [
        lambda: EngineConfig(wasm_stack_bytes=WASM_STACK_BYTES_MAX + 1),
        lambda: EngineConfig(wasm_stack_bytes=0),
        lambda: EngineConfig(memory_bytes_max=0),
        lambda: EngineConfig(table_elements_max=-1),
        lambda: EngineConfig(epoch_tick_ms=0),
    ],
)
def test_a_configuration_that_would_abort_the_process_is_refused(
    make: Callable[[], EngineConfig],
) -> None:
    """The engine panics on impossible combinations, so they do not get that far."""
    with pytest.raises(ValueError, match="must"):
        make()


def test_the_stack_is_as_deep_as_configured(tmp_path: Path) -> None:
    """What fits into a large stack does not fit into a small one."""
    outcomes = []
    for stack_bytes in (64 << 10, WASM_STACK_BYTES_MAX):
        with Engine(EngineConfig(cache_dir=tmp_path, wasm_stack_bytes=stack_bytes)) as engine:
            guest = Guest(engine, component(GROWING))
            try:
                outcomes.append(guest.call("deep", 8_000))
            except Trap as trap:
                outcomes.append(trap.kind)
            guest.close()

    assert [TrapKind.STACK_OVERFLOW, 8_000] == outcomes


def test_the_largest_stack_works_in_a_thread(tmp_path: Path) -> None:
    """The bound on `wasm_stack_bytes` is one that Python's threads can carry."""
    config = EngineConfig(cache_dir=tmp_path, wasm_stack_bytes=WASM_STACK_BYTES_MAX)
    with Engine(config) as engine, ThreadPoolExecutor(1) as pool:
        guest = Guest(engine, component(GROWING))
        raised = pool.submit(guest.call, "deep", 10_000_000).exception()
        guest.close()

    assert isinstance(raised, Trap)
    assert TrapKind.STACK_OVERFLOW is raised.kind
