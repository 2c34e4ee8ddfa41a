"""Calls that no worker is asked for, through the real boundary: what becomes of what they make."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from golem_host import Host
from golem_host.errors import (
    InvocationExitedError,
    InvocationFailedError,
    InvocationInterruptedError,
)
from golem_host.services.once import OneTimeCall
from tests.support.cli import wait_until
from tests.support.guests import python_guest
from tests.support.hosts import QUICK, open_host
from tests.support.repository import ROOT

AWAITED = "result = host.await_promise(host.create_promise())"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with open_host(tmp_path, QUICK) as opened:
        opened.components.deploy(python_guest(ROOT / "tests/support/host_calls"), name="calls")
        yield opened


def once(host: Host, code: str) -> OneTimeCall:
    return host.once.prepare(host.components.get("calls"), "run", code)


@pytest.mark.parametrize("how", ["", "; 1 / 0", "; import os; os._exit(1)"])
def test_promises_end_with_the_instance_that_made_them(host: Host, how: str) -> None:
    """Else each request would leave some, for ever."""
    try:
        once(host, f"host.create_promise(); result = 'made'{how}").run()
    except (InvocationFailedError, InvocationExitedError):
        assert how
    else:
        assert not how

    assert not list(host.promises.list())


def test_promises_of_others_stay(host: Host) -> None:
    """Only its own are gone."""
    made = "host.create_promise(); result = ''"
    host.workers.get_or_create(host.components.get("calls"), "w").invoke("run", made, timeout=60)
    once(host, made).run()

    assert ["w"] == [promise.id.worker_name for promise in host.promises.list()]


def test_a_call_that_waits_for_its_promise_can_be_given_up(host: Host) -> None:
    """From outside, the promise with it."""
    call = once(host, AWAITED)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(call.run)
        wait_until(lambda: bool(list(host.promises.list())))
        call.stop()
        with pytest.raises(InvocationInterruptedError):
            running.result()

    assert not list(host.promises.list())


def test_there_is_no_way_back(host: Host) -> None:
    """That is the guest's mistake: asking again would not help."""
    with pytest.raises(InvocationFailedError, match="cannot go back in its log"):
        once(host, "host.set_oplog_index(host.get_oplog_index())").run()


def test_what_is_collected_is_not_awaited_any_more(host: Host) -> None:
    """The promise of a call that runs is in use, though no worker has it."""
    with ThreadPoolExecutor() as pool:
        running = pool.submit(once(host, AWAITED + ".decode()").run)
        wait_until(lambda: bool(list(host.promises.list())))
        host.collect()
        for promise in host.promises.list():
            host.promises.complete(promise.id, b"kept")

        assert "'kept'" == running.result()
