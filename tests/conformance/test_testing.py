"""`golem_host.testing`, on a guest that runs programs: what it says of a guest is what is so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from textwrap import dedent
from typing import Any, Final

import pytest

from golem_host import Host, InvocationFailedError, UpdateCheck, Worker
from golem_host.testing import (
    CrashDifferenceError,
    CrashPoint,
    FrozenClock,
    Harness,
    HttpFailure,
    HttpRequest,
    HttpResponse,
    SeededRandom,
    UnexpectedRequestError,
    crash_everywhere,
)
from golem_host.testing.stoppable import StoppableHost
from tests.support.guests import python_guest
from tests.support.hosts import CACHE_DIR
from tests.support.repository import ROOT
from tests.support.rpc_guest import PRELUDE, rpc_guest

A, B = "https://example.org/a", "https://example.org/b"
ANSWERS = {f"GET {A}": HttpResponse.json({"n": 1}), f"POST {B}": HttpResponse(201)}


def make(**settings: Any) -> Harness:
    wasm = python_guest(ROOT / "tests/support/sdk_guest")
    return Harness(wasm, name="sdk", cache_dir=CACHE_DIR, **settings)


@pytest.fixture
def harness() -> Iterator[Harness]:
    with make() as made:
        yield made


def test_a_worker_is_the_same_one_after_a_crash(harness: Harness) -> None:
    """What its guest had in memory is there again, and the host is another one."""
    worker, before = harness.worker(), harness.host
    worker.call("run", "state['count'] += 2")
    worker.crash()

    assert '{"count": 2}' == worker.call("run", "result = dict(state)")
    assert before is not harness.host
    assert 1 == harness.crashes
    worker.assert_replays()


def test_a_crash_in_the_middle_of_a_call_is_not_noticed(harness: Harness) -> None:
    """The host stops where it was told to, once, and the call goes on in the next one."""
    worker = harness.worker()
    harness.crash_at(CrashPoint("sdk", "main", 20))
    result = worker.call(
        "run", "print('a', flush=True); time.sleep(1); print('b', flush=True); result = 'c'"
    )

    assert '"c"' == result
    assert "a\nb\n" == worker.stdout
    assert 1 == harness.crashes
    assert 1 == len(worker.log.invocations())


def test_what_was_not_committed_is_lost_on_demand() -> None:
    """A kill may leave only what was promised to be kept: the call is made anew then."""
    indexes = []
    for keeps in ("appended", "committed"):
        with make() as harness:
            worker = harness.worker()
            harness.crash_at(CrashPoint("sdk", "main", 5, keeps=keeps))
            indexes.append(_last_index_after_crash(harness))
            worker.call("run", "result = 1")

    assert [5, 1] == indexes


def _last_index_after_crash(harness: Harness) -> int:
    """What the next host finds, before anything goes on."""
    seen: list[int] = []
    opened = harness._open

    def look() -> StoppableHost:
        with Host.open(harness._state_dir(harness.crashes), read_only=True) as left:
            seen.append(left.workers.get("sdk", "main").metadata().oplog_index)
        return opened()

    harness._open = look  # type: ignore[method-assign]
    harness.worker().call("run", "result = 1", key="first")
    return seen[0]


def test_time_stands_still_and_is_skipped(harness: Harness) -> None:
    """A sleep takes no time of the test's, and all of it of the guest's, inside of a region too."""
    text = """
        before = time.time()
        time.sleep(3600)
        with atomic_region():
            time.sleep(60)
        result = time.time() - before
        """

    assert "3660.0" == harness.worker().call("run", dedent(text))


def test_time_moves_by_hand() -> None:
    """Without skipping a sleep ends when the test says so."""
    clock = FrozenClock()
    with make(clock=clock, skips_waits=False) as harness:
        worker = harness.worker()
        call = worker.begin("run", "time.sleep(10); result = 'slept'")
        with pytest.raises(TimeoutError, match="sleeps since"):
            call.result(timeout=0.5)
        harness.advance(9)
        assert not call.done
        harness.advance(1)

        assert '"slept"' == call.result()


def test_random_numbers_come_from_a_seed() -> None:
    """The same ones for the same seed, and others for another."""
    drawn = []
    for seed in (1, 1, 2):
        with make(random=SeededRandom(seed)) as harness:
            drawn.append(harness.worker().call("run", "result = os.urandom(8).hex()"))

    assert drawn[0] == drawn[1] != drawn[2]
    assert 0 <= SeededRandom(3).uniform() < 1


def test_http_is_answered_by_a_script() -> None:
    """One answer after the other, errors too; what was asked is there to be looked at."""
    answers = [HttpResponse.json([1]), HttpFailure("connection-refused"), HttpResponse(404)]
    text = f"""
        result = [http.get("{A}", headers={{"x": "y"}}).json()]
        try:
            http.get("{A}")
        except http.HttpError as error:
            result.append(error.name)
        result.append(http.post("{B}", data="z" * 300_000).status)
        """
    with make(http=answers) as harness:
        worker = harness.worker()
        result = worker.call("run", dedent(text))
        worker.crash()
        worker.assert_replays()
        assert harness.http is not None
        asked = harness.http.requests

    assert '[[1], "ConnectionRefused", 404]' == result
    assert [f"GET {A}", f"GET {A}", f"POST {B}"] == [str(each) for each in asked]
    assert "y" == asked[0].header("X")
    assert 300_000 == len(asked[2].body)


def test_an_unexpected_request_fails_the_test_that_made_it() -> None:
    """With what was asked for, whatever the guest makes of the error."""
    text = f"""
        try:
            http.get("{B}")
        except http.HttpError:
            pass
        """
    harness = make(http=lambda request: HttpResponse() if request.url == A else None)
    worker = harness.worker()
    with pytest.raises(UnexpectedRequestError, match=f"no answer to GET {B}"):
        worker.call("run", dedent(text))
    with pytest.raises(UnexpectedRequestError):
        harness.close()
    harness.close()


def test_promises_are_completed(harness: Harness) -> None:
    """As soon as the guest has made one, before and after a crash."""
    worker = harness.worker()
    text = "result = [Promise.create().wait().decode(), Promise.create().wait().decode()]"
    call = worker.begin("run", text)
    worker.complete(b"yes")
    worker.crash()
    worker.complete(b"no")

    assert '["yes", "no"]' == call.result()


def test_a_log_is_asserted_on(harness: Harness) -> None:
    """By kinds, calls and order, values in public form; what is wrong shows the log."""
    worker = harness.worker()
    worker.call("run", "result = 1")
    worker.call("run", "with atomic_region(): time.time()")
    log = worker.log

    assert "create" == log.kinds()[0]
    assert ["wall_clock::now"] == [call.function for call in log.calls("now")]
    assert {"seconds": 1_700_000_000, "nanoseconds": 0} == log.calls("now")[0].result
    assert [("result = 1",), "1"] == [log.invocations()[0].args, log.invocations()[0].result]
    log.assert_order("begin-atomic-region", "now", "end-atomic-region")
    log.assert_count("now", 1)
    with pytest.raises(
        AssertionError, match=r"begin-atomic-region: 1 times, not 2, in\n +1  create"
    ):
        log.assert_count("begin-atomic-region", 2)
    with pytest.raises(AssertionError, match=r"now does not come \(any more\)"):
        log.assert_order("end-atomic-region", "now")
    with pytest.raises(InvocationFailedError):
        worker.call("run", "1 / 0", retry=False)
    assert ["ZeroDivisionError: division by zero"] == log.errors()


def test_a_guest_that_does_not_repeat_itself_is_found_out(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the first difference, and the log."""
    worker = harness.worker()
    worker.call("run", "result = 1")
    found = UpdateCheck(0, False, 7, 0, None, "entry 7 is another one")
    monkeypatch.setattr(Worker, "check_update", lambda _worker, _version: found)

    with pytest.raises(AssertionError, match=r"sdk/main does not replay: entry 7 .*\n +1  create"):
        worker.assert_replays()


