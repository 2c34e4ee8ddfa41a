"""
The workers of a host that are in memory: loaded when they are needed, put away when they are not.

A worker that is not loaded costs nothing but its directory and, if it has something left to do, a
row of `Unfinished`.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Hashable
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from golem_host.errors import HostClosedError, HostError, WorkerNotFoundError
from golem_host.services.slots import Slot
from golem_host.services.unfinished import WorkerKey
from golem_host.worker.runner import RetiredError, Runner, on_runner
from golem_oplog.errors import OplogError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from golem_host.services.slots import RunSlots
    from golem_host.worker.parts import Parts

T = TypeVar("T")

_LOG: Final = logging.getLogger(__name__)

LOADED_MAX: Final = 1_000
"""Workers whose log is held open; idle ones beyond that are put away, the longest unused first."""
_STRIPES: Final = 64


class LoadRunner(Protocol):
    """Opens a worker's log and makes its runner; raises `WorkerNotFoundError`."""

    def __call__(self, key: WorkerKey) -> Runner: ...


class LoadedWorkers:
    """Runners by key; each worker has at most one."""

    def __init__(self, load: LoadRunner, slots: RunSlots) -> None:
        self._load = load
        self._slots = slots
        self._lock = threading.Lock()
        # One worker is loaded or put away while others are used: reading a log may take long.
        self._stripes = tuple(threading.RLock() for _ in range(_STRIPES))
        self._runners: OrderedDict[WorkerKey, Runner] = OrderedDict()
        self._starting: set[WorkerKey] = set()
        self._deleting: set[WorkerKey] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._runners)

    def get(self, key: WorkerKey) -> Runner:
        """
        The worker's runner, loaded if need be.

        Raises:
            WorkerNotFoundError: There is no such worker, or it is being deleted.
        """
        with self._lock:
            runner = self._runners.get(key)
            if runner is not None and _is_well(runner):
                self._runners.move_to_end(key)
                return runner
        with self._stripe(key):
            runner = self._reload(key)
        self._evict(key)
        return runner

    def on_parts(self, key: WorkerKey, act: Callable[[Parts], T]) -> T:
        """
        Act on a worker, loaded if need be, while it cannot be put away.

        Raises:
            WorkerNotFoundError: There is no such worker.
            OplogError: Its log cannot be read.
        """

        def on(runner: Runner) -> T:
            with runner.held() as parts:
                return act(parts)

        return on_runner(lambda: self.get(key), on)

    def find(self, key: WorkerKey) -> Runner | None:
        """The worker's runner if it is loaded and well."""
        with self._lock:
            runner = self._runners.get(key)
        return runner if runner is not None and _is_well(runner) else None

    def _reload(self, key: WorkerKey) -> Runner:
        with self._lock:
            runner = self._runners.get(key)
            if runner is not None and _is_well(runner):
                return runner
            if runner is not None:
                del self._runners[key]
            self._refuse_if_gone(key)
        if runner is not None:
            # Its log refused an entry: opening it anew recovers what was promised.
            runner.close()
        runner = self._load(key)
        with self._lock:
            if not self._closed:
                self._runners[key] = runner
                return runner
        # Else nobody would close it.
        runner.close()
        raise HostClosedError

    def _refuse_if_gone(self, key: WorkerKey) -> None:
        if self._closed:
            raise HostClosedError
        if key in self._deleting:
            raise WorkerNotFoundError(component=key.component, worker=key.worker)

    def wake(self, key: Hashable, *, by_event: bool = True) -> None:
        """
        A time has come or an event has happened: let the worker go on, from memory or from disk.

        One that is not loaded waits for a run slot first, so that ten thousand of them do not
        come into memory at once.  Without ``by_event`` an interrupted one goes on as well.
        """
        assert isinstance(key, WorkerKey)
        runner = self.find(key)
        if runner is not None:
            with suppress(RetiredError):
                runner.wake(by_event=by_event)
            if not runner.is_retired:
                return
        with self._lock:
            if self._closed or key in self._starting:
                return
            self._starting.add(key)
        self._slots.start(lambda slot: self._start(key, slot, by_event=by_event))

    def _start(self, key: WorkerKey, slot: Slot, *, by_event: bool) -> None:
        threading.Thread(
            target=self._load_and_run, args=(key, slot, by_event), name="golem-worker", daemon=True
        ).start()

    def _load_and_run(self, key: WorkerKey, slot: Slot, by_event: bool) -> None:
        try:
            # From here on another wake is for the loaded worker to hear.
            with self._lock:
                self._starting.discard(key)
            self._run(key, slot, by_event=by_event)
        except WorkerNotFoundError:
            return  # Deleted meanwhile.
        except (HostError, OplogError) as error:
            if self._closed:
                return  # The next host goes on with it.
            _LOG.warning("a worker cannot go on", extra={"worker": key, "error": error})
        finally:
            slot.give()

    def _run(self, key: WorkerKey, slot: Slot, *, by_event: bool) -> None:
        on_runner(lambda: self.get(key), lambda runner: runner.wake_on(slot, by_event=by_event))

    def retire(self, key: WorkerKey) -> bool:
        """Put a worker away, unless it is in use."""
        with self._stripe(key):
            runner = self.find(key)
            if runner is None or not runner.retire():
                return False
            with self._lock:
                # It may be gone already: the host is being closed, or the worker deleted.
                if self._runners.get(key) is runner:
                    del self._runners[key]
            return True

    def _evict(self, wanted: WorkerKey) -> None:
        """Put away what is too many, but for the one that is about to be used."""
        with self._lock:
            over = len(self._runners) - LOADED_MAX
            if over <= 0:
                return
            candidates = [
                key
                for key, runner in self._runners.items()
                if key != wanted and not runner.is_active
            ]
        for key in candidates:
            if self.retire(key):
                over -= 1
                if over <= 0:
                    return

    def locked(self, key: WorkerKey) -> threading.RLock:
        """A lock: while it is held, the worker is neither loaded nor being put away."""
        return self._stripe(key)

    @contextmanager
    def deleting(self, key: WorkerKey) -> Iterator[None]:
        """While the worker is stopped and cannot be loaded."""
        with self._lock:
            if key in self._deleting:
                raise WorkerNotFoundError(component=key.component, worker=key.worker)
            self._deleting.add(key)
        try:
            with self._stripe(key), self._lock:
                runner = self._runners.pop(key, None)
            if runner is not None:
                runner.close("the worker was deleted")
            yield
        finally:
            with self._lock:
                self._deleting.discard(key)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            runners = list(self._runners.values())
            self._runners.clear()
        # All first, then one after the other: each may hold what another one waits for.
        for runner in runners:
            runner.begin_close()
        for runner in runners:
            runner.close()

    def _stripe(self, key: WorkerKey) -> threading.RLock:
        return self._stripes[hash(key) % _STRIPES]


def _is_well(runner: Runner) -> bool:
    """Whether it can be used: its log takes entries, and it was not put away just now."""
    return runner.broken is None and not runner.is_retired
