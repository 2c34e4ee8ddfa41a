"""The first Ctrl-C reaches the worker, once there is something to reach; the second is the system's."""

from __future__ import annotations

import signal
import threading

from golem_cli.interrupts import stopping

DEADLINE_S = 10.0


def test_a_signal_reaches_the_worker_from_another_thread() -> None:
    """The main thread may be anywhere, holding anything."""
    threads: list[threading.Thread] = []
    reached = threading.Event()

    def interrupt() -> None:
        threads.append(threading.current_thread())
        reached.set()

    with stopping(interrupt) as stop, stop.reaching():
        signal.raise_signal(signal.SIGINT)

        assert reached.wait(DEADLINE_S)

    assert stop.requested
    assert threading.main_thread() not in threads


def test_a_signal_before_the_invocation_reaches_it_all_the_same() -> None:
    """There is no gap between making up one's mind and being stopped."""
    reached = threading.Event()

    with stopping(reached.set) as stop:
        signal.raise_signal(signal.SIGINT)
        early = reached.is_set()
        with stop.reaching():
            assert reached.wait(DEADLINE_S)

    assert not early


def test_nothing_is_interrupted_when_nothing_was_begun() -> None:
    """A worker may be doing something for somebody else."""
    reached = threading.Event()

    with stopping(reached.set) as stop:
        signal.raise_signal(signal.SIGINT)

    assert stop.requested
    assert not reached.is_set()


def test_the_second_signal_is_the_systems_own() -> None:
    """Whoever presses twice is not asked again; afterwards all is as before."""
    before = signal.getsignal(signal.SIGINT)

    with stopping(lambda: None) as stop:
        assert signal.SIG_DFL != signal.getsignal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        during = signal.getsignal(signal.SIGINT)

    assert stop.requested
    assert signal.SIG_DFL == during
    assert before == signal.getsignal(signal.SIGINT)


def test_a_failing_interrupt_is_tried_again() -> None:
    """The worker may be just opening its log."""
    tries: list[int] = []
    reached = threading.Event()

    def interrupt() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError
        reached.set()

    with stopping(interrupt) as stop, stop.reaching():
        stop.request()

        assert reached.wait(DEADLINE_S)
