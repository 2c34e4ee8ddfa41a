"""
A worker as embedders hold it.

A `Worker` is a name for something durable: it stays valid while the host is open, whether or not
the worker has an instance or a thread at the moment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from golem_host.component import Component
from golem_host.errors import InvalidRequestError, InvocationInterruptedError
from golem_host.services.console import InputSource, Source
from golem_host.services.output import Watcher
from golem_host.signals import InterruptSignal
from golem_host.trace_context import TraceContext
from golem_host.wire import Public, Wire
from golem_host.worker.arguments import public_args, unix_ns_of, wire_args
from golem_host.worker.metadata import WorkerMetadata, metadata_of
from golem_host.worker.names import export_type
from golem_host.worker.output_line import OutputLine, output_lines
from golem_host.worker.parts import Parts, View
from golem_host.worker.request import Call, Request
from golem_host.worker.runner import Runner, on_runner
from golem_host.worker.surgery import AUTOMATIC, revert, update
from golem_host.worker.urn import refuse_foreign, worker_uri
from golem_oplog.cbor import encode_args
from golem_oplog.lazy_dataclass import dataclass
from golem_oplog.types import FunctionType

# A short command asks for few of these: what they need is imported where they are called.
if TYPE_CHECKING:
    from golem_host.files.look import FileEntry
    from golem_host.files.tree import Tree
    from golem_host.worker.dry_run import UpdateCheck
    from golem_host.worker.explain import Explanation
    from golem_oplog.views import EntryView

TIMEOUT_KIND: Final = "timeout"
CHECK_TIMEOUT_S: Final = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An invocation that is accepted and not completed."""

    key: str
    """Its idempotency key."""
    function: str
    """Full name."""
    args: tuple[Public, ...]
    """Public form."""
    running: bool
    """Whether it has begun."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a worker's name leads to, each found when it is asked for."""

    view: Callable[[], View]
    runner: Callable[[], Runner]
    delete: Callable[[], None]
    fork: Callable[[str, int | None], Worker]
    export: Callable[[], Iterator[bytes]]
    new_key: Callable[[], str]
    dirs: Callable[[], tuple[str, ...]]


