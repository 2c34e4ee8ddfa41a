"""``golem-host serve``: the host as a service, by REST or by what a component answers."""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from golem_cli import options
from golem_cli.exits import ExitCode
from golem_cli.render import note

if TYPE_CHECKING:
    from types import FrameType

    from golem_cli.apps import Source
    from golem_host import Component, Host
    from golem_host.files.mapping import Mapping as Mapped
    from golem_host.rest.guard import Policy
    from golem_host.rest.server import WebServer
    from golem_host.rest.sockets import Listener
    from golem_host.web.rule import WorkerRule

DEFAULT_ADDRESS: Final = "127.0.0.1"
DEFAULT_PORT: Final = 9006
TOKEN_VARIABLE: Final = "GOLEM_HOST_TOKEN"  # noqa: S105 - where it is, not what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRequest:
    """The command line of `serve`."""

    app: str | None
    name: str | None
    worker: str | None
    worker_from: str | None
    timeout: float | None
    host: str
    port: int
    token: str | None
    net: tuple[str, ...]
    dir: tuple[Mapped, ...]
    interface: tuple[str, ...]
    json_output: bool
    quiet: bool
    state_dir: Path | None


@click.command()
@click.argument("app", required=False, shell_complete=options.complete_app)
@click.option(
    "--worker",
    metavar="NAME",
    help="Let one worker answer, durably.  [default: an instance of its own for each request]",
)
@click.option(
    "--worker-from",
    metavar="PART",
    help="Let the worker answer that a part of the request names: header:NAME or path:N.",
)
@click.option(
    "--name", metavar="COMPONENT", help="The component's name.  [default: name of file or folder]"
)
@click.option(
    "--timeout",
    type=options.DURATION,
    metavar="TIME",
    help="How long a client of APP waits for an answer: 5, 500ms, 2m.  [default: 60]",
)
@click.option(
    "--host", default=DEFAULT_ADDRESS, metavar="ADDRESS", show_default=True, help="Where to listen."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    metavar="N",
    show_default=True,
    help="0 for any that is free.",
)
@click.option(
    "--token",
    envvar=TOKEN_VARIABLE,
    metavar="TEXT",
    help="What requests must give as `Authorization: Bearer TEXT`; needed beyond loopback.  "
    f"[default: ${TOKEN_VARIABLE}]",
)
@options.net
@options.directory("every guest")
@options.interface
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(ServeRequest)
def serve(request: ServeRequest) -> int:
    """
    Own a state directory, run its workers, and serve the REST API, or a component.

    With APP, which is as for `run` and exports wasi:http/incoming-handler, requests go to that
    component: each to an instance of its own that nothing remains of, or with --worker and
    --worker-from to a durable worker, made when it is first asked for.  The REST API is then at
    the state directory's control socket alone.

    Workers that an earlier process left unfinished go on.  SIGINT and SIGTERM end it as a crash
    would, but at once: everything goes on when it is started again.  `/openapi.json` describes the
    API.

    \b
    Example:
      golem-host serve --port 0 --json
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import state_root
    from golem_host import Host, HostConfig
    from golem_host.files.live.grants import checked_dirs
    from golem_host.rest.sockets import listen_tcp

    policy, lent = _policy(request), _lent(request)
    source, rule = _source(request), _rule(request)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        # A second one ends the process on the spot.
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    dirs = tuple(map(str, checked_dirs(map(str, request.dir))))
    config = HostConfig(net=request.net, dirs=dirs, interfaces=lent)
    with Host.open(state_root(request.state_dir), config=config) as host:
        component = _component(host, source, request)
        listener = listen_tcp(request.host, request.port)
        port: int = listener.getsockname()[1]
        server = _server(host, listener, policy, component, rule, request)
        thread = threading.Thread(target=server.serve, name="golem-serve")
        thread.start()
        try:
            _tell_ready(request, port)
            stop.wait()
        finally:
            server.stop()
            thread.join()
    return ExitCode.OK


def _source(request: ServeRequest) -> Source | None:
    """The APP to build and deploy; None where there is none, or it is deployed."""
    from golem_cli.apps import find_source

    if request.app is not None:
        if request.token is not None:
            raise click.UsageError("--token is for the REST API, and APP is served instead of it")
        return find_source(request.app, request.name)
    for option, value in (
        ("--worker", request.worker),
        ("--worker-from", request.worker_from),
        ("--name", request.name),
        ("--timeout", request.timeout),
    ):
        if value is not None:
            raise click.UsageError(f"{option} is for an APP to serve: name one")
    return None


def _lent(request: ServeRequest) -> tuple[object, ...]:
    if not request.interface:
        return ()
    from golem_cli.lending import load

    return load(request.interface)


def _rule(request: ServeRequest) -> WorkerRule | None:
    from golem_host.web.rule import OneWorker, parse_rule

    if request.worker is not None and request.worker_from is not None:
        raise click.UsageError("--worker and --worker-from exclude each other")
    if request.worker is not None:
        from golem_host.services.worker_name import check_worker_name

        check_worker_name(request.worker)
        return OneWorker(request.worker)
    return None if request.worker_from is None else parse_rule(request.worker_from)


def _component(host: Host, source: Source | None, request: ServeRequest) -> Component | None:
    from golem_cli.progress import progress
    from golem_host.interfaces.wasi.http.incoming_handler import TYPE

    if request.app is None:
        return None
    if source is None:
        component = host.components.get(request.app)
    else:
        with progress(quiet=request.quiet) as show:
            component = source.deploy(host, show)
    if TYPE.name not in component.exports:
        raise click.UsageError(
            f"{component.name} answers no HTTP: it does not export wasi:http/incoming-handler"
        )
    return component


def _server(
    host: Host,
    listener: Listener,
    policy: Policy,
    component: Component | None,
    rule: WorkerRule | None,
    request: ServeRequest,
) -> WebServer:
    if component is None:
        from golem_host.rest.server import RestServer

        return RestServer(host, listener, policy)
    from golem_cli.guest_output import GuestOutput
    from golem_host.web.app import TIMEOUT_S, Served
    from golem_host.web.outputs import Outputs
    from golem_host.web.server import app_server

    output = GuestOutput(
        stdout_is_data=request.json_output, quiet=request.quiet, on_closed=lambda: None
    )
    served = Served(component, rule, TIMEOUT_S if request.timeout is None else request.timeout)
    return app_server(host, served, Outputs(output.write, output.remark), listener)


def _policy(request: ServeRequest) -> Policy:
    from golem_host.rest.guard import LOOPBACK, Policy

    if request.token is not None and not request.token.strip():
        raise click.UsageError("the token is empty")
    is_loopback = request.host in LOOPBACK
    # What a component answers is for whoever it answers.
    if request.app is None and not is_loopback and request.token is None:
        raise click.UsageError(
            f"{request.host} is not loopback: give a --token, or {TOKEN_VARIABLE}"
        )
    # With a token, a page that a browser shows under another name gets nothing anyway.
    hosts = LOOPBACK if request.token is None else None
    return Policy(None if request.token is None else request.token.strip(), hosts)


def _tell_ready(request: ServeRequest, port: int) -> None:
    address = f"[{request.host}]" if ":" in request.host else request.host
    url = f"http://{address}:{port}"
    if request.json_output:
        click.echo(json.dumps({"url": url}))
    else:
        note(f"serving on {url}", quiet=request.quiet)
