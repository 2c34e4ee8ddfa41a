"""`StoreContext.kill` ends a running guest, that one only, with the exception that was set."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from golem_host.engine import Engine, StoreContext, Trap, TrapKind
from golem_host.signals import InterruptSignal
from tests.support.components import clock_component, component
from tests.support.engines import Guest


class Clock:
    """A clock that says when it has been asked."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def now(self, _: StoreContext) -> int:
        self.asked.set()
        return 0


def test_a_guest_that_loops_for_ever_is_killed(engine: Engine) -> None:
    """The call raises the very exception that another thread set, and the instance is dead."""
    clock = Clock()
    guest = Guest(engine, clock_component(), clock.now)
    kill = InterruptSignal()
    with ThreadPoolExecutor(1) as pool:
        spinning = pool.submit(guest.call, "spin")
        assert clock.asked.wait(30)
        guest.context.kill = kill
        raised = spinning.exception(timeout=30)
    dead = guest.instance.is_dead
    guest.close()

    assert kill is raised
    assert dead


def test_a_guest_that_calls_the_host_for_ever_is_killed(engine: Engine) -> None:
    """Between two host calls it looks, too."""
    clock = Clock()
    guest = Guest(engine, clock_component(), clock.now)
    kill = KeyboardInterrupt()
    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(guest.call, "watch")
        assert clock.asked.wait(30)
        guest.context.kill = kill
        raised = watching.exception(timeout=30)
    guest.close()

    assert kill is raised


def test_the_others_go_on(engine: Engine) -> None:
    """The epoch is the engine's, but only the instance whose kill is set ends."""
    clocks = Clock(), Clock()
    first, second = (Guest(engine, clock_component(), clock.now) for clock in clocks)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.submit(first.call, "spin"), pool.submit(second.call, "spin")
        assert all(clock.asked.wait(30) for clock in clocks)
        first.context.kill = InterruptSignal()
        raised = one.exception(timeout=30)
        still_running = not two.done()
        second.context.kill = SystemExit(2)
        last = two.exception(timeout=30)
    first.close()
    second.close()

    assert isinstance(raised, InterruptSignal)
    assert still_running
    assert isinstance(last, SystemExit)


def test_a_guest_that_is_not_meant_passes_the_tick(engine: Engine) -> None:
    """After the epoch has moved for another one, it looks, finds nothing, and goes on."""
    killed = threading.Event()
    asked_since: list[int] = []

    def now(_: StoreContext) -> int:
        if killed.is_set():
            asked_since.append(1)
            if len(asked_since) == 100:
                raise SystemExit
        return 0

    clock = Clock()
    victim = Guest(engine, clock_component(), clock.now)
    bystander = Guest(engine, clock_component(), now)
    with ThreadPoolExecutor(2) as pool:
        spinning, watching = pool.submit(victim.call, "spin"), pool.submit(bystander.call, "watch")
        assert clock.asked.wait(30)
        victim.context.kill = InterruptSignal()
        spinning.exception(timeout=30)
        killed.set()
        ended = watching.exception(timeout=30)
    victim.close()
    bystander.close()

    assert isinstance(ended, SystemExit)
    assert 100 == len(asked_since)


def test_a_kill_that_is_set_before_a_call_lets_nothing_run(engine: Engine) -> None:
    """The next call raises it without entering the guest."""
    clock = Clock()
    guest = Guest(engine, clock_component(), clock.now)
    kill = InterruptSignal()
    guest.context.kill = kill
    with pytest.raises(InterruptSignal) as caught:
        guest.call("now")
    with pytest.raises(Trap) as second:
        guest.call("now")
    guest.close()

    assert kill is caught.value
    assert TrapKind.CANNOT_ENTER_COMPONENT is second.value.kind
    assert not clock.asked.is_set()


def test_a_start_function_can_be_killed(engine: Engine) -> None:
    """Instantiation is guest code too."""
    wasm = component("""(component
      (core module $Main (func $spin (loop $again (br $again))) (start $spin))
      (core instance (instantiate $Main)))""")
    linked = engine.load(wasm, name="guest").link(lambda _: None, lambda _: None)
    context = StoreContext()
    kill = InterruptSignal()
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(linked.instantiate, context)
        context.kill = kill
        raised = starting.exception(timeout=30)

    assert kill is raised


def test_a_handler_can_kill_its_own_instance(engine: Engine) -> None:
    """Set from inside, it takes effect when the handler has returned, at the guest's next look."""

    def now(context: StoreContext) -> int:
        context.kill = kill
        return 0

    kill = InterruptSignal()
    guest = Guest(engine, clock_component(), now)
    with pytest.raises(InterruptSignal) as caught:
        guest.call("watch")
    guest.close()

    assert kill is caught.value


def test_taking_a_kill_back_lets_the_instance_live(engine: Engine) -> None:
    """None means nobody is to be killed."""
    guest = Guest(engine, clock_component(), lambda _: 5)
    guest.context.kill = InterruptSignal()
    guest.context.kill = None
    answer = guest.call("now")
    guest.close()

    assert 5 == answer