IS_FULL: Final = os.environ.get("GOLEM_HOST_TEST_PROFILE") == "full"
EVERY: Final = 1 if IS_FULL else 15
"""Which of the crashes every run makes."""
SCENARIO = f"""
    print("one", flush=True)
    first = http.get("{A}").json()
    time.sleep(5)
    with atomic_region():
        second = http.post("{B}", json=first).status
    print("asks", flush=True)
    result = [first, second, Promise.create().wait().decode()]
    """


def approved(harness: Harness) -> object:
    worker = harness.worker()
    call = worker.begin("run", dedent(SCENARIO))
    worker.complete(b"yes")
    return call.result()


def both_were_asked(harness: Harness, _result: object) -> None:
    assert harness.http is not None
    assert {f"GET {A}", f"POST {B}"} == {str(each) for each in harness.http.requests}


@pytest.mark.parametrize("keeps", ["appended", pytest.param("committed", marks=pytest.mark.long)])
def test_a_scenario_is_crashed_everywhere(keeps: Any) -> None:
    """Whatever is lost, it comes out the same; a request is made again only under its key."""
    repeated: list[HttpRequest] = []

    def check(harness: Harness, result: object) -> None:
        both_were_asked(harness, result)
        assert harness.http is not None
        repeated.extend(each for each in harness.http.requests if each.attempt > 1)

    crashed = crash_everywhere(
        lambda: make(http=ANSWERS), approved, keeps=keeps, every=EVERY, check=check
    )

    assert '[{"n": 1}, 201, "yes"]' == crashed.result
    assert {"sdk/main": "one\nasks\n"} == crashed.stdout
    assert len(crashed.points) >= 60 // EVERY
    if IS_FULL:
        assert repeated


