"""
Waiting with sockets: those with both ends in one guest cost no instance, a real connection does.

A program of the event loop has a connection to itself before it does anything.  Time stands still
until it is moved.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from golem_host import Host, Worker
from golem_host.services.unfinished import WorkerKey
from golem_host.signals import WAITS_FOR_ITSELF
from golem_oplog.values import Ok
from tests.conformance.test_worker_waits import (
    HOUR_NS,
    S,
    is_suspended,
    is_waiting,
    poke,
    suspensions,
)
from tests.support import loopback
from tests.support.hosts import QUICK, open_host
from tests.support.loopback import serving
from tests.support.net_programs import net_guest
from tests.support.waiting import PATIENCE_S, until
from tests.support.wasi_hosts import RUN
from tests.support.world import FrozenClock

KEY: Final = WorkerKey("net", "main")
TICK_NS: Final = 1_000_000
"""An event loop that is woken at its time to the nanosecond waits until it is over."""
SLEEPER: Final = """
async def main():
    print("before")
    await asyncio.sleep(3600)
    print("after")
asyncio.run(main())
"""


@contextmanager
def hosting(
    state_dir: Path, clock: FrozenClock, program: str, *args: object, net: tuple[str, ...] = ()
) -> Iterator[tuple[Host, Worker]]:
    """A host whose time is this clock's, and its worker."""
    with open_host(state_dir, replace(QUICK, clock=clock, idle_after_s=0, net=net)) as host:
        component = host.components.deploy(net_guest(), name=KEY.component)
        given = ["prog", program, *map(str, args)]
        yield host, host.workers.get_or_create(component, KEY.worker, args=given)


def written(worker: Worker) -> str:
    return "".join(line.text for line in worker.output())


def threads_of_the_worker() -> list[str]:
    return [each.name for each in threading.enumerate() if "worker-net" in each.name]


def test_an_event_loop_sleeps_without_an_instance(tmp_path: Path) -> None:
    """No thread either; at its time it goes on, and what it has done is not done again."""
    clock = FrozenClock()
    with hosting(tmp_path, clock, SLEEPER) as (host, worker):
        call = worker.enqueue(RUN)
        until(lambda: is_suspended(worker, 1))
        until(lambda: not threads_of_the_worker())
        assert "waiting for a timer" in worker.metadata().reason
        clock.advance(HOUR_NS + TICK_NS)
        host.workers.wake(KEY)

        assert Ok(None) == call.result(PATIENCE_S)
        assert "before\nafter\n" == written(worker)


@pytest.mark.parametrize("is_late", [False, True], ids=["in time", "late"])
def test_an_event_loop_goes_on_sleeping_in_the_next_host(tmp_path: Path, is_late: bool) -> None:
    """Until the same time, whether that is over or still to come when the host begins."""
    clock = FrozenClock()
    with hosting(tmp_path, clock, SLEEPER) as (_, worker):
        worker.enqueue(RUN, idempotency_key="k")
        until(lambda: is_suspended(worker, 1))
    clock.advance(2 * HOUR_NS if is_late else HOUR_NS - S)
    with hosting(tmp_path, clock, SLEEPER) as (host, worker):
        if not is_late:
            host.workers.wake(KEY)
            until(lambda: is_waiting(worker))
            clock.advance(S + TICK_NS)
            poke(worker)
        call = worker.call("k")
        assert call is not None

        assert Ok(None) == call.result(PATIENCE_S)
        assert "before\nafter\n" == written(worker)


@pytest.mark.parametrize(
    "program",
    [
        "a, b = socket.socketpair(); a.recv(1)",
        "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); s.accept()",
        "s = socket.socket(type=socket.SOCK_DGRAM); s.bind(('127.0.0.1', 0)); s.recv(1)",
        "a, b = socket.socketpair()\nwhile True: a.sendall(bytes(65536))",
    ],
    ids=["read", "accept", "receive", "write"],
)
def test_who_waits_for_itself_costs_nothing(tmp_path: Path, program: str) -> None:
    """It never goes on, and a person reads why and what takes the call back."""
    with hosting(tmp_path, FrozenClock(), program) as (_, worker):
        worker.enqueue(RUN)
        until(lambda: is_suspended(worker, 1))

        assert WAITS_FOR_ITSELF in worker.metadata().reason
        assert WAITS_FOR_ITSELF in worker.explain().sentence
        assert "golem-host worker revert net/main --last 1" == worker.explain().remedy


CONNECTED: Final = """
s = socket.create_connection(("127.0.0.1", int(args[0])))
s.sendall(b"x")
s.recv(1)
print("asleep")
time.sleep(int(args[1]))
try:
    s.sendall(b"y")
    print(s.recv(1))
except OSError as error:
    print("lost", error.errno == errno.EIO)
"""


def test_a_connection_keeps_its_instance_for_a_while(tmp_path: Path) -> None:
    """A sleep of minutes does not break what no crash has broken."""
    clock = FrozenClock()
    with serving(loopback.echo) as server:
        net = (f"127.0.0.1:{server.port}",)
        with hosting(tmp_path, clock, CONNECTED, server.port, 299, net=net) as (_, worker):
            call = worker.enqueue(RUN)
            until(lambda: written(worker) and is_waiting(worker))
            clock.advance(299 * S)
            poke(worker)

            assert Ok(None) == call.result(PATIENCE_S)
            assert "asleep\nb'Y'\n" == written(worker)
            assert [] == suspensions(worker)


def test_a_connection_keeps_no_instance_for_hours(tmp_path: Path) -> None:
    """Then it is gone, told as a reset, and nobody connects again by himself."""
    clock = FrozenClock()
    with serving(loopback.echo) as server:
        net = (f"127.0.0.1:{server.port}",)
        with hosting(tmp_path, clock, CONNECTED, server.port, 3600, net=net) as (host, worker):
            call = worker.enqueue(RUN)
            until(lambda: is_suspended(worker, 1))
            clock.advance(HOUR_NS)
            host.workers.wake(KEY)

            assert Ok(None) == call.result(PATIENCE_S)
            assert "asleep\nlost True\n" == written(worker)
            assert 1 == server.accepted
