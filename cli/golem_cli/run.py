"""``golem-host run``: deploy, find or make the worker, call it, and continue what was left."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.apps import Source, find_source
from golem_cli.exits import ExitCode
from golem_cli.options import DEFAULT_WORKER
from golem_cli.render import note
from golem_cli.run_args import RunCommand
from golem_oplog.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from golem_cli.invoking import Batch, Calls, Manner
    from golem_cli.session import AnyHost, AnyWorker
    from golem_host import Component
    from golem_host.files.mapping import Mapping as Mapped
    from golem_host.worker.worker import Unfinished

COMMAND_INTERFACE: Final = "wasi:cli/run"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """The command line of `run`."""

    app: str
    args: tuple[str, ...]
    worker: str
    name: str | None
    invoke: tuple[str, ...]
    env: tuple[tuple[str, str | None], ...]
    net: tuple[str, ...]
    dir: tuple[Mapped, ...]
    interface: tuple[str, ...]
    timeout: float | None
    no_retry: bool
    watch: bool
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
    def environment(self) -> dict[str, str]:
        return options.pairs(self.env)

    @property
    def dirs(self) -> tuple[str, ...]:
        """Absolute on this side: the owner may stand elsewhere."""
        return tuple(str(each) for each in self.dir)


@click.command(cls=RunCommand)
@click.argument("app", shell_complete=options.complete_app)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--worker",
    default=DEFAULT_WORKER,
    metavar="NAME",
    show_default=True,
    help="The worker to run; it is made when there is none of this name.",
)
@click.option(
    "--name", metavar="COMPONENT", help="The component's name.  [default: name of file or folder]"
)
@click.option(
    "--invoke",
    multiple=True,
    metavar="CALL",
    help="Call an export, arguments in WAVE; may be repeated, and runs in order.",
)
@click.option(
    "--env",
    multiple=True,
    type=options.ENV,
    metavar="NAME[=VALUE]",
    help="Set a variable for a new worker; without a value, as it is set here.",
)
@options.net
@options.directory("a new worker")
@options.interface
@click.option(
    "--timeout",
    type=options.DURATION,
    metavar="TIME",
    help="Interrupt an invocation, durably, after so long: 5, 500ms, 2m.",
)
@options.no_retry
@click.option(
    "--watch",
    is_flag=True,
    help="Stay, and when APP changes build it, update the worker if its past allows that, and call "
    "again.",
)
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(RunRequest)
def run(request: RunRequest) -> int:
    """
    Run a component as a durable worker.

    APP is a component file, the folder of a guest project (built first), or the name of a deployed
    component.  Options may stand before or after APP; ARGS are the guest's own, from the first word
    that is no option, or from `--`, on.

    Run the same command again after a crash or Ctrl-C, and what it had begun is continued.  What
    has finished is called anew; a `wasi:cli/run` worker that has ended is replaced by a fresh one.

    \b
    Example:
      golem-host run counter.wasm --worker alice --invoke 'add(1)' --invoke 'add(2)'
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.invoking import Batch
    from golem_cli.session import through_host
    from golem_oplog.wave import parse_call

    for text in request.invoke:
        # Before anything is built, compiled or stored.
        parse_call(text)
    source = find_source(request.app, request.name)
    if request.watch:
        from golem_cli.watch import watch

        return watch(
            source,
            request.worker,
            lambda host, component, batch: _play(host, component, request, batch),
            state_dir=request.state_dir,
            is_command=not request.invoke,
            quiet=request.quiet,
        )
    batch = Batch()

    def act(host: AnyHost) -> int:
        return _play(host, _component(host, source, request), request, batch)

    return through_host(request.state_dir, act, quiet=request.quiet, interfaces=request.interface)


def _play(host: AnyHost, component: Component, request: RunRequest, batch: Batch) -> int:
    if request.invoke:
        return _call_exports(host, component, request, batch)
    return _run_command(host, component, request, batch)


def _component(host: AnyHost, source: Source | None, request: RunRequest) -> Component:
    from golem_cli.progress import progress

    if source is None:
        return host.components.get(request.app)
    with progress(quiet=request.quiet) as show:
        return source.deploy(host, show)


def _call_exports(
    host: AnyHost, component: Component, request: RunRequest, batch: Batch
) -> ExitCode:
    from golem_cli.invoking import read_invocations
    from golem_cli.session import existing_worker

    existing = existing_worker(host, component.name, request.worker)
    if existing is not None:
        _check_made_alike(existing, component, request, strict=False)
    # A mistake in a call makes no worker.
    callee = component if existing is None else existing.component
    invocations = read_invocations(callee, request.invoke)
    worker = existing or _create(host, component, request)
    _grant(worker, request)
    left = worker.unfinished()
    keys = batch.planned(invocations, [item.key for item in left])
    with _calling(worker, request, batch, left) as calls:
        for item in left:
            if item.key in keys:
                calls.output.remark(f"continuing {item.function}")
            else:
                calls.output.remark(f"first finishing {item.function}, which was left unfinished")
        return calls.invoke_all(invocations, keys, batch)


