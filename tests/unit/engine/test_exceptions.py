"""What a handler raises comes out on the far side of the guest: the same object, whatever it is."""

from __future__ import annotations

import pytest

from golem_host.engine import Engine, StoreContext, Trap, TrapKind
from golem_host.errors import HandlerResultError
from golem_host.signals import ExitSignal, InterruptSignal, SuspendSignal
from golem_oplog.types import (
    EnumType,
    FlagsType,
    ListType,
    OptionType,
    Prim,
    TupleType,
    VariantType,
    WitType,
)
from tests.support.components import clock_component, component, echo_component
from tests.support.engines import Guest


class Odd(BaseException):
    """Not an `Exception`."""


RAISED = (
    ValueError("plain"),
    RecursionError("deep"),
    MemoryError(),
    StopIteration(3),
    KeyboardInterrupt(),
    SystemExit(7),
    GeneratorExit(),
    Odd("odd"),
    SuspendSignal("waiting"),
    ExitSignal(3),
    InterruptSignal(restart=True),
)


@pytest.mark.parametrize("raised", RAISED, ids=lambda e: type(e).__name__)
def test_the_very_object_comes_out_of_call(engine: Engine, raised: BaseException) -> None:
    """No kind of exception is lost, replaced or wrapped, and the instance is dead afterwards."""

    def now(_: StoreContext) -> int:
        raise raised

    guest = Guest(engine, clock_component(), now)
    with pytest.raises(type(raised)) as caught:
        guest.call("now")
    with pytest.raises(Trap) as second:
        guest.call("value")
    kept = guest.context.raised
    guest.close()

    assert raised is caught.value
    assert kept is None
    assert TrapKind.CANNOT_ENTER_COMPONENT is second.value.kind


def test_what_a_drop_handler_raises_comes_out_too(engine: Engine) -> None:
    """Dropping a host resource is a host call like any other."""
    wasm = component("""(component
      (import "thing" (type $thing (sub resource)))
      (import "make" (func $make (result (own $thing))))
      (core func $drop (canon resource.drop $thing))
      (core func $core-make (canon lower (func $make)))
      (core module $Main
        (import "host" "drop" (func $drop (param i32)))
        (import "host" "make" (func $make (result i32)))
        (func (export "run") (call $drop (call $make))))
      (core instance $main (instantiate $Main
        (with "host" (instance (export "drop" (func $drop)) (export "make" (func $core-make))))))
      (func (export "run") (canon lift (core func $main "run"))))""")
    raised = Odd("from drop")

    def dropped(_context: StoreContext, _rep: int) -> None:
        raise raised

    loaded = engine.load(wasm, name="guest")
    linked = loaded.link(lambda _: lambda _: 1, lambda _: dropped)
    with linked.instantiate(StoreContext()) as instance, pytest.raises(Odd) as caught:
        instance.call(loaded.exports[0], [])

    assert raised is caught.value


def test_what_is_raised_while_starting_comes_out_of_instantiate(engine: Engine) -> None:
    """Start functions may call the host; the context is free again when that fails."""
    wasm = component("""(component
      (import "begin" (func $begin))
      (core func $core-begin (canon lower (func $begin)))
      (core module $Main (import "host" "begin" (func $begin)) (start $begin))
      (core instance $main (instantiate $Main
        (with "host" (instance (export "begin" (func $core-begin)))))))""")
    raised = SystemExit(1)

    def begin(_: StoreContext) -> None:
        raise raised

    linked = engine.load(wasm, name="guest").link(lambda _: begin, lambda _: None)
    context = StoreContext()
    with pytest.raises(SystemExit) as caught:
        linked.instantiate(context)

    assert raised is caught.value
    assert not context.address


WRONG: list[tuple[WitType, object]] = [
    (Prim.U64, -1),
    (Prim.U8, 256),
    (Prim.U32, "1"),
    (Prim.BOOL, "yes"),
    (Prim.CHAR, "\ud800"),
    (Prim.CHAR, "ab"),
    (Prim.STRING, "\udfff"),
    (Prim.STRING, b"bytes"),
    (ListType(Prim.U8), "text"),
    (ListType(Prim.U8), [256]),
    (ListType(Prim.CHAR), ["a", "\ud800"]),
    (ListType(Prim.U32), 7),
    (EnumType(("a", "b")), 2),
    (EnumType(("a", "b")), -1),
    (VariantType((("a", None), ("b", Prim.U8))), (2, None)),
    (VariantType((("a", None), ("b", Prim.U8))), (0, 5)),
    (VariantType((("a", None), ("b", Prim.U8))), (1, None)),
    (OptionType(Prim.U8), (1, 2)),
    (OptionType(Prim.U8), 1),
    (FlagsType(("a", "b")), 4),
    (FlagsType(("a", "b")), -1),
]


@pytest.mark.parametrize(("ty", "answer"), WRONG, ids=repr)
def test_a_result_of_the_wrong_form_is_the_hosts_error(
    engine: Engine, ty: WitType, answer: object
) -> None:
    """A handler's misfit never reaches wasmtime, which would abort the process for some of these."""
    guest = Guest(engine, echo_component((ty,)), lambda *_: answer)
    with pytest.raises(HandlerResultError) as caught:
        guest.call("echo-0", _zero(ty))
    guest.close()

    assert "test:echo/host.{echo-0}" == caught.value.function
    assert caught.value.reason
    assert caught.value.__cause__ is not None


def _zero(ty: WitType) -> object:
    match ty:
        case ListType(Prim.U8):
            return b""
        case ListType():
            return []
        case OptionType():
            return None
        case VariantType():
            return (0, None)
        case Prim.STRING | Prim.CHAR:
            return "a"
        case _:
            return 0


def test_an_answer_where_none_is_due_is_an_error(engine: Engine) -> None:
    """A function without a result must return None."""
    wasm = component("""(component
      (import "tell" (func $tell))
      (core func $core-tell (canon lower (func $tell)))
      (core module $Main (import "host" "tell" (func $tell)) (export "run" (func $tell)))
      (core instance $main (instantiate $Main
        (with "host" (instance (export "tell" (func $core-tell))))))
      (func (export "run") (canon lift (core func $main "run"))))""")
    guest = Guest(engine, wasm, lambda _: 5)
    with pytest.raises(HandlerResultError) as caught:
        guest.call("run")
    guest.close()

    assert "int" in caught.value.reason


def test_a_result_that_fights_back_stays_inside(engine: Engine) -> None:
    """Describing the misfit may fail, too; what is raised then comes out of the call as well."""

    class Sly(tuple[int, ...]):
        __slots__ = ()

        def __len__(self) -> int:
            raise SystemExit

    ty = TupleType((Prim.U8, Prim.U8))
    guest = Guest(engine, echo_component((ty,)), lambda *_: Sly((1, 2, 3)))
    with pytest.raises(SystemExit):
        guest.call("echo-0", (1, 2))
    guest.close()


def test_an_interrupt_while_lowering_is_not_dressed_up(engine: Engine) -> None:
    """What is no `Exception` stays what it is, also where it strikes between handler and guest."""

    class Interrupting(list[int]):
        def __len__(self) -> int:
            raise KeyboardInterrupt

    guest = Guest(engine, echo_component((ListType(Prim.U32),)), lambda *_: Interrupting())
    with pytest.raises(KeyboardInterrupt):
        guest.call("echo-0", [])
    guest.close()
