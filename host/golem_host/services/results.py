"""
Who waits for the result of a call to another worker, in memory or without an instance.

A caller without an instance has a row of `Unfinished` that names the call.  Before the called
worker does anything else that row says "now": so a caller can be forgotten only if the process
ends between the result's entry and that row, and then the called worker has a row of its own and
is loaded again, which looks after its callers (`loaded`); see also `Workers.revive`.

Source: spec 2.16, with the project's remarks R14 and R26.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final, TypeAlias

from golem_host.services.calls import CallRef
from golem_host.services.peers import WorkerRef
from golem_host.services.scheduler import Scheduler
from golem_host.services.unfinished import NOW, Unfinished, WorkerKey
from golem_host.services.waking import Waking
from golem_host.signals import SuspendSignal

if TYPE_CHECKING:
    from golem_host.worker.request import Request

FRESH_MAX: Final = 64
"""Outcomes that somebody is about to take."""

_Index: TypeAlias = dict[WorkerRef, dict[str, set[WorkerKey]]]
"""Who waits for what other workers answer, by those and the key."""


class Results:
    """Those of one host.  Every method may be called from any thread."""

    def __init__(self, unfinished: Unfinished, scheduler: Scheduler) -> None:
        self._unfinished = unfinished
        self._scheduler = scheduler
        self._waking = Waking()
        self._lock = threading.Lock()
        self._fresh: dict[CallRef, Request] = {}
        self._waits: dict[WorkerRef, CallRef] = {}
        # Read from the rows when it is first needed; a call too many costs a look at them.
        self._awaited: _Index | None = None

    def waking(self, call: CallRef, event: threading.Event) -> AbstractContextManager[None]:
        """While this lasts, the event is set when the call may be settled."""
        return self._waking.waking(call, event)

    @contextmanager
    def waits(self, caller: WorkerRef, call: CallRef) -> Iterator[None]:
        """While this lasts, `awaited_by` knows that the caller waits for nothing else."""
        with self._lock:
            self._waits[caller] = call
        try:
            yield
        except SuspendSignal:
            # It goes on waiting: until its row says so, this does.
            raise
        except BaseException:
            self.rests(caller)
            raise
        self.rests(caller)

    def rests(self, caller: WorkerRef) -> None:
        """It has no instance, or waits no more; what it still waits for then is in its row."""
        with self._lock:
            self._waits.pop(caller, None)

    def waits_in_memory_for(self, ref: WorkerRef) -> CallRef | None:
        """The one call that a worker of this process waits for with its instance."""
        with self._lock:
            return self._waits.get(ref)

    def awaited_by(self, ref: WorkerRef, key: Callable[[], WorkerKey]) -> CallRef | None:
        """
        The one call without whose result a worker cannot go on, if that is what it waits for.

        Args:
            ref: The worker.
            key: Its key, asked for where somebody waits without an instance.
        """
        with self._lock:
            call = self._waits.get(ref)
            if call is not None or not self._index():
                return call
        text = self._unfinished.awaited_by(key())
        return None if text is None else CallRef.parse(text)

    def expect(self, caller: WorkerKey, awaited: str) -> None:
        """A worker is about to give up its instance until then; the name of a promise is ignored."""
        if CallRef.parse_all(awaited):
            with self._lock:
                _enter(self._index(), caller, awaited)

    def look(self, call: CallRef) -> None:
        """Something has happened to a call: who waits in memory looks again."""
        self._waking.ring(call)

    def take(self, call: CallRef) -> Request | None:
        """The outcome of a call that was waited for in memory just now: it need not be read."""
        with self._lock:
            return self._fresh.pop(call, None)

    def forget(self, worker: WorkerRef) -> None:
        """Its past has changed."""
        with self._lock:
            for call in [each for each in self._fresh if each.worker == worker]:
                del self._fresh[call]

    def settled(self, call: CallRef, done: Request | None = None) -> None:
        """
        A call has its result, or has lost its place: who waits for it goes on.

        Takes no worker's lock: those who wait without an instance are woken by another thread.
        """
        with self._lock:
            if done is not None and call in self._waking:
                self._fresh[call] = done
                while len(self._fresh) > FRESH_MAX:
                    del self._fresh[next(iter(self._fresh))]
        self._waking.ring(call)
        with self._lock:
            keys = self._index().get(call.worker)
            if keys is None or call.key not in keys:
                return
            callers = keys.pop(call.key)
            if not keys:
                del self._index()[call.worker]
        for caller in callers:
            if self._unfinished.happened(caller, str(call)):
                self._scheduler.at(caller, NOW)

    def gone(self, worker: WorkerRef) -> None:
        """It was deleted: nobody need wait for it."""
        self.forget(worker)
        self.reverted(worker, lambda _: False)

    def reverted(self, worker: WorkerRef, is_open: Callable[[str], bool]) -> None:
        """Its past has changed: as `loaded`, and whoever waits in memory looks again."""
        for name in self._waking.names():
            if isinstance(name, CallRef) and name.worker == worker:
                self._waking.ring(name)
        self.loaded(worker, is_open)

    def loaded(self, worker: WorkerRef, is_open: Callable[[str], bool]) -> None:
        """
        A worker has come into memory: wake whoever waits for what it has done.

        Args:
            worker: Which.
            is_open: Whether the call of a key has no result yet.
        """
        with self._lock:
            keys = list(self._index().get(worker, ()))
        for key in keys:
            if not is_open(key):
                self.settled(CallRef(worker, key))

    def _index(self) -> _Index:
        if self._awaited is None:
            self._awaited = {}
            for caller, text in self._unfinished.awaited():
                _enter(self._awaited, caller, text)
        return self._awaited


def _enter(index: _Index, caller: WorkerKey, awaited: str) -> None:
    for call in CallRef.parse_all(awaited):
        index.setdefault(call.worker, {}).setdefault(call.key, set()).add(caller)
