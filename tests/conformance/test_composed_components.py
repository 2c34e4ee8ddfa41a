"""Components made of components: deployed, run and replayed like one that is of one piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from golem_host import (
    ComponentError,
    Host,
    InvalidRequestError,
    InvocationFailedError,
    ResourceRef,
    UnlinkableComponentError,
)
from golem_host.engine import Engine, EngineConfig, StoreContext
from golem_host.worker.retry import RetryPolicy
from golem_host.worker.worker import Worker
from tests.support.components import component
from tests.support.composed_guests import API, STORE, composed_guest, composed_of_versions
from tests.support.engines import Guest
from tests.support.hosts import QUICK, open_host

CELL = f"{STORE}.cell"
DRAWN = "golem random::get_random_u64"
LOOKED = "monotonic_clock::now"
ROUND = [DRAWN, DRAWN, LOOKED]
PAGE = 65_536
NO_RETRY = replace(QUICK, retry_policy=RetryPolicy(max_attempts=0))


@contextmanager
def hosting(state_dir: Path) -> Iterator[tuple[Host, Worker]]:
    with open_host(state_dir, NO_RETRY) as host:
        if not host.components.all():
            host.components.deploy(composed_guest(), name="composed")
        yield host, host.workers.get_or_create(host.components.get("composed"), "main")


def calls(worker: Worker) -> list[object]:
    """What the inner components asked of the host, in order."""
    return [
        entry.fields["function-name"]
        for entry in worker.oplog()
        if entry.kind == "imported-function-invoked"
    ]


def test_inner_components_share_the_hosts_interfaces(tmp_path: Path) -> None:
    """Calls of all of them are in one log, in the order in which they were made."""
    with hosting(tmp_path) as (_, worker):
        played = worker.invoke(f"{API}.{{play}}", 2)
        text = worker.invoke(f"{API}.{{turn}}", "adapters between memories")

        assert isinstance(played, int)
        assert "seiromem neewteb sretpada" == text
        assert ROUND * 2 == calls(worker)


def test_all_of_them_are_rebuilt_by_replay(tmp_path: Path) -> None:
    """What each has kept is as it was, and nobody is asked again."""
    played: list[tuple[object, object]] = []
    log: list[object] = []
    for _ in range(3):
        with hosting(tmp_path) as (_, worker):
            played.append((worker.invoke("play", 0), worker.invoke("play", 1)))
            worker.simulate_crash()
            assert played[-1][1] == worker.invoke("play", 0)
            log = calls(worker)

    assert [later[0] for later in played[1:]] == [earlier[1] for earlier in played[:-1]]
    assert ROUND * 3 == log


def test_a_fork_goes_its_own_way(tmp_path: Path) -> None:
    """From where its source was, in every part."""
    with hosting(tmp_path) as (_, worker):
        worker.invoke("play", 1)
        fork = worker.fork("fork")
        kept = worker.invoke("play", 0)

        assert kept == fork.invoke("play", 0)
        assert worker.invoke("play", 1) != fork.invoke("play", 1)


def test_a_trap_ends_all_and_a_revert_rescues_all(tmp_path: Path) -> None:
    """One instance, one life."""
    with hosting(tmp_path) as (_, worker):
        played = worker.invoke("play", 1)
        with pytest.raises(InvocationFailedError):
            worker.invoke("fail")
        worker.revert(last_invocations=1)

        assert played == worker.invoke("play", 0)


def test_resources_pass_between_them_and_their_callers(tmp_path: Path) -> None:
    """A resource of one, kept by another, held from outside: under its owner's name."""
    with hosting(tmp_path) as (_, worker):
        own = worker.invoke("cell.new", 5)
        worker.invoke("put", own)
        with pytest.raises(InvalidRequestError):
            worker.invoke("cell.add", own, 1)
        worker.invoke("play", 1)
        back = worker.invoke("get")

    assert [ResourceRef(CELL, 1), ResourceRef(CELL, 2)] == [own, back]
    with hosting(tmp_path) as (_, worker):
        added = worker.invoke("cell.add", back, 1)
        assert added == worker.invoke("peek", back)
        # The front has none of its own any more, and makes a new one.
        assert 0 == worker.invoke("play", 0)
        worker.invoke("cell.drop", back)
        assert () == worker.metadata().resources


