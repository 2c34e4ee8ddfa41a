"""Remote writes that a library in a guest performs itself, in workers that fail or wait inside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from golem_host import InvocationFailedError, RetryPolicy
from golem_oplog.entries import Entry, Error, Suspend
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT
from tests.support.waiting import PATIENCE_S
from tests.support.wasi_hosts import RUN

POLICY: Final = RetryPolicy(max_attempts=2, min_delay_ns=1_000_000, max_delay_ns=1_000_000)
BEGIN: Final = """
host.set_idempotence_mode(IDEMPOTENT)
host.get_oplog_index()
begin = durability.begin_durable_function(BATCH)
host.get_oplog_index()
"""
FAILS: Final = BEGIN + "raise SystemError('again')\n"
SLEEPS: Final = (
    BEGIN
    + """
import time
time.sleep(0.2)
durability.end_durable_function(BATCH, begin, False)
print('slept')
"""
)


def play(state_dir: Path, program: str, *, idempotent: bool) -> tuple[str, list[Entry]]:
    """How the program ends, and the failures and suspensions on the way."""
    config = replace(QUICK, suspend_after_s=0.05, retry_policy=POLICY)
    with open_host(state_dir, config) as host:
        wasm = python_guest(ROOT / "tests/support/library_guest")
        component = host.components.deploy(wasm, name="library")
        source = program.replace("IDEMPOTENT", str(idempotent))
        worker = host.workers.create(component, "main", args=["prog", source])
        try:
            worker.invoke(RUN, timeout=PATIENCE_S)
            end = "".join(line.text for line in worker.output())
        except InvocationFailedError as failed:
            end = str(failed)
        read = worker._access.view().oplog.read()
        return end, [entry for _, entry in read if isinstance(entry, Error | Suspend)]


def test_a_batch_that_always_fails_ends(tmp_path: Path) -> None:
    """Though every attempt records something behind its begin: each counts against that."""
    end, met = play(tmp_path, FAILS, idempotent=True)
    errors = [entry for entry in met if isinstance(entry, Error)]

    assert "again" in end
    assert POLICY.max_attempts + 1 == len(errors) == len(met)
    assert 1 == len({each.origin for each in errors})
    assert errors[-1].retry_at is None


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_long_sleep_in_a_batch_keeps_the_instance(tmp_path: Path, *, idempotent: bool) -> None:
    """Else it would begin the batch again when it is woken, or fail without a crash."""
    assert ("slept\n", []) == play(tmp_path, SLEEPS, idempotent=idempotent)
