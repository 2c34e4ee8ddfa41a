"""``golem-host worker``: calling a worker, and going on with what it has left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_cli.options import WorkerName
from golem_cli.render import note
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.invoking import Batch, Invocation, Manner
    from golem_cli.session import AnyHost, AnyWorker

AUTO_KEY: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeRequest:
    """The command line of `worker invoke`."""

    name: WorkerName
    call: str
    idempotency_key: str | None
    timeout: float | None
    no_retry: bool
    enqueue: bool
    at: int | None
    interface: tuple[str, ...]
    json_output: bool
    quiet: bool
    state_dir: Path | None

    @property
    def manner(self) -> Manner:
        from golem_cli.invoking import Manner

        return Manner(
            json_output=self.json_output,
            quiet=self.quiet,
            timeout_s=self.timeout,
            retry=not self.no_retry,
        )

    @property
    def is_enqueued(self) -> bool:
        return self.enqueue or self.at is not None

    @property
    def key(self) -> str | None:
        return None if self.idempotency_key == AUTO_KEY else self.idempotency_key


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@click.argument("call")
@click.option(
    "-i",
    "--idempotency-key",
    metavar="KEY",
    help="The same key with the same call gives the first one's result.",
)
@click.option(
    "--timeout",
    type=options.DURATION,
    metavar="TIME",
    help="Interrupt the invocation, durably, after so long: 5, 500ms, 2m.",
)
@options.no_retry
@click.option(
    "-t",
    "--enqueue",
    "--trigger",
    is_flag=True,
    help="Have the call accepted, durably, and print its idempotency key; do not wait for it.",
)
@click.option(
    "--at",
    "--schedule-at",
    type=options.MOMENT,
    metavar="TIME",
    help="As --enqueue, and it begins no earlier: 2026-01-31T12:00:00Z, or +10s from now.",
)
@options.interface
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(InvokeRequest)
def invoke(request: InvokeRequest) -> int:
    """
    Call an exported function of a worker.

    The worker is made when there is none of this name.  CALL has its arguments in WAVE.

    An enqueued call is made whatever happens, by the owner of the state directory, or by the next
    one: `serve`, or `worker resume`.

    \b
    Example:
      golem-host worker invoke counter/alice 'add(1)'
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.invoking import Batch, calling, read_invocations
    from golem_cli.session import existing_worker, through_host

    if request.is_enqueued and (request.timeout is not None or request.no_retry):
        raise click.UsageError(
            "--timeout and --no-retry are for who waits: not with --enqueue or --at"
        )
    if request.is_enqueued and request.interface:
        raise click.UsageError(
            "--interface is for who makes the call: give it to `worker resume` or `serve`"
        )
    batch = Batch([request.key] if request.key else ())

    def act(host: AnyHost) -> int:
        component = host.components.get(request.name.component)
        existing = existing_worker(host, *request.name)
        # A mistake in the call makes no worker.
        callee = component if existing is None else existing.component
        invocations = read_invocations(callee, [request.call])
        target = existing or host.workers.create(component, request.name.worker)
        if request.is_enqueued:
            return _enqueue(target, invocations[0], batch, request)
        keys = batch.planned(invocations, ())
        with calling(target, request.manner, batch) as calls:
            return calls.invoke_all(invocations, keys, batch)

    return through_host(
        request.state_dir,
        act,
        quiet=request.quiet,
        work=not request.is_enqueued,
        interfaces=request.interface,
    )


def _enqueue(
    target: AnyWorker, invocation: Invocation, batch: Batch, request: InvokeRequest
) -> ExitCode:
    from golem_cli.invoking import fresh_key
    from golem_host import Worker

    # Chosen here, so that asking again does not make the call twice.
    batch.keys = batch.keys or [fresh_key()]
    at = None if request.at is None else request.at / 1_000_000_000
    name = invocation.function.name
    call = target.enqueue(name, *invocation.args, idempotency_key=batch.keys[0], at=at)
    document = {"function": name, "key": call.key}
    click.echo(json.dumps(document) if request.json_output else call.key)
    if isinstance(target, Worker):
        how = f"`golem-host worker resume {request.name}`, or `golem-host serve`"
        note(f"accepted; no process is at work on it: {how} makes the call", quiet=request.quiet)
    return ExitCode.OK


@click.command()
@click.argument("name", metavar="WORKER", type=options.WORKER)
@options.interface
@options.json_output
@options.quiet
@options.state_dir
def resume(
    name: WorkerName,
    interface: tuple[str, ...],
    json_output: bool,
    quiet: bool,
    state_dir: Path | None,
) -> int:
    """
    Continue what a worker has left unfinished, and wait for it.

    \b
    Example:
      golem-host worker resume counter/alice
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.invoking import Batch, Invocation, Manner, calling
    from golem_cli.session import find_worker, through_host

    manner = Manner(json_output=json_output, quiet=quiet, timeout_s=None)
    batch = Batch()

    def act(host: AnyHost) -> int:
        target = find_worker(host, name)
        left = target.unfinished()
        if not left and not batch.keys:
            note(f"worker {name} has nothing to continue", quiet=quiet)
        with calling(target, manner, batch) as calls:
            target.resume()
            invocations = [Invocation(target.resolve(item.function), item.args) for item in left]
            batch.keys = [item.key for item in left]
            return calls.invoke_all(invocations, batch.keys)

    return through_host(state_dir, act, quiet=quiet, interfaces=interface)


COMMANDS: Final = (invoke, resume)