def test_inner_components_may_import_different_versions(tmp_path: Path) -> None:
    """Each was built at another time; one host answers both."""
    with open_host(tmp_path) as host:
        guest = composed_of_versions("0.2.0", "0.2.9")
        worker = host.workers.create(host.components.deploy(guest, name="composed"), "main")
        draw = worker.invoke("draw")

    assert isinstance(draw, int)
    with open_host(tmp_path) as host:
        worker = host.workers.get("composed", "main")
        assert [DRAWN, DRAWN] == calls(worker)
        worker.invoke("draw")
        assert [DRAWN] * 4 == calls(worker)


def test_what_is_missing_is_told_of_all(tmp_path: Path) -> None:
    """An import that only an inner component uses is refused at deploy, by its name."""
    with open_host(tmp_path) as host, pytest.raises(UnlinkableComponentError) as caught:
        host.components.deploy(
            component("""(component
              (import "other:other/thing" (instance $thing (export "do" (func))))
              (component $c (import "thing" (instance $thing (export "do" (func))))
                (core func $do (canon lower (func $thing "do")))
                (core module $m (import "h" "do" (func)))
                (core instance
                  (instantiate $m (with "h" (instance (export "do" (func $do)))))))
              (instance (instantiate $c (with "thing" (instance $thing)))))"""),
            name="missing",
        )
    assert "other:other/thing" in str(caught.value)


def test_what_nobody_can_call_may_be_exported(tmp_path: Path) -> None:
    """An instance within an instance, a module: composing leaves such behind."""
    guest = component("""(component
      (component $c (core module $m (func (export "f") (result i32) (i32.const 7)))
        (core instance $i (instantiate $m))
        (func $f (result u32) (canon lift (core func $i "f")))
        (instance $in (export "f" (func $f)))
        (export "f" (func $f)) (export "in" (instance $in)))
      (instance $i (instantiate $c))
      (export "whole" (instance $i)) (core module $n)
      (export "module" (core module $n)) (export "f" (func $i "f")))""")
    with open_host(tmp_path) as host:
        worker = host.workers.create(host.components.deploy(guest, name="composed"), "main")

        assert ["f", "whole.{f}"] == sorted(worker.component.exports)
        assert [7, 7] == [worker.invoke("f") for _ in range(2)] == [worker.invoke("whole.{f}")] * 2


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Engine]:
    """An engine that gives each instance 10 pages and 100 table elements."""
    limits = EngineConfig(cache_dir=tmp_path, memory_bytes_max=10 * PAGE, table_elements_max=100)
    with Engine(limits) as engine:
        yield engine


def test_memories_and_tables_of_all_count(small: Engine) -> None:
    """Each inner component has its share, whichever grows first."""
    guest = Guest(small, composed_guest(), lambda *_: 7)
    exports = {each.type.name: each for each in guest.component.exports}
    grown = {}
    for interface in (API, STORE):
        for function, by in (("grow", 4), ("widen", 49)):
            export = exports[f"{interface}@1.0.0.{{{function}}}"]
            grown[interface, function] = [guest.instance.call(export, [n]) for n in (by, 1, 0)]
    guest.close()

    for interface in (API, STORE):
        assert [1, -1, 5] == grown[interface, "grow"]
        assert [1, -1, 50] == grown[interface, "widen"]


def test_tables_have_a_bound_on_their_number(small: Engine) -> None:
    """Those that cannot be foreseen, because a module is given, do not start."""
    wasm = component(
        "(component (core module $m (table 0 funcref)) (core instance (instantiate $m))"
        '(component $c (import "m" (core module $n)) (core instance (instantiate $n)))'
        '(instance (instantiate $c (with "m" (core module $m)))))'
    )
    linked = small.load(wasm, name="given").link(lambda _: None, lambda _: None)
    with pytest.raises(ComponentError, match="cannot start"):
        linked.instantiate(StoreContext())
