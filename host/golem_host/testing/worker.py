"""A worker in a test: called, stopped, looked at; it is the same one through any crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from golem_host.errors import HostError
from golem_host.services.promises import PromiseId
from golem_host.system import monotonic_s
from golem_host.testing.harness import TIMEOUT_S, TURN_S, Harness
from golem_host.testing.log import WorkerLog
from golem_host.wire import Public
from golem_oplog.errors import OplogError

if TYPE_CHECKING:
    from golem_host.host import Host
    from golem_host.worker.metadata import WorkerMetadata
    from golem_host.worker.request import Call
    from golem_host.worker.worker import Worker

Submit: TypeAlias = Callable[["Host"], "Call"]
_STDOUT: Final = "stdout"


class GuestWorker:
    """
    One worker of a `Harness`, made by `Harness.worker`.

    Attributes:
        component_name: Its component's name.
        name: Its own.
        log: Its oplog, for assertions.
    """

    def __init__(self, harness: Harness, component_name: str, name: str) -> None:
        self._harness = harness
        self.component_name = component_name
        self.name = name
        # Not bound once: after a crash it is another host's.
        self.log = WorkerLog(lambda: self.durable.oplog())  # noqa: PLW0108

    @property
    def durable(self) -> Worker:
        """The worker as embedders hold it; of the present host, so do not keep it over a crash."""
        return self._on(self._harness.host)

    def _on(self, host: Host) -> Worker:
        return host.workers.get(self.component_name, self.name)

    # -- calls --------------------------------------------------------------------------------

    def call(
        self,
        function: str,
        *args: Public,
        key: str | None = None,
        timeout: float = TIMEOUT_S,
        retry: bool = True,
    ) -> Public:
        """
        Call an export and wait for its value, in public form; a crash meanwhile is not noticed.

        Args:
            function: As for `golem_host.Worker.invoke`.
            args: Public form.
            key: The idempotency key; by default one of the harness's own.
            timeout: Seconds of real time.
            retry: Without it the first trap is the last.

        Raises:
            HostError: As of `golem_host.Worker.invoke`.
            TimeoutError: It is not done; the message says what the worker waits for.
            UnexpectedRequestError: The guest asked for what the script has no answer to.
        """
        return self._begun(function, args, key, durable=False, retry=retry).result(timeout)

    def begin(self, function: str, *args: Public, key: str | None = None) -> GuestCall:
        """Accept a call for good, to be waited for later, or never."""
        return self._begun(function, args, key, durable=True, retry=True)

    def _begun(
        self,
        function: str,
        args: tuple[Public, ...],
        key: str | None,
        *,
        durable: bool,
        retry: bool,
    ) -> GuestCall:
        chosen = key or self._harness.fresh_key()

        def submit(host: Host) -> Call:
            worker = self._on(host)
            if durable:
                return worker.enqueue(function, *args, idempotency_key=chosen)
            return worker.begin(function, *args, idempotency_key=chosen, retry=retry)

        return GuestCall(self._harness, self, submit)

    # -- what it waits for --------------------------------------------------------------------

    @property
    def awaited_promise(self) -> PromiseId | None:
        """The promise that it waits for just now."""
        worker = self.durable
        component_id = worker.component.id
        left = self._harness.host.promises.list(component_id, self.name)
        return next((each.id for each in left if not each.completed), None)

    def complete(self, data: bytes) -> PromiseId:
        """
        Complete the oldest promise of its own that is open, as soon as there is one.

        Raises:
            TimeoutError: It made none.
        """
        found = self._harness.wait_for(
            lambda: self.awaited_promise, lambda: f"no promise to complete: {self.why}"
        )
        self._harness.complete(found, data)
        return found

    @property
    def why(self) -> str:
        """What it waits for, or why it stands, in one sentence."""
        return self.durable.explain().sentence

    # -- looking ------------------------------------------------------------------------------

    @property
    def metadata(self) -> WorkerMetadata:
        return self.durable.metadata()

    @property
    def stdout(self) -> str:
        """Everything that the guest has printed."""
        return "".join(line.text for line in self.durable.output() if line.stream == _STDOUT)

    def assert_replays(self) -> None:
        """
        Rebuild it from its log in a scratch instance: the guest must ask for what it asked for, and
        return what it returned.  Nothing is performed.

        Raises:
            AssertionError: It does something else; the message says what first, and where.
        """
        worker = self.durable
        check = worker.check_update(worker.component.version)
        if not check.ok:
            label = f"{self.component_name}/{self.name}"
            raise AssertionError(f"{label} does not replay: {check.reason}\n{self.log}")

    # -- ends ---------------------------------------------------------------------------------

    def crash(self) -> None:
        """Stop the host as a killed process does; what had been begun is continued."""
        self._harness.crash()


class GuestCall:
    """A call on its way, through any crash."""

    def __init__(self, harness: Harness, worker: GuestWorker, submit: Submit) -> None:
        self._harness = harness
        self._worker = worker
        self._submit = submit
        self._host: Host | None = None
        self._call: Call
        self._ensure()

    def _ensure(self) -> None:
        """Have it on the host as it is now: the key says that it is the same call."""
        self._call, self._host = self._harness.through_crashes(
            lambda host: (self._submit(host), host)
        )

    @property
    def done(self) -> bool:
        """Whether its outcome is known; a crash may have brought it back into the queue."""
        if self._harness.is_stopped(self._host):
            self._ensure()
        return self._call.done

    def result(self, timeout: float = TIMEOUT_S) -> Public:
        """
        Wait for the value; see `GuestWorker.call`.

        The clock skips meanwhile what only time would end, unless the harness says otherwise.
        """
        ends_at = monotonic_s() + timeout
        while True:
            if self._harness.is_stopped(self._host):
                self._ensure()
            try:
                value = self._call.result(TURN_S)
            except TimeoutError:
                self._look_after(ends_at, timeout)
            except (HostError, OplogError):
                if not self._harness.is_stopped(self._host):
                    self._check_script()
                    raise
            else:
                self._check_script()
                return value

    def _look_after(self, ends_at: float, timeout: float) -> None:
        self._check_script()
        if monotonic_s() > ends_at:
            raise TimeoutError(
                f"{self._call.function.name} is not done after {timeout:g} s: {self._worker.why}"
            )
        self._harness.through_crashes(lambda _: self._harness.skip_wait())

    def _check_script(self) -> None:
        if self._harness.http is not None:
            self._harness.http.check()
