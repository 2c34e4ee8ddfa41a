"""Calling exports: what is checked before the guest is entered, and who may call when."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from golem_host.engine import Engine, InstanceBusyError, StoreContext, Trap, trampoline
from golem_host.engine.context import CONTEXTS
from golem_host.errors import ParamTypeMismatchError
from golem_oplog.types import ListType, Prim, RecordType
from tests.support.components import clock_component, echo_component
from tests.support.engines import Guest


def test_state_lives_in_the_instance(engine: Engine) -> None:
    """Two instances of one component share nothing."""
    guest = Guest(engine, clock_component(), lambda _: 0)
    first = [guest.call("add", 2), guest.call("add", 3), guest.call("value")]
    guest.renew()
    second = guest.call("value")
    guest.close()

    assert [2, 5, 5] == first
    assert 0 == second


@pytest.mark.parametrize(
    ("args", "parameter", "reason"),
    [
        ([], "", "takes 1 arguments, 0 were given"),
        ([(1, "a"), 2], "", "takes 1 arguments, 2 were given"),
        ([(256, "a")], "v", "expected u8"),
        ([(1, "\ud800")], "v", "expected string"),
        ([(1,)], "v", "expected record"),
        ([5], "v", "expected record"),
    ],
)
def test_arguments_that_do_not_fit_do_not_enter_the_guest(
    engine: Engine, args: list[Any], parameter: str, reason: str
) -> None:
    """The error says which parameter and why, and the instance lives on."""
    ty = RecordType((("n", Prim.U8), ("s", Prim.STRING)))
    guest = Guest(engine, echo_component((ty,)))
    with pytest.raises(ParamTypeMismatchError) as caught:
        guest.call_all("echo-0", args)
    afterwards = guest.call("echo-0", [7, "fine"])
    guest.close()

    assert ("echo-0", parameter) == (caught.value.function, caught.value.parameter)
    assert reason in caught.value.reason
    assert (7, "fine") == afterwards


def test_a_function_without_parameters_takes_none(engine: Engine) -> None:
    """As any other wrong number of arguments."""
    guest = Guest(engine, clock_component(), lambda _: 0)
    with pytest.raises(ParamTypeMismatchError) as caught:
        guest.call("value", 1)
    guest.close()

    assert "takes 0 arguments, 1 were given" == caught.value.reason


def test_lists_may_be_given_as_several_types(engine: Engine) -> None:
    """Bytes come as any buffer or list of numbers, lists as tuples; out come bytes and lists."""
    guest = Guest(engine, echo_component((ListType(Prim.U8), ListType(Prim.U16))))
    content = [guest.call("echo-0", value) for value in (b"ab", bytearray(b"ab"), [97, 98])]
    numbers = guest.call("echo-1", (1, 2))
    guest.close()

    assert [b"ab"] * 3 == content
    assert [1, 2] == numbers


def test_a_handler_cannot_enter_its_own_instance(engine: Engine) -> None:
    """That would break the order of replay; the inner call is refused, the outer one goes on."""
    refused: list[BaseException] = []

    def now(_: StoreContext) -> int:
        for attempt in (lambda: guest.call("value"), guest.close):
            with pytest.raises(InstanceBusyError) as caught:
                attempt()
            refused.append(caught.value)
        return 5

    guest = Guest(engine, clock_component(), now)
    answer = guest.call("now")
    guest.close()

    assert 5 == answer
    assert 2 == len(refused)


def test_an_instance_moves_between_threads(engine: Engine) -> None:
    """One at a time, whichever it is."""
    guest = Guest(engine, clock_component(), lambda _: 0)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for pool in (one, other, one):
            pool.submit(guest.call, "add", 1).result()
    total = guest.call("value")
    guest.close()

    assert 3 == total


def test_a_closed_instance_is_dead(engine: Engine) -> None:
    """Closing twice is harmless; calling afterwards is a `Trap`, for new and for known exports."""
    guest = Guest(engine, clock_component(), lambda _: 0)
    guest.call("value")
    guest.close()
    guest.close()

    for name in ("value", "now"):
        with pytest.raises(Trap):
            guest.call(name)
    assert guest.instance.is_dead


def test_a_context_serves_one_instance(engine: Engine) -> None:
    """It is the instance's identity towards the host, so two cannot share it."""
    guest = Guest(engine, clock_component(), lambda _: 0)
    with pytest.raises(ValueError, match="one instance"):
        guest.linked.instantiate(guest.context)
    guest.close()


def test_handlers_get_the_context_of_their_instance(engine: Engine) -> None:
    """One linked component serves all instances, each with the host's own subclass."""

    class Mine(StoreContext):
        __slots__ = ("number",)

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    loaded = engine.load(clock_component(), name="clock")
    linked = loaded.link(lambda _: lambda context: context.number, lambda _: None)
    now = next(export for export in loaded.exports if export.name == "now")
    instances = [linked.instantiate(Mine(number)) for number in (10, 20, 30)]
    numbers = [instance.call(now, []) for instance in instances]
    for instance in instances:
        instance.close()

    assert [10, 20, 30] == numbers


def test_an_instance_that_is_forgotten_is_freed(engine: Engine) -> None:
    """Collecting it closes it: no context stays behind under an address that is used again."""
    guest = Guest(engine, clock_component(), lambda _: 0)
    address = guest.context.address
    context = guest.context
    del guest
    gc.collect()

    assert CONTEXTS.get(address) is not context


def test_the_linker_may_go_before_the_instance(engine: Engine) -> None:
    """Handlers live as long as anything can call them."""
    guest = Guest(engine, clock_component(), lambda _: 7)
    del guest.linked
    gc.collect()
    answer = guest.call("now")
    guest.close()

    assert 7 == answer


def test_handlers_go_when_nothing_can_call_them(engine: Engine) -> None:
    """Neither callbacks nor what they close over stay behind."""
    before = len(trampoline._LIVE)
    guest = Guest(engine, clock_component(), lambda _: 7)
    during = len(trampoline._LIVE)
    guest.close()
    del guest
    gc.collect()

    assert before < during
    assert before == len(trampoline._LIVE)


def test_exports_of_another_component_are_refused(engine: Engine) -> None:
    """That is a fault of the host's code, not of the guest's."""
    other = engine.load(echo_component((Prim.U8,)), name="other")
    guest = Guest(engine, clock_component(), lambda _: 0)
    with pytest.raises(ValueError, match="does not export echo-0"):
        guest.instance.call(other.exports[0], [])
    guest.close()
