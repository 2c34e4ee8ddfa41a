"""Eight threads in one linked component: every outcome reaches the call it belongs to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from golem_host.engine import Engine, LinkedComponent, StoreContext, Trap, TrapKind
from golem_host.engine.component import Component
from golem_host.engine.context import CONTEXTS
from golem_host.signals import ExitSignal
from tests.support.components import component

WORKERS = 8
CALLS_PER_WORKER = 375  # 3,000 in all

MIXED = """(component
  (import "ask" (func $ask (param "n" u32) (result u32)))
  (core func $core-ask (canon lower (func $ask)))
  (core module $Main
    (import "host" "ask" (func $ask (param i32) (result i32)))
    (func (export "run") (param i32) (result i32) (local $answer i32)
      (local.set $answer (call $ask (local.get 0)))
      (if (i32.eqz (local.get $answer)) (then unreachable))
      (local.get $answer)))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "ask" (func $core-ask))))))
  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $main "run"))))"""


class Raised(Exception):  # noqa: N818 # carries the number of its call
    """What a handler raises."""


def _ask(_: StoreContext, number: int) -> int:
    match number % 5:
        case 0:
            raise Raised(number)
        case 1:
            raise ExitSignal(number)
        case 2:
            return 0  # on which the guest traps
        case 3:
            raise SystemExit(number)
        case _:
            return number


def _outcome(loaded: Component, linked: LinkedComponent, number: int) -> tuple[str, object]:
    with linked.instantiate(StoreContext()) as instance:
        try:
            return "returned", instance.call(loaded.exports[0], [number])
        except Raised as raised:
            return "raised", raised.args[0]
        except ExitSignal as signal:
            return "exited", signal.exit_code
        except SystemExit as leaving:
            return "left", leaving.code
        except Trap as trap:
            return "trapped", trap.kind


def _expected(number: int) -> tuple[str, object]:
    outcomes: list[tuple[str, object]] = [
        ("raised", number),
        ("exited", number),
        ("trapped", TrapKind.UNREACHABLE),
        ("left", number),
        ("returned", number),
    ]
    return outcomes[number % 5]


def test_no_outcome_comes_out_in_the_wrong_place(engine: Engine) -> None:
    """
    Workers that raise, trap, exit and succeed at once, 3,000 calls through one linker: each call has
    its own outcome, and nothing is left behind.
    """
    loaded = engine.load(component(MIXED), name="mixed")
    linked = loaded.link(lambda _: _ask, lambda _: None)
    before = len(CONTEXTS)

    def work(worker: int) -> list[tuple[str, object]]:
        first = worker * CALLS_PER_WORKER
        return [_outcome(loaded, linked, first + n) for n in range(CALLS_PER_WORKER)]

    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = [outcome for part in pool.map(work, range(WORKERS)) for outcome in part]

    assert [_expected(number) for number in range(WORKERS * CALLS_PER_WORKER)] == outcomes
    assert before == len(CONTEXTS)


def test_first_calls_may_race(engine: Engine) -> None:
    """Code is generated at the first call, and all threads may make the first call."""
    for _ in range(20):
        loaded = engine.load(component(MIXED), name="mixed")
        linked = loaded.link(lambda _: _ask, lambda _: None)
        with ThreadPoolExecutor(WORKERS) as pool:
            futures = [pool.submit(_outcome, loaded, linked, 4) for _ in range(WORKERS)]
            outcomes = [future.result() for future in futures]

        assert [("returned", 4)] * WORKERS == outcomes
