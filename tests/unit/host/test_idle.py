"""How long an idle worker keeps its instance."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pytest

from golem_host.config import HostConfig
from golem_host.system import THREAD_WAIT_S_MAX
from golem_host.worker import drive
from golem_host.worker.agenda import KEPT_FOR, KEPT_MAX, Agenda
from golem_host.worker.endings import Endings
from golem_host.worker.ledger import Ledger
from golem_host.worker.request import Request
from golem_host.worker.runner import Runner
from golem_oplog.cbor import encode_args
from golem_oplog.types import Prim
from tests.support.contexts import new_log
from tests.support.scripted_guest import HostCalls, ScriptedGuest, exported
from tests.support.waiting import PATIENCE_S
from tests.support.workers import config, parts

RUN: Final = exported("test:it/api", "run", (("n", Prim.U32),), Prim.U64)
KEPT: Final = replace(config(), idle_after_s=60.0)


class Computing:
    """What the worker's thread has computed: ``n`` seconds in each call of ``run(n)``."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def run(self, _host: HostCalls, number: int) -> int:
        self.seconds += number
        return number


def request(key: str, number: int) -> Request:
    return Request(key, RUN.type, [number], encode_args([number]))


@contextmanager
def running(guest: ScriptedGuest, settings: HostConfig) -> Iterator[Runner]:
    runner = Runner(parts(new_log(), guest, settings))
    try:
        yield runner
    finally:
        runner.close()


@pytest.mark.parametrize(
    ("idle_after_s", "rebuild_s", "kept_s"),
    [
        (1.0, 0.0, 1.0),
        (1.0, 0.05, 1.0),
        (1.0, 3.0, 3.0 * KEPT_FOR),
        (0.5, 3.0, 1.5 * KEPT_FOR),
        (0.0, 3.0, 0.0),
        (1.0, 500.0, KEPT_MAX),
        (1e300, 1e300, THREAD_WAIT_S_MAX),
        (math.inf, 0.0, THREAD_WAIT_S_MAX),
    ],
)
def test_what_is_dear_to_rebuild_is_kept_longer(
    idle_after_s: float, rebuild_s: float, kept_s: float
) -> None:
    """In proportion, and never for longer than a thread can wait."""
    made = parts(new_log(), settings=replace(config(), idle_after_s=idle_after_s))
    ledger = Ledger(made)
    agenda = Agenda(made, ledger, Endings(made, ledger, threading.Condition()))

    assert kept_s == agenda.idle_s(rebuild_s)


def test_what_an_instance_has_computed_is_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """From before it was built: a replay does all of that again."""
    computing = Computing()
    asked: list[float] = []
    is_asked = threading.Semaphore(0)
    idle_s = Agenda.idle_s

    def noting(agenda: Agenda, rebuild_s: float) -> float:
        asked.append(rebuild_s)
        is_asked.release()
        return idle_s(agenda, rebuild_s)

    monkeypatch.setattr(drive, "thread_cpu_s", computing)
    monkeypatch.setattr(Agenda, "idle_s", noting)
    with running(ScriptedGuest({RUN: computing.run}), KEPT) as runner:
        for number in (2, 3):
            submitted = runner.submit(request(f"k{number}", number), durable=False)
            assert number == submitted.result(PATIENCE_S)
            assert is_asked.acquire(timeout=PATIENCE_S)

    assert [2.0, 5.0] == asked[-2:]


@pytest.mark.parametrize("timeout", [1e12, 1e300, math.inf])
def test_a_caller_may_be_as_patient_as_it_likes(timeout: float) -> None:
    """More than a thread can wait at once is no error."""
    with running(ScriptedGuest({RUN: lambda _, number: number}), KEPT) as runner:
        assert 4 == runner.submit(request("k", 4), durable=False).result(timeout)
