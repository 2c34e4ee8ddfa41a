"""One worker of the host of another process; see `golem_host.worker.worker.Worker`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import Final, Protocol

from golem_host.component import Component
from golem_host.errors import DivergenceError, HostError
from golem_host.files.look import FileEntry
from golem_host.rest.bodies import (
    Canceled,
    FileList,
    InvocationAccepted,
    InvocationForm,
    InvocationResult,
    MetadataForm,
    OplogPage,
    UnfinishedList,
    UpdateCheckForm,
)
from golem_host.rest.client import Client, Query, path_of
from golem_host.rest.errors import InternalError, InvocationNotFoundError, error_of
from golem_host.rest.lender import lending
from golem_host.rest.reports import ExplanationForm, explanation_of
from golem_host.rest.shapes import read
from golem_host.rest.times import time_of
from golem_host.rest.typed import value_of
from golem_host.rest.watched import Seen, Watched, output_line
from golem_host.services.console import InputSource
from golem_host.status_records import UpdateRecord
from golem_host.system import monotonic_s
from golem_host.trace_context import TraceContext
from golem_host.wire import Public
from golem_host.worker.arguments import wire_args
from golem_host.worker.dry_run import UpdateCheck
from golem_host.worker.explain import Explanation
from golem_host.worker.metadata import WorkerMetadata
from golem_host.worker.names import export_type
from golem_host.worker.output_line import OutputLine
from golem_host.worker.surgery import AUTOMATIC
from golem_host.worker.urn import refuse_foreign, worker_uri
from golem_host.worker.worker import Unfinished
from golem_oplog.errors import OplogError
from golem_oplog.jsonform import wire_to_json
from golem_oplog.public import ResourceRef
from golem_oplog.types import FunctionType

WAIT_S: Final = 3_600.0
"""The longest time for which a result is waited in one request."""


class GetComponent(Protocol):
    def __call__(self, name: str, *, version: int | None = None) -> Component: ...


class RemoteWorker:
    """``component/name`` in the host of another process."""

    def __init__(
        self, client: Client, component_name: str, name: str, get_component: GetComponent
    ) -> None:
        self.component_name = component_name
        self.name = name
        self._client = client
        self._get_component = get_component
        self.seen: Seen | None = None
        """How far the last `attach` has shown its output."""
        self._watched: Watched | None = None

    @property
    def component(self) -> Component:
        """The component version that the worker runs."""
        version = self.metadata().component_version
        return self._get_component(self.component_name, version=version)

    @property
    def uri(self) -> str:
        """As for `Worker`."""
        return worker_uri(self.component.id, self.name)

    @property
    def dirs(self) -> tuple[str, ...]:
        return read(MetadataForm, self._ask("GET"), "answer").dirs

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
        query = [("retry", "true" if retry else "false")]
        if timeout is not None:
            query.append(("timeout", repr(timeout)))
        with self._shown_first():
            headers = _headers(idempotency_key, trace)
            answer = self._call("invoke-and-await", function, args, headers, query)
        return value_of(read(InvocationResult, answer, "answer").result.value)

    def enqueue(
        self,
        function: str,
        *args: Public,
        idempotency_key: str | None = None,
        at: datetime | float | None = None,
        trace: TraceContext | None = None,
    ) -> RemoteCall:
        query = [] if at is None else [("at", _time_text(at))]
        headers = _headers(idempotency_key, trace)
        answer = self._call("invoke", function, args, headers, query)
        return RemoteCall(self, read(InvocationAccepted, answer, "answer").idempotency_key)

    def call(self, idempotency_key: str) -> RemoteCall | None:
        try:
            self.invocation(idempotency_key, 0)
        except InvocationNotFoundError:
            return None
        return RemoteCall(self, idempotency_key)

    def cancel(self, idempotency_key: str) -> bool:
        answer = self._ask("DELETE", "invocations", idempotency_key)
        return read(Canceled, answer, "answer").canceled

    def resolve(self, function: str) -> FunctionType:
        return export_type(self.component, function)

    def unfinished(self) -> list[Unfinished]:
        found = read(UnfinishedList, self._ask("GET", "invocations"), "answer")
        return [
            Unfinished(
                item.idempotency_key,
                item.function,
                tuple(value_of(param.value) for param in item.params),
                item.running,
            )
            for item in found.invocations
        ]

    def invocation(self, key: str, wait_s: float) -> InvocationForm:
        """What became of an invocation, after at most so many seconds."""
        answer = self._ask("GET", "invocations", key, query=[("wait", repr(wait_s))])
        return read(InvocationForm, answer, "answer")

    def _call(
        self,
        operation: str,
        function: str,
        args: tuple[Public, ...],
        headers: dict[str, str],
        query: Query,
    ) -> object:
        resolved = self.resolve(function)
        refuse_foreign(resolved, args, lambda: self.uri)
        wires = wire_args(resolved, args)
        pairs = zip(resolved.params, wires, strict=True)
        body = {"params": [{"value": wire_to_json(ty, wire)} for (_, ty), wire in pairs]}
        return self._client.ask(
            "POST",
            self._path(operation),
            query=[("function", resolved.name), *query],
            body=body,
            headers=headers,
        )

    # -- steering ---------------------------------------------------------------------------

    def interrupt(self) -> None:
        self._ask("POST", "interrupt")

    def resume(self) -> None:
        self._ask("POST", "resume")

    def grant_net(self, patterns: Sequence[str]) -> None:
        self._ask("PUT", "net", body={"net": list(patterns)})

    def simulate_crash(self) -> None:
        self._ask("POST", "simulate-crash")

    def fork(self, name: str, at: int | None = None) -> RemoteWorker:
        body = {"targetWorkerId": {"workerName": name}, "oplogIndexCutoff": at}
        self._ask("POST", "fork", body=body)
        return RemoteWorker(self._client, self.component_name, name, self._get_component)

    def revert(self, *, to_index: int | None = None, last_invocations: int | None = None) -> None:
        body = {"lastOplogIndex": to_index, "numberOfInvocations": last_invocations}
        self._ask("POST", "revert", body=body)

    def update(self, version: int, mode: str = AUTOMATIC) -> None:
        self._ask("POST", "update", body={"targetVersion": version, "mode": mode})

    def check_update(self, version: int) -> UpdateCheck:
        answer = self._ask("POST", "check-update", body={"targetVersion": version})
        found = read(UpdateCheckForm, answer, "answer")
        difference = error_of({"error": found.difference.value})
        return UpdateCheck(
            version=found.version,
            ok=found.ok,
            replayed_to=found.replayed_to,
            requests_differing=found.requests_differing,
            difference=difference if isinstance(difference, DivergenceError) else None,
            reason=found.reason,
        )

    def delete(self) -> None:
        self._ask("DELETE")

    # -- looking ----------------------------------------------------------------------------

    def metadata(self) -> WorkerMetadata:
        return remote_metadata(read(MetadataForm, self._ask("GET"), "answer"))

    def explain(self) -> Explanation:
        return explanation_of(read(ExplanationForm, self._ask("GET", "explain"), "answer"))

    def oplog(self, start: int = 1) -> Iterator[dict[str, object]]:
        """Entries from an index on, as ``golem-host dump --json`` prints them."""
        return self._entries(start, [])

    def search_oplog(self, query: str, start: int = 1) -> Iterator[dict[str, object]]:
        """As `oplog`, but only those that a query holds for; see `Worker.search_oplog`."""
        return self._entries(start, [("query", query)])

    def _entries(self, start: int, query: Query) -> Iterator[dict[str, object]]:
        cursor: str | None = str(start)
        while cursor is not None:
            answer = self._ask("GET", "oplog", query=[("cursor", cursor), *query])
            page = read(OplogPage, answer, "answer")
            for entry in page.entries:
                assert isinstance(entry.value, dict)
                yield entry.value
            cursor = page.next

    def export(self) -> Iterator[bytes]:
        return self._client.pieces(self._path("export"))

    def output(self, start: int = 1) -> Iterator[OutputLine]:
        with self._client.lines(self._path("output"), [("from", str(start))]) as lines:
            for document in lines:
                yield output_line(document)

    def list_files(self, path: str = "/") -> list[FileEntry]:
        found = read(FileList, self._ask("GET", "files", path.lstrip("/")), "answer")
        return [
            FileEntry(each.name, each.is_dir, each.size, each.read_only) for each in found.nodes
        ]

    def read_file(self, path: str) -> bytes:
        found = self._ask("GET", "file-contents", path.lstrip("/"))
        assert isinstance(found, bytes)
        return found

    @contextmanager
    def attach(
        self,
        on_output: Callable[[str, bytes], None],
        on_notice: Callable[[str], None],
        *,
        stdin: int | InputSource | None = None,
        stdin_for: Collection[str] | None = None,
        since: Seen | None = None,
    ) -> Iterator[None]:
        """
        As `Worker.attach`; called from a thread of this process.

        With ``since``, what was written after it is shown first.
        """
        made = self.metadata()
        is_known = since is not None and since.created_ns == made.created_ns
        shown_index = since.index if since is not None and is_known else made.oplog_index
        is_followed = False
        self._watched = watched = Watched(self.output, shown_index, on_output, on_notice)
        try:
            with ExitStack() as stack:
                stack.enter_context(watched.following(self._client, self._path("output")))
                is_followed = True
                if stdin is not None:
                    source = InputSource(stdin) if isinstance(stdin, int) else stdin
                    path = self._path("input")
                    stack.enter_context(lending(self._client, path, source, stdin_for))
                yield
        finally:
            if is_followed:
                self.seen = Seen(made.created_ns, watched.shown_index)
            self._watched = None

    @contextmanager
    def _shown_first(self) -> Iterator[None]:
        """Nobody learns of an end before they have seen what was written on the way to it."""
        try:
            yield
        except HostError:
            # If the owner is gone, so is the output; what is raised says so already.
            with suppress(HostError, OplogError):
                self._catch_up()
            raise
        self._catch_up()

    def _catch_up(self) -> None:
        if self._watched is not None:
            self._watched.catch_up()

    def _path(self, *names: str) -> str:
        return path_of("components", self.component_name, "workers", self.name, *names)

    def _ask(
        self, method: str, *names: str, query: Query | None = None, body: object = None
    ) -> object:
        return self._client.ask(method, self._path(*names), query=query, body=body)


class RemoteCall:
    """See `golem_host.worker.request.Call`."""

    def __init__(self, worker: RemoteWorker, key: str) -> None:
        self._worker = worker
        self.key = key

    @property
    def function(self) -> FunctionType:
        return self._worker.resolve(self._worker.invocation(self.key, 0).function)

    @property
    def done(self) -> bool:
        return self._worker.invocation(self.key, 0).done

    def result(self, timeout: float | None = None) -> Public:
        ends_at = None if timeout is None else monotonic_s() + timeout
        while True:
            left_s = WAIT_S if ends_at is None else min(max(ends_at - monotonic_s(), 0), WAIT_S)
            found = self._worker.invocation(self.key, left_s)
            if found.done:
                return _outcome(found)
            if ends_at is not None and monotonic_s() >= ends_at:
                raise TimeoutError(f"{found.function} is still running")

    def cancel(self) -> bool:
        return self._worker.cancel(self.key)


def _outcome(found: InvocationForm) -> Public:
    if found.error.value is not None:
        error = error_of({"error": found.error.value})
        raise error or InternalError(reason=f"an unknown error: {found.error.value}")
    return value_of(found.result.value)


def remote_metadata(form: MetadataForm) -> WorkerMetadata:
    return WorkerMetadata(
        component=form.component_name,
        name=form.worker_id.worker_name,
        status=form.status,
        component_version=form.component_version,
        pending=form.pending_invocation_count,
        retry_count=form.retry_count,
        last_error=form.last_error,
        oplog_index=form.oplog_index,
        args=form.args,
        env=tuple(form.env.items()),
        config_vars=tuple(form.config_vars.items()),
        reason=form.reason,
        updates=tuple(UpdateRecord(u.target_version, u.state, u.details) for u in form.updates),
        created_ns=time_of(form.created_at),
        resources=tuple(ResourceRef(each.resource, each.handle) for each in form.resources),
        plugins=form.plugins,
        last_traceback=form.last_traceback,
    )


def _headers(key: str | None, trace: TraceContext | None) -> dict[str, str]:
    named = {} if key is None else {"idempotency-key": key}
    return named if trace is None else named | trace.headers()


def _time_text(at: datetime | float) -> str:
    moment = at if isinstance(at, datetime) else datetime.fromtimestamp(at, UTC)
    return moment.astimezone(UTC).isoformat()
