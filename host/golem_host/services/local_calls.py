"""Calls between the workers of one host: `Calls` over `Workers` and `Components`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from golem_host.component import Component
from golem_host.errors import (
    ComponentNotFoundError,
    ConflictError,
    HostClosedError,
    HostError,
    InvocationGoneError,
    ParamTypeMismatchError,
    PayloadTooLargeError,
)
from golem_host.services.calls import Caller, CallRef
from golem_host.services.peers import WorkerRef, shown
from golem_host.services.unfinished import WorkerKey
from golem_host.wire import Wire
from golem_host.worker.arguments import refuse_count
from golem_host.worker.names import export_type
from golem_host.worker.request import Request
from golem_host.worker.runner import Runner, on_runner
from golem_host.worker.urn import finding, naming, worker_uri
from golem_oplog.cbor import decode_value, encode_args
from golem_oplog.errors import OplogError, ValueTypeError
from golem_oplog.types import FunctionType, TupleType
from golem_oplog.wit_value import from_wit_value, to_wit_value

if TYPE_CHECKING:
    from golem_host.services.components import Components
    from golem_host.services.results import Results
    from golem_host.services.workers import Workers

CIRCLE_MAX: Final = 100
"""Workers in a circle, beyond which nobody finds out that they wait for each other."""
NAMES_SHOWN_MAX: Final = 8
ANSWER_BYTES_MAX: Final = 1 << 20
"""
Of the CBOR of a result that another worker has asked for.  As a ``wit-value`` every byte of a list
may become a node, of about 100 bytes here.  What is passed leaves a guest: the engine bounds it.
"""
REFUSALS_MAX: Final = 1_000
CONTINUED_MAX: Final = 10_000
"""Calls that are remembered as going on; one that is forgotten may be woken once too often."""
OWN_VARIABLES: Final = ("GOLEM_WORKER_NAME", "GOLEM_COMPONENT_ID", "GOLEM_COMPONENT_VERSION")
_RECORD_VALUE: Final = 0
_EMPTY_RECORD: Final[Wire] = ([(_RECORD_VALUE, [])],)

T = TypeVar("T")


class LocalCalls:
    """See `Calls`."""

    def __init__(self, workers: Workers, components: Components, results: Results) -> None:
        self._workers = workers
        self._components = components
        self._results = results
        self._lock = threading.Lock()
        self._breaking = threading.Lock()
        """Held while a circle is broken: else each of those who close it would take a call back."""
        self._refusals: dict[CallRef, ConflictError] = {}
        """Why a call was taken back whose caller does not know yet; after a crash nobody does."""
        self._continued: dict[CallRef, None] = {}
        """Those of earlier hosts that were let go on, the oldest first."""

    def submit(
        self,
        call: CallRef,
        function: str,
        params: Sequence[Wire],
        caller: Caller,
        not_before: int | None = None,
    ) -> None:
        key = self._key(call.worker)
        if not self._workers.exists(key):
            component = self._components.get(key.component)
            # First: what cannot be called makes no worker.
            _request(component, call, function, params, not_before)
            self._create(component, call, caller)
        self._on_runner(
            key, lambda runner: _submit(runner, call, function, params, caller, not_before)
        )

    def _create(self, component: Component, call: CallRef, caller: Caller) -> None:
        self._workers.get_or_create(
            component,
            call.worker.worker_name,
            args=caller.args,
            env={name: value for name, value in caller.env if name not in OWN_VARIABLES},
            config_vars=dict(caller.config_vars),
            called=(caller.worker, call),
        )

    def go_on(self, call: CallRef) -> None:
        # Once: from then on the worker comes back by itself, and two that wait for each other would
        # wake each other for ever.
        with self._lock:
            if call in self._continued:
                return
            self._continued[call] = None
            while len(self._continued) > CONTINUED_MAX:
                del self._continued[next(iter(self._continued))]
        try:
            self._on_runner(self._key(call.worker), lambda runner: runner.go_on(call.key))
        except HostClosedError:
            raise
        except (HostError, OplogError):
            # Whoever asks for the outcome is told.
            return

    def is_settled(self, call: CallRef) -> bool:
        try:
            return self._on_runner(self._key(call.worker), lambda runner: _is_settled(runner, call))
        except HostClosedError:
            raise
        except (HostError, OplogError):
            # Whoever asks for the outcome is told.
            return True

    def outcome(self, call: CallRef) -> Wire | None:
        try:
            done = self._results.take(call) or self._on_runner(
                self._key(call.worker), lambda runner: runner.outcome(call.key)
            )
        except InvocationGoneError as error:
            raise self._take_refusal(call) or error from None
        if done is None:
            return None
        payload, result = done.payload_of_result(), done.function.result
        if result is None or payload is None:
            return _EMPTY_RECORD
        if len(payload) > ANSWER_BYTES_MAX:
            raise PayloadTooLargeError(
                function=done.function.name,
                limit=f"{ANSWER_BYTES_MAX >> 20} MiB of CBOR, as an answer to another worker,",
            )
        return to_wit_value(
            TupleType((result,)),
            (decode_value(payload),),
            naming(worker_uri(*call.worker)),
        )

    def cancel(self, call: CallRef) -> bool:
        try:
            return self._on_runner(self._key(call.worker), lambda runner: runner.cancel(call.key))
        except HostClosedError:
            raise
        except HostError:
            # It runs, or it is gone, or its worker is.
            return False

    def waking(self, call: CallRef, event: threading.Event) -> AbstractContextManager[None]:
        return self._results.waking(call, event)

    @contextmanager
    def waiting(self, caller: WorkerRef, call: CallRef) -> Iterator[None]:
        with self._results.waits(caller, call):
            self._break_circle(caller, call)
            yield

    def _break_circle(self, caller: WorkerRef, call: CallRef) -> None:
        if not self._circle(caller, call):
            return
        with self._breaking:
            # Once more: whoever closed it together with this one may have broken it by now.
            self._break(caller, call, self._circle(caller, call))

    def _break(self, caller: WorkerRef, call: CallRef, circle: Sequence[CallRef]) -> None:
        # Each waits for the next one, and did so all the time: what has no result now had none.
        if not circle or any(self.is_settled(each) for each in circle):
            return
        names = [self.label(each.worker) for each in circle[:NAMES_SHOWN_MAX]]
        told = "".join(f", which waits for {name}" for name in names[1:])
        more = ", and so on" if len(circle) > NAMES_SHOWN_MAX else ""
        error = ConflictError(
            reason=f"workers would wait for each other for ever: {self.label(caller)} waits for "
            f"{names[0]}{told}{more}"
        )
        for each in circle:
            # The first one that has not begun; there is one, for who is called waits as well.
            # Noted before, for its caller learns of it at once.
            self._note_refusal(each, error)
            is_canceled = False
            try:
                is_canceled = self.cancel(each)
            finally:
                if not is_canceled or each == call:
                    self._drop_refusal(each, error)
            if is_canceled:
                if each == call:
                    raise error
                return

    def _circle(self, caller: WorkerRef, call: CallRef) -> list[CallRef]:
        """The calls that lead from a caller back to it, each made by who the one before is for."""
        path = [call]
        while path[-1].worker != caller:
            at = path[-1].worker
            try:
                found = self._results.awaited_by(at, partial(self._key, at))
            except ComponentNotFoundError:
                return []
            if found is None or len(path) >= CIRCLE_MAX:
                return []
            path.append(found)
        return path

    def _take_refusal(self, call: CallRef) -> ConflictError | None:
        with self._lock:
            return self._refusals.pop(call, None)

    def _drop_refusal(self, call: CallRef, error: ConflictError) -> None:
        with self._lock:
            if self._refusals.get(call) is error:
                del self._refusals[call]

    def _note_refusal(self, call: CallRef, error: ConflictError) -> None:
        with self._lock:
            self._refusals.setdefault(call, error)
            while len(self._refusals) > REFUSALS_MAX:
                del self._refusals[next(iter(self._refusals))]

    def label(self, worker: WorkerRef) -> str:
        name = self._components.name_of(worker.component_id)
        return f"{name or worker.component_id}/{shown(worker.worker_name)}"

    def _key(self, worker: WorkerRef) -> WorkerKey:
        name = self._components.name_of(worker.component_id)
        if name is None:
            raise ComponentNotFoundError(component=worker.component_id)
        return WorkerKey(name, worker.worker_name)

    def _on_runner(self, key: WorkerKey, act: Callable[[Runner], T]) -> T:
        return on_runner(lambda: self._workers.runner(key), act)


def _is_settled(runner: Runner, call: CallRef) -> bool:
    # Held, so that one that was only loaded for this is put away again.
    with runner.held():
        return not runner.is_open(call.key)


def _submit(
    runner: Runner,
    call: CallRef,
    function: str,
    params: Sequence[Wire],
    caller: Caller,
    not_before: int | None,
) -> None:
    # As one step: a suspended worker would be put away after the first, and so on for ever.
    with runner.held():
        if runner.go_on(call.key):
            return
        request = _request(runner.parts.component(), call, function, params, not_before)
        request.trace = caller.trace
        runner.submit(request, durable=True)


def _request(
    component: Component,
    call: CallRef,
    function: str,
    params: Sequence[Wire],
    not_before: int | None,
) -> Request:
    ty = export_type(component, function)
    args = _args(ty, call.worker, params)
    return Request(call.key, ty, args, encode_args(args), not_before=not_before)


def _args(function: FunctionType, worker: WorkerRef, params: Sequence[Wire]) -> list[Wire]:
    refuse_count(function, len(params))
    find = finding(worker_uri(*worker))
    args: list[Wire] = []
    for (name, ty), value in zip(function.params, params, strict=True):
        try:
            args.append(from_wit_value(ty, value, find))
        except ValueTypeError as error:
            raise ParamTypeMismatchError(
                function=function.name, parameter=name, reason=str(error)
            ) from error
    return args