def test_two_workers_are_crashed_in_turn() -> None:
    """At every entry of the caller and of the one that is called: each call is made once."""
    code = """
result = line("bob").invoke_and_await("put", [text("a")])
line("bob").invoke("put", [text("b")])
"""

    def tell_bob(harness: Harness) -> object:
        harness.worker("alice").call("run", PRELUDE + code)
        return harness.worker("bob").call("noted")

    crashed = crash_everywhere(
        lambda: Harness(rpc_guest(), name="calls", cache_dir=CACHE_DIR), tell_bob, every=EVERY
    )

    assert ["a", "b"] == crashed.result
    assert {"alice", "bob"} == {point.worker for point in crashed.points}


def failing(text: str) -> Callable[[], object]:
    def crash() -> object:
        return crash_everywhere(
            lambda: make(http=ANSWERS),
            lambda harness: harness.worker().call("run", dedent(text)),
            every=1 if IS_FULL else 3,
        )

    return crash


def test_an_effect_that_may_happen_once_only_is_told_by_its_point() -> None:
    """A crash behind a request that must not be repeated leaves no result: the error says where."""
    text = f"""
        with idempotence_mode(False):
            result = http.post("{B}", data="x").status
        """
    with pytest.raises(InvocationFailedError) as failed:
        failing(text)()

    assert [note for note in failed.value.__notes__ if note.startswith("with a crash ")]


def test_a_result_that_a_crash_changes_is_a_difference() -> None:
    """Here on purpose: a number that is drawn anew."""
    numbers = iter(range(10_000))

    def scenario(harness: Harness) -> int:
        harness.worker().call("run", "result = 1")
        return next(numbers)

    with pytest.raises(CrashDifferenceError, match="the result is 1, not 0"):
        crash_everywhere(make, scenario, every=30)


def test_it_is_not_imported_by_the_library() -> None:
    """Nor does it import a test framework."""
    code = (
        "import sys, golem_host; golem_host.Host; assert 'golem_host.testing' not in sys.modules; "
        "import golem_host.testing; assert not {'pytest', 'hypothesis'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
