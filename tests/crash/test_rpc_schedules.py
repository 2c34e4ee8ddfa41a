"""
Calls that one worker schedules with another, over many lives of the host.

Invariant: each is made once, none before its time, however often the host ends in the middle and
however long nobody was there (R23).  Times, and when each host ends, are drawn with
``GOLEM_HOST_TEST_SEED``; the full profile schedules 1,000 calls, the short one fewer.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

from golem_host import HostConfig
from golem_oplog.entries import ExportedFunctionInvoked, PendingWorkerInvocation
from tests.support.host_api_scripts import config
from tests.support.hosts import open_host
from tests.support.rpc_guest import COMPONENT, noted, rpc_guest, run
from tests.support.waiting import until
from tests.support.world import FrozenClock

SEED: Final = int(os.environ.get("GOLEM_HOST_TEST_SEED", "1"))
CALLS: Final = 1_000 if os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full" else 60
LIVES: Final = 12
S: Final = 1_000_000_000
SPAN_NS: Final = 30 * 24 * 3600 * S
"""A month: longer than any bucket that a scheduler might look at."""


def at(now_ns: int) -> HostConfig:
    return replace(config(), clock=FrozenClock(now_ns))


def test_scheduled_calls_are_made_once_each(tmp_path: Path) -> None:
    """See the module."""
    random = Random(SEED)
    start = FrozenClock().now_ns
    delays = [random.randrange(SPAN_NS) for _ in range(CALLS)]
    with open_host(tmp_path, at(start)) as host:
        component = host.components.deploy(rpc_guest(), name=COMPONENT)
        alice = host.workers.create(component, "alice")
        code = f"""
who = line("bob")
for number, delay in enumerate({delays}):
    who.schedule_invocation(at(delay), "note", [text(str(number))])
"""
        run(alice, code, "k")
        bob = host.workers.get(COMPONENT, "bob")
        assert CALLS == bob.metadata().pending

    for life in range(1, LIVES + 1):
        now = start + SPAN_NS * life // LIVES
        due = sum(start + delay <= now for delay in delays)
        with open_host(tmp_path, at(now)) as host:
            bob = host.workers.get(COMPONENT, "bob")
            # Mostly it ends before everything that is due is done.
            enough = due if life == LIVES else random.randint(0, due)
            until(lambda: CALLS - bob.metadata().pending >= enough)  # noqa: B023 - at once
            assert CALLS - bob.metadata().pending <= due

    with open_host(tmp_path, at(start + SPAN_NS)) as host:
        heard = noted(host, "bob")
        log = list(host.workers.get(COMPONENT, "bob")._access.runner().parts.oplog.read())
    assert {str(number) for number in range(CALLS)} == set(heard)
    assert CALLS == len(heard)
    begun = Counter(e.idempotency_key for _, e in log if isinstance(e, ExportedFunctionInvoked))
    times = {
        e.idempotency_key: e.not_before or 0
        for _, e in log
        if isinstance(e, PendingWorkerInvocation)
    }
    assert {1} == set(begun.values())
    assert sorted(start + delay for delay in delays) == sorted(filter(None, times.values()))
    assert [] == [
        e.idempotency_key
        for _, e in log
        if isinstance(e, ExportedFunctionInvoked) and e.timestamp < times.get(e.idempotency_key, 0)
    ]