class Worker:
    """``component/name`` in one host."""

    def __init__(self, component_name: str, name: str, access: Access) -> None:
        self.component_name = component_name
        self.name = name
        self._access = access

    @property
    def component(self) -> Component:
        """The component version that the worker runs."""
        return self._access.view().component()

    @property
    def uri(self) -> str:
        """``urn:worker:<component-uuid>/<name>``: names the worker among all there are."""
        return worker_uri(self.component.id, self.name)

    @property
    def dirs(self) -> tuple[str, ...]:
        """The directories of this machine that it was granted, as they were given."""
        return self._access.dirs()

    # -- invoking ---------------------------------------------------------------------------

    def invoke(
        self,
        function: str,
        *args: Public,
        idempotency_key: str | None = None,
        timeout: float | None = None,
        retry: bool = True,
        trace: TraceContext | None = None,
    ) -> Public:
        """
        Call an exported function and wait for its value, in public form.

        Nothing is promised before this returns; then everything is on disk.  With a key that was
        used before, the first call's outcome is returned and nothing is executed.

        When ``timeout`` seconds are over the invocation is interrupted, durably; one that has not
        begun is forgotten, unless it was accepted by `enqueue`.

        Without ``retry`` the worker gives up at the first trap in it, whatever its policy says.
        That is a wish of this caller: a host that continues the call for others tries again.

        With ``trace`` the invocation belongs to that trace, else to one of its own; the first call
        under a key decides.

        Raises:
            InvalidRequestError: No such function, or no trace.
            ParamTypeMismatchError: An argument does not fit.
            ConflictError: The key belongs to another call.
            QueueFullError: `HostConfig.pending_max` calls wait already.
            InvocationFailedError: The guest trapped and no retry is left.
            PreviousInvocationFailedError, InvocationExitedError: The worker takes no more.
            InvocationInterruptedError: Somebody, or the timeout, stopped it.
        """
        call = self.begin(
            function, *args, idempotency_key=idempotency_key, retry=retry, trace=trace
        )
        try:
            return call.result(timeout)
        except TimeoutError:
            return self.give_up(call)

    def begin(
        self,
        function: str,
        *args: Public,
        idempotency_key: str | None = None,
        retry: bool = True,
        trace: TraceContext | None = None,
    ) -> Call:
        """
        As `invoke`, for callers who wait in their own way: nothing is promised before it is done.

        `enqueue` is for calls that must be made whatever happens.
        """
        return self._submit(
            function, args, idempotency_key, durable=False, retry=retry, trace=trace
        )

    def begin_wire(self, function: FunctionType, args: list[Wire], idempotency_key: str) -> Call:
        """As `begin`, of an export by its full name and type, with arguments in wire form."""
        asked = Request(idempotency_key, function, args, encode_args(args))
        return self._call(self._on_runner(lambda runner: runner.submit(asked, durable=False)))

    def give_up(self, call: Call) -> Public:
        """
        The time of a caller of `begin` is over: the value, if it is there after all.

        Raises:
            InvocationInterruptedError: It is not: the invocation is interrupted, durably, or
                forgotten if it has not begun and was not accepted by `enqueue`.
        """
        self._on_runner(lambda runner: call.give_up(runner.give_up))
        if call.done:
            try:
                return call.result(0)
            except InvocationInterruptedError:
                pass
        raise InvocationInterruptedError(kind=TIMEOUT_KIND) from None

    def enqueue(
        self,
        function: str,
        *args: Public,
        idempotency_key: str | None = None,
        at: datetime | float | None = None,
        trace: TraceContext | None = None,
    ) -> Call:
        """
        Accept a call that will be made whatever happens: it is on disk when this returns.

        Args:
            function: As for `invoke`.
            args: Public form.
            idempotency_key: As for `invoke`.
            at: When it is to begin, at the earliest: a point in time, or Unix seconds.  Others in
                the queue go first meanwhile.
            trace: As for `invoke`.
        """
        return self._submit(function, args, idempotency_key, durable=True, at=at, trace=trace)

    def call(self, idempotency_key: str) -> Call | None:
        """The call accepted under a key, whether it waits, runs or is done; None if there is none."""
        request = self._attach(idempotency_key)
        return None if request is None else self._call(request)

    def cancel(self, idempotency_key: str) -> bool:
        """
        Take a call out of the queue; False when it is done already.

        Raises:
            InvalidRequestError: It is running, or there is none of this key.
        """
        return self._on_runner(lambda runner: runner.cancel(idempotency_key))

    def resolve(self, function: str) -> FunctionType:
        """
        The full name and type of the export that a short name stands for.

        Raises:
            InvalidRequestError: None or several.
        """
        return export_type(self.component, function)

    def unfinished(self) -> list[Unfinished]:
        """Everything accepted and not completed, the running invocation first."""
        return [
            Unfinished(
                request.key,
                request.function.name,
                public_args(request.function, request.args),
                running,
            )
            for request, running in self._on_runner(lambda runner: runner.ledger.unfinished())
        ]

    def _submit(
        self,
        function: str,
        args: tuple[Public, ...],
        key: str | None,
        *,
        durable: bool,
        at: datetime | float | None = None,
        retry: bool = True,
        trace: TraceContext | None = None,
    ) -> Call:
        if trace is not None:
            trace.check()
        function_type = self.resolve(function)
        refuse_foreign(function_type, args, lambda: self.uri)
        wires = wire_args(function_type, args)
        asked = Request(
            self._access.new_key() if key is None else key,
            function_type,
            wires,
            encode_args(wires),
            not_before=None if at is None else unix_ns_of(at),
            retry=retry,
        )
        asked.trace = trace
        return self._call(self._on_runner(lambda runner: runner.submit(asked, durable=durable)))

    def _call(self, request: Request) -> Call:
        return Call(request, self.cancel, self._rejoin)

    def _attach(self, key: str) -> Request | None:
        return self._on_runner(lambda runner: runner.attach(key))

    def _rejoin(self, key: str) -> Request | None:
        return self._on_runner(lambda runner: runner.rejoin(key))

    def _on_runner(self, act: Callable[[Runner], T]) -> T:
        return on_runner(self._access.runner, act)

    def _look_at_files(self, path: str, look: Callable[[Tree, str], T]) -> T:
        from golem_host.worker.files import look_at_files  # noqa: PLC0415

        return self._on_runner(lambda runner: look_at_files(runner, path, look))

    # -- steering ---------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Stop what runs; it stays stopped until `resume` or a new invocation.  Durable."""
        self._on_runner(lambda runner: runner.interrupt(InterruptSignal()))

    def resume(self) -> None:
        """Go on with what is unfinished.

        Raises:
            PreviousInvocationFailedError, InvocationExitedError: Nothing can go on.
        """
        self._on_runner(_resume)

    def grant_net(self, patterns: Sequence[str]) -> None:
        """
        Allow this worker more of the network than `HostConfig.net` does, from now on.

        It lasts while this host is open, and replaces what was given before in this way.  Where
        that is a change the instance, if there is one, is thrown away and rebuilt by replay.

        Raises:
            InvalidRequestError: One is no pattern; `golem_host.net.grants` explains them.
        """

        def grant(runner: Runner) -> None:
            if runner.parts.grant_net(patterns):
                runner.interrupt(InterruptSignal(restart=True))

        try:
            self._on_runner(grant)
        except ValueError as error:
            raise InvalidRequestError(reason=str(error)) from error

    def simulate_crash(self) -> None:
        """Throw the instance away in the middle of whatever it does, and rebuild it by replay."""
        self._on_runner(lambda runner: runner.interrupt(InterruptSignal(restart=True)))

    # -- past and version -------------------------------------------------------------------

    def fork(self, name: str, at: int | None = None) -> Worker:
        """
        A new worker with this one's past, up to and with entry ``at``, by default up to now.

        It goes on from there at once; this one is not disturbed.

        Raises:
            InvalidRequestError: The name or the index cannot be.
            WorkerExistsError: The name is taken.
        """
        return self._access.fork(name, at)

    def export(self) -> Iterator[bytes]:
        """
        The log with its large payloads as one file, piece by piece, for `Workers.take_in`.

        The worker may run meanwhile: the file ends where the log does now.  A file without its last
        piece is refused.

        Raises:
            OplogError: In the middle, where the log is damaged.
        """
        return self._access.export()

    def revert(self, *, to_index: int | None = None, last_invocations: int | None = None) -> None:
        """
        Take the worker back: to its log's entry ``to_index``, which remains, or by a number of
        invocations.  It also rescues a worker that has failed or exited.

        What it did outside stays done.  Callers of what is taken back get
        `InvocationInterruptedError`; what was accepted before and begun after is pending again.

        Raises:
            InvalidRequestError: There is no such point in its past.
        """
        self._on_runner(
            lambda runner: revert(runner, to_index=to_index, last_invocations=last_invocations)
        )

    def update(self, version: int, mode: str = AUTOMATIC) -> None:
        """
        Ask for another version of the component; returns when the request is on disk.

        ``automatic`` replays the log with the new code, at once; ``snapshot-based`` lets the old
        code save its state and the new code load it, when the queue comes to it.  Whether it
        worked is in `metadata().updates`; a failed one leaves the old version running.

        Raises:
            InvalidRequestError: There is no such version, it is the present one, or the same
                update is under way.
        """
        self._on_runner(lambda runner: update(runner, version, mode))

    def check_update(self, version: int, timeout: float = CHECK_TIMEOUT_S) -> UpdateCheck:
        """
        Whether an automatic update would work: the log is replayed in a scratch instance.

        Nothing is performed and nothing is recorded.

        Raises:
            InvalidRequestError: There is no such version.
        """
        from golem_host.worker.dry_run import check_update  # noqa: PLC0415

        with ExitStack() as stack:
            parts = self._on_runner(lambda runner: stack.enter_context(runner.held()))
            return check_update(parts, version, timeout)

    def delete(self) -> None:
        """Stop the worker and remove its log, damaged or not.  What it did outside stays done."""
        self._access.delete()

    # -- looking ----------------------------------------------------------------------------

    def metadata(self) -> WorkerMetadata:
        """
        Raises:
            OplogError: Its log cannot be read; nothing but its name is known then.
        """
        view = self._access.view()
        return metadata_of(view.component_name, view.status, view.oplog.last_index)

    def explain(self) -> Explanation:
        """What the worker waits for or why it stands, since when, and what would free it."""
        from golem_host.worker.explain import explain  # noqa: PLC0415

        return explain(self._access.view())

    @property
    def durable_index(self) -> int:
        """Index of the last entry that no crash takes away: output up to it may be shown."""
        view = self._access.view()
        # Whoever does not own the log sees only what its writer has handed out.
        return view.oplog.committed_index if isinstance(view, Parts) else view.oplog.last_index

    def oplog(self, start: int = 1) -> Iterator[EntryView]:
        """The entries from an index on, in the public shape of ``golem:api/oplog``."""
        from golem_oplog.query import view_entries  # noqa: PLC0415

        return view_entries(self._access.view().oplog, start)

    def search_oplog(self, query: str, start: int = 1) -> Iterator[EntryView]:
        """
        The entries from an index on that a query holds for; `golem_oplog.search_syntax` is its language.

        Raises:
            QueryError: It is none.
        """
        from golem_oplog.search import search_entries  # noqa: PLC0415

        return search_entries(self._access.view().oplog, query, start)

    def output(self, start: int = 1) -> Iterator[OutputLine]:
        """What the guest has written to stdout and stderr, from the log, from an index on."""
        return output_lines(self._access.view().oplog, start)

    def list_files(self, path: str = "/") -> list[FileEntry]:
        """
        The entries of a directory of the worker's private files, by name; of a file its own entry.

        It is not woken for that: what is not in memory is replayed in a scratch instance.  Host
        directories that it was granted are not among its files.

        Raises:
            WorkerFileNotFoundError: There is nothing of this path.
            InvalidRequestError: There are more than 100,000, or the path cannot be.
        """
        from golem_host.files.look import list_files  # noqa: PLC0415

        return self._look_at_files(path, list_files)

    def read_file(self, path: str) -> bytes:
        """
        The content of one of the worker's private files; as `list_files`.

        Raises:
            WorkerFileNotFoundError: There is nothing of this path.
            InvalidRequestError: It is a directory, or larger than 64 MiB.
        """
        from golem_host.files.look import read_file  # noqa: PLC0415

        return self._look_at_files(path, read_file)

    @contextmanager
    def attach(
        self,
        on_output: Callable[[str, bytes], None],
        on_notice: Callable[[str], None],
        *,
        stdin: int | Source | None = None,
        stdin_for: Collection[str] | None = None,
    ) -> Iterator[None]:
        """
        Watch: ``on_output(stream, data)`` for what the guest writes from now on, each byte once
        and after it is durable; ``on_notice(text)`` for what happens to the worker.

        Called from the host's threads; must be quick and must not raise.

        ``stdin`` is a descriptor that the guest reads as its standard input meanwhile; without one
        that is at its end.  Of a file or a pipe, what an unfinished invocation has read already is
        passed over: give the same again, from its beginning.  One that was reading when this ended
        waits until it is given.  ``stdin_for`` are the idempotency keys of the invocations that may
        read it; without it any may.
        """
        watcher = Watcher(on_output, on_notice)
        with ExitStack() as stack:
            source = InputSource(stdin) if isinstance(stdin, int) else stdin
            self._on_runner(
                lambda runner: stack.enter_context(runner.watch(watcher, source, stdin_for))
            )
            yield


def _resume(runner: Runner) -> None:
    runner.ledger.refuse_if_over()
    runner.wake()
