"""
Calls from a command line: read, checked against the exports, made in order, shown.

What `run` starts has a key ``run-<batch>-<position>-<digest of the call>``.  So the same command
line finds what an earlier process of it left: the batch goes on where it ended, and results that
it had already are shown again, not made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from golem_cli.exits import ExitCode
from golem_cli.guest_output import GuestOutput
from golem_cli.interrupts import StopRequest, stopping
from golem_cli.standard_input import standard_input
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.session import AnyWorker
    from golem_host import Component
    from golem_host.rest.watched import Seen
    from golem_oplog.types import FunctionType

KEY_PREFIX: Final = "run-"
BATCH_BYTES: Final = 8
DIGEST_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Invocation:
    """A call as typed: the export that it names, and arguments that fit it."""

    function: FunctionType
    args: tuple[object, ...]

    @property
    def digest(self) -> str:
        from golem_oplog.cbor import fingerprint
        from golem_oplog.values import to_wire

        types = [ty for _, ty in self.function.params]
        wires = [to_wire(ty)(arg) for ty, arg in zip(types, self.args, strict=True)]
        return fingerprint(self.function, wires)[:DIGEST_DIGITS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How calls are made and shown."""

    json_output: bool
    quiet: bool
    timeout_s: float | None
    retry: bool = True


def read_invocations(component: Component, texts: Iterable[str]) -> list[Invocation]:
    """All of the texts as calls of exports: a mistake in the last one makes none of them."""
    from golem_oplog.wave import parse_args, parse_call

    calls = [parse_call(text) for text in texts]
    functions = [resolve(component, call.name) for call in calls]
    return [
        Invocation(function, tuple(parse_args(call, function)))
        for call, function in zip(calls, functions, strict=True)
    ]


def resolve(component: Component, name: str) -> FunctionType:
    """The export that a name, long or short, stands for."""
    from golem_host.worker.names import export_type

    return export_type(component, name)


def fresh_key() -> str:
    """An idempotency key that no `run` takes for its own."""
    return os.urandom(2 * BATCH_BYTES).hex()  # noqa: TID251 - no guest sees it


def plan_keys(invocations: Sequence[Invocation], unfinished: Sequence[str]) -> list[str]:
    """
    The idempotency key of each invocation, given the keys of what is unfinished.

    A batch that left one of these calls unfinished at the position that it has here goes on.  Else
    an unfinished call is attached to wherever it stood.  Everything else is new.
    """
    digests = [invocation.digest for invocation in invocations]
    ours = [key for key in unfinished if key.startswith(KEY_PREFIX)]
    for key in ours:
        batch = key.removeprefix(KEY_PREFIX).partition("-")[0]
        whole = _batch_keys(batch, digests)
        if key in whole:
            return whole
    keys = _batch_keys(os.urandom(BATCH_BYTES).hex(), digests)  # noqa: TID251 - no guest sees it
    for position, digest in enumerate(digests):
        left = next((key for key in ours if key.endswith(f"-{digest}") and key not in keys), None)
        keys[position] = left or keys[position]
    return keys


def _batch_keys(batch: str, digests: Iterable[str]) -> list[str]:
    return [
        f"{KEY_PREFIX}{batch}-{position}-{digest}"
        for position, digest in enumerate(digests, start=1)
    ]


@dataclass(slots=True)
class Batch:
    """The calls of one command line, also while the host that they are made on changes."""

    keys: Sequence[str] = ()
    shown: int = 0
    """How many results were shown."""
    seen: Seen | None = None
    """How far the output of the worker was shown, where that was done through an owner."""
    stop: StopRequest | None = None
    """Where somebody asks for the end: it may come when the last call is over already."""

    @property
    def stopped(self) -> bool:
        """Whether somebody did; final once `calling` has ended."""
        return self.stop is not None and self.stop.requested

    def planned(
        self, invocations: Sequence[Invocation], unfinished: Sequence[str]
    ) -> Sequence[str]:
        """The key of each; once planned they stay, so that nothing is called twice."""
        self.keys = self.keys or plan_keys(invocations, unfinished)
        return self.keys


