"""``golem-host serve``: the host as a service."""

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

    from golem_host.rest.guard import Policy

DEFAULT_ADDRESS: Final = "127.0.0.1"
DEFAULT_PORT: Final = 9006
TOKEN_VARIABLE: Final = "GOLEM_HOST_TOKEN"  # noqa: S105 - where it is, not what it is


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRequest:
    """The command line of `serve`."""

    host: str
    port: int
    token: str | None
    net: tuple[str, ...]
    json_output: bool
    quiet: bool
    state_dir: Path | None


@click.command()
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
@options.json_output
@options.quiet
@options.state_dir
@options.bundled(ServeRequest)
def serve(request: ServeRequest) -> int:
    """
    Own a state directory, run its workers, and serve the REST API.

    Workers that an earlier process left unfinished go on.  SIGINT and SIGTERM end it as a crash
    would, but at once: everything goes on when it is started again.  `/openapi.json` describes the
    API.

    \b
    Example:
      golem-host serve --port 0 --json
    """  # noqa: D301 - \b is click's mark for text that keeps its lines
    from golem_cli.session import state_root
    from golem_host import Host, HostConfig
    from golem_host.rest.server import RestServer
    from golem_host.rest.sockets import listen_tcp

    policy = _policy(request)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del frame
        # A second one ends the process on the spot.
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    config = HostConfig(net=request.net)
    with Host.open(state_root(request.state_dir), config=config) as host:
        listener = listen_tcp(request.host, request.port)
        port: int = listener.getsockname()[1]
        server = RestServer(host, listener, policy)
        thread = threading.Thread(target=server.serve, name="golem-serve")
        thread.start()
        try:
            _tell_ready(request, port)
            stop.wait()
        finally:
            server.stop()
            thread.join()
    return ExitCode.OK


def _policy(request: ServeRequest) -> Policy:
    from golem_host.rest.guard import LOOPBACK, Policy

    if request.token is not None and not request.token.strip():
        raise click.UsageError("the token is empty")
    is_loopback = request.host in LOOPBACK
    if not is_loopback and request.token is None:
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