def _calling(
    worker: AnyWorker, request: RunRequest, batch: Batch, left: Sequence[Unfinished]
) -> AbstractContextManager[Calls]:
    """Our standard input is for our calls, and for what was left unfinished before them."""
    from golem_cli.invoking import calling

    readers = [*batch.keys, *(item.key for item in left)]
    return calling(worker, request.manner, batch, stdin_for=readers)


def _create(host: AnyHost, component: Component, request: RunRequest) -> AnyWorker:
    return host.workers.create(
        component,
        request.worker,
        args=request.args,
        env=request.environment,
        dirs=request.dirs,
    )


def _grant(worker: AnyWorker, request: RunRequest) -> None:
    """Powers are lent by whoever runs the worker; they are no part of it."""
    if request.net:
        worker.grant_net(request.net)


def _run_command(host: AnyHost, component: Component, request: RunRequest, batch: Batch) -> int:
    from golem_cli.invoking import Invocation
    from golem_host import InvocationExitedError
    from golem_oplog.values import Err

    _command_export(component)
    worker = _command_worker(host, component, request, batch)
    _check_made_alike(worker, component, request, strict=True)
    _grant(worker, request)
    invocation = Invocation(worker.resolve(_command_export(worker.component)), ())
    left = worker.unfinished()
    keys = batch.planned([invocation], [item.key for item in left])
    with _calling(worker, request, batch, left) as calls:
        if left:
            calls.output.remark(f"continuing worker {component.name}/{request.worker}")
        try:
            value = calls.invoke(invocation, keys[0])
        except InvocationExitedError as exited:
            code = exited.exit_code
        else:
            code = ExitCode.GUEST_ERR if isinstance(value, Err) else ExitCode.OK
        if request.json_output:
            function = invocation.function.name
            calls.output.result(
                json.dumps({"function": function, "key": keys[0], "exit_code": int(code)})
            )
    return code


def _command_worker(
    host: AnyHost, component: Component, request: RunRequest, batch: Batch
) -> AnyWorker:
    """The unfinished worker of this name, or a fresh one in place of one that has ended."""
    from golem_cli.session import existing_worker

    worker = existing_worker(host, component.name, request.worker)
    if worker is not None:
        # One that came to its end while its owner ended has a result for us.
        if worker.unfinished() or any(worker.call(key) is not None for key in batch.keys):
            return worker
        worker.delete()
    return _create(host, component, request)


def _command_export(component: Component) -> str:
    for name in component.exports:
        if name.partition("@")[0].partition(".")[0] == COMMAND_INTERFACE:
            return name
    from golem_oplog.wittext import format_function

    signatures = "; ".join(format_function(function) for function in component.exports.values())
    raise click.UsageError(
        f"{component.name} is no command (it does not export {COMMAND_INTERFACE}): say which "
        f"function to call with --invoke; it exports {signatures or 'none'}"
    )


def _check_made_alike(
    worker: AnyWorker, component: Component, request: RunRequest, *, strict: bool
) -> None:
    """
    Refuse arguments and variables that an existing worker could only ignore.

    With ``strict`` those must be the same that are not given.
    """
    from golem_host import ConflictError

    made = worker.metadata()
    label = f"{component.name}/{request.worker}"
    asked: Mapping[str, tuple[object, object]] = {
        "arguments": (request.args, made.args),
        "environment": (request.environment, dict(made.env)),
        "directories": (request.dirs, worker.dirs),
    }
    for what, (here, there) in asked.items():
        if (here or strict) and here != there:
            raise ConflictError(
                reason=f"worker {label} was made with other {what}: {_listed(there)}; "
                f"give those, or another --worker, or `golem-host worker delete {label}`"
            )
    if made.component_version != component.version:
        note(
            f"worker {label} stays on version {made.component_version} of its component; "
            f"for version {component.version} give another --worker, "
            f"or `golem-host worker delete {label}`",
            quiet=request.quiet,
        )


def _listed(made_with: object) -> str:
    match made_with:
        case dict():
            return " ".join(f"{name}={value}" for name, value in made_with.items()) or "none"
        case tuple():
            return " ".join(map(shlex.quote, made_with)) or "none"
        case _:
            raise TypeError(made_with)