class Calls:
    """A worker that is being called by this process: its output shown, Ctrl-C passed on to it."""

    def __init__(
        self, worker: AnyWorker, manner: Manner, output: GuestOutput, stop: StopRequest
    ) -> None:
        self._worker = worker
        self._manner = manner
        self._stop = stop
        self.output = output

    def invoke(self, invocation: Invocation, key: str | None) -> object:
        """Make one call, or attach to the one of that key, and wait for its value."""
        from golem_host import InvocationInterruptedError

        def call() -> object:
            return self._worker.invoke(
                invocation.function.name,
                *invocation.args,
                idempotency_key=key,
                timeout=self._manner.timeout_s,
                retry=self._manner.retry,
            )

        def stopped() -> InvocationInterruptedError:
            return InvocationInterruptedError(kind="interrupt")

        if self._stop.requested:
            raise stopped()
        return self._stop.attend(call, stopped)

    def invoke_all(
        self, invocations: Sequence[Invocation], keys: Sequence[str], batch: Batch | None = None
    ) -> ExitCode:
        """
        Make calls in order and print each result; the first that is an ``err`` is the last.

        Results that were shown for this batch already are not shown again.
        """
        from golem_oplog.values import Err

        batch = batch or Batch()
        for position, (invocation, key) in enumerate(zip(invocations, keys, strict=True)):
            if position < batch.shown:
                continue
            value = self.invoke(invocation, key)
            text = shown(invocation.function, key, value, json_output=self._manner.json_output)
            self.output.result(text)
            batch.shown += 1
            if isinstance(value, Err):
                return ExitCode.GUEST_ERR
        return ExitCode.OK


def shown(function: FunctionType, key: str, value: object, *, json_output: bool) -> str:
    """A call's value as it is printed."""
    from golem_oplog.jsonform import to_json
    from golem_oplog.wave import render_value

    ty = function.result
    if json_output:
        result = None if ty is None else to_json(ty, value)
        return json.dumps({"function": function.name, "key": key, "result": result})
    return "()" if ty is None else render_value(value, ty)


@contextmanager
def _told(worker: AnyWorker, batch: Batch) -> Iterator[None]:
    from golem_host import Worker

    try:
        yield
    finally:
        if not isinstance(worker, Worker):
            batch.seen = worker.seen or batch.seen


def _attached(
    worker: AnyWorker, output: GuestOutput, stdin_for: Collection[str], seen: Seen | None
) -> AbstractContextManager[None]:
    """Show what the worker writes; first what an owner was killed with in its hands."""
    from golem_host import Worker

    stdin = standard_input() if stdin_for else None
    attach = partial(worker.attach, output.write, output.remark, stdin=stdin, stdin_for=stdin_for)
    if not isinstance(worker, Worker):
        return attach(since=seen)
    if seen is not None and seen.created_ns == worker.metadata().created_ns:
        # Nothing is written meanwhile: a host that a command opens leaves workers at rest.
        for line in worker.output(seen.index + 1):
            output.write(line.stream, line.data)
    return attach()


@contextmanager
def calling(
    worker: AnyWorker, manner: Manner, batch: Batch, *, stdin_for: Collection[str] = ()
) -> Iterator[Calls]:
    """
    Attach this terminal to a worker for as long as it is called.

    ``stdin_for`` are the keys of the invocations that may read our standard input.

    Raises:
        KeyboardInterrupt: Somebody asked for the end of the same calls on an earlier host.
    """
    if batch.stopped:
        raise KeyboardInterrupt
    with stopping(worker.interrupt) as stop, _told(worker, batch):
        batch.stop = stop
        output = GuestOutput(
            stdout_is_data=manner.json_output, quiet=manner.quiet, on_closed=stop.request
        )
        with _attached(worker, output, stdin_for, batch.seen):
            yield Calls(worker, manner, output, stop)
