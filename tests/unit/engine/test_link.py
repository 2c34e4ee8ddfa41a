"""Linking: the component's own imports decide, and everything missing is said at once."""

from __future__ import annotations

import pytest

from golem_host.engine import Engine, Handler, ImportedFunction, StoreContext
from golem_host.errors import UnlinkableComponentError
from golem_oplog.types import FunctionType, HandleType, Prim
from tests.support.components import component

SEVERAL = """(component
  (import "log" (func (param "line" string)))
  (import "wasi:io/poll@0.2.0" (instance $old
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (import "wasi:io/poll@0.2.9" (instance $new
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))))
  (import "my:own/api" (instance (export "f" (func)) (export "g" (func (result u8))))))"""


def test_imports_are_listed_as_the_component_spells_them(engine: Engine) -> None:
    """Interface with version, bare name for the world itself, and full names in the types."""
    loaded = engine.load(component(SEVERAL), name="several")
    pollable = HandleType("wasi:io/poll.pollable", owned=False)

    assert (
        ImportedFunction("", "log", FunctionType("log", (("line", Prim.STRING),), None)),
        ImportedFunction(
            "wasi:io/poll@0.2.0",
            "[method]pollable.block",
            FunctionType(
                "wasi:io/poll@0.2.0.{[method]pollable.block}", (("self", pollable),), None
            ),
        ),
        ImportedFunction(
            "wasi:io/poll@0.2.9",
            "[method]pollable.ready",
            FunctionType(
                "wasi:io/poll@0.2.9.{[method]pollable.ready}", (("self", pollable),), Prim.BOOL
            ),
        ),
        ImportedFunction("my:own/api", "f", FunctionType("my:own/api.{f}", (), None)),
        ImportedFunction("my:own/api", "g", FunctionType("my:own/api.{g}", (), Prim.U8)),
    ) == loaded.imports


def test_all_that_is_missing_is_said_at_once(engine: Engine) -> None:
    """Functions and resources, in the order of the component."""

    def resolve(function: ImportedFunction) -> Handler | None:
        return None if function.name in {"log", "g"} else lambda *_: None

    loaded = engine.load(component(SEVERAL), name="several")
    with pytest.raises(UnlinkableComponentError) as caught:
        loaded.link(resolve, lambda _: None)

    assert ("log", "my:own/api.{g}", "resource wasi:io/poll.pollable") == caught.value.missing
    assert "my:own/api.{g}" in str(caught.value)
    assert "several" == caught.value.component


def test_versions_of_an_interface_share_their_resources(engine: Engine) -> None:
    """Two versions in one component: one name, asked for once, and both link."""
    asked: list[str] = []

    def drop(resource: str) -> Handler:
        asked.append(resource)
        return lambda *_: None

    loaded = engine.load(component(SEVERAL), name="several")
    instance = loaded.link(lambda _: lambda *_: None, drop).instantiate(StoreContext())
    instance.close()

    assert ["wasi:io/poll.pollable"] == asked


def test_what_resolve_raises_is_not_hidden(engine: Engine) -> None:
    """The host may have reasons of its own to refuse."""

    def resolve(_: ImportedFunction) -> Handler:
        message = "of another type"
        raise LookupError(message)

    with pytest.raises(LookupError, match="of another type"):
        engine.load(component(SEVERAL), name="several").link(resolve, lambda _: None)


def test_functions_of_the_world_itself_are_linked(engine: Engine) -> None:
    """Imports outside of any interface work like the others."""
    wasm = component("""(component
      (import "double" (func $double (param "n" u32) (result u32)))
      (core func $core-double (canon lower (func $double)))
      (core module $Main (import "host" "double" (func $double (param i32) (result i32)))
        (export "run" (func $double)))
      (core instance $main (instantiate $Main
        (with "host" (instance (export "double" (func $core-double))))))
      (func (export "run") (param "n" u32) (result u32) (canon lift (core func $main "run"))))""")
    loaded = engine.load(wasm, name="world")
    linked = loaded.link(lambda _: lambda _, n: 2 * n, lambda _: None)
    with linked.instantiate(StoreContext()) as instance:
        doubled = instance.call(loaded.exports[0], [21])

    assert 42 == doubled


def test_linking_twice_gives_two_independent_answers(engine: Engine) -> None:
    """Handlers belong to the link, not to the component."""
    wasm = component("""(component
      (import "ask" (func $ask (result u32)))
      (core func $core-ask (canon lower (func $ask)))
      (core module $Main (import "host" "ask" (func $ask (result i32)))
        (export "run" (func $ask)))
      (core instance $main (instantiate $Main
        (with "host" (instance (export "ask" (func $core-ask))))))
      (func (export "run") (result u32) (canon lift (core func $main "run"))))""")
    loaded = engine.load(wasm, name="twice")
    answers = []
    for answer in (1, 2):
        linked = loaded.link(lambda _, answer=answer: lambda _: answer, lambda _: None)  # type: ignore[misc]
        with linked.instantiate(StoreContext()) as instance:
            answers.append(instance.call(loaded.exports[0], []))

    assert [1, 2] == answers
