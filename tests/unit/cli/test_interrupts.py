"""The first Ctrl-C reaches the worker, whenever it comes; the second ends all."""

from __future__ import annotations

import signal
import threading
from contextlib import nullcontext
from unittest.mock import create_autospec

import pytest

from golem_cli.interrupts import STOP_TURNS_MAX, stopping
from golem_cli.invoking import Batch, Manner, calling
from golem_host.rest.remote_worker import RemoteWorker

DEADLINE_S = 10.0


class StoppedError(Exception):
    """What a call that was stopped raises."""


class ScriptedWorker:
    """A call that goes on until it is interrupted, if it can be."""

    def __init__(self, *, deaf_times: int = 0) -> None:
        self.interrupts: list[threading.Thread] = []
        self._deaf_times = deaf_times
        self._stopped = threading.Event()

    def call(self) -> int:
        self._stopped.wait(DEADLINE_S)
        raise StoppedError

    def call_with_ctrl_c(self) -> int:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        return self.call()

    def release(self) -> None:
        self._stopped.set()

    def interrupt(self) -> None:
        self.interrupts.append(threading.current_thread())
        if len(self.interrupts) > self._deaf_times:
            self._stopped.set()


def test_a_call_has_its_own_outcome() -> None:
    """Value or error, as if it had been made directly."""

    def fail() -> int:
        raise ZeroDivisionError

    with stopping(lambda: None) as stop:
        assert 7 == stop.attend(lambda: 7, StoppedError)
        with pytest.raises(ZeroDivisionError):
            stop.attend(fail, StoppedError)

    assert not stop.requested


def test_a_signal_interrupts_the_call() -> None:
    """What the call then raises is the outcome."""
    worker = ScriptedWorker()

    with stopping(worker.interrupt) as stop, pytest.raises(StoppedError):
        stop.attend(worker.call_with_ctrl_c, AssertionError)

    assert stop.requested
    assert 1 == len(worker.interrupts)


def test_a_request_that_comes_too_early_is_repeated() -> None:
    """There is no gap between submitting a call and its being stopped."""
    worker = ScriptedWorker(deaf_times=2)

    with stopping(worker.interrupt) as stop:
        stop.request()
        with pytest.raises(StoppedError):
            stop.attend(worker.call, AssertionError)

    assert 3 == len(worker.interrupts)


def test_a_call_that_never_ends_is_left() -> None:
    """Ctrl-C works whatever the worker does; the log is then as after a crash."""
    worker = ScriptedWorker(deaf_times=1000)

    with stopping(worker.interrupt) as stop, pytest.raises(KeyError):
        stop.attend(worker.call_with_ctrl_c, KeyError)

    assert STOP_TURNS_MAX == len(worker.interrupts)
    worker.release()


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
    """The call meets the same trouble, and that is what is reported."""
    tries: list[int] = []
    worker = ScriptedWorker()

    def interrupt() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError
        worker.interrupt()

    with stopping(interrupt) as stop:
        stop.request()
        with pytest.raises(StoppedError):
            stop.attend(worker.call, AssertionError)

    assert 2 == len(tries)


def test_a_signal_after_the_last_call_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the moment in which all is as before; the same calls are not made by another host."""
    worker = create_autospec(RemoteWorker, instance=True, seen=None)
    worker.attach.return_value = nullcontext()
    batch, manner = Batch(), Manner(json_output=False, quiet=True, timeout_s=None)
    before, set_handler = signal.getsignal(signal.SIGINT), signal.signal

    def late(number: int, handler: signal._HANDLER) -> object:
        if handler is before:
            signal.raise_signal(number)
        return set_handler(number, handler)

    with calling(worker, manner, batch):
        monkeypatch.setattr(signal, "signal", late)

    assert batch.stopped
    with pytest.raises(KeyboardInterrupt), calling(worker, manner, batch):
        raise AssertionError
